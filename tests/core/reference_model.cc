// SPDX-License-Identifier: Apache-2.0
#include "tests/core/reference_model.h"

#include <algorithm>
#include <functional>

namespace kalends::test {
namespace {

template <typename T>
const T* as(const OpBody& body) {
  return std::get_if<T>(&body);
}

bool names(const Op& op, const OpId& id) {
  return std::find(op.replaced.begin(), op.replaced.end(), id) != op.replaced.end();
}

Merge merge_of(EntityType type, Field field) {
  const FieldSpec* spec = find_field(type, field);
  return spec ? spec->merge : Merge::kRegister;
}

std::string op_text(const OpId& id) {
  return id.is_nil() ? std::string() : to_hex(id.replica) + ":" + std::to_string(id.counter);
}

Cbor shown_value(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* id = std::get_if<Id128>(&value)) return to_hex(*id);
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    Cbor array = Cbor::array();
    for (int64_t number : *ints) array.push(number);
    return array;
  }
  if (const auto* when = std::get_if<When>(&value)) {
    if (when->is_all_day) return Cbor::map({{"date", to_text(when->date)}});
    return Cbor::map(
        {{"at", to_text(when->wall)}, {"zone", when->zone}, {"fold", when->fold == Fold::kSecond ? 1 : 0}});
  }
  if (const auto* position = std::get_if<Position>(&value)) {
    Cbor map = Cbor::map();
    if (!position->list.is_nil()) map.set("list", to_hex(position->list));
    if (!position->parent.is_nil()) map.set("checklist", op_text(position->parent));
    return map;
  }
  return {};
}

bool is_one_answer(const Value& a, const Value& b) {
  const auto* p = std::get_if<Position>(&a);
  const auto* q = std::get_if<Position>(&b);
  return p && q ? p->list == q->list && p->parent == q->parent : a == b;
}

std::vector<std::string> characters_of(const std::string& text) {
  std::vector<std::string> characters;
  for (char c : text) {
    if ((static_cast<uint8_t>(c) & 0xC0) != 0x80) characters.emplace_back();
    characters.back() += c;
  }
  return characters;
}

}  // namespace

ReferenceModel::ReferenceModel(DocumentId document, DocumentKind kind, const std::vector<Op>& ops)
    : document_(document), kind_(kind) {
  for (const Op& op : ops) take(op, false);
  for (const auto& [id, fact] : facts_) {
    if (const auto* bound = as<BoundBody>(fact.body)) {
      auto [it, is_new] = caps_.try_emplace(bound->op, bound->stamp);
      if (!is_new && bound->stamp < it->second) it->second = bound->stamp;
    }
    if (const auto* redact = as<RedactBody>(fact.body)) redacted_.insert(redact->op);
    targets_[fact.op.target].push_back(&fact);
  }
}

void ReferenceModel::take(const Op& op, bool is_carried) {
  auto body = decode_body(op.kind, op.body);
  if (!body.ok()) return;  // only carried ones: merge refuses the others
  if (const auto* carry = as<CarryBody>(*body); carry && !is_carried)
    for (const Op& inner : carry->ops) take(inner, true);
  if (as<VoidBody>(*body) || as<UnknownBody>(*body)) return;
  facts_.try_emplace(op.id, Fact{op, *body});
}

bool ReferenceModel::is_before(const Candidate& a, const Candidate& b) {
  if (a.is_offer != b.is_offer) return !a.is_offer;
  if (a.stamp != b.stamp) return a.stamp > b.stamp;
  return a.op > b.op;
}

Hlc ReferenceModel::stamp_of(const Op& op) const {
  auto cap = caps_.find(op.id);
  return cap != caps_.end() && cap->second < op.stamp ? cap->second : op.stamp;
}

bool ReferenceModel::is_about(const Fact& fact, const Where& where) const {
  if (fact.op.target != where.entity) return false;
  if (as<BoundBody>(fact.body) || as<RedactBody>(fact.body) || as<CarryBody>(fact.body)) return false;
  const auto* create = as<CreateBody>(fact.body);
  if (create) return (is_child(create->type) ? fact.op.id : OpId{}) == where.child;
  return fact.op.child == where.child;
}

std::vector<const ReferenceModel::Fact*> ReferenceModel::about(const Where& where) const {
  std::vector<const Fact*> found;
  auto it = targets_.find(where.entity);
  if (it == targets_.end()) return found;
  for (const Fact* fact : it->second)
    if (is_about(*fact, where)) found.push_back(fact);
  return found;
}

