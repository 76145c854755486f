// SPDX-License-Identifier: Apache-2.0
#include "core/replica/transaction.h"

#include <algorithm>
#include <new>

#include "core/base/sort.h"
#include "core/base/text.h"
#include "core/model/rank.h"

namespace kalends {
namespace {

Error nothing_there() { return not_found("There is nothing with this id in the document."); }
Error no_longer_open() {
  return Error{ErrorCode::kConflict, "That value is no longer open: somebody resolved the conflict. Look again.", 0};
}
Error wrong_neighbour() { return not_found("The neighbour named by `after` does not stand there."); }

bool has_text_field(EntityType type) { return type == EntityType::kCard || type == EntityType::kItem; }
Field text_field(EntityType type) { return type == EntityType::kCard ? Field::kDescription : Field::kText; }

std::string_view rank_of(const Entity& entity) {
  const StoredPlace* place = entity.place();
  return place ? place->rank_text() : std::string_view();
}

// Which commands can be found impossible only after they were folded in.
bool is_about_dates(const Command& command) {
  if (std::holds_alternative<CreateCommand>(command)) return true;
  auto is_date = [](Field field) { return field == Field::kStart || field == Field::kDue; };
  if (const auto* set = std::get_if<SetCommand>(&command)) return is_date(set->field.field);
  if (const auto* offer = std::get_if<OfferCommand>(&command)) return is_date(offer->field.field);
  if (const auto* resolve = std::get_if<ResolveCommand>(&command)) return is_date(resolve->field);
  return false;
}

}  // namespace

namespace {

// What is put back is cut off behind the last slot: a block that is read meanwhile must not stand there.
uint32_t first_slot_of(const Document& document, bool may_fail) {
  if (may_fail) document.warm_all();
  return static_cast<uint32_t>(document.entities.size());
}

}  // namespace

Transaction::Transaction(Replica& replica, const EditContext& context, Changes& changes, bool may_fail)
    : replica_(replica),
      document_(replica.document_),
      context_(context),
      changes_(changes),
      may_fail_(may_fail),
      first_counter_(replica.document_.counter_of(replica.me_) + 1),
      first_slot_(first_slot_of(replica.document_, may_fail)),
      first_record_(replica.log_.size()),
      first_change_(changes.entries().size()),
      first_stamp_(replica.me_ < replica.document_.stamps.size() ? replica.document_.stamps[replica.me_] : Hlc{}),
      author_(replica.document_.names.ids.intern(context.author.raw)) {}

Result<Edited> Transaction::run(std::span<const Command> commands) {
  for (size_t i = 0; i < commands.size(); ++i) {
    child_ = {};
    Status status = std::visit([&](const auto& command) { return perform(command); }, commands[i]);
    // What the hub carries was crossed elsewhere.
    bool may_cross = context_.keeps_crossed_dates || context_.cause == Cause::kHub;
    if (status.ok() && i + 1 == commands.size() && !may_cross) status = check_dates();
    if (!status.ok()) {
      Error error = status.error();
      roll_back();
      if (commands.size() > 1)
        error.message = join({"Command ", std::to_string(i + 1), " of ", std::to_string(commands.size()), ": ", error.message});
      return error;
    }
    created_.push_back(child_);
  }
  return commit();
}

Edited Transaction::commit() {
  Edited edited;
  edited.records = std::span(replica_.log_).subspan(first_record_);
  edited.created = std::move(created_);
  return edited;
}

// --- operations ---

void Transaction::emit(uint32_t slot, std::span<const OpRef> replaced, Record& record) {
  if (replaced.size() > kReplacedMax) return emit_in_parts(slot, replaced, record);
  if (slot != kNoSlot) {
    const EntityRecord& target = document_.entities[slot];
    record.target = target.id;
    record.child = target.child;
    if (may_fail_) {
      save(slot);
      if (target.parent != kNoSlot) save(target.parent);
    }
  }
  record.id = {replica_.me_, next_counter()};
  record.stamp = replica_.clock_.tick(context_.now_ms);
  record.author = author_;
  record.back = record.id.counter - first_counter_;
  record.cause = context_.cause;
  if (!replaced.empty()) {
    auto* copy = document_.names.arena.array<OpRef>(replaced.size());
    std::copy(replaced.begin(), replaced.end(), copy);
    record.replaced = copy;
    record.replaced_count = static_cast<uint32_t>(replaced.size());
  }
  const Record* kept = new (document_.names.arena.take(sizeof(Record))) Record(record);
  KALENDS_CHECK(apply(document_, *kept, changes_) == Applied::kNew);
  replica_.log_.push_back(kept);
}

// One operation names no more than kReplacedMax others: it is said again, until all of them are replaced.
void Transaction::emit_in_parts(uint32_t slot, std::span<const OpRef> replaced, Record& record) {
  std::vector<OpRef> rest(replaced.begin(), replaced.end());
  while (rest.size() > kReplacedMax) {
    Record part = record;
    emit(slot, std::span<const OpRef>(rest).first(kReplacedMax), part);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(kReplacedMax));
    rest.push_back(part.id);
    rest = sorted(std::move(rest));
  }
  emit(slot, rest, record);
}

