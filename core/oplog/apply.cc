// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/apply.h"

#include <algorithm>
#include <utility>

#include "core/base/sort.h"

namespace kalends {
namespace {

void add_once(std::vector<OpRef>& list, const OpRef& op) {
  if (std::find(list.begin(), list.end(), op) == list.end()) list.push_back(op);
}

bool take(std::vector<OpRef>& list, const OpRef& op) {
  auto it = std::find(list.begin(), list.end(), op);
  if (it == list.end()) return false;
  list.erase(it);
  return true;
}

bool take(std::vector<Early>& list, Field field, IdRef key, const OpRef& op) {
  auto it = std::find_if(list.begin(), list.end(),
                         [&](const Early& e) { return e.field == field && e.key == key && e.op == op; });
  if (it == list.end()) return false;
  list.erase(it);
  return true;
}

void add_once(std::vector<Early>& list, Field field, IdRef key, const OpRef& op) {
  bool is_known = std::any_of(list.begin(), list.end(),
                              [&](const Early& e) { return e.field == field && e.key == key && e.op == op; });
  if (!is_known) list.push_back({field, key, op});
}

class Folding {
 public:
  // `changes`: nullptr when what a snapshot says is put back.
  Folding(Document& document, const Record& record, Changes* changes)
      : document_(document), op_(record), changes_(changes), puts_back_(!changes), stamp_(record.stamp) {
    if (!document.bounds.empty()) {
      auto bound = document.bounds.find(document.names.op_id(record.id));
      if (bound != document.bounds.end()) stamp_ = std::min(stamp_, bound->second);
    }
    is_redacted_ = !document.redactions.empty() && document.redactions.count(document.names.op_id(record.id));
  }

  void run(std::span<const uint64_t> dead_fields = {}) {
    if (op_.is_opaque) return keep_opaque();
    switch (op_.op_kind()) {
      case OpKind::kCreate:
        return create(dead_fields);
      case OpKind::kSet:
        touch();
        return set(*op_.fields, false);
      case OpKind::kOffer:
        touch();
        return set(*op_.fields, true);
      case OpKind::kAdd:
        touch();
        return add(op_.fields->field, op_.fields->key);
      case OpKind::kRemove:
        touch();
        return remove(op_.fields->field, op_.fields->key);
      case OpKind::kDelete:
        return erase();
      case OpKind::kRestore:
        touch();
        return restore();
      case OpKind::kTextInsert:
        touch();
        return insert_text();
      case OpKind::kTextRemove:
        touch();
        return remove_text();
      case OpKind::kRun:
        if (!puts_back_) return keep_opaque();
        touch();
        return put_run_back();
      case OpKind::kBound:
        return bound();
      case OpKind::kRedact:
        return redact();
      case OpKind::kVoid:
        document_.voids.insert(document_.names.op_id(op_.id));
        return;
      case OpKind::kCarry:
        return carry();
    }
    keep_opaque();
  }

 private:
  void note(IdRef entity, Field field = {}) {
    if (changes_) changes_->touch(entity, field);
  }

  // The entity, or the child that the operation is about.
  void find_slots() {
    entity_slot_ = document_.entity_slot(op_.target);
    slot_ = op_.child.is_nil() ? entity_slot_ : document_.child_slot(entity_slot_, op_.child);
  }
  EntityRecord& entity() { return document_.entities[slot_]; }

  void touch() {
    find_slots();
    note(op_.target);
    document_.touch(entity_slot_, op_.id);
    if (slot_ != entity_slot_) document_.touch(slot_, op_.id);
  }

  Cell cell(const StoredField& field, bool is_offer) const {
    Cell cell{op_.id, stamp_, op_.author, field.field, is_offer, is_redacted_, false, field.key, field.value};
    if (is_redacted_) cell.value = {};
    return cell;
  }

  // Drops what this operation replaces in one register; remembers what has not arrived yet.
  void replace_in_register(Field field, IdRef key) {
    if (puts_back_ || op_.replaced_count == 0) return;
    Run<Cell>& cells = entity().cells;
    for (const OpRef& replaced : op_.replaced_ops()) {
      bool is_there = false;
      for (uint32_t i = 0; i < cells.count; ++i)
        if (cells.items[i].op == replaced && cells.items[i].field == field && cells.items[i].key == key &&
            !cells.items[i].is_add) {
          cells.erase(i);
          is_there = true;
          break;
        }
      if (!is_there && !document_.has_seen(replaced))
        add_once(document_.rarities_of(slot_).replaced_early, field, key, replaced);
    }
  }