const ReferenceModel::Fact* ReferenceModel::first_create(const Where& where) const {
  if (where.entity == document_.raw && where.child.is_nil()) return nullptr;  // the root is not created
  for (const Fact* fact : about(where))
    if (as<CreateBody>(fact->body)) return fact;  // in the order of op ids
  return nullptr;
}

EntityType ReferenceModel::type_of(const Where& where) const {
  if (where.entity == document_.raw && where.child.is_nil())
    return kind_ == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace;
  const Fact* create = first_create(where);
  return create ? as<CreateBody>(create->body)->type : EntityType::kUnknown;
}

bool ReferenceModel::is_text_offer(const Fact& fact) const {
  const auto* offer = as<OfferBody>(fact.body);
  return offer && (offer->field.field == Field::kDescription ||
                   merge_of(type_of({fact.op.target, fact.op.child}), offer->field.field) == Merge::kText);
}

std::vector<ReferenceModel::Candidate> ReferenceModel::register_of(const Where& where, Field field,
                                                                   const Id128& key) const {
  std::vector<Candidate> all;
  std::set<OpId> replaced;
  for (const Fact* fact : about(where)) {
    auto say = [&](const FieldValue& said, bool is_offer) {
      if (said.field != field || said.key != key) return;
      replaced.insert(fact->op.replaced.begin(), fact->op.replaced.end());
      Value value = is_redacted(fact->op.id) ? Value{} : said.value;
      all.push_back({fact->op.id, stamp_of(fact->op), fact->op.author, value, is_offer});
    };
    if (const auto* set = as<SetBody>(fact->body)) say(set->field, false);
    if (const auto* offer = as<OfferBody>(fact->body); offer && !is_text_offer(*fact))
      say(offer->field, true);
    if (const auto* create = as<CreateBody>(fact->body))
      for (size_t i = 0; i < create->fields.size(); ++i) {
        const FieldValue& said = create->fields[i];
        bool is_said_before = std::any_of(create->fields.begin(), create->fields.begin() + static_cast<long>(i),
                                          [&](const FieldValue& earlier) {
                                            return earlier.field == said.field && earlier.key == said.key;
                                          });
        if (is_said_before && merge_of(create->type, said.field) != Merge::kSet) continue;
        Merge merge = merge_of(create->type, said.field);
        bool is_in_text = merge == Merge::kText && std::get_if<std::string>(&said.value);
        bool is_in_set = merge == Merge::kSet && std::get_if<Id128>(&said.value);
        if (!is_in_text && !is_in_set) say(said, false);
      }
  }
  std::vector<Candidate> open;
  for (const Candidate& candidate : all)
    if (replaced.count(candidate.op) == 0) open.push_back(candidate);
  std::sort(open.begin(), open.end(), is_before);
  return open;
}

std::vector<ReferenceModel::Candidate> ReferenceModel::text_offers(const Where& where) const {
  std::vector<Candidate> all;
  std::set<OpId> replaced;
  for (const Fact* fact : about(where)) {
    bool is_offer = is_text_offer(*fact);
    if (is_offer || as<TextInsertBody>(fact->body) || as<TextRemoveBody>(fact->body))
      replaced.insert(fact->op.replaced.begin(), fact->op.replaced.end());
    if (!is_offer || std::holds_alternative<std::monostate>(as<OfferBody>(fact->body)->field.value)) continue;
    Value value = is_redacted(fact->op.id) ? Value{} : as<OfferBody>(fact->body)->field.value;
    all.push_back({fact->op.id, stamp_of(fact->op), fact->op.author, value, true});
  }
  std::vector<Candidate> open;
  for (const Candidate& candidate : all)
    if (replaced.count(candidate.op) == 0) open.push_back(candidate);
  std::sort(open.begin(), open.end(), is_before);
  return open;
}

std::set<std::pair<Field, Id128>> ReferenceModel::register_names(const Where& where) const {
  std::set<std::pair<Field, Id128>> keys;
  for (const Fact* fact : about(where)) {
    if (const auto* set = as<SetBody>(fact->body)) keys.insert({set->field.field, set->field.key});
    if (const auto* offer = as<OfferBody>(fact->body)) keys.insert({offer->field.field, offer->field.key});
    if (const auto* create = as<CreateBody>(fact->body))
      for (const FieldValue& said : create->fields) keys.insert({said.field, said.key});
  }
  return keys;
}