void Transaction::emit_field(OpKind kind, uint32_t slot, std::span<const OpRef> replaced, const StoredField& field) {
  Record record;
  record.kind = static_cast<uint16_t>(kind);
  record.fields = new (document_.names.arena.take(sizeof(StoredField))) StoredField(field);
  record.count = 1;
  emit(slot, replaced, record);
}

std::vector<OpRef> Transaction::sorted(std::vector<OpRef> ops) const {
  const ReplicaOrder order = document_.names.order();
  if (ops.size() > 1)
    sort(ops, [&](const OpRef& a, const OpRef& b) { return order.less(a, b); });
  return ops;
}

std::vector<OpRef> Transaction::cells_of(const Entity& entity, Field field, IdRef key) const {
  std::vector<OpRef> ops;
  for (const Cell& cell : entity.record().cells)
    if (cell.field == field && cell.key == key) ops.push_back(cell.op);
  return sorted(std::move(ops));
}

std::vector<OpRef> Transaction::deletions_of(const Entity& entity) const {
  std::vector<OpRef> ops;
  for (const Deletion& deletion : entity.rarities().deletions) ops.push_back(deletion.op);
  return sorted(std::move(ops));
}

void Transaction::save(uint32_t slot) {
  if (slot >= first_slot_) return;
  for (const Saved& saved : saved_)
    if (saved.slot == slot) return;
  const EntityRecord& record = document_.entities[slot];
  Saved saved{slot,
              record,
              {record.cells.begin(), record.cells.end()},
              {record.touched.begin(), record.touched.end()},
              std::nullopt,
              std::nullopt};
  if (record.text != kNoSlot) saved.text = document_.texts[record.text];
  if (record.rarities != kNoSlot) saved.rarities = *document_.rarities[record.rarities];
  saved_.push_back(std::move(saved));
}

void Transaction::roll_back() {
  if (replica_.log_.size() == first_record_) return;
  KALENDS_CHECK(may_fail_);
  if (is_anywhere_) {
    replica_.log_.resize(first_record_);
    return replica_.rebuild();
  }
  for (Saved& saved : saved_) {
    EntityRecord& record = document_.entities[saved.slot];
    record = saved.record;
    std::copy(saved.cells.begin(), saved.cells.end(), record.cells.items);
    std::copy(saved.touched.begin(), saved.touched.end(), record.touched.items);
    if (saved.text) document_.texts[record.text] = std::move(*saved.text);
    if (saved.rarities) *document_.rarities[record.rarities] = std::move(*saved.rarities);
  }
  bool has_new_entity = false;
  for (size_t slot = first_slot_; slot < document_.entities.size(); ++slot)
    has_new_entity = has_new_entity || document_.entities[slot].child.is_nil();
  document_.truncate(first_slot_);
  replica_.log_.resize(first_record_);
  document_.counters[replica_.me_] = first_counter_ - 1;
  document_.stamps[replica_.me_] = first_stamp_;
  for (const Saved& saved : saved_) document_.moved.push_back(saved.slot);
  if (has_new_entity) replica_.order_.reset();
}

// --- checks ---

Entity Transaction::find(const Target& target) const { return document_.find(target.entity, target.child); }

Entity Transaction::find_or_make_root(const Target& target) {
  if (target.entity != document_.id.raw || !target.child.is_nil()) return find(target);
  return {document_, document_.entity_slot(document_.names.ids.intern(target.entity))};
}