  template <typename Items>
  void replace_in(Items& items, std::vector<OpRef>& early) {
    if (puts_back_) return;
    for (const OpRef& replaced : op_.replaced_ops()) {
      auto it =
          std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.op == replaced; });
      if (it != items.end())
        items.erase(it);
      else if (!document_.has_seen(replaced))
        add_once(early, replaced);
    }
  }

  void put(const Cell& value) {
    if (!puts_back_ && entity().rarities != kNoSlot) {
      auto& early = document_.rarities_of(slot_).replaced_early;
      bool is_replaced = take(early, value.field, value.key, value.op);
      if (value.is_offer && take(early, Field{}, 0, value.op)) is_replaced = true;
      if (is_replaced) return;
    }
    entity().cells.push(document_.names.arena, value);
  }

  void set(const StoredField& field, bool is_offer) {
    replace_in_register(field.field, field.key);
    put(cell(field, is_offer));
    if (field.field == Field::kPosition) document_.moved.push_back(slot_);
    note(op_.target, field.field);
  }

  void create(std::span<const uint64_t> dead_fields) {
    auto type = static_cast<EntityType>(op_.detail);
    bool is_a_child = is_child(type);
    entity_slot_ = document_.entity_slot(op_.target);
    slot_ = is_a_child ? document_.child_slot(entity_slot_, op_.id) : entity_slot_;
    bool is_root = !is_a_child && document_.names.ids[op_.target] == document_.id.raw;
    if (!is_a_child && !is_root) {
      OpRef first = entity().created_by;
      if (!first.is_nil() && !puts_back_)
        document_.rarities_of(slot_).other_makers.push_back(
            document_.names.order().less(op_.id, first) ? first : op_.id);
      document_.note_maker(op_.id, op_.target);
    }
    EntityRecord& made = entity();
    if (is_root) {
      // Nothing can turn the document's root into something else.
    } else if (made.created_by.is_nil() || document_.names.order().less(op_.id, made.created_by)) {
      made.type = type;
      made.created_by = op_.id;
      made.created_at = stamp_;
      made.creator = op_.author;
    }
    document_.touch(slot_, op_.id);
    if (slot_ != entity_slot_) document_.touch(entity_slot_, op_.id);
    document_.moved.push_back(slot_);
    note(op_.target);
    const bool are_many = op_.count > 16;
    U64Map<bool> said;  // where there are many fields
    for (uint32_t i = 0; i < op_.count; ++i) {
      if (i / 64 < dead_fields.size() && (dead_fields[i / 64] >> i % 64 & 1) != 0) continue;
      const StoredField& field = op_.fields[i];
      const FieldSpec* spec = find_field(type, field.field);
      bool is_set = spec && spec->merge == Merge::kSet;
      if (are_many ? std::exchange(said.at(register_of(field, is_set)), true) : is_said_before(i, is_set)) continue;
      if (spec && spec->merge == Merge::kText && field.value.kind == ValueKind::kText) {
        if (field.value.size > 0) insert_run({}, Side::kAfter, field.value.text_view());
        note(op_.target, field.field);
      } else if (spec && spec->merge == Merge::kSet && field.value.kind == ValueKind::kId) {
        put_add(field.field, static_cast<IdRef>(field.value.number));
        note(op_.target, field.field);
      } else {
        set(field, false);
      }
    }
  }

  // One operation says one value of a register: the first that it names counts.
  bool is_said_before(uint32_t index, bool is_set) const {
    for (uint32_t i = 0; i < index; ++i)
      if (register_of(op_.fields[i], is_set) == register_of(op_.fields[index], is_set)) return true;
    return false;
  }
  static uint64_t register_of(const StoredField& field, bool is_set) {
    IdRef key = is_set && field.value.kind == ValueKind::kId ? static_cast<IdRef>(field.value.number) : field.key;
    return static_cast<uint64_t>(field.field) << 32 | key;
  }

  void put_add(Field field, IdRef element) {
    if (!puts_back_ && entity().rarities != kNoSlot &&
        take(document_.rarities_of(slot_).removed_early, field, element, op_.id))
      return;
    Cell added{op_.id, stamp_, op_.author, field, false, false, true, element, {}};
    entity().cells.push(document_.names.arena, added);
  }