Value ReferenceModel::value(const Where& where, Field field, const Id128& key) const {
  auto open = register_of(where, field, key);
  return open.empty() ? Value{} : open.front().value;
}

std::string ReferenceModel::text_value(const Where& where, Field field) const {
  Value shown = value(where, field);
  const auto* text = std::get_if<std::string>(&shown);
  return text ? *text : std::string();
}

bool ReferenceModel::flag(const Where& where, Field field) const {
  Value shown = value(where, field);
  const auto* flag = std::get_if<bool>(&shown);
  return flag && *flag;
}

std::vector<Id128> ReferenceModel::elements(const Where& where, Field field) const {
  std::set<std::pair<Id128, OpId>> adds;
  std::set<std::pair<Id128, OpId>> removed;
  for (const Fact* fact : about(where)) {
    if (const auto* add = as<AddBody>(fact->body); add && add->field == field)
      adds.insert({add->element, fact->op.id});
    if (const auto* remove = as<RemoveBody>(fact->body); remove && remove->field == field)
      for (const OpId& id : fact->op.replaced) removed.insert({remove->element, id});
    if (const auto* create = as<CreateBody>(fact->body))
      for (const FieldValue& said : create->fields)
        if (const auto* id = std::get_if<Id128>(&said.value);
            said.field == field && id && merge_of(create->type, field) == Merge::kSet)
          adds.insert({*id, fact->op.id});
  }
  std::set<Id128> in;
  for (const auto& add : adds)
    if (removed.count(add) == 0) in.insert(add.first);
  return {in.begin(), in.end()};
}

std::string ReferenceModel::text(const Where& where) const {
  struct Run {
    OpId op;
    std::vector<std::string> characters;
    TextInsert insert;
  };
  std::vector<Run> runs;  // in the order of op ids
  std::set<std::pair<OpId, uint32_t>> removed;
  for (const Fact* fact : about(where)) {
    if (const auto* insert = as<TextInsertBody>(fact->body))
      runs.push_back({fact->op.id, characters_of(insert->insert.text), insert->insert});
    if (const auto* create = as<CreateBody>(fact->body))
      for (const FieldValue& said : create->fields)
        if (const auto* text = std::get_if<std::string>(&said.value);
            text && !text->empty() && merge_of(create->type, said.field) == Merge::kText)
          runs.push_back({fact->op.id, characters_of(*text), TextInsert{{}, Side::kAfter, *text}});
    if (const auto* remove = as<TextRemoveBody>(fact->body))
      for (const CharRange& range : remove->ranges)
        for (uint32_t i = 0; i < range.length; ++i) removed.insert({range.op, range.offset + i});
  }
  std::string shown;
  std::function<void(const CharId&, Side)> walk = [&](const CharId& at, Side side) {
    for (const Run& run : runs) {
      if (run.insert.parent != at || run.insert.side != side) continue;
      for (uint32_t i = 0; i < run.characters.size(); ++i) {
        walk({run.op, i}, Side::kBefore);
        if (removed.count({run.op, i}) == 0 && !is_redacted(run.op)) shown += run.characters[i];
        walk({run.op, i}, Side::kAfter);
      }
    }
  };
  walk({}, Side::kAfter);
  return shown;
}

std::vector<const ReferenceModel::Fact*> ReferenceModel::deletions(const Where& where) const {
  std::vector<const Fact*> facts = about(where);
  std::vector<const Fact*> open;
  for (const Fact* fact : facts) {
    if (!as<DeleteBody>(fact->body)) continue;
    bool is_undone = std::any_of(facts.begin(), facts.end(), [&](const Fact* other) {
      return (as<RestoreBody>(other->body) || as<DeleteBody>(other->body)) && names(other->op, fact->op.id);
    });
    if (!is_undone) open.push_back(fact);
  }
  return open;
}

// Some deletion, not undone, had seen every other operation on it.
bool ReferenceModel::is_deleted(const Where& where) const {
  std::vector<OpId> others;
  auto it = targets_.find(where.entity);
  if (it == targets_.end()) return false;
  for (const Fact* fact : it->second) {
    if (as<BoundBody>(fact->body) || as<RedactBody>(fact->body) || as<CarryBody>(fact->body)) continue;
    bool is_own = is_about(*fact, where);
    // To its card, what happens to a comment is an edit of the card, a comment's deletion too.
    if (is_own ? !as<DeleteBody>(fact->body) : where.child.is_nil()) others.push_back(fact->op.id);
  }
  for (const Fact* deletion : deletions(where)) {
    const Version& seen = as<DeleteBody>(deletion->body)->seen;
    if (std::all_of(others.begin(), others.end(), [&](const OpId& id) { return seen.covers(id); }))
      return true;
  }
  return false;
}