Result<Entity> Transaction::live(const Target& target) {
  bool is_root = target.entity == document_.id.raw && target.child.is_nil();
  Entity entity = find_or_make_root(target);
  if (is_root) return entity;
  Entity parent = document_.find(target.entity);
  if (!entity || !entity.is_created() || !parent.is_created()) return nothing_there();
  // The bridge brings edits that were made without knowing of the deletion: they keep the card, the
  // deletion stays open.
  bool may_be_deleted = context_.cause == Cause::kBridge;
  if (!may_be_deleted && (entity.is_deleted() || parent.is_deleted()))
    return Error{ErrorCode::kConflict, "It was deleted. Restore it first, then change it.", 0};
  if (context_.cause != Cause::kHub && !lives_here(document_, parent))
    return Error{ErrorCode::kConflict, "The card was moved to another board. Change it there.", 0};
  return entity;
}

Result<const FieldSpec*> Transaction::field_spec(EntityType type, const FieldValue& field, Merge merge) const {
  const FieldSpec* spec = find_field(type, field.field);
  if (!spec || spec->merge != merge)
    return invalid({"A ", entity_name(type), " has no such field."});
  if (merge == Merge::kRegister && spec->is_keyed == field.key.is_nil())
    return invalid("The field " + std::string(spec->name) +
                   (spec->is_keyed ? " has a value for each id: name one by `key`." : " takes no key."));
  return spec;
}

Status Transaction::check_dates() const {
  for (size_t i = first_change_; i < changes_.entries().size(); ++i) {
    const Changes::Entry& change = changes_.entries()[i];
    // An edit of something else must not fail because two people's dates crossed before.
    if (change.field != Field::kStart && change.field != Field::kDue) continue;
    Entity card(document_, document_.slot_of(change.entity));
    if (card.type() != EntityType::kCard) continue;
    auto start = card.when_value(Field::kStart);
    auto due = card.when_value(Field::kDue);
    if (start && due && is_start_after_due(*start, *due))
      return invalid("The start would be after the due date. Change both in one edit.");
  }
  return {};
}

Status Transaction::check_fields(EntityType type, const std::vector<FieldValue>& fields) const {
  if (fields.size() >= kCreateFieldsMax)
    return invalid("Make it first, then give it its values one by one: they are too many.");
  size_t size = 2 * kRankBytesMax;
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldValue& field = fields[i];
    const FieldSpec* spec = find_field(type, field.field);
    if (!spec) return invalid({"A ", entity_name(type), " has no such field."});
    for (size_t k = 0; k < i && spec->merge != Merge::kSet; ++k)
      if (fields[k].field == field.field && fields[k].key == field.key)
        return invalid({"The field ", spec->name, " is named twice: say one value."});
    const auto* words = std::get_if<std::string>(&field.value);
    size += 64 + (words ? words->size() : 0);
    if (size > kOpBytesMax)
      return invalid("Make it first, then give it its long texts one by one: together they are too large.");
    if (spec->is_hub_only && context_.cause != Cause::kHub)
      return invalid("Use transfer to move a card to another board.");
    if (field.field == Field::kPosition)
      return invalid("Say where to put it with `after`, not with a position.");
    if (spec->merge == Merge::kText) {
      const auto* text = std::get_if<std::string>(&field.value);
      if (!text || text->size() > kTextBytesMax || !is_valid_text(*text))
        return invalid({"The ", spec->name, " must be UTF-8 text of at most 262144 bytes."});
      continue;
    }
    if (kind_of(field.value) == ValueKind::kNull && !spec->required) continue;
    KALENDS_TRY_VOID(check_value(*spec, field.value));
    if (spec->is_keyed == field.key.is_nil())
      return invalid({"The field ", spec->name, " is named wrongly: look at its key."});
  }
  return {};
}

// --- places ---

Result<std::string> Transaction::rank_in_row(const OrderIndex::Row& row, const Placement& placement,
                                             uint32_t self, RankRun& run) const {
  std::string_view left, right;
  auto at = [&](size_t i) { return Entity(document_, row[i].slot); };
  if (placement.where == Placement::Where::kAfter) {
    Entity anchor = document_.find(placement.entity);
    size_t place = anchor ? replica_.order_.place_in(document_, row, anchor.slot()) : OrderIndex::kNowhere;
    if (place == OrderIndex::kNowhere || row[place].slot != anchor.slot()) return wrong_neighbour();
    left = rank_of(anchor);
    ++place;
    if (place < row.size() && row[place].slot == self) ++place;
    if (place < row.size()) right = rank_of(at(place));
  } else if (placement.where == Placement::Where::kLast) {
    size_t place = row.size();
    if (place > 0 && row[place - 1].slot == self) --place;
    if (place > 0) left = rank_of(at(place - 1));
  } else {
    size_t place = 0;
    if (place < row.size() && row[place].slot == self) ++place;
    if (place < row.size()) right = rank_of(at(place));
  }
  return rank_between(left, right, replica_.options_.replica, &run);
}

