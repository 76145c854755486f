// SPDX-License-Identifier: Apache-2.0
// Undo and redo: what a transaction of this copy did is done backwards, by new operations, as far as its effect still
// shows. What others did since stays.
#include <algorithm>
#include <new>

#include "core/base/sort.h"
#include "core/replica/transaction.h"

namespace kalends {

class Undoing {
 public:
  Undoing(Replica& replica, const EditContext& context, Changes& changes)
      : replica_(replica),
        document_(replica.document_),
        transaction_(replica, context, changes, false) {}

  Edited run(const std::vector<const Record*>& done) {
    for (auto it = done.rbegin(); it != done.rend(); ++it) take_back(**it);
    return transaction_.commit();
  }

 private:
  uint32_t slot_of(const Record& record) const {
    uint32_t slot = document_.slot_of(record.target);
    OpRef child = record.child;
    if (record.is(OpKind::kCreate) && is_child(static_cast<EntityType>(record.detail))) child = record.id;
    return slot == kNoSlot || child.is_nil() ? slot : document_.child_of(slot, child);
  }

  // The operation itself, or one that brought its effect back.
  bool stands_for(OpRef op, const OpRef& first) const {
    for (int steps = 0; steps < 1000; ++steps) {
      if (op == first) return true;
      const OpRef* next = replica_.stands_for_.find(op.packed());
      if (!next) return false;
      op = *next;
    }
    return false;
  }
  void note(const OpRef& first) { replica_.stands_for_.at(replica_.log_.back()->id.packed()) = first; }

  void take_back(const Record& record) {
    uint32_t slot = slot_of(record);
    if (slot == kNoSlot || record.is_opaque) return;
    Entity entity(document_, slot);
    Entity around(document_, document_.slot_of(record.target));
    bool is_gone = !entity.is_live() || !around.is_live();
    if (is_gone && !record.is(OpKind::kDelete)) return;
    switch (record.op_kind()) {
      case OpKind::kCreate:
        return transaction_.erase(slot);
      case OpKind::kSet:
        return take_back_set(entity, record);
      case OpKind::kAdd:
        return take_back_add(entity, record);
      case OpKind::kRemove:
        for (const Cell& cell : entity.record().cells)
          if (cell.field == record.fields->field && cell.key == record.fields->key) return;
        transaction_.emit_field(OpKind::kAdd, slot, {}, *record.fields);
        if (record.replaced_count > 0) note(record.replaced[0]);
        return;
      case OpKind::kDelete: {
        std::vector<OpRef> deletions = transaction_.deletions_of(entity);
        if (std::find(deletions.begin(), deletions.end(), record.id) == deletions.end()) return;
        Record restore;
        restore.kind = static_cast<uint16_t>(OpKind::kRestore);
        return transaction_.emit(slot, deletions, restore);
      }
      case OpKind::kRestore:
        return transaction_.erase(slot);
      case OpKind::kTextInsert:
        return take_back_insert(slot, record);
      case OpKind::kTextRemove:
        return take_back_remove(slot, record);
      default:
        return;
    }
  }

  // The values that an operation replaced, the one that was shown first.
  std::vector<StoredField> replaced_values(const Record& record) {
    struct Past {
      const Record* record;
      StoredField field;
    };
    std::vector<Past> past;
    for (const OpRef& op : record.replaced_ops()) {
      const Record* found = replica_.find_record(op, record.target, arena_);
      if (!found || found->is_opaque) continue;
      bool has_fields = found->is(OpKind::kSet) || found->is(OpKind::kOffer) || found->is(OpKind::kCreate);
      if (!has_fields) continue;
      for (const StoredField& field : found->field_values())
        if (field.field == record.fields->field && field.key == record.fields->key) past.push_back({found, field});
    }
    const ReplicaOrder order = document_.names.order();
    sort(past, [&](const Past& a, const Past& b) {
      if (a.record->is(OpKind::kOffer) != b.record->is(OpKind::kOffer)) return b.record->is(OpKind::kOffer);
      return a.record->stamp != b.record->stamp ? a.record->stamp > b.record->stamp
                                                : order.less(b.record->id, a.record->id);
    });
    std::vector<StoredField> values;
    for (const Past& one : past) values.push_back(one.field);
    return values;
  }

  // What was read from an image lives in an arena of its own.
  StoredField kept(const StoredField& field) {
    return {field.field, field.key, store(document_.names, unstore(document_.names, field.value))};
  }

  void take_back_set(const Entity& entity, const Record& record) {
    const Cell* shown = entity.winner_cell(record.fields->field, record.fields->key);
    if (!shown || !stands_for(shown->op, record.id)) return;
    std::vector<StoredField> values = replaced_values(record);
    StoredField before{record.fields->field, record.fields->key, {}};
    if (!values.empty()) before = kept(values.front());
    const FieldSpec* spec = find_field(entity.type(), before.field);
    if (values.empty() && (record.replaced_count > 0 || (spec && spec->required))) return;  // not known any more
    uint32_t slot = entity.slot();
    OpRef replaced = shown->op;
    transaction_.emit_field(OpKind::kSet, slot, {&replaced, 1}, before);
    if (record.replaced_count > 0) {
      // The value that was shown is back; so are the losers that a decision had closed.
      OpRef first = record.replaced[0];
      for (const OpRef& op : record.replaced_ops()) {
        const Record* found = replica_.find_record(op, record.target, arena_);
        if (found && found->field_values().size() > 0 && same_value(found, before)) first = op;
      }
      note(first);
      for (size_t i = 1; i < values.size(); ++i) {
        StoredField loser = kept(values[i]);
        if (!same(loser.value, before.value)) transaction_.emit_field(OpKind::kOffer, slot, {}, loser);
      }
    }
  }