bool ReferenceModel::is_live(const Where& where) const {
  if (where.entity == document_.raw && where.child.is_nil()) {
    bool is_met = targets_.count(where.entity) > 0;
    return is_met && !is_deleted(where);
  }
  return first_create(where) && !is_deleted(where);
}

bool ReferenceModel::lives_here(const Id128& entity) const {
  Value home = value({entity, {}}, Field::kHome);
  const auto* id = std::get_if<Id128>(&home);
  return !id || *id == document_.raw;
}

std::string ReferenceModel::rank(const Where& where) const {
  Value shown = value(where, Field::kPosition);
  const auto* position = std::get_if<Position>(&shown);
  return position ? position->rank : std::string();
}

std::vector<OpId> ReferenceModel::children(const Id128& entity, EntityType type) const {
  std::vector<std::tuple<std::string, Hlc, OpId>> found;
  auto it = targets_.find(entity);
  if (it == targets_.end()) return {};
  for (const Fact* fact : it->second) {
    const auto* create = as<CreateBody>(fact->body);
    Where where{entity, fact->op.id};
    if (create && create->type == type && is_live(where))
      found.emplace_back(rank(where), stamp_of(fact->op), fact->op.id);
  }
  std::sort(found.begin(), found.end());
  std::vector<OpId> ids;
  for (const auto& [rank, stamp, id] : found) ids.push_back(id);
  return ids;
}

std::vector<Id128> ReferenceModel::entities() const {
  std::vector<Id128> ids;
  for (const auto& [id, facts] : targets_) ids.push_back(id);
  return ids;
}

// Deleted ones too.
std::vector<Id128> ReferenceModel::in_order(EntityType type, const Id128& list) const {
  std::vector<std::pair<std::string, Id128>> found;
  for (const Id128& id : entities()) {
    Where where{id, {}};
    if (id == document_.raw || type_of(where) != type) continue;
    Value shown = value(where, Field::kPosition);
    const auto* position = std::get_if<Position>(&shown);
    if (type == EntityType::kCard && (position ? position->list : Id128{}) != list) continue;
    found.emplace_back(rank(where), id);
  }
  std::sort(found.begin(), found.end());
  std::vector<Id128> ids;
  for (const auto& [rank, id] : found) ids.push_back(id);
  return ids;
}

Cbor ReferenceModel::conflict_value(const OpId& op, const Value& said, MemberId author, int64_t at_ms,
                                    bool is_winner) const {
  return Cbor::map({{"op", op_text(op)},
                    {"value", shown_value(said)},
                    {"author", to_hex(author)},
                    {"at_ms", at_ms},
                    {"winner", is_winner}});
}