Result<std::string> Transaction::rank_among_children(const Entity& parent, EntityType type, const OpRef& checklist,
                                                     const Placement& placement, const OpRef& self) const {
  struct Sibling {
    std::string_view rank;
    OpRef op;
  };
  std::vector<Sibling> row;
  for (uint32_t at = parent.record().first_child; at != kNoSlot; at = document_.entities[at].next_sibling) {
    Entity child(document_, at);
    if (child.type() != type || child.record().child == self) continue;
    const StoredPlace* place = child.place();
    if (place && place->parent == checklist) row.push_back({place->rank_text(), child.record().child});
  }
  const ReplicaOrder order = document_.names.order();
  sort(row, [&](const Sibling& a, const Sibling& b) {
    return a.rank != b.rank ? a.rank < b.rank : order.less(a.op, b.op);
  });
  size_t place = placement.where == Placement::Where::kFirst ? 0 : row.size();
  if (placement.where == Placement::Where::kAfter) {
    OpRef anchor = document_.names.find_op(placement.child);
    auto it = std::find_if(row.begin(), row.end(), [&](const Sibling& s) { return s.op == anchor; });
    if (it == row.end() || anchor.is_nil()) return wrong_neighbour();
    place = static_cast<size_t>(it - row.begin()) + 1;
  }
  std::string_view left = place > 0 ? row[place - 1].rank : std::string_view();
  std::string_view right = place < row.size() ? row[place].rank : std::string_view();
  return rank_between(left, right, replica_.options_.replica);
}

StoredField Transaction::position(IdRef list, const OpRef& parent, const std::string& rank) {
  Arena& arena = document_.names.arena;
  Stored stored;
  stored.kind = ValueKind::kPosition;
  stored.place = new (arena.take(sizeof(StoredPlace)))
      StoredPlace{list, parent, static_cast<uint32_t>(rank.size()), arena.copy(rank)};
  return {Field::kPosition, 0, stored};
}

const StoredField* Transaction::stored_fields(const std::vector<FieldValue>& fields, const StoredField* position,
                                              uint32_t& count) {
  Interner& names = document_.names;
  auto* stored = names.arena.array<StoredField>(fields.size() + 1);
  count = 0;
  for (const FieldValue& field : fields)
    if (kind_of(field.value) != ValueKind::kNull)
      new (&stored[count++]) StoredField{field.field, names.ids.intern(field.key), store(names, field.value)};
  if (position) new (&stored[count++]) StoredField(*position);
  return stored;
}

// --- commands ---

Status Transaction::perform(const CreateCommand& command) {
  if (is_child(command.type) || document_kind(command.type) != document_.kind)
    return invalid({"This document does not hold a ", entity_name(command.type), "."});
  if (command.id.is_nil() || command.id == document_.id.raw)
    return invalid("A new thing needs a new id of 128 random bits.");
  if (Entity existing = document_.find(command.id); existing && existing.is_created())
    return Error{ErrorCode::kConflict, "There is already something with this id. Make a new id for a new thing.", 0};
  KALENDS_TRY_VOID(check_fields(command.type, command.fields));
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kCreate);
  record.detail = static_cast<uint8_t>(command.type);
  std::optional<StoredField> place;
  if (find_field(command.type, Field::kPosition)) {
    IdRef list = 0;
    if (command.type == EntityType::kCard) {
      Entity found = document_.find(command.list);
      if (!found || found.type() != EntityType::kList) return not_found("This board has no list with that id.");
      list = found.record().id;
    }
    const auto& row = command.type == EntityType::kCard ? replica_.order_.cards(document_, list)
                                                        : replica_.order_.of(document_, command.type);
    RankRun& run = command.type == EntityType::kCard ? replica_.order_.run_of_list(list)
                                                     : replica_.order_.run_of_type(command.type);
    KALENDS_TRY(std::string rank, rank_in_row(row, command.placement, kNoSlot, run));
    place = position(list, {}, rank);
  }
  record.fields = stored_fields(command.fields, place ? &*place : nullptr, record.count);
  record.target = document_.names.ids.intern(command.id);
  if (uint32_t slot = document_.slot_of(record.target); slot != kNoSlot && may_fail_) save(slot);
  emit(kNoSlot, {}, record);
  return {};
}

