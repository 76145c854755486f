// SPDX-License-Identifier: Apache-2.0
#include "core/api/fast.h"

#include <algorithm>
#include <cstring>

#include "core/api/view.h"
#include "core/base/text.h"

namespace kalends {
namespace {

Error no_document() { return not_found("There is no open document with this handle."); }

// Reads commands as docs/protocol.md lays them out.
class CommandReader {
 public:
  CommandReader(const Interner& names, std::span<const uint32_t> numbers, std::string_view texts)
      : names_(names), numbers_(numbers), texts_(texts) {}

  bool done() const { return numbers_.empty() || !ok_; }
  bool ok() const { return ok_; }

  Command next() {
    uint32_t what = number();
    Target target{id(), op()};
    switch (what) {
      case 1: {
        CreateCommand command{static_cast<EntityType>(number()), target.entity, {}, id(), placement()};
        command.fields = fields();
        return command;
      }
      case 2:
        return SetCommand{target, field()};
      case 3: {
        MoveCommand command{target, id(), op(), placement()};
        return command;
      }
      case 4: {
        Field changed = static_cast<Field>(number());
        return AddCommand{target, changed, id()};
      }
      case 5: {
        Field changed = static_cast<Field>(number());
        return RemoveCommand{target, changed, id()};
      }
      case 6:
        return SetTextCommand{target, std::string(text())};
      case 7: {
        uint32_t position = number();
        uint32_t removed = number();
        return SpliceCommand{target, {position, removed, std::string(text())}};
      }
      case 8: {
        AddChildCommand command{target.entity, static_cast<EntityType>(number()), {}, op(), placement()};
        if (uint32_t made_by = number(); made_by != 0) command.checklist_made_by = made_by - 1;
        command.fields = fields();
        return command;
      }
      case 9:
        return DeleteCommand{target};
      case 10:
        return RestoreCommand{target};
      default:
        ok_ = false;
        return DeleteCommand{target};
    }
  }

 private:
  uint32_t number() {
    if (numbers_.empty()) return ok_ = false, 0;
    uint32_t value = numbers_[0];
    numbers_ = numbers_.subspan(1);
    return value;
  }
  Id128 id() {
    uint32_t ref = number();
    if (ref >= names_.ids.size()) return ok_ = false, Id128{};
    return names_.ids[ref];
  }
  OpId op() {
    uint32_t replica = number();
    uint32_t counter = number();
    if (replica >= names_.replica_ids.size()) return ok_ = false, OpId{};
    return counter == 0 ? OpId{} : names_.op_id({replica, counter});
  }
  std::string_view text() {
    uint32_t size = number();
    if (size > texts_.size()) return ok_ = false, std::string_view{};
    std::string_view text = texts_.substr(0, size);
    texts_.remove_prefix(size);
    return text;
  }
  Placement placement() {
    uint32_t where = number();
    Placement placement{static_cast<Placement::Where>(where), id(), op()};
    if (where > 2) ok_ = false;
    return placement;
  }
  std::vector<FieldValue> fields() {
    std::vector<FieldValue> fields;
    for (uint32_t n = number(); n > 0 && ok_; --n) fields.push_back(field());
    return fields;
  }
  FieldValue field() {
    FieldValue field{static_cast<Field>(number()), id(), {}};
    field.value = value();
    return field;
  }
  Value value() {
    switch (number()) {
      case 0:
        return std::monostate{};
      case 1:
        return number() != 0;
      case 2: {
        std::string_view shown = text();
        if (!is_valid_text(shown)) ok_ = false;
        return std::string(shown);
      }
      case 3:
        return id();
      case 4: {
        auto day = parse_date(text());
        return day ? Value(When::all_day(*day)) : (ok_ = false, Value());
      }
      case 5: {
        auto wall = parse_wall_time(text());
        std::string zone(text());
        Fold fold = number() == 1 ? Fold::kSecond : Fold::kFirst;
        return wall ? Value(When::timed(*wall, std::move(zone), fold)) : (ok_ = false, Value());
      }
      case 6: {
        std::vector<int64_t> ints;
        for (uint32_t n = number(); n > 0 && ok_; --n) ints.push_back(static_cast<int32_t>(number()));
        return ints;
      }
      case 7:
        return int64_t{static_cast<int32_t>(number())};
      default:
        ok_ = false;
        return {};
    }
  }