  void add(Field field, IdRef element) {
    // What the operation wrote here before stands last.
    const Run<Cell>& cells = entity().cells;
    for (uint32_t i = cells.count; i > 0 && cells.items[i - 1].op == op_.id; --i)
      if (cells.items[i - 1].field == field && cells.items[i - 1].key == element) return note(op_.target, field);
    put_add(field, element);
    note(op_.target, field);
  }

  void remove(Field field, IdRef element) {
    Run<Cell>& cells = entity().cells;
    for (const OpRef& replaced : op_.replaced_ops()) {
      bool is_there = false;
      for (uint32_t i = 0; i < cells.count && !is_there; ++i)
        if (cells.items[i].op == replaced && cells.items[i].field == field && cells.items[i].key == element &&
            cells.items[i].is_add) {
          cells.erase(i);
          is_there = true;
        }
      if (!is_there && !document_.has_seen(replaced))
        add_once(document_.rarities_of(slot_).removed_early, field, element, replaced);
    }
    note(op_.target, field);
  }

  void erase() {
    find_slots();
    // To its card, the deletion of a comment is an edit like any other.
    if (slot_ != entity_slot_) document_.touch(entity_slot_, op_.id);
    note(op_.target);
    Rarities& rarities = document_.rarities_of(slot_);
    replace_in(rarities.deletions, rarities.restored_early);
    if (!puts_back_ && take(rarities.restored_early, op_.id)) return;
    rarities.deletions.push_back({op_.id, stamp_, op_.author, {op_.ops, op_.ops + op_.count}});
  }

  void restore() {
    Rarities& rarities = document_.rarities_of(slot_);
    replace_in(rarities.deletions, rarities.restored_early);
  }

  // Choosing an offered text closes it: the splices that do so name the offer.
  void close_offers() {
    if (op_.replaced_count == 0 || puts_back_) return;
    Run<Cell>& cells = entity().cells;
    for (const OpRef& replaced : op_.replaced_ops()) {
      bool is_there = false;
      for (uint32_t i = 0; i < cells.count && !is_there; ++i)
        if (cells.items[i].op == replaced && cells.items[i].is_offer) {
          cells.erase(i);
          is_there = true;
        }
      if (!is_there && !document_.has_seen(replaced))
        add_once(document_.rarities_of(slot_).replaced_early, Field{}, 0, replaced);
    }
  }

  void insert_run(CharRef parent, Side side, std::string_view text) {
    TextSequence& sequence = document_.text_of(slot_);
    if (text.data() == nullptr) return;
    sequence.insert(op_.id, parent, side, text, document_.names.order());
    if (sequence.length() > kTextLengthBound) document_.has_long_text = true;
    if (is_redacted_) sequence.redact(op_.id);
  }

  // What is left of a run; characters that were removed have left no words.
  void put_run_back() {
    const RecordRun& run = *op_.run;
    TextSequence& sequence = document_.text_of(slot_);
    const ReplicaOrder order = document_.names.order();
    if (run.text.size == 0) {
      sequence.insert_blank(op_.id, run.text.parent, run.text.side, run.length, order);
      return;
    }
    if (run.removed_count == 0)
      sequence.insert(op_.id, run.text.parent, run.text.side, run.text.view(), order);
    else
      sequence.insert_gapped(op_.id, run.text.parent, run.text.side, run.text.view(), run.length,
                             {run.removed, run.removed_count}, order);
  }

  void insert_text() {
    insert_run(op_.text->parent, op_.text->side, op_.text->view());
    close_offers();
    note(op_.target, Field::kDescription);
  }

  void remove_text() {
    TextSequence& sequence = document_.text_of(slot_);
    for (uint32_t i = 0; i < op_.count; ++i)
      sequence.remove(op_.ranges[i].op, op_.ranges[i].offset, op_.ranges[i].length);
    close_offers();
    note(op_.target, Field::kDescription);
  }