Status Transaction::perform(const AddChildCommand& command) {
  KALENDS_TRY(Entity parent, live({command.entity, {}}));
  bool fits = is_child(command.type) && document_kind(command.type) == document_.kind &&
              (parent.type() == EntityType::kCard || parent.type() == EntityType::kSequence) &&
              (command.type == EntityType::kStep) == (parent.type() == EntityType::kSequence);
  if (!fits) return invalid({"A ", entity_name(command.type), " cannot be put there."});
  OpRef checklist = document_.names.find_op(command.checklist);
  if (command.checklist_made_by) {
    if (!command.checklist.is_nil())
      return invalid("Name the checklist by its id or by the command that makes it, not by both.");
    if (*command.checklist_made_by >= created_.size())
      return invalid("The checklist must be made by an earlier command of the same list.");
    checklist = created_[*command.checklist_made_by];
  }
  if (command.type == EntityType::kItem) {
    uint32_t slot = checklist.is_nil() ? kNoSlot : document_.child_of(parent.slot(), checklist);
    if (slot == kNoSlot || document_.entities[slot].type != EntityType::kChecklist)
      return not_found("An item needs a checklist of this card.");
  } else if (!command.checklist.is_nil() || command.checklist_made_by) {
    return invalid("Only an item stands in a checklist.");
  }
  KALENDS_TRY_VOID(check_fields(command.type, command.fields));
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kCreate);
  record.detail = static_cast<uint8_t>(command.type);
  std::optional<StoredField> place;
  if (find_field(command.type, Field::kPosition)) {
    KALENDS_TRY(std::string rank, rank_among_children(parent, command.type, checklist, command.placement, {}));
    place = position(0, checklist, rank);
  }
  record.fields = stored_fields(command.fields, place ? &*place : nullptr, record.count);
  child_ = {replica_.me_, next_counter()};
  emit(parent.slot(), {}, record);
  return {};
}

Status Transaction::perform(const SetCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  KALENDS_TRY(const FieldSpec* spec, field_spec(entity.type(), command.field, Merge::kRegister));
  if (spec->field == Field::kPosition) return invalid("Use move to change where something stands.");
  if (spec->is_hub_only && context_.cause != Cause::kHub)
    return invalid("Use transfer to move a card to another board.");
  KALENDS_TRY_VOID(check_value(*spec, command.field.value));
  Interner& names = document_.names;
  set(entity, {command.field.field, names.ids.intern(command.field.key), store(names, command.field.value)},
      command.keep_loser);
  return {};
}

// Replaces the winner, and what could win against the new value; other losers stay open until somebody
// resolves them.
void Transaction::set(const Entity& entity, const StoredField& field, bool keep_loser) {
  const Cell* shown = entity.winner_cell(field.field, field.key);
  if (shown ? same(shown->value, field.value) : field.value.kind == ValueKind::kNull) return;
  std::vector<OpRef> replaced;
  if (shown && !keep_loser) {
    Hlc soonest = std::max(Hlc::from(std::max<int64_t>(context_.now_ms, 0), 0), replica_.clock_.last());
    for (const Cell& cell : entity.record().cells)
      if (cell.field == field.field && cell.key == field.key &&
          (&cell == shown || same(cell.value, field.value) || field.field == Field::kHome ||
           (!cell.is_offer && cell.stamp > soonest)))
        replaced.push_back(cell.op);
  }
  emit_field(OpKind::kSet, entity.slot(), sorted(std::move(replaced)), field);
}

Status Transaction::perform(const MoveCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  EntityType type = entity.type();
  if (!find_field(type, Field::kPosition)) return invalid("This cannot be moved.");
  const StoredPlace* old = entity.place();
  IdRef list = old ? old->list : 0;
  OpRef parent = old ? old->parent : OpRef{};
  std::string rank;
  if (is_child(type)) {
    Entity around = document_.find(command.target.entity);
    if (!command.checklist.is_nil()) {
      Entity checklist = document_.find(command.target.entity, command.checklist);
      if (type != EntityType::kItem || !checklist || checklist.type() != EntityType::kChecklist)
        return not_found("An item stands in a checklist of its card.");
      parent = checklist.record().child;
    }
    KALENDS_TRY(rank, rank_among_children(around, type, parent, command.placement, entity.record().child));
  } else {
    if (type == EntityType::kCard && !command.list.is_nil()) {
      Entity found = document_.find(command.list);
      if (!found || found.type() != EntityType::kList) return not_found("This board has no list with that id.");
      list = found.record().id;
    }
    const auto& row = type == EntityType::kCard ? replica_.order_.cards(document_, list)
                                                : replica_.order_.of(document_, type);
    if (stays(row, entity, list, command.placement)) return {};
    RankRun& run =
        type == EntityType::kCard ? replica_.order_.run_of_list(list) : replica_.order_.run_of_type(type);
    KALENDS_TRY(rank, rank_in_row(row, command.placement, entity.slot(), run));
  }
  emit_field(OpKind::kSet, entity.slot(), cells_of(entity, Field::kPosition, 0), position(list, parent, rank));
  return {};
}