  const Interner& names_;
  std::span<const uint32_t> numbers_;
  std::string_view texts_;
  bool ok_ = true;
};

// Length as JavaScript counts it.
uint32_t utf16_length(std::string_view text) {
  uint32_t length = code_point_count(text);
  if (length == text.size()) return length;
  for (char c : text) length += static_cast<uint8_t>(c) >= 0xF0;
  return length;
}

int64_t joined(uint32_t low, uint32_t high) { return static_cast<int64_t>(uint64_t{high} << 32 | low); }

}  // namespace

uint8_t* FastCalls::room(uint32_t numbers, uint32_t text_bytes) {
  size_t words = size_t{numbers} + (size_t{text_bytes} + 3) / 4;
  if (room_.size() < words) room_.resize(words + words / 2);
  room_numbers_ = numbers;
  return reinterpret_cast<uint8_t*>(room_.data());
}

uint32_t FastCalls::fail(Error error) {
  error_ = std::move(error);
  return 0;
}

uint32_t FastCalls::finish() {
  size_t words = (texts_.size() + 3) / 4;
  size_t at = out_.size();
  out_.resize(at + words);
  if (texts_.size() > 0) std::memcpy(out_.data() + at, texts_.data(), texts_.size());
  return static_cast<uint32_t>(out_.size());
}

void FastCalls::put_text(std::string_view text) {
  put(utf16_length(text));
  texts_.append(text.data(), text.size());
}

void FastCalls::put_sequence(const Entity& entity) {
  const TextSequence* written = entity.sequence();
  if (!written)
    put_text({});
  else if (written->is_plain())
    put_text(written->plain());
  else
    put_text(written->text());
}

void FastCalls::write_changes(const Document& document, const Changes& changes) {
  constexpr size_t kFew = 8;
  size_t count_at = out_.size();
  put(0);
  // Few changes are looked through; for many there is a table.
  bool are_many = changes.entries().size() > kFew;
  if (are_many) places_.assign(document.names.ids.size(), 0);
  for (const Changes::Entry& change : changes.entries()) {
    size_t at = count_at + 1;
    if (are_many)
      at = places_[change.entity] == 0 ? out_.size() : places_[change.entity];
    else
      while (at < out_.size() && out_[at] != change.entity) at += 5;
    if (at == out_.size()) {
      uint32_t slot = document.slot_of(change.entity);
      Entity entity(document, slot);
      bool is_root = document.names.ids[change.entity] == document.id.raw;
      put(change.entity);
      put(slot == kNoSlot ? 0 : is_root ? 255 : static_cast<uint32_t>(entity.type()));
      put(slot != kNoSlot && entity.is_live());
      put(0);
      put(0);
      ++out_[count_at];
      if (are_many) places_[change.entity] = static_cast<uint32_t>(at);
    }
    auto field = static_cast<uint32_t>(change.field);
    if (field != 0 && field < 64) out_[at + 3 + field / 32] |= 1u << field % 32;
  }
}

uint32_t FastCalls::edit(uint32_t handle, uint32_t count, uint32_t text_bytes) {
  Facade::Open* open = facade_.find(handle);
  if (!open) return fail(no_document());
  if (open->is_read_only) return fail(invalid("This is the document as it was: it can be read, not changed."));
  if (count < 3 || count > room_numbers_ || text_bytes > (room_.size() - room_numbers_) * 4)
    return fail(invalid("The message is cut short."));
  Replica& replica = open->replica;
  std::span<const uint32_t> numbers(room_.data(), count);
  std::string_view texts(reinterpret_cast<const char*>(room_.data() + room_numbers_), text_bytes);
  EditContext context{open->author, Cause::kPerson, joined(numbers[0], numbers[1]), (numbers[2] & 1) != 0};
  CommandReader reader(replica.document().names, numbers.subspan(3), texts);
  commands_.clear();
  while (!reader.done()) commands_.push_back(reader.next());
  if (!reader.ok() || commands_.empty())
    return fail(invalid("A command is malformed: a date is 2026-11-24 or 2026-11-24T10:00, a text is valid Unicode."));
  changes_.clear();
  auto edited = replica.edit_in_place(context, commands_, changes_);
  if (!edited.ok()) return fail(edited.error());
  if (replica.is_damaged()) return fail(corrupt("The stored document is damaged: fetch it again."));
  out_.clear();
  Bytes chunk = replica.chunk_of(edited->records);
  texts_.clear();
  texts_.append(as_text(chunk).data(), chunk.size());
  put(static_cast<uint32_t>(chunk.size()));
  put(static_cast<uint32_t>(edited->created.size()));
  for (const OpRef& child : edited->created) {
    put(child.replica);
    put(child.counter);
  }
  write_changes(replica.document(), changes_);
  return finish();
}

uint32_t FastCalls::merge(uint32_t handle, uint32_t text_bytes, uint32_t now_low, uint32_t now_high) {
  Facade::Open* open = facade_.find(handle);
  if (!open) return fail(no_document());
  if (open->is_read_only) return fail(invalid("This is the document as it was: it can be read, not changed."));
  if (text_bytes > (room_.size() - room_numbers_) * 4) return fail(invalid("The message is cut short."));
  ByteView chunk(reinterpret_cast<const uint8_t*>(room_.data() + room_numbers_), text_bytes);
  Status status = open->replica.merge_chunk(chunk, joined(now_low, now_high), merged_);
  if (!status.ok()) return fail(status.error());
  if (open->replica.is_damaged()) return fail(corrupt("The stored document is damaged: fetch it again."));
  out_.clear();
  texts_.clear();
  put(static_cast<uint32_t>(merged_.applied));
  put(static_cast<uint32_t>(merged_.held_back));
  write_changes(open->replica.document(), merged_.changes);
  return finish();
}

// entity, list, created (low, high), flags (1 done, 2 archived, 4 start, 8 due, 16 timed start, 32 timed due, 64 second
// start, 128 second due, 256 has conflicts), lengths of title, description, location, colour, [start, [zone]], [due,
// [zone]]; labels, assignees: count, numbers; reminders: count, numbers; custom: count, (key, length); checklists:
// count, (replica, counter, length of title, items: count, (replica, counter, done, length)); comments: count,
// (replica, counter, author, at low, at high, length); attachments: count, (replica, counter, lengths of title, url);
// with flag 256 conflicts: count, (kind, type, field, key, replica, counter, values: count, (replica, counter, author, at
// low, at high, wins, value))
void FastCalls::write_card(const Document& document, const Entity& card) {
  const EntityRecord& record = card.record();
  const Cell* shown[32] = {};
  bool has_keyed = false;
  for (const Cell& cell : record.cells) {
    auto field = static_cast<size_t>(cell.field);
    if (cell.is_add || field >= std::size(shown)) continue;
    if (cell.key != 0) {
      has_keyed = true;
      continue;
    }
    if (!shown[field] || wins(document, cell, *shown[field])) shown[field] = &cell;
  }
  auto at = [&](Field field) { return shown[static_cast<size_t>(field)]; };
  auto flag = [&](Field field) {
    return at(field) && at(field)->value.kind == ValueKind::kBool && at(field)->value.number != 0;
  };
  auto when = [&](Field field) -> const StoredWhen* {
    return at(field) && at(field)->value.kind == ValueKind::kWhen ? at(field)->value.when : nullptr;
  };
  const StoredWhen* start = when(Field::kStart);
  const StoredWhen* due = when(Field::kDue);
  const Cell* position = at(Field::kPosition);
  std::vector<Conflict> conflicts;
  if (may_have_conflicts(card)) conflicts = conflicts_of(card);
  uint32_t flags = flag(Field::kDone) | flag(Field::kArchived) << 1 | (start ? 4u : 0) | (due ? 8u : 0) |
                   (start && start->form != 0 ? 16u : 0) | (due && due->form != 0 ? 32u : 0) |
                   (start && start->form == 2 ? 64u : 0) | (due && due->form == 2 ? 128u : 0) |
                   (conflicts.empty() ? 0 : 256u);
  put(record.id);
  put(position && position->value.kind == ValueKind::kPosition ? position->value.place->list : 0);
  auto created = static_cast<uint64_t>(record.created_at.ms());
  put(static_cast<uint32_t>(created));
  put(static_cast<uint32_t>(created >> 32));
  put(flags);
  auto text = [&](Field field) { put_text(at(field) ? at(field)->value.text_view() : std::string_view()); };
  text(Field::kTitle);
  put_sequence(card);
  text(Field::kLocation);
  text(Field::kColour);
  for (const StoredWhen* date : {start, due}) {
    if (!date) continue;
    put_text(date->form == 0 ? to_text(CivilDate{static_cast<int32_t>(date->number)}) : to_text(WallTime{date->number}));
    if (date->form != 0) put_text(date->zone_text());
  }
  for (Field field : {Field::kLabels, Field::kAssignees}) {
    size_t count_at = out_.size();
    put(0);
    for (const Cell& cell : record.cells) {
      if (cell.field != field || !cell.is_add) continue;
      // In the order of ids, each once.
      const Id128& id = document.names.ids[cell.key];
      size_t place = out_.size();
      while (place > count_at + 1 && id < document.names.ids[out_[place - 1]]) --place;
      if (place > count_at + 1 && out_[place - 1] == cell.key) continue;
      put(0);
      for (size_t i = out_.size() - 1; i > place; --i) out_[i] = out_[i - 1];
      out_[place] = cell.key;
    }
    out_[count_at] = static_cast<uint32_t>(out_.size() - count_at - 1);
  }
  const Cell* reminders = at(Field::kReminders);
  bool has_reminders = reminders && reminders->value.kind == ValueKind::kInts;
  put(has_reminders ? reminders->value.size : 0);
  for (uint32_t i = 0; has_reminders && i < reminders->value.size; ++i)
    put(static_cast<uint32_t>(reminders->value.ints[i]));
  size_t custom_at = out_.size();
  put(0);
  if (has_keyed) {
    std::vector<IdRef> keys;
    for (const Cell& cell : record.cells)
      if (!cell.is_add && cell.field == Field::kCustom && std::find(keys.begin(), keys.end(), cell.key) == keys.end())
        keys.push_back(cell.key);
    std::sort(keys.begin(), keys.end(),
              [&](IdRef a, IdRef b) { return document.names.ids[a] < document.names.ids[b]; });
    for (IdRef key : keys) {
      const Cell* cell = card.winner_cell(Field::kCustom, key);
      if (cell->value.kind != ValueKind::kText) continue;
      put(key);
      put_text(cell->value.text_view());
      ++out_[custom_at];
    }
  }
  if (record.first_child == kNoSlot)
    for (int i = 0; i < 3; ++i) put(0);
  else
    write_children(document, record);
  if (!conflicts.empty()) write_conflicts(document, conflicts);
}

void FastCalls::put_op(const OpRef& op) {
  put(op.replica);
  put(op.counter);
}

void FastCalls::put_ms(int64_t ms) {
  put(static_cast<uint32_t>(ms));
  put(static_cast<uint32_t>(static_cast<uint64_t>(ms) >> 32));
}

void FastCalls::write_conflicts(const Document& document, const std::vector<Conflict>& conflicts) {
  const Interner& names = document.names;
  put(static_cast<uint32_t>(conflicts.size()));
  for (const Conflict& conflict : conflicts) {
    put(static_cast<uint32_t>(conflict.kind));
    put(static_cast<uint32_t>(conflict.type));
    put(static_cast<uint32_t>(conflict.field));
    put(conflict.key.is_nil() ? 0 : names.ids.find(conflict.key));
    put_op(conflict.child.is_nil() ? OpRef{} : names.find_op(conflict.child));
    put(static_cast<uint32_t>(conflict.values.size()));
    for (const ConflictValue& value : conflict.values) {
      put_op(value.op.is_nil() ? OpRef{} : names.find_op(value.op));
      put(names.ids.find(value.author.raw));
      put_ms(value.at_ms);
      put(value.is_winner);
      write_value(names, value.value);
    }
  }
}

void FastCalls::write_value(const Interner& names, const Value& value) {
  switch (kind_of(value)) {
    case ValueKind::kNull:
      return put(0);
    case ValueKind::kBool:
      put(1);
      return put(*std::get_if<bool>(&value));
    case ValueKind::kText:
      put(2);
      return put_text(*std::get_if<std::string>(&value));
    case ValueKind::kId:
      put(3);
      return put(names.ids.find(*std::get_if<Id128>(&value)));
    case ValueKind::kWhen: {
      const When& when = *std::get_if<When>(&value);
      put(when.is_all_day ? 4 : 5);
      put_text(when.is_all_day ? to_text(when.date) : to_text(when.wall));
      if (when.is_all_day) return;
      put_text(when.zone);
      return put(when.fold == Fold::kSecond);
    }
    case ValueKind::kInts: {
      const auto& ints = *std::get_if<std::vector<int64_t>>(&value);
      put(6);
      put(static_cast<uint32_t>(ints.size()));
      for (int64_t number : ints) put(static_cast<uint32_t>(number));
      return;
    }
    case ValueKind::kInt:
      put(7);
      return put(static_cast<uint32_t>(*std::get_if<int64_t>(&value)));
    case ValueKind::kPosition: {
      const Position& place = *std::get_if<Position>(&value);
      put(8);
      put(place.list.is_nil() ? 0 : names.ids.find(place.list));
      return put_op(place.parent.is_nil() ? OpRef{} : names.find_op(place.parent));
    }
  }
}

void FastCalls::write_children(const Document& document, const EntityRecord& card) {
  enum { kItems, kChecklists, kComments, kAttachments };
  for (auto& slots : children_) slots.clear();
  for (uint32_t at = card.first_child; at != kNoSlot; at = document.entities[at].next_sibling) {
    if (!Entity(document, at).is_live()) continue;
    switch (document.entities[at].type) {
      case EntityType::kItem:
        children_[kItems].push_back(at);
        break;
      case EntityType::kChecklist:
        children_[kChecklists].push_back(at);
        break;
      case EntityType::kComment:
        children_[kComments].push_back(at);
        break;
      case EntityType::kAttachment:
        children_[kAttachments].push_back(at);
        break;
      default:
        break;
    }
  }
  for (auto& slots : children_) order_children(document, slots);
  auto name_child = [&](const Entity& child) {
    put(child.record().child.replica);
    put(child.record().child.counter);
  };
  put(static_cast<uint32_t>(children_[kChecklists].size()));
  for (uint32_t slot : children_[kChecklists]) {
    Entity checklist(document, slot);
    name_child(checklist);
    put_text(checklist.text_view(Field::kTitle));
    size_t count_at = out_.size();
    put(0);
    for (uint32_t item_slot : children_[kItems]) {
      Entity item(document, item_slot);
      const StoredPlace* place = item.place();
      if (!place || place->parent != checklist.record().child) continue;
      name_child(item);
      put(item.bool_value(Field::kDone));
      put_sequence(item);
      ++out_[count_at];
    }
  }
  put(static_cast<uint32_t>(children_[kComments].size()));
  for (uint32_t slot : children_[kComments]) {
    Entity comment(document, slot);
    name_child(comment);
    put(comment.record().creator);
    auto ms = static_cast<uint64_t>(comment.created_at().ms());
    put(static_cast<uint32_t>(ms));
    put(static_cast<uint32_t>(ms >> 32));
    put_text(comment.text_view(Field::kText));
  }
  put(static_cast<uint32_t>(children_[kAttachments].size()));
  for (uint32_t slot : children_[kAttachments]) {
    Entity attachment(document, slot);
    name_child(attachment);
    put_text(attachment.text_view(Field::kTitle));
    put_text(attachment.text_view(Field::kUrl));
  }
}

uint32_t FastCalls::card(uint32_t handle, uint32_t ref) {
  Facade::Open* open = facade_.find(handle);
  if (!open) return fail(no_document());
  const Document& document = open->replica.document();
  uint32_t slot = document.slot_of(ref);
  if (document.is_damaged()) return fail(corrupt("The stored document is damaged: fetch it again."));
  Entity card(document, slot);
  bool is_there = slot != kNoSlot && card.type() == EntityType::kCard && card.is_live() && lives_here(document, card);
  if (!is_there) return fail(not_found("This board has no such card, or it was deleted."));
  out_.clear();
  texts_.clear();
  for (int i = 0; i < 2; ++i) put(0);
  write_card(document, card);
  out_[0] = static_cast<uint32_t>(out_.size());
  out_[1] = static_cast<uint32_t>(texts_.size());
  return finish();
}

uint32_t FastCalls::cards(uint32_t handle) {
  Facade::Open* open = facade_.find(handle);
  if (!open) return fail(no_document());
  const Replica& replica = open->replica;
  const Document& document = replica.document();
  out_.clear();
  texts_.clear();
  for (int i = 0; i < 3; ++i) put(0);
  for (const Id128& list : replica.lists_with_cards())
    for (const Entity& card : replica.cards(list)) {
      if (!card.is_live() || !lives_here(document, card)) continue;
      write_card(document, card);
      ++out_[2];
    }
  if (document.is_damaged()) return fail(corrupt("The stored document is damaged: fetch it again."));
  out_[0] = static_cast<uint32_t>(out_.size());
  out_[1] = static_cast<uint32_t>(texts_.size());
  return finish();
}

uint32_t FastCalls::ref(uint32_t handle) {
  Facade::Open* open = facade_.find(handle);
  if (!open || room_.size() < 4) return fail(no_document());
  Id128 id;
  std::memcpy(id.bytes.data(), room_.data(), 16);
  return open->replica.ref_of(id);
}

const uint8_t* FastCalls::id(uint32_t handle, uint32_t ref) {
  Facade::Open* open = facade_.find(handle);
  if (!open || ref >= open->replica.document().names.ids.size()) return nullptr;
  return open->replica.document().names.ids[ref].bytes.data();
}

const uint8_t* FastCalls::replica(uint32_t handle, uint32_t number) {
  Facade::Open* open = facade_.find(handle);
  if (!open || number >= open->replica.document().names.replica_ids.size()) return nullptr;
  return open->replica.document().names.replica_ids[number].bytes.data();
}

}  // namespace kalends