void ReferenceModel::collect_conflicts(const Where& where, Cbor& rows) const {
  if (!is_live(where)) return;
  EntityType type = type_of(where);
  auto say = [&](const char* kind, Field field, const Id128& key, Cbor values) {
    const FieldSpec* spec = find_field(type, field);
    Cbor row = Cbor::map();
    row.set("kind", kind);
    row.set("field", spec ? spec->name : std::string_view("unknown"));
    if (!key.is_nil()) row.set("key", to_hex(key));
    if (!where.child.is_nil()) row.set("child", op_text(where.child));
    row.set("values", std::move(values));
    rows.push(std::move(row));
  };
  for (const auto& [field, key] : register_names(where)) {
    if (field == Field::kHome || !find_field(type, field)) continue;
    std::vector<Candidate> different;
    for (const Candidate& candidate : register_of(where, field, key))
      if (std::none_of(different.begin(), different.end(),
                       [&](const Candidate& other) { return is_one_answer(other.value, candidate.value); }))
        different.push_back(candidate);
    if (different.size() < 2) continue;
    Cbor values = Cbor::array();
    for (size_t i = 0; i < different.size(); ++i)
      values.push(conflict_value(different[i].op, different[i].value, different[i].author,
                                 different[i].stamp.ms(), i == 0));
    say("value", field, key, std::move(values));
  }
  if (auto offers = text_offers(where); !offers.empty()) {
    const Fact* create = first_create(where);
    Cbor values = Cbor::array();
    values.push(conflict_value({}, text(where), create ? create->op.author : MemberId{},
                               create ? stamp_of(create->op).ms() : 0, true));
    for (const Candidate& offer : offers)
      values.push(conflict_value(offer.op, offer.value, offer.author, offer.stamp.ms(), false));
    say("text", type == EntityType::kItem ? Field::kText : Field::kDescription, {}, std::move(values));
  }
  if (auto open = deletions(where); !open.empty()) {
    Cbor values = Cbor::array();
    for (const Fact* deletion : open)
      values.push(
          conflict_value(deletion->op.id, {}, deletion->op.author, stamp_of(deletion->op).ms(), false));
    say("deletion", Field::kTitle, {}, std::move(values));
  }
  auto start = register_of(where, Field::kStart);
  auto due = register_of(where, Field::kDue);
  if (start.empty() || due.empty()) return;
  const auto* from = std::get_if<When>(&start[0].value);
  const auto* to = std::get_if<When>(&due[0].value);
  if (!from || !to || !is_start_after_due(*from, *to)) return;
  Cbor values = Cbor::array();
  for (const Candidate& shown : {start[0], due[0]})
    values.push(conflict_value(shown.op, shown.value, shown.author, shown.stamp.ms(), true));
  say("dates", Field::kDue, {}, std::move(values));
}

Cbor ReferenceModel::conflicts(const Id128& entity) const {
  Cbor rows = Cbor::array();
  if (!lives_here(entity) || !is_live({entity, {}})) return rows;
  collect_conflicts({entity, {}}, rows);
  std::set<OpId> inside;
  for (const Fact* fact : targets_.at(entity)) {
    const auto* create = as<CreateBody>(fact->body);
    if (create && is_child(create->type)) inside.insert(fact->op.id);
  }
  for (const OpId& child : inside) collect_conflicts({entity, child}, rows);
  return rows;
}

Cbor ReferenceModel::live_card(const Id128& id) const {
  Where where{id, {}};
  auto hex = [](const std::vector<Id128>& ids) {
    Cbor array = Cbor::array();
    for (const Id128& one : ids) array.push(to_hex(one));
    return array;
  };
  Value place = value(where, Field::kPosition);
  Value reminders = value(where, Field::kReminders);
  const auto* position = std::get_if<Position>(&place);
  Cbor view = Cbor::map();
  view.set("id", to_hex(id));
  view.set("list", position ? Cbor(to_hex(position->list)) : Cbor());
  view.set("title", text_value(where, Field::kTitle));
  view.set("description", text(where));
  view.set("labels", hex(elements(where, Field::kLabels)));
  view.set("assignees", hex(elements(where, Field::kAssignees)));
  view.set("start", shown_value(value(where, Field::kStart)));
  view.set("due", shown_value(value(where, Field::kDue)));
  view.set("done", flag(where, Field::kDone));
  view.set("location", text_value(where, Field::kLocation));
  view.set("colour", text_value(where, Field::kColour));
  view.set("reminders",
           std::holds_alternative<std::vector<int64_t>>(reminders) ? shown_value(reminders) : Cbor::array());
  view.set("archived", flag(where, Field::kArchived));
  Cbor custom = keyed(where, Field::kCustom);
  view.set("custom", std::move(custom));
  Cbor checklists = Cbor::array();
  for (const OpId& checklist : children(id, EntityType::kChecklist)) {
    Cbor items = Cbor::array();
    for (const OpId& item : children(id, EntityType::kItem)) {
      Value in = value({id, item}, Field::kPosition);
      const auto* inside = std::get_if<Position>(&in);
      if (!inside || inside->parent != checklist) continue;
      items.push(Cbor::map(
          {{"id", op_text(item)}, {"text", text({id, item})}, {"done", flag({id, item}, Field::kDone)}}));
    }
    checklists.push(Cbor::map({{"id", op_text(checklist)},
                               {"title", text_value({id, checklist}, Field::kTitle)},
                               {"items", std::move(items)}}));
  }
  view.set("checklists", std::move(checklists));
  Cbor comments = Cbor::array();
  for (const OpId& comment : children(id, EntityType::kComment)) {
    const Op& made = facts_.at(comment).op;
    comments.push(Cbor::map({{"id", op_text(comment)},
                             {"author", to_hex(made.author)},
                             {"at_ms", stamp_of(made).ms()},
                             {"text", text_value({id, comment}, Field::kText)}}));
  }
  view.set("comments", std::move(comments));
  Cbor attachments = Cbor::array();
  for (const OpId& link : children(id, EntityType::kAttachment))
    attachments.push(Cbor::map({{"id", op_text(link)},
                                {"title", text_value({id, link}, Field::kTitle)},
                                {"url", text_value({id, link}, Field::kUrl)}}));
  view.set("attachments", std::move(attachments));
  view.set("conflicts", conflicts(id));
  view.set("created_ms", stamp_of(first_create(where)->op).ms());
  return view;
}