  void bound() {
    const OpRef about = op_.bound->op;
    auto [it, is_new] = document_.bounds.try_emplace(document_.names.op_id(about), op_.bound->stamp);
    if (!is_new) it->second = std::min(it->second, op_.bound->stamp);
    const Hlc cap = it->second;
    for_each_record([&](uint32_t slot) {
      EntityRecord& record = document_.entities[slot];
      bool is_found = record.created_by == about;
      for (Cell& cell : record.cells)
        if (cell.op == about) {
          is_found = true;
          cell.stamp = std::min(cell.stamp, cap);
          if (cell.field == Field::kPosition) document_.moved.push_back(slot);
        }
      if (record.created_by == about) record.created_at = std::min(record.created_at, cap);
      if (record.rarities == kNoSlot) return is_found;
      for (Deletion& deletion : document_.rarities_of(slot).deletions)
        if (deletion.op == about) {
          is_found = true;
          deletion.stamp = std::min(deletion.stamp, cap);
        }
      return is_found;
    });
    note(op_.target);
  }

  void redact() {
    const OpRef about = *op_.ops;
    OpId about_id = document_.names.op_id(about);
    document_.redactions.insert(about_id);
    for_each_record([&](uint32_t slot) {
      EntityRecord& record = document_.entities[slot];
      bool is_found = false;
      for (Cell& cell : record.cells) {
        if (cell.op != about || cell.is_add) continue;
        is_found = true;
        cell.value = {};
        cell.is_redacted = true;
        if (cell.field == Field::kPosition) document_.moved.push_back(slot);
      }
      if (record.text != kNoSlot && document_.texts[record.text].run_length(about) > 0) {
        is_found = true;
        document_.texts[record.text].redact(about);
      }
      return is_found;
    });
    document_.opaque.erase(about_id);
    note(op_.target);
  }

  // A bound or a redaction targets the entity of the operation it is about. When nothing is found there, that was
  // said wrongly or the operation has left nothing: look everywhere, so that the order of arrival does not matter.
  template <typename Visit>
  void for_each_record(Visit visit) {
    uint32_t slot = document_.slot_of(op_.target);
    bool is_found = false;
    if (slot != kNoSlot) {
      is_found = visit(slot);
      for (uint32_t at = document_.entities[slot].first_child; at != kNoSlot;
           at = document_.entities[at].next_sibling)
        is_found = visit(at) || is_found;
    }
    if (is_found) return;
    document_.warm_all();
    for (uint32_t at = 0; at < document_.entities.size(); ++at) visit(at);
  }

  void carry() {
    for (uint32_t i = 0; i < op_.count; ++i) {
      const Record& inner = op_.carried[i];
      if (document_.has_seen(inner.id)) continue;
      Folding(document_, inner, changes_).run();
      document_.carried.insert(document_.names.op_id(inner.id));
    }
    note(op_.target);
  }

  void keep_opaque() {
    if (is_redacted_) return;
    Writer out;
    write_op(out, op_of(document_.names, op_));
    document_.opaque.emplace(document_.names.op_id(op_.id), out.take());
  }

  Document& document_;
  const Record& op_;
  Changes* changes_;
  const bool puts_back_;
  Hlc stamp_;
  bool is_redacted_ = false;
  uint32_t entity_slot_ = kNoSlot;
  uint32_t slot_ = kNoSlot;
};

}  // namespace

bool Changes::has(IdRef entity, Field field) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& e) { return e.entity == entity && e.field == field; });
}

std::vector<Id128> Changes::entities(const Document& document) const {
  std::vector<Id128> ids;
  for (const Entry& entry : entries_) ids.push_back(document.names.ids[entry.entity]);
  sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<Field> Changes::fields(IdRef entity) const {
  std::vector<Field> fields;
  for (const Entry& entry : entries_)
    if (entry.entity == entity && entry.field != Field{}) fields.push_back(entry.field);
  sort(fields);
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

Applied apply(Document& document, const Record& record, Changes& changes) {
  uint32_t known = document.counter_of(record.id.replica);
  if (record.id.counter <= known) return Applied::kKnown;
  if (record.id.counter != known + 1) return Applied::kEarly;
  // What came with a card before counts once: now it is the document's own.
  bool was_carried = !document.carried.empty() && document.carried.erase(document.names.op_id(record.id)) > 0;
  if (!was_carried) Folding(document, record, &changes).run();
  document.raise(record.id, record.stamp);
  return Applied::kNew;
}

void put_back(Document& document, const Record& record, std::span<const uint64_t> dead_fields) {
  Folding(document, record, nullptr).run(dead_fields);
}

}  // namespace kalends