// Already where the command wants it, and nobody else wants it elsewhere.
bool Transaction::stays(const OrderIndex::Row& row, const Entity& entity, IdRef list,
                        const Placement& placement) const {
  uint32_t places = 0;
  for (const Cell& cell : entity.record().cells) places += cell.field == Field::kPosition;
  const StoredPlace* old = entity.place();
  if (places != 1 || !old || old->list != list) return false;
  size_t self = replica_.order_.place_in(document_, row, entity.slot());
  if (self == OrderIndex::kNowhere) return false;
  switch (placement.where) {
    case Placement::Where::kFirst:
      return self == 0;
    case Placement::Where::kLast:
      return self + 1 == row.size();
    case Placement::Where::kAfter:
      return self > 0 && Entity(document_, row[self - 1].slot).id() == placement.entity;
  }
  return false;
}

Status Transaction::perform(const AddCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  KALENDS_TRY(const FieldSpec* spec, field_spec(entity.type(), {command.field, {}, {}}, Merge::kSet));
  if (command.element.is_nil()) return invalid("The element needs an id.");
  IdRef element = document_.names.ids.intern(command.element);
  for (const Cell& cell : entity.record().cells)
    if (cell.field == spec->field && cell.key == element) return {};
  emit_field(OpKind::kAdd, entity.slot(), {}, {command.field, element, {}});
  return {};
}

Status Transaction::perform(const RemoveCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  KALENDS_TRY(const FieldSpec* spec, field_spec(entity.type(), {command.field, {}, {}}, Merge::kSet));
  IdRef element = document_.names.ids.find(command.element);
  std::vector<OpRef> adds = element == 0 ? std::vector<OpRef>{} : cells_of(entity, spec->field, element);
  if (!adds.empty()) emit_field(OpKind::kRemove, entity.slot(), adds, {command.field, element, {}});
  return {};
}

Status Transaction::perform(const SetTextCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  if (!has_text_field(entity.type())) return invalid("This has no text that is written together.");
  if (!is_valid_text(command.text)) return invalid("The text must be valid UTF-8 without NUL.");
  return splice(entity, difference(entity.text(), command.text), {});
}

Status Transaction::perform(const SpliceCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  if (!has_text_field(entity.type())) return invalid("This has no text that is written together.");
  if (!is_valid_text(command.splice.inserted)) return invalid("The text must be valid UTF-8 without NUL.");
  uint32_t length = entity.sequence() ? entity.sequence()->length() : 0;
  if (command.splice.position > length || command.splice.removed > length - command.splice.position)
    return invalid({"The splice reaches beyond the text: it has ", std::to_string(length), " code points."});
  return splice(entity, command.splice, {});
}

Status Transaction::splice(const Entity& entity, const Splice& change, std::vector<OpRef> closes) {
  if (change.inserted.size() > kTextBytesMax) return invalid("At most 262144 bytes can be inserted at once.");
  if (closes.size() > kReplacedMax) {  // an insertion is said once
    close_offers(entity, std::move(closes));
    closes.clear();
  }
  // Both are planned on the text as it was: the insertion hangs before what is removed.
  const TextSequence* sequence = entity.sequence();
  Arena& arena = document_.names.arena;
  uint32_t slot = entity.slot();
  if (sequence && sequence->length() + change.inserted.size() > kTextLengthMax) {
    uint32_t inserted = code_point_count(change.inserted);
    if (inserted > change.removed && sequence->length() - change.removed + inserted > kTextLengthMax)
      return invalid("A text holds at most 1048576 characters: make another card for the rest.");
  }
  std::vector<RefRange> removed;
  if (sequence && change.removed > 0) sequence->plan_remove(change.position, change.removed, removed);
  if (!change.inserted.empty()) {
    RecordText run{{}, Side::kAfter, static_cast<uint32_t>(change.inserted.size()), arena.copy(change.inserted)};
    if (sequence) {
      auto place = sequence->plan_insert(change.position);
      run.parent = place.parent;
      run.side = place.side;
    }
    Record record;
    record.kind = static_cast<uint16_t>(OpKind::kTextInsert);
    record.text = new (arena.take(sizeof(RecordText))) RecordText(run);
    emit(slot, closes, record);
    closes.clear();
  }
  if (!removed.empty()) {
    Record record;
    record.kind = static_cast<uint16_t>(OpKind::kTextRemove);
    auto* ranges = arena.array<RefRange>(removed.size());
    std::copy(removed.begin(), removed.end(), ranges);
    record.ranges = ranges;
    record.count = static_cast<uint32_t>(removed.size());
    emit(slot, closes, record);
    closes.clear();
  }
  if (!closes.empty()) close_offers({document_, slot}, std::move(closes));
  return {};
}