Cbor ReferenceModel::card(const Id128& id) const {
  bool is_shown = type_of({id, {}}) == EntityType::kCard && is_live({id, {}}) && lives_here(id);
  return is_shown ? live_card(id) : Cbor();
}

Cbor ReferenceModel::keyed(const Where& where, Field field) const {
  Cbor shown = Cbor::map();
  for (const auto& [name, key] : register_names(where))
    if (name == field)
      if (Value held = value(where, name, key); !std::holds_alternative<std::monostate>(held))
        shown.set(to_hex(key), shown_value(held));
  return shown;
}

Cbor ReferenceModel::row(const Id128& id) const {
  Where where{id, {}};
  EntityType type = type_of(where);
  Cbor row = Cbor::map();
  row.set("id", to_hex(id));
  for (const FieldSpec& spec : all_fields()) {
    if (spec.entity != type || spec.merge != Merge::kRegister || spec.field == Field::kPosition) continue;
    if (spec.is_keyed) {
      row.set(std::string(spec.name), keyed(where, spec.field));
      continue;
    }
    Cbor shown = spec.value == ValueKind::kBool   ? Cbor(flag(where, spec.field))
                 : spec.value == ValueKind::kText ? Cbor(text_value(where, spec.field))
                                                  : shown_value(value(where, spec.field));
    row.set(std::string(spec.name), std::move(shown));
  }
  Cbor open = Cbor::array();
  if (is_live(where)) open = conflicts(id);
  if (!open.items().empty()) row.set("conflicts", std::move(open));
  return row;
}

Cbor ReferenceModel::rows(EntityType type) const {
  Cbor all = Cbor::array();
  for (const Id128& id : in_order(type, {}))
    if (is_live({id, {}})) all.push(row(id));
  return all;
}

Cbor ReferenceModel::board() const {
  Cbor cards = Cbor::map();
  Cbor deleted = Cbor::array();
  Cbor lists = Cbor::array();
  int64_t open = 0;
  auto list_view = [&](const Id128& id, bool is_list) {
    Cbor order = Cbor::array();
    for (const Id128& one : in_order(EntityType::kCard, id)) {
      if (!lives_here(one)) continue;
      if (!is_live({one, {}})) {
        deleted.push(Cbor::map({{"id", to_hex(one)}, {"title", text_value({one, {}}, Field::kTitle)}}));
        continue;
      }
      order.push(to_hex(one));
      Cbor view = live_card(one);
      open += static_cast<int64_t>(view["conflicts"].items().size());
      cards.set(to_hex(one), std::move(view));
    }
    Cbor view = is_list ? row(id) : Cbor::map({{"id", to_hex(id)}, {"title", ""}, {"archived", false}});
    view.set("deleted", is_list && is_deleted({id, {}}));
    view.set("cards", std::move(order));
    return view;
  };
  for (const Id128& id : in_order(EntityType::kList, {})) {
    Cbor view = list_view(id, true);
    if (!is_live({id, {}}) && view["cards"].items().empty()) continue;
    open += static_cast<int64_t>(view["conflicts"].items().size());
    lists.push(std::move(view));
  }
  std::set<Id128> strange;  // lists that hold a card and were never created
  for (const Id128& id : entities()) {
    if (type_of({id, {}}) != EntityType::kCard) continue;
    Value place = value({id, {}}, Field::kPosition);
    const auto* position = std::get_if<Position>(&place);
    Id128 list = position ? position->list : Id128{};
    if (type_of({list, {}}) != EntityType::kList) strange.insert(list);
  }
  for (const Id128& id : strange) {
    Cbor view = list_view(id, false);
    if (!view["cards"].items().empty()) lists.push(std::move(view));
  }
  Cbor view = Cbor::map();
  view.set("id", to_hex(document_));
  view.set("title", text_value({document_.raw, {}}, Field::kTitle));
  view.set("time_zone", text_value({document_.raw, {}}, Field::kTimeZone));
  view.set("lists", std::move(lists));
  view.set("cards", std::move(cards));
  view.set("custom_fields", rows(EntityType::kCustomField));
  view.set("deleted_cards", std::move(deleted));
  view.set("conflicts", open);
  return view;
}