  bool same_value(const Record* record, const StoredField& field) const {
    for (const StoredField& one : record->field_values())
      if (one.field == field.field && one.key == field.key && same(one.value, field.value)) return true;
    return false;
  }

  void take_back_add(const Entity& entity, const Record& record) {
    std::vector<OpRef> adds;
    for (const Cell& cell : entity.record().cells)
      if (cell.field == record.fields->field && cell.key == record.fields->key && stands_for(cell.op, record.id))
        adds.push_back(cell.op);
    if (adds.empty()) return;
    transaction_.emit_field(OpKind::kRemove, entity.slot(), transaction_.sorted(adds), *record.fields);
  }

  // What is visible of the run, and of runs that brought parts of it back.
  void take_back_insert(uint32_t slot, const Record& record) {
    const TextSequence& sequence = document_.text_of(slot);
    std::vector<RefRange> ranges;
    for (const auto& run : sequence.runs())
      if (stands_for(run.op, record.id)) visible_parts(sequence, run.op, run.length, ranges);
    remove(slot, ranges);
  }

  static void visible_parts(const TextSequence& sequence, const OpRef& op, uint32_t length,
                            std::vector<RefRange>& ranges) {
    uint32_t at = 0;
    for (const auto& [begin, end] : sequence.removed_of(op)) {
      if (begin > at) ranges.push_back({op, at, std::min(begin, length) - at});
      at = std::min(end, length);
    }
    if (at < length) ranges.push_back({op, at, length - at});
  }

  void remove(uint32_t slot, const std::vector<RefRange>& ranges) {
    if (ranges.empty()) return;
    auto* copy = document_.names.arena.array<RefRange>(ranges.size());
    std::copy(ranges.begin(), ranges.end(), copy);
    Record made;
    made.kind = static_cast<uint16_t>(OpKind::kTextRemove);
    made.ranges = copy;
    made.count = static_cast<uint32_t>(ranges.size());
    transaction_.emit(slot, {}, made);
  }

  // The words come back as a new run where they stood.
  void take_back_remove(uint32_t slot, const Record& record) {
    for (uint32_t i = 0; i < record.count; ++i) {
      const RefRange range = record.ranges[i];
      TextSequence::Run found;
      for (const auto& run : document_.text_of(slot).runs())
        if (run.op == range.op) found = run;
      if (range.offset >= found.length) continue;
      uint32_t count = std::min(range.length, found.length - range.offset);
      std::string_view words = TextSequence::words_of(found, range.offset, count);
      if (words.empty()) continue;
      Record made;
      made.kind = static_cast<uint16_t>(OpKind::kTextInsert);
      made.text = new (document_.names.arena.take(sizeof(RecordText)))
          RecordText{{range.op, range.offset + count - 1}, Side::kAfter, static_cast<uint32_t>(words.size()), words.data()};
      transaction_.emit(slot, {}, made);
      note(range.op);
    }
  }

  Replica& replica_;
  Document& document_;
  Transaction transaction_;
  Arena arena_;
};

const Record* Replica::find_record(const OpRef& op, IdRef target, Arena& arena) const {
  for (size_t i = log_.size(); i > 0; --i)
    if (log_[i - 1]->id == op) return log_[i - 1];
  if (!image_ || !image_->is_archive()) return nullptr;
  uint32_t block = image_->block_of(target);
  std::vector<const Record*> records;
  if (block == kNoSlot || !image_->read_operations(document_, block, arena, records)) return nullptr;
  for (const Record* record : records)
    if (record->id == op) return record;
  return nullptr;
}

Result<Edited> Replica::take_back(const EditContext& context, std::vector<Span>& from, std::vector<Span>& to,
                                  Changes& changes) {
  EditContext undoing = context;
  undoing.cause = Cause::kUndo;
  // A transaction whose effect is gone has nothing to take back: look at the one before it.
  while (!from.empty()) {
    Span span = from.back();
    from.pop_back();
    Arena arena;
    std::vector<const Record*> done = own_since(span.first, arena);
    done.erase(std::remove_if(done.begin(), done.end(),
                              [&](const Record* record) { return record->id.counter > span.last; }),
               done.end());
    uint32_t first = document_.counter_of(me_) + 1;
    Edited edited = Undoing(*this, undoing, changes).run(done);
    if (edited.records.empty()) continue;
    to.push_back({first, document_.counter_of(me_)});
    return edited;
  }
  return Edited{};
}

Result<Edited> Replica::undo(const EditContext& context, Changes& changes) {
  return take_back(context, undo_, redo_, changes);
}

Result<Edited> Replica::redo(const EditContext& context, Changes& changes) {
  return take_back(context, redo_, undo_, changes);
}

}  // namespace kalends