// An offer of nothing, whose only effect is what it replaces.
void Transaction::close_offers(const Entity& entity, std::vector<OpRef> offers) {
  emit_field(OpKind::kOffer, entity.slot(), offers, {text_field(entity.type()), 0, {}});
}

Status Transaction::perform(const DeleteCommand& command) {
  if (command.target.entity == document_.id.raw)
    return invalid("The document itself cannot be deleted from inside it.");
  Entity entity = find(command.target);
  if (!entity || !entity.is_created()) return nothing_there();
  if (entity.is_deleted()) return {};
  if (entity.type() == EntityType::kList) {
    OrderIndex::Row cards = replica_.order_.cards(document_, entity.record().id);
    for (const OrderIndex::Entry& card : cards)
      if (Entity(document_, card.slot).is_live()) erase(card.slot);
  }
  erase(entity.slot());
  return {};
}

void Transaction::erase(uint32_t slot) {
  const Run<OpRef>& touched = document_.entities[slot].touched;
  std::vector<OpRef> seen = sorted({touched.begin(), touched.end()});
  auto* ops = document_.names.arena.array<OpRef>(seen.size());
  std::copy(seen.begin(), seen.end(), ops);
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kDelete);
  record.ops = ops;
  record.count = static_cast<uint32_t>(seen.size());
  emit(slot, deletions_of({document_, slot}), record);
}

Status Transaction::perform(const RestoreCommand& command) {
  Entity entity = find(command.target);
  if (!entity || !entity.is_created()) return nothing_there();
  std::vector<OpRef> deletions = deletions_of(entity);
  if (deletions.empty()) return {};
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kRestore);
  emit(entity.slot(), deletions, record);
  return {};
}

Status Transaction::perform(const ResolveCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  const FieldSpec* spec = find_field(entity.type(), command.field);
  if (spec && spec->merge == Merge::kText) return resolve_text(command, entity);
  if (!spec || spec->merge == Merge::kSet) return not_found("This field has no open conflict.");
  if (spec->is_hub_only) return invalid("Where a card lives is not decided by resolving.");
  IdRef key = document_.names.ids.find(command.key);
  OpRef op = document_.names.find_op(command.op);
  std::vector<OpRef> values = key == 0 && !command.key.is_nil() ? std::vector<OpRef>{}
                                                                : cells_of(entity, command.field, key);
  if (values.empty()) return not_found("This field has no open conflict.");
  for (const Cell& cell : entity.record().cells) {
    if (cell.field != command.field || cell.key != key || cell.op != op) continue;
    if (spec->required && cell.value.kind == ValueKind::kNull)
      return invalid({"Take another one: that ", spec->name, " is erased."});
    if (values.size() > 1) emit_field(OpKind::kSet, entity.slot(), values, {command.field, key, cell.value});
    return {};
  }
  return no_longer_open();
}

// The nil op stands for the shown text: keep it.
Status Transaction::resolve_text(const ResolveCommand& command, const Entity& entity) {
  std::vector<OpRef> offers;
  bool is_open = false;
  for (const Cell& cell : entity.record().cells)
    if (cell.field == command.field && cell.is_offer) {
      offers.push_back(cell.op);
      is_open = is_open || cell.value.kind == ValueKind::kText || cell.is_redacted;
    }
  if (!is_open) return not_found("This text has no open conflict.");
  offers = sorted(std::move(offers));
  if (command.op.is_nil()) {
    close_offers(entity, std::move(offers));
    return {};
  }
  OpRef op = document_.names.find_op(command.op);
  for (const Cell& cell : entity.record().cells)
    if (cell.op == op && cell.field == command.field && cell.value.kind == ValueKind::kText)
      return splice(entity, difference(entity.text(), cell.value.text_view()), std::move(offers));
  return no_longer_open();
}