Cbor ReferenceModel::workspace() const {
  Cbor view = Cbor::map();
  view.set("id", to_hex(document_));
  view.set("title", text_value({document_.raw, {}}, Field::kTitle));
  view.set("boards", rows(EntityType::kBoardEntry));
  view.set("members", rows(EntityType::kMember));
  // A label that another, live one stands for is not shown; a circle of merges ends where it began.
  Cbor labels = Cbor::array();
  Cbor merged = Cbor::map();
  for (const Id128& id : in_order(EntityType::kLabel, {})) {
    if (!is_live({id, {}})) continue;
    Id128 shown = id;
    for (int steps = 0; steps < 64; ++steps) {
      Value into = type_of({shown, {}}) == EntityType::kLabel ? value({shown, {}}, Field::kMergedInto) : Value{};
      const auto* next = std::get_if<Id128>(&into);
      if (!next || type_of({*next, {}}) != EntityType::kLabel || !is_live({*next, {}})) break;
      shown = *next;
      if (shown == id) break;
      if (steps == 63) shown = id;
    }
    if (shown == id)
      labels.push(row(id));
    else
      merged.set(to_hex(id), to_hex(shown));
  }
  view.set("labels", std::move(labels));
  view.set("merged_labels", std::move(merged));
  Cbor sequences = Cbor::array();
  for (const Id128& id : in_order(EntityType::kSequence, {})) {
    if (!is_live({id, {}})) continue;
    Cbor sequence = row(id);
    Cbor steps = Cbor::array();
    for (const OpId& step : children(id, EntityType::kStep))
      steps.push(Cbor::map({{"id", op_text(step)},
                            {"title", text_value({id, step}, Field::kTitle)},
                            {"kind", text_value({id, step}, Field::kStepKind)},
                            {"delay_minutes", shown_value(value({id, step}, Field::kDelayMinutes))}}));
    sequence.set("steps", std::move(steps));
    sequences.push(std::move(sequence));
  }
  view.set("sequences", std::move(sequences));
  return view;
}

namespace {

std::string brief(const Cbor& value) {
  switch (value.kind()) {
    case Cbor::Kind::kNull:
      return "null";
    case Cbor::Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Cbor::Kind::kInt:
      return std::to_string(value.as_int());
    case Cbor::Kind::kText:
      return "\"" + value.as_text().substr(0, 80) + "\"";
    case Cbor::Kind::kBytes:
      return "bytes";
    case Cbor::Kind::kArray: {
      std::string text = "[";
      for (const Cbor& item : value.items()) text += brief(item) + " ";
      return text.substr(0, 600) + "]";
    }
    case Cbor::Kind::kMap: {
      std::string text = "{";
      for (const auto& [key, entry] : value.entries()) text += key + ":" + brief(entry) + " ";
      return text.substr(0, 600) + "}";
    }
  }
  return "";
}

}  // namespace

std::string difference_of(const Cbor& a, const Cbor& b, const std::string& path) {
  if (a.kind() == b.kind() && a.is_array() && a.items().size() == b.items().size()) {
    for (size_t i = 0; i < a.items().size(); ++i)
      if (auto found = difference_of(a.items()[i], b.items()[i], path + "/" + std::to_string(i));
          !found.empty())
        return found;
    return "";
  }
  if (a.kind() == b.kind() && a.is_map() && a.entries().size() == b.entries().size()) {
    for (size_t i = 0; i < a.entries().size(); ++i) {
      const auto& [key, value] = a.entries()[i];
      if (key != b.entries()[i].first) return path + ": key " + key + " against " + b.entries()[i].first;
      if (auto found = difference_of(value, b.entries()[i].second, path + "/" + key); !found.empty())
        return found;
    }
    return "";
  }
  if (encode_cbor(a) == encode_cbor(b)) return "";
  return path + ": " + brief(a) + " against " + brief(b);
}

}  // namespace kalends::test
