// SPDX-License-Identifier: Apache-2.0
#include "tests/core/history.h"

#include <algorithm>
#include <ostream>

#include "core/base/text.h"
#include "core/replica/session.h"

namespace kalends::test {
namespace {

constexpr int64_t kHour = 3'600'000;

Id128 id_of(const std::string& name) { return derive_id(as_bytes(name)); }

const FieldSpec& pick_register(EntityType type, Prng& random) {
  std::vector<const FieldSpec*> specs;
  for (const FieldSpec& spec : all_fields())
    if (spec.entity == type && spec.merge == Merge::kRegister && spec.value != ValueKind::kPosition &&
        !spec.is_hub_only)
      specs.push_back(&spec);
  return *specs[random.below(specs.size())];
}

}  // namespace

int property_scale() {
  const char* text = std::getenv("KALENDS_PROPERTY_SCALE");
  return std::max(1, text ? std::atoi(text) : 1);
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{" << step.who << ", " << step.what << ", " << step.seed << "}";
}

std::vector<Step> some_steps(Prng& random, size_t count) {
  std::vector<Step> steps(count);
  for (Step& step : steps)
    step = {static_cast<uint32_t>(random.below(60)), static_cast<uint32_t>(random.below(1000)),
            static_cast<uint32_t>(random.next())};
  return steps;
}

std::vector<Id128> entities_in(const std::vector<Op>& ops) {
  std::set<Id128> ids;
  for (const Op& op : ops) {
    ids.insert(op.target);
    auto body = decode_body(op.kind, op.body);
    if (const auto* carry = body.ok() ? std::get_if<CarryBody>(&*body) : nullptr)
      for (const Op& inner : carry->ops) ids.insert(inner.target);
  }
  return {ids.begin(), ids.end()};
}

Sight sight_of(const Replica& replica, const std::vector<Id128>& entities) {
  Sight sight;
  sight.hash = replica.hash();
  sight.snapshot = replica.snapshot();
  sight.view = replica.options().kind == DocumentKind::kBoard ? view_board(replica) : view_workspace(replica);
  sight.conflicts = Cbor::map();
  for (const Id128& id : entities) sight.conflicts.set(to_hex(id), view_conflicts(replica.document(), id));
  return sight;
}

History::History(uint64_t seed, size_t people, DocumentKind kind)
    : document_{id_of("board")}, kind_(kind), foreign_card_(id_of("foreign")) {
  Prng random(seed);
  for (size_t i = 0; i < people; ++i) {
    // Some clocks are right, some hours off.
    int64_t skew = random.chance(1, 3)   ? 0
                   : random.chance(1, 2) ? static_cast<int64_t>(random.below(8 * kHour)) - 4 * kHour
                                         : static_cast<int64_t>(random.below(10'000)) - 5'000;
    std::string name = std::to_string(seed) + "/" + std::to_string(i);
    people_.push_back({Replica({document_, kind, ReplicaId{id_of("replica " + name)}}),
                       MemberId{id_of("member " + name)},
                       skew,
                       0,
                       {}});
  }
  std::vector<Command> base;
  if (kind == DocumentKind::kBoard) {
    for (const char* name : {"list A", "list B"}) {
      lists_.push_back(id_of(name));
      base.push_back(
          CreateCommand{EntityType::kList, lists_.back(), {{Field::kTitle, {}, std::string(name)}}, {}, {}});
    }
    for (const char* name : {"card 0", "card 1"}) {
      cards_.push_back(id_of(name));
      base.push_back(CreateCommand{
          EntityType::kCard, cards_.back(), {{Field::kTitle, {}, std::string(name)}}, lists_[0], {}});
    }
    custom_fields_.push_back(id_of("custom 0"));
    base.push_back(CreateCommand{
        EntityType::kCustomField, custom_fields_.back(), {{Field::kTitle, {}, std::string("size")}}, {}, {}});
    // A card with a history on another board.
    ReplicaOptions elsewhere{DocumentId{id_of("other board")}, DocumentKind::kBoard,
                             ReplicaId{id_of("elsewhere " + std::to_string(seed))}};
    Replica other(elsewhere);
    Target card{foreign_card_, {}};
    auto made =
        other.edit({MemberId{id_of("anna")}, Cause::kPerson, now_ms_ - 100'000},
                   {CreateCommand{EntityType::kList, id_of("other list"), {}, {}, {}},
                    CreateCommand{EntityType::kCard,
                                  foreign_card_,
                                  {{Field::kTitle, {}, std::string("from elsewhere")}},
                                  id_of("other list"),
                                  {}},
                    SetTextCommand{card, "carried text"}, AddCommand{card, Field::kLabels, id_of("label 0")},
                    SetCommand{card, {Field::kTitle, {}, std::string("renamed elsewhere")}},
                    SetTextCommand{card, "carried tex"},
                    AddChildCommand{foreign_card_,
                                    EntityType::kComment,
                                    {{Field::kText, {}, std::string("carried comment")}},
                                    {},
                                    {}}});
    KALENDS_CHECK(made.ok());
    for (const Op& op : made->ops)
      if (op.target == foreign_card_) foreign_.push_back(op);
  } else {
    for (int i = 0; i < 2; ++i)
      for (EntityType type :
           {EntityType::kBoardEntry, EntityType::kLabel, EntityType::kMember, EntityType::kSequence}) {
        others_.push_back(id_of("thing " + std::to_string(others_.size())));
        base.push_back(CreateCommand{type, others_.back(), {}, {}, {}});
      }
  }
  auto made = people_[0].replica.edit({people_[0].member, Cause::kPerson, now_ms_ - kHour}, base);
  KALENDS_CHECK(made.ok());
  for (size_t i = 1; i < people; ++i) pull(i, 0, true, random);
}

Replica History::fresh(const std::string& name) const {
  return Replica({document_, kind_, ReplicaId{id_of("replica " + name)}});
}

Replica History::opened(const std::string& name, ByteView snapshot, const std::vector<Op>& ops) const {
  auto replica = Replica::open({document_, kind_, ReplicaId{id_of("replica " + name)}}, snapshot, ops);
  KALENDS_CHECK(replica.ok());
  return std::move(replica).value();
}

void History::run(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    Prng random(step.seed);
    now_ms_ += static_cast<int64_t>(random.below(2000));
    size_t who = step.who % people_.size();
    if (step.what % 5 == 0)
      pull(who, random.below(people_.size()), random.chance(1, 2), random);
    else
      edit(who, step.what / 5, random);
  }
}

void History::settle() {
  Prng random(1);
  for (int round = 0; round < 2; ++round)
    for (size_t a = 0; a < people_.size(); ++a)
      for (size_t b = 0; b < people_.size(); ++b) pull(a, b, true, random);
}

std::vector<Op> History::all_ops() const {
  auto ops = people_[0].replica.ops_since({});
  KALENDS_CHECK(ops.ok());
  return *ops;
}

// Whole, or the beginning of it; now and then with what is known already.
void History::pull(size_t to, size_t from, bool is_whole, Prng& random) {
  if (to == from) return;
  Somebody& reader = people_[to];
  auto ops = people_[from].replica.ops_since(random.chance(1, 8) ? Version{} : reader.replica.version());
  KALENDS_CHECK(ops.ok());
  if (!is_whole && !ops->empty()) ops->resize(1 + random.below(ops->size()));
  int64_t now = now_ms_ + reader.skew_ms;
  Version before = reader.replica.version();
  for (const Op& op : *ops) {
    for (Somebody& other : people_)
      if (op.id.replica == other.replica.options().replica && &other != &reader)
        other.given = std::max(other.given, op.id.counter);
    if (!before.covers(op.id) && op.stamp.ms() <= now + kClockSkewMsMax)
      reader.known = std::max(reader.known, op.stamp);
  }
  auto merged = reader.replica.merge(*ops, now);
  KALENDS_CHECK(merged.ok());
}

void History::note(size_t who, const EditResult& result, int64_t now_ms) {
  Somebody& person = people_[who];
  for (const Op& op : result.ops) {
    ++kinds_[op.kind];
    if (stamp_fault_.empty()) stamp_fault_ = stamp_too_early(op, person.known, now_ms);
    person.known = std::max(person.known, op.stamp);
  }
}

Id128 History::some(const std::vector<Id128>& ids, Prng& random) const {
  return ids[random.below(ids.size())];
}

const History::Child* History::some_child(EntityType type, Prng& random) const {
  std::vector<const Child*> found;
  for (const Child& child : children_)
    if (type == EntityType::kUnknown || child.type == type) found.push_back(&child);
  return found.empty() ? nullptr : found[random.below(found.size())];
}

When History::some_when(Prng& random) const {
  if (random.chance(1, 2)) return When::all_day({static_cast<int32_t>(20000 + random.below(6))});
  return When::timed({static_cast<int64_t>((20000 + random.below(6)) * 86400 + 3600)},
                     random.chance(1, 3) ? "" : "Europe/Berlin",
                     random.chance(1, 4) ? Fold::kSecond : Fold::kFirst);
}

FieldValue History::some_value(EntityType type, Prng& random) const {
  const FieldSpec& spec = pick_register(type, random);
  FieldValue said{spec.field, {}, {}};
  if (spec.field == Field::kCustom) said.key = some(custom_fields_, random);
  if (spec.field == Field::kLocalName) said.key = some(others_, random);
  if (random.chance(1, 8)) return said;
  switch (spec.value) {
    case ValueKind::kBool:
      said.value = random.chance(1, 2);
      break;
    case ValueKind::kInt:
      said.value = static_cast<int64_t>(random.below(100));
      break;
    case ValueKind::kText:
      if (spec.field == Field::kColour)
        said.value = std::string(colour_names()[random.below(3)]);
      else if (spec.field == Field::kTimeZone)
        said.value = std::string(random.chance(1, 2) ? "Europe/Berlin" : "Asia/Tokyo");
      else
        said.value = "wört " + std::to_string(random.below(6));
      break;
    case ValueKind::kWhen:
      said.value = some_when(random);
      break;
    case ValueKind::kInts:
      said.value = std::vector<int64_t>{static_cast<int64_t>(random.below(3)), 10};
      break;
    default:
      said.value = id_of("id " + std::to_string(random.below(3)));
  }
  return said;
}

Placement History::some_placement(const std::vector<Id128>& among, Prng& random) const {
  switch (random.below(3)) {
    case 0:
      return {Placement::Where::kFirst, {}, {}};
    case 1:
      return {};
    default:
      return {Placement::Where::kAfter, some(among, random), {}};
  }
}

std::vector<Command> History::some_commands(size_t who, uint32_t what, Prng& random) {
  const Replica& replica = people_[who].replica;
  auto title = [&] { return FieldValue{Field::kTitle, {}, "title " + std::to_string(random.below(9))}; };
  auto thing = [&]() -> Target {  // anything that can have a life
    if (random.chance(1, 3))
      if (const Child* child = some_child(EntityType::kUnknown, random)) return {child->card, child->id};
    if (kind_ == DocumentKind::kWorkspace) return {some(others_, random), {}};
    if (random.chance(1, 6)) return {some(lists_, random), {}};
    if (random.chance(1, 8)) return {some(custom_fields_, random), {}};
    return {some(cards_, random), {}};
  };
  auto known_op = [&]() -> std::optional<Op> {
    std::vector<Op> log = replica.log();
    return log.empty() ? std::nullopt : std::optional(log[random.below(log.size())]);
  };
  if (kind_ == DocumentKind::kWorkspace) {
    Id128 id = some(others_, random);
    switch (what % 8) {
      case 0: {
        EntityType types[] = {EntityType::kBoardEntry, EntityType::kLabel, EntityType::kMember,
                              EntityType::kSequence};
        others_.push_back(random.id());
        return {CreateCommand{types[random.below(4)], others_.back(), {}, {}, {}}};
      }
      case 1:
        return {AddChildCommand{id, EntityType::kStep, {title()}, {}, {}}};
      case 2:
        if (const Child* step = some_child(EntityType::kStep, random))
          return {SetCommand{{step->card, step->id}, some_value(EntityType::kStep, random)}};
        return {};
      case 3:
        return {DeleteCommand{thing()}};
      case 4:
        return {RestoreCommand{thing()}};
      case 5:
        if (const Child* step = some_child(EntityType::kStep, random))
          return {MoveCommand{{step->card, step->id}, {}, {}, {Placement::Where::kFirst, {}, {}}}};
        return {MoveCommand{{id, {}}, {}, {}, some_placement(others_, random)}};
      default: {
        EntityType types[] = {EntityType::kBoardEntry, EntityType::kLabel, EntityType::kSequence};
        return {SetCommand{{id, {}}, some_value(types[random.below(3)], random), random.chance(1, 5)}};
      }
    }
  }
  // The first ones more often: people meet.
  Id128 card = cards_[std::min(random.below(cards_.size()), random.below(cards_.size()))];
  Target target{card, {}};
  auto length = [&](const Id128& id) {
    return code_point_count(view_card(replica.document(), id)["description"].as_text());
  };
  switch (what % 34) {
    case 0: {
      cards_.push_back(random.id());
      std::vector<FieldValue> fields = {title()};
      if (random.chance(1, 2)) fields.push_back({Field::kDescription, {}, std::string("béginning")});
      if (random.chance(1, 3))
        for (uint64_t n = 1 + random.below(2); n > 0; --n)
          fields.push_back({Field::kLabels, {}, id_of("label " + std::to_string(random.below(3)))});
      if (random.chance(1, 3)) fields.push_back({Field::kDue, {}, some_when(random)});
      return {CreateCommand{EntityType::kCard, cards_.back(), fields, some(lists_, random),
                            some_placement(cards_, random)}};
    }
    case 1: {
      // Also made twice with one id, by an import that is repeated.
      Id128 id = id_of("imported " + std::to_string(random.below(3)));
      if (std::find(cards_.begin(), cards_.end(), id) == cards_.end()) cards_.push_back(id);
      return {CreateCommand{EntityType::kCard, id, {title()}, some(lists_, random), {}}};
    }
    case 2:
      if (lists_.size() < 5) lists_.push_back(random.id());
      return {CreateCommand{EntityType::kList, lists_.back(), {title()}, {}, some_placement(lists_, random)}};
    case 3:
      if (custom_fields_.size() < 3) custom_fields_.push_back(random.id());
      return {CreateCommand{EntityType::kCustomField, custom_fields_.back(), {title()}, {}, {}}};
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      return {SetCommand{target, some_value(EntityType::kCard, random), random.chance(1, 5)}};
    case 9:
      return {SetCommand{{some(lists_, random), {}}, some_value(EntityType::kList, random)}};
    case 10:
      return {SetCommand{{document_.raw, {}}, some_value(EntityType::kBoard, random)}};
    case 11:
      if (const Child* child = some_child(EntityType::kUnknown, random))
        return {SetCommand{{child->card, child->id}, some_value(child->type, random), random.chance(1, 5)}};
      return {};
    case 12:
    case 13:
      return {MoveCommand{target, some(lists_, random), {}, some_placement(cards_, random)}};
    case 14:
      return {MoveCommand{{some(lists_, random), {}}, {}, {}, some_placement(lists_, random)}};
    case 15: {
      const Child* child = some_child(EntityType::kItem, random);
      const Child* checklist = some_child(EntityType::kChecklist, random);
      if (!child || !checklist) return {};
      return {MoveCommand{{child->card, child->id}, {}, checklist->id, some_placement(cards_, random)}};
    }
    case 16:
    case 17: {
      Field field = random.chance(2, 3) ? Field::kLabels : Field::kAssignees;
      return {AddCommand{target, field, id_of("label " + std::to_string(random.below(3)))}};
    }
    case 18:
    case 19: {
      Field field = random.chance(2, 3) ? Field::kLabels : Field::kAssignees;
      return {RemoveCommand{target, field, id_of("label " + std::to_string(random.below(3)))}};
    }
    case 20:
    case 21: {
      uint32_t all = length(card);
      auto at = static_cast<uint32_t>(random.below(all + 1));
      auto removed = static_cast<uint32_t>(random.below(std::min(all - at, 6u) + 1));
      return {SpliceCommand{target, {at, removed, random.chance(3, 4) ? "ä" + std::to_string(who) : ""}}};
    }
    case 22:
      return {SetTextCommand{target, "text " + std::to_string(random.below(4)) + " end"}};
    case 23:
      return {
          AddChildCommand{card, EntityType::kComment, {{Field::kText, {}, std::string("hello")}}, {}, {}}};
    case 24:
      return {AddChildCommand{card, EntityType::kChecklist, {title()}, {}, {}}};
    case 25: {
      const Child* checklist = some_child(EntityType::kChecklist, random);
      if (!checklist) return {AddChildCommand{card, EntityType::kChecklist, {title()}, {}, {}}};
      return {AddChildCommand{
          checklist->card,
          EntityType::kItem,
          {{Field::kText, {}, std::string("do")}},
          checklist->id,
          {random.chance(1, 2) ? Placement::Where::kFirst : Placement::Where::kLast, {}, {}}}};
    }
    case 26:
      if (const Child* item = some_child(EntityType::kItem, random))
        return {SetTextCommand{{item->card, item->id}, "do it " + std::to_string(random.below(3))}};
      return {AddChildCommand{
          card, EntityType::kAttachment, {{Field::kUrl, {}, std::string("https://example.org")}}, {}, {}}};
    case 27:
    case 28:
      return {DeleteCommand{thing()}};
    case 29:
      return {RestoreCommand{thing()}};
    case 30: {
      // One value of an open conflict, or the next best.
      Cbor conflicts = view_conflicts(replica.document(), card);
      for (const Cbor& row : conflicts.items()) {
        auto child = parse_op_id(row["child"].as_text());
        Target where{card, child.value_or(OpId{})};
        EntityType type = EntityType::kCard;
        for (const Child& one : children_)
          if (child && one.id == *child) type = one.type;
        const FieldSpec* spec = find_field(type, row["field"].as_text());
        const auto& values = row["values"].items();
        if (!spec || (row["kind"].as_text() != "value" && row["kind"].as_text() != "text")) continue;
        auto key = id_from_hex(row["key"].as_text());
        auto op = parse_op_id(values[random.below(values.size())]["op"].as_text());
        return {ResolveCommand{where, spec->field, key.value_or(Id128{}), op.value_or(OpId{})}};
      }
      return {OfferCommand{target, {Field::kTitle, {}, std::string("open")}}};
    }
    case 31:
      if (random.chance(1, 2)) return {OfferCommand{target, some_value(EntityType::kCard, random)}};
      if (const Child* item = some_child(EntityType::kItem, random); item && random.chance(1, 2))
        return {OfferCommand{{item->card, item->id},
                             {Field::kText, {}, "offer " + std::to_string(random.below(3))}}};
      return {OfferCommand{target, {Field::kDescription, {}, "offer " + std::to_string(random.below(3))}}};
    case 32:
      if (auto op = known_op()) {
        if (random.chance(1, 2))
          return {BoundCommand{{op->target, {}}, op->id, Hlc::from(now_ms_ - kHour, 0)}};
        if (random.chance(1, 2)) return {RedactCommand{{op->target, {}}, op->id}};
      }
      return {};
    default: {
      std::vector<Op> some_of = foreign_;
      some_of.resize(1 + random.below(foreign_.size()));
      if (std::find(cards_.begin(), cards_.end(), foreign_card_) == cards_.end())
        cards_.push_back(foreign_card_);
      return {CarryCommand{foreign_card_, some_of}};
    }
  }
}

void History::edit(size_t who, uint32_t what, Prng& random) {
  Somebody& person = people_[who];
  // Now and then something that nobody else has yet is refused by the hub: a void takes its place.
  uint64_t own = person.replica.version().of(person.replica.options().replica);
  if (random.chance(1, 25) && own > person.given) {
    OpId refused{person.replica.options().replica, person.given + 1 + random.below(own - person.given)};
    person.replica.retract({{refused, ErrorCode::kForbidden}});
    return;
  }
  std::vector<Command> commands = some_commands(who, what, random);
  bool is_hub = !commands.empty() &&
                (std::get_if<BoundCommand>(&commands[0]) || std::get_if<RedactCommand>(&commands[0]) ||
                 std::get_if<CarryCommand>(&commands[0]));
  if (random.chance(1, 3)) {
    std::vector<Command> more = some_commands(who, static_cast<uint32_t>(random.below(30)), random);
    commands.insert(commands.end(), more.begin(), more.end());
  }
  if (commands.empty()) return;
  int64_t now = now_ms_ + person.skew_ms;
  Cause cause = is_hub ? Cause::kHub : random.chance(1, 8) ? Cause::kBridge : Cause::kPerson;
  auto result = person.replica.edit({person.member, cause, now}, commands);
  ++edits_;
  if (!result.ok()) {
    ++refused_;
    return;
  }
  note(who, *result, now);
  for (size_t i = 0; i < commands.size(); ++i)
    if (const auto* add = std::get_if<AddChildCommand>(&commands[i]))
      children_.push_back({add->entity, result->created[i], add->type});
}

std::vector<Op> mixed(const std::vector<Op>& ops, Prng& random) {
  std::map<ReplicaId, std::deque<Op>> queues;
  for (const Op& op : ops) queues[op.id.replica].push_back(op);
  std::vector<Op> all;
  while (!queues.empty()) {
    auto it = std::next(queues.begin(), static_cast<long>(random.below(queues.size())));
    for (uint64_t n = 1 + random.below(6); n > 0 && !it->second.empty(); --n) {
      all.push_back(it->second.front());
      it->second.pop_front();
    }
    if (it->second.empty()) queues.erase(it);
  }
  return all;
}

std::string unequal(const Sight& a, const Sight& b) {
  if (auto found = difference_of(a.view, b.view, "view"); !found.empty()) return found;
  if (auto found = difference_of(a.conflicts, b.conflicts, "conflicts"); !found.empty()) return found;
  if (a.snapshot != b.snapshot) return "snapshots differ";
  if (a.hash != b.hash) return "hashes differ";
  return "";
}

std::string against_model(const Cbor& view, const Cbor& conflicts, DocumentId document, DocumentKind kind,
                          const std::vector<Op>& ops) {
  ReferenceModel model(document, kind, ops);
  Cbor expected = kind == DocumentKind::kBoard ? model.board() : model.workspace();
  if (auto found = difference_of(view, expected, "view"); !found.empty()) return found;
  for (const auto& [id, rows] : conflicts.entries())
    if (auto found = difference_of(rows, model.conflicts(*id_from_hex(id)), "conflicts/" + id);
        !found.empty())
      return found;
  return "";
}

std::string against_model(const Replica& replica, DocumentKind kind, const std::vector<Op>& ops) {
  Sight sight = sight_of(replica, entities_in(ops));
  return against_model(sight.view, sight.conflicts, replica.options().document, kind, ops);
}

std::string lost_loser(const std::vector<Op>& ops, const Cbor& board, const Cbor& conflicts) {
  std::set<OpId> replaced, redacted;
  std::vector<Op> all;
  for (const Op& op : ops) {
    auto body = decode_body(op.kind, op.body);
    if (const auto* carry = std::get_if<CarryBody>(&*body))
      all.insert(all.end(), carry->ops.begin(), carry->ops.end());
    if (const auto* redact = std::get_if<RedactBody>(&*body)) redacted.insert(redact->op);
    all.push_back(op);
  }
  for (const Op& op : all) replaced.insert(op.replaced.begin(), op.replaced.end());
  for (const Op& op : all) {
    auto body = decode_body(op.kind, op.body);
    const FieldValue* said = nullptr;
    bool is_offer = false;
    if (const auto* set = std::get_if<SetBody>(&*body)) said = &set->field;
    if (const auto* offer = std::get_if<OfferBody>(&*body)) said = &offer->field, is_offer = true;
    if (!said || replaced.count(op.id) > 0 || redacted.count(op.id) > 0 || !op.child.is_nil()) continue;
    if (said->field == Field::kHome || (is_offer && kind_of(said->value) == ValueKind::kNull)) continue;
    const Cbor* card = board["cards"].find(to_hex(op.target));
    const FieldSpec* spec = find_field(EntityType::kCard, said->field);
    if (!card || !spec) continue;  // lists and children: the model covers them
    Cbor wanted = view_value(said->value);
    bool is_open = false;
    for (const Cbor& row : conflicts[to_hex(op.target)].items()) {
      if (row["field"].as_text() != spec->name || row["child"].is_text()) continue;
      if (row["key"].as_text() != (said->key.is_nil() ? std::string() : to_hex(said->key))) continue;
      for (const Cbor& value : row["values"].items())
        is_open = is_open || encode_cbor(value["value"]) == encode_cbor(wanted);
    }
    Cbor shown = said->field == Field::kCustom     ? (*card)["custom"][to_hex(said->key)]
                 : said->field == Field::kPosition ? Cbor::map({{"list", (*card)["list"]}})
                                                   : (*card)[spec->name];
    // A card moved while its place was redacted stands in no list, which the card shows as a nil one.
    if (const auto* position = std::get_if<Position>(&said->value); position && position->list.is_nil())
      wanted = Cbor::map({{"list", to_hex(Id128{})}});
    // Resolved for a place that was redacted: then it stands nowhere.
    if (said->field == Field::kPosition && (*card)["list"].is_null()) shown = Cbor();
    bool is_shown = encode_cbor(shown) == encode_cbor(wanted);
    if (wanted.is_null())  // "nothing" is shown as what is empty
      is_shown = shown.is_null() || (shown.is_text() && shown.as_text().empty()) ||
                 (shown.is_bool() && !shown.as_bool()) || (shown.is_array() && shown.items().empty());
    if (!is_open && !is_shown)
      return "the value of " + op_id_text(op.id) + " (" + std::string(spec->name) + ") is gone";
  }
  return "";
}

std::string interleaved(const std::vector<std::string>& order) {
  std::map<char, std::vector<size_t>> places;
  std::map<char, std::vector<int>> numbers;
  for (size_t i = 0; i < order.size(); ++i) {
    places[order[i][0]].push_back(i);
    numbers[order[i][0]].push_back(std::atoi(order[i].c_str() + 1));
  }
  for (const auto& [letter, at] : places) {
    if (at.back() - at.front() + 1 != at.size()) return std::string("the run of ") + letter + " is torn";
    const auto& of = numbers[letter];
    if (!std::is_sorted(of.begin(), of.end()) && !std::is_sorted(of.rbegin(), of.rend()))
      return std::string("the run of ") + letter + " is out of order";
  }
  return "";
}

std::string stamps_not_rising(const std::vector<Op>& own) {
  for (size_t i = 1; i < own.size(); ++i)
    if (own[i].stamp <= own[i - 1].stamp) return "operation " + std::to_string(i) + " has no greater stamp";
  return "";
}

std::string stamp_too_early(const Op& op, Hlc known, int64_t now_ms) {
  if (op.stamp <= known) return "a stamp did not rise above one known before";
  if (op.stamp.ms() < now_ms) return "a stamp is before the clock on the wall";
  return "";
}

std::string chunk_fault(const std::vector<Op>& ops, const Encode& encode, const Decode& decode) {
  Bytes bytes = encode(ops);
  auto back = decode(bytes);
  if (!back.ok()) return "refused: " + back.error().message;
  if (*back != ops) return "other operations came back";
  if (encode(*back) != bytes) return "other bytes";
  for (const Op& op : ops) {
    auto body = decode_body(op.kind, op.body);
    if (!body.ok()) return "a body is refused";
    if (!std::get_if<UnknownBody>(&*body) && encode_body(*body) != op.body) return "other bytes of a body";
  }
  return "";
}

std::string canonical_fault(const Bytes& bytes, const Encode& encode, const Decode& decode) {
  auto decoded = decode(bytes);
  if (!decoded.ok()) return decoded.error().message.empty() ? "refused without a word" : "";
  if (encode(*decoded) != bytes) return "accepted, but not canonical";
  for (const Op& op : *decoded) {
    auto body = decode_body(op.kind, op.body);
    if (body.ok() && !std::get_if<UnknownBody>(&*body) && encode_body(*body) != op.body)
      return "a body was accepted, but is not canonical";
  }
  return "";
}

std::string vague(const Error& error) {
  std::string lower = error.message;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.size() < 15) return "too short: " + error.message;
  for (const char* advice : {"fetch", "restore", "update", "take", "use ", "must", "malformed", "make",
                             "look again", "at most", "split", "belongs to another", "name"})
    if (lower.find(advice) != std::string::npos) return "";
  return "says nothing to do: " + error.message;
}

}  // namespace kalends::test