Status Transaction::perform(const OfferCommand& command) {
  KALENDS_TRY(Entity entity, live(command.target));
  const FieldSpec* spec = find_field(entity.type(), command.field.field);
  if (!spec || spec->merge == Merge::kSet) return invalid("Such a field keeps no losing values.");
  Interner& names = document_.names;
  if (spec->merge == Merge::kText) {
    const auto* text = std::get_if<std::string>(&command.field.value);
    if (!text || text->size() > kTextBytesMax || !is_valid_text(*text))
      return invalid("A text of at most 262144 bytes can be offered.");
  } else {
    KALENDS_TRY_VOID(check_value(*spec, command.field.value));
  }
  StoredField field{command.field.field, names.ids.intern(command.field.key), store(names, command.field.value)};
  bool has_winner = false;
  for (const Cell& cell : entity.record().cells) {
    if (cell.field != field.field || cell.key != field.key) continue;
    has_winner = true;
    if (same(cell.value, field.value)) return {};
  }
  if (spec->merge == Merge::kRegister && !has_winner) {
    // An offer alone in its field would be what the field shows: "nothing" must be there to win over it.
    if (field.value.kind == ValueKind::kNull) return {};
    emit_field(OpKind::kSet, entity.slot(), {}, {field.field, field.key, {}});
  }
  emit_field(OpKind::kOffer, entity.slot(), {}, field);
  return {};
}

Status Transaction::perform(const RedactCommand& command) {
  if (command.op.counter > kCounterMax) return invalid("There is no such operation.");
  if (document_.redactions.count(command.op) > 0) return {};
  Interner& names = document_.names;
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kRedact);
  record.target = names.ids.intern(command.target.entity);
  record.child = names.op(command.target.child);
  record.ops = new (names.arena.take(sizeof(OpRef))) OpRef(names.op(command.op));
  record.count = 1;
  is_anywhere_ = true;
  emit(kNoSlot, {}, record);
  return {};
}

Status Transaction::perform(const BoundCommand& command) {
  if (command.op.counter > kCounterMax) return invalid("There is no such operation.");
  if (document_.bounds.count(command.op) > 0) return {};
  Interner& names = document_.names;
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kBound);
  record.target = names.ids.intern(command.target.entity);
  record.child = names.op(command.target.child);
  record.bound =
      new (names.arena.take(sizeof(RecordBound))) RecordBound{names.op(command.op), command.stamp};
  is_anywhere_ = true;
  emit(kNoSlot, {}, record);
  return {};
}

Status Transaction::perform(const CarryCommand& command) {
  Interner& names = document_.names;
  auto* carried = names.arena.array<Record>(command.ops.size());
  Record record;
  record.kind = static_cast<uint16_t>(OpKind::kCarry);
  for (const Op& op : command.ops) {
    KALENDS_TRY(Record inner, record_of(names, op));
    if (op.body.size() > kOpBytesMax)
      return invalid("Make the card anew on the other board: one of its edits is too large to be carried.");
    if (!document_.has_seen(inner.id)) new (&carried[record.count++]) Record(inner);
  }
  if (record.count == 0) return {};
  record.carried = carried;
  record.target = names.ids.intern(command.entity);
  is_anywhere_ = true;
  emit(kNoSlot, {}, record);
  return {};
}

Result<Edited> Replica::edit_in_place(const EditContext& context, std::span<const Command> commands,
                                      Changes& changes) {
  if (commands.empty()) return Edited{};
  bool may_fail =
      commands.size() > 1 || (!context.keeps_crossed_dates && is_about_dates(commands.front()));
  uint32_t first = document_.counter_of(me_) + 1;
  KALENDS_TRY(Edited edited, Transaction(*this, context, changes, may_fail).run(commands));
  if (!edited.records.empty() && context.cause != Cause::kHub && context.cause != Cause::kBridge) {
    if (undo_.size() == kUndoMax) undo_.erase(undo_.begin(), undo_.begin() + kUndoMax / 2);
    undo_.push_back({first, document_.counter_of(me_)});
    redo_.clear();
  }
  return edited;
}

Result<EditResult> Replica::edit(const EditContext& context, const std::vector<Command>& commands) {
  EditResult result;
  KALENDS_TRY(Edited edited, edit_in_place(context, commands, result.changes));
  for (const Record* record : edited.records) result.ops.push_back(op_of(document_.names, *record));
  for (const OpRef& child : edited.created) result.created.push_back(document_.names.op_id(child));
  return result;
}

}  // namespace kalends
