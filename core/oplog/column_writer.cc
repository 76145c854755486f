// SPDX-License-Identifier: Apache-2.0
// Writing columns.
#include <algorithm>

#include "core/oplog/column_rules.h"

namespace kalends {
namespace {

constexpr size_t kManyRecords = 32;  // fewer have nothing to gain from what costs time

void push_varint(Bytes& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<uint8_t>(value));
}

bool names_registers(uint16_t kind) {
  switch (static_cast<OpKind>(kind)) {
    case OpKind::kSet:
    case OpKind::kOffer:
    case OpKind::kAdd:
    case OpKind::kRemove:
      return true;
    default:
      return false;
  }
}

bool is_about_life(uint16_t kind) {
  return kind == static_cast<uint16_t>(OpKind::kDelete) || kind == static_cast<uint16_t>(OpKind::kRestore);
}

size_t shared_prefix(std::string_view a, std::string_view b) {
  size_t size = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < size && a[i] == b[i]) ++i;
  return i;
}

}  // namespace

ColumnOptions options_for(std::span<const Record* const> records) {
  ColumnOptions options;
  if (records.size() < kManyRecords) return options;
  options.remembers = true;
  const Record& first = *records.front();
  const Record& last = *records.back();
  if (first.id.replica == last.id.replica && last.id.counter > first.id.counter && last.stamp > first.stamp)
    options.slope = static_cast<uint32_t>(std::min<int64_t>(
        (last.stamp.ms() - first.stamp.ms()) / (last.id.counter - first.id.counter), 1 << 20));
  uint32_t unit = 900;
  for (const Record* record : records) {
    bool has_fields = record->is(OpKind::kCreate) || record->is(OpKind::kSet) || record->is(OpKind::kOffer);
    if (!has_fields) continue;
    for (const StoredField& field : record->field_values())
      if (field.value.kind == ValueKind::kWhen && field.value.when->form != 0)
        while (field.value.when->number % unit != 0) unit = unit == 900 ? 60 : 1;
  }
  options.date_unit = unit;
  return options;
}

void ColumnWriter::start(const ColumnOptions& options, std::vector<std::string_view>& zones, bool remembers_on) {
  options_ = options;
  zones_ = &zones;
  if (!are_rows_ || !options.are_rows)
    for (Bytes& column : columns_) column.clear();
  columns_[0].clear();
  are_rows_ = options.are_rows;
  if (!are_rows_) std::fill_n(zeros_, kColumns, 0);
  texts_.clear();
  if (!remembers_on) last_.clear();
  shapes_.clear();
  cost_ = 0;
  last_counters_.clear();
  last_op_ = {};
  last_ms_ = 0;
  last_logical_ = 0;
  last_author_ = 0;
  last_replica_ = 0;
  last_target_ = UINT32_MAX;
  next_place_ = options.first_target;
  last_child_ = {};
  last_child_of_ = 0;
  last_when_[0] = last_when_[1] = 0;
  last_ranks_.clear();
  last_rank_ = {};
}

void ColumnWriter::put(size_t index, uint64_t value) {
  Bytes& out = columns_[index];
  if (zeros_[index] != 0 && !are_rows_) {
    out.insert(out.end(), zeros_[index], 0);
    zeros_[index] = 0;
  }
  if (value < 0x80)
    out.push_back(static_cast<uint8_t>(value));
  else
    push_varint(out, value);
}

void ColumnWriter::raw(Column column, const uint8_t* bytes, size_t size) {
  size_t index = are_rows_ ? 0 : index_of(column);
  Bytes& out = columns_[index];
  if (size > 0 && !are_rows_ && zeros_[index] != 0) {
    out.insert(out.end(), zeros_[index], 0);
    zeros_[index] = 0;
  }
  out.insert(out.end(), bytes, bytes + size);
}

// Relative to `base`, which is likely to be of the same replica and near.
void ColumnWriter::op(Column column, const OpRef& base, const OpRef& op) {
  if (op.replica == base.replica && !base.is_nil())
    return number(column, (static_cast<uint64_t>(int64_t{base.counter} - op.counter) << 1 ^
                           static_cast<uint64_t>((int64_t{base.counter} - op.counter) >> 63))
                              << 1);
  number(column, uint64_t{ids_->of(names_->replica_refs[op.replica])} << 1 | 1);
  number(column, op.counter);
}

// All but whether it is implicit and what it replaces.
void ColumnWriter::shape_of(const Record& record) {
  shape_.kind = record.kind;
  shape_.is_opaque = record.is_opaque;
  shape_.is_implicit = shape_.is_same = false;
  shape_.child = 0;
  shape_.replaced = 0;
  shape_.type = shape_.run = 0;
  shape_.fields.clear();
  if (!record.child.is_nil()) {
    bool is_again = record.child == last_child_ && record.target == last_child_of_;
    shape_.child = record.child == record.id ? 1 : is_again ? 2 : 3;
  }
  if (record.is_opaque) return;
  auto run = [&](const RecordText& text, bool has_removed) {
    shape_.run = static_cast<uint8_t>((has_removed ? 4 : 0) | (text.side == Side::kAfter ? 2 : 0) |
                                      (text.parent.op.is_nil() ? 1 : 0));
  };
  switch (record.op_kind()) {
    case OpKind::kCreate:
      shape_.type = record.detail;
      [[fallthrough]];
    case OpKind::kSet:
    case OpKind::kOffer:
    case OpKind::kAdd:
    case OpKind::kRemove:
      for (const StoredField& field : record.field_values()) {
        FieldShape& made = shape_.fields.emplace_back();
        made.field = field.field;
        made.has_key = field.key != 0;
        made.kind = field.value.kind;
        if (made.kind == ValueKind::kWhen) made.detail = field.value.when->form;
        if (made.kind == ValueKind::kPosition) {
          const StoredPlace& place = *field.value.place;
          made.detail = static_cast<uint8_t>((place.list != 0) | (place.parent.is_nil() ? 0 : 2));
        }
      }
      return;
    case OpKind::kTextInsert:
      return run(*record.text, false);
    case OpKind::kRun:
      return run(record.run->text, record.run->removed_count > 0);
    default:
      return;
  }
}

void ColumnWriter::add(const Record& record, std::span<const uint64_t> dead_fields) {
  shape_of(record);
  bool has_no_envelope = is_bare(record, options_.is_state);
  // Ids are numbered as the reader meets them.
  uint32_t replica = ids_->of(names_->replica_refs[record.id.replica]);
  uint32_t author = has_no_envelope || record.author == 0 ? 0 : ids_->of(record.author) + 1;
  uint32_t fresh = options_.is_image ? next_place_ : static_cast<uint32_t>(ids_->ids().size());
  uint32_t target = ids_->of(record.target);
  uint32_t child_replica = record.child.is_nil() ? 0 : ids_->of(names_->replica_refs[record.child.replica]) + 1;

  // What it replaces: nothing, exactly what the columns saw written there last, what made it, or a list.
  uint64_t written = 0;
  if (!record.is_opaque && names_registers(record.kind))
    written = register_key(target, child_replica, record.child.counter, static_cast<uint64_t>(record.fields->field),
                           record.fields->key == 0 ? 0 : ids_->of(record.fields->key) + 1);
  else if (!record.is_opaque && is_about_life(record.kind))
    written = register_key(target, child_replica, record.child.counter, kLife, 0);
  OpRef* last = written == 0 || !options_.remembers ? nullptr : &last_.at(written);
  if (record.replaced_count == 1 && last && record.replaced[0] == *last)
    shape_.replaced = 1;
  else if (record.replaced_count == 1 &&
           record.replaced[0] == (record.child.is_nil() ? maker_of(record.target) : record.child))
    shape_.replaced = 2;
  else if (record.replaced_count > 0)
    shape_.replaced = record.replaced_count + 2;
  if (last) *last = record.id;
  // The directory of an image says who made the next entity.
  shape_.is_implicit = options_.is_image && record.is(OpKind::kCreate) && shape_.child == 0 &&
                       record.replaced_count == 0 && !is_child(static_cast<EntityType>(record.detail)) &&
                       target == fresh && maker_of(record.target) == record.id;
  shape_.is_same = options_.is_image && !shape_.is_implicit && record.id == last_op_ && target == last_target_;

  if (are_rows_) {
    spelled_.clear();
    spell(shape_, spelled_);
    for (uint64_t number_of_shape : spelled_) number(Column::kShape, number_of_shape);
  } else {
    shapes_.push_back(table_->of(shape_));
    cost_ += cost_of(shape_);
  }
  bool is_told = !shape_.is_implicit && !shape_.is_same;
  if (is_told) {
    zigzag(Column::kReplica, int64_t{replica} - last_replica_);
    last_replica_ = replica;
    // 0: the next one, 1: it is named, else so many further.
    uint32_t& last_counter = last_counters_.of(record.id.replica);
    int64_t step = int64_t{record.id.counter} - last_counter;
    number(Column::kCounter, step == 1 ? 0 : step < 1 ? 1 : static_cast<uint64_t>(step));
    if (step < 1) number(Column::kCounter, record.id.counter);
    last_counter = record.id.counter;
  }
  bool is_same = record.id == last_op_;  // more of the same operation
  uint64_t expected = expected_ms(options_, last_op_, record.id, last_ms_);
  last_op_ = record.id;
  uint64_t ms = has_no_envelope ? expected : record.stamp.raw >> 16;
  auto logical = static_cast<uint32_t>(record.stamp.raw & 0xFFFF);
  if (!has_no_envelope) {
    zigzag(Column::kMs, static_cast<int64_t>(ms - expected));
    zigzag(Column::kLogical, int64_t{logical} - (ms != last_ms_ ? 0 : is_same ? last_logical_ : last_logical_ + 1));
    last_logical_ = logical;
    zigzag(Column::kAuthor, int64_t{author} - last_author_);
    last_author_ = author;
    number(Column::kBack, record.back);
    number(Column::kCause, static_cast<uint64_t>(record.cause) - 1);
  }
  last_ms_ = ms;
  // 0: the one before, 1: the next one that was not a target yet, else by its number.
  if (is_told)
    number(Column::kTarget, target == last_target_ ? 0
                            : target == fresh      ? 1
                                                   : target - options_.first_target + uint64_t{2});
  last_target_ = target;
  next_place_ = std::max(next_place_, target + 1);
  if (shape_.child == 3) op(Column::kChild, record.id, record.child);
  if (shape_.child != 0) {
    last_child_ = record.child;
    last_child_of_ = record.target;
  }
  add_body(record, dead_fields, target, replica, child_replica);
  if (shape_.replaced > 2)
    for (const OpRef& replaced : record.replaced_ops()) op(Column::kReplacedOp, record.id, replaced);
}

// Nil when the reader does not know it.
OpRef ColumnWriter::maker_of(IdRef entity) const {
  uint32_t slot = makers_ ? makers_->slot_of(entity) : kNoSlot;
  if (slot == kNoSlot) return {};
  OpRef made = makers_->entities[slot].created_by;
  bool is_known = !known_ || (made.replica < known_->size() && made.counter <= (*known_)[made.replica]);
  return is_known ? made : OpRef{};
}

void ColumnWriter::add_body(const Record& record, std::span<const uint64_t> dead_fields, uint32_t target,
                            uint32_t replica, uint32_t child_replica) {
  if (record.is_opaque) {
    number(Column::kRest, record.count);
    raw(Column::kRest, record.raw, record.count);
    return;
  }
  switch (record.op_kind()) {
    case OpKind::kCreate: {
      for (size_t i = 0; i < dead_words(options_, record.count); ++i)
        number(Column::kDead, i < dead_fields.size() ? dead_fields[i] : 0);
      bool is_a_child = is_child(static_cast<EntityType>(record.detail));
      if (is_a_child) {
        last_child_ = record.id;
        last_child_of_ = record.target;
      }
      uint32_t own_replica = is_a_child ? replica + 1 : child_replica;
      uint32_t own_counter = is_a_child ? record.id.counter : record.child.counter;
      for (const StoredField& made : record.field_values()) {
        field(made, true);
        if (!options_.remembers) continue;
        last_.at(register_key(target, own_replica, own_counter, static_cast<uint64_t>(made.field),
                              made.key != 0 ? ids_->of(made.key) + 1
                              : made.value.kind == ValueKind::kId
                                  ? ids_->of(static_cast<IdRef>(made.value.number)) + 1
                                  : 0)) = record.id;
      }
      return;
    }
    case OpKind::kSet:
    case OpKind::kOffer:
      return field(*record.fields, true);
    case OpKind::kAdd:
    case OpKind::kRemove:
      return field(*record.fields, false);
    case OpKind::kRestore:
      return;
    case OpKind::kTextInsert:
      return run(record, *record.text);
    case OpKind::kRun: {
      const RecordRun& kept = *record.run;
      run(record, kept.text);
      if (kept.removed_count == 0) return;
      number(Column::kRange, kept.removed_count);
      for (uint32_t i = 0, end = 0; i < kept.removed_count; ++i) {
        number(Column::kRange, kept.removed[i].offset - end);
        number(Column::kRange, kept.removed[i].length);
        end = kept.removed[i].offset + kept.removed[i].length;
      }
      return;
    }
    case OpKind::kTextRemove:
      number(Column::kRange, record.count);
      for (uint32_t i = 0; i < record.count; ++i) {
        op(Column::kRange, record.id, record.ranges[i].op);
        number(Column::kRange, record.ranges[i].offset);
        number(Column::kRange, record.ranges[i].length);
      }
      return;
    case OpKind::kDelete:
    case OpKind::kRedact:
      number(Column::kRest, record.count);
      for (uint32_t i = 0; i < record.count; ++i) op(Column::kRest, record.id, record.ops[i]);
      return;
    case OpKind::kBound:
      op(Column::kRest, record.id, record.bound->op);
      return number(Column::kRest, record.bound->stamp.raw);
    case OpKind::kVoid:
      return number(Column::kRest, record.detail);
    case OpKind::kCarry: {
      number(Column::kRest, record.count);
      for (uint32_t i = 0; i < record.count; ++i) {
        Writer inner;
        write_op(inner, op_of(*names_, record.carried[i]));
        raw(Column::kRest, inner.view().data(), inner.size());
      }
      return;
    }
  }
}

void ColumnWriter::run(const Record& record, const RecordText& text) {
  if (!text.parent.op.is_nil()) {
    number(Column::kRun, text.parent.offset);
    op(Column::kRun, record.id, text.parent.op);
  }
  number(Column::kRunSize, text.size);
  texts_.insert(texts_.end(), text.text, text.text + text.size);
}

void ColumnWriter::field(const StoredField& stored, bool has_value) {
  if (stored.key != 0) number(Column::kKey, ids_->of(stored.key));
  if (has_value) value(stored.value);
}

void ColumnWriter::value(const Stored& stored) {
  switch (stored.kind) {
    case ValueKind::kNull:
      return;
    case ValueKind::kBool:
    case ValueKind::kInt:
      return zigzag(Column::kNumber, stored.number);
    case ValueKind::kId:
      return number(Column::kNumber,
                    stored.number == 0 ? 0 : ids_->of(static_cast<IdRef>(stored.number)) + uint64_t{1});
    case ValueKind::kInts:
      number(Column::kNumber, stored.size);
      for (uint32_t i = 0; i < stored.size; ++i) zigzag(Column::kNumber, stored.ints[i]);
      return;
    case ValueKind::kText:
      number(Column::kTextSize, stored.size);
      texts_.insert(texts_.end(), stored.text, stored.text + stored.size);
      return;
    case ValueKind::kWhen: {
      const StoredWhen& when = *stored.when;
      bool is_timed = when.form != 0;
      if (is_timed) {
        size_t zone = 0;
        while (zone < zones_->size() && (*zones_)[zone] != when.zone_text()) ++zone;
        if (zone == zones_->size()) zones_->push_back(when.zone_text());
        number(Column::kZone, zone);
      }
      int64_t units = is_timed ? when.number / options_.date_unit : when.number;
      zigzag(Column::kWhen, units - last_when_[is_timed]);
      last_when_[is_timed] = units;
      return;
    }
    case ValueKind::kPosition: {
      const StoredPlace& place = *stored.place;
      if (place.list != 0) number(Column::kList, ids_->of(place.list));
      if (!place.parent.is_nil()) op(Column::kParent, last_op_, place.parent);
      std::string_view rank = place.rank_text();
      std::string_view& last_rank = last_ranks_.at(place.parent.is_nil() ? place.list + uint64_t{1} : place.parent.packed());
      if (last_rank.empty()) last_rank = last_rank_;
      size_t shared = shared_prefix(last_rank, rank);
      number(Column::kRankShared, shared);
      number(Column::kRankSize, rank.size() - shared);
      raw(Column::kRank, as_bytes(rank).data() + shared, rank.size() - shared);
      last_rank = last_rank_ = rank;
      return;
    }
  }
}

void ColumnWriter::finish(Writer& out) {
  if (are_rows_) return out.bytes(columns_[0]);
  std::vector<uint32_t> uses(table_->size());
  for (uint32_t shape : shapes_) ++uses[shape];
  std::vector<uint32_t> order = ShapeTable::order(uses);
  std::vector<uint32_t> numbers(order.size());
  out.varint(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    numbers[order[i]] = i;
    for (uint64_t spelled : table_->spelled(order[i])) out.varint(spelled);
  }
  for (uint32_t shape : shapes_) number(Column::kShape, numbers[shape]);
  uint64_t bytes = 0;
  for (const Bytes& column : columns_) bytes += column.size();
  columns_[index_of(Column::kFill)].assign(static_cast<size_t>(fill_of(cost_, bytes)), kFillByte);
  uint64_t mask = 0;
  for (size_t i = 0; i < kColumns; ++i)
    if (!columns_[i].empty()) mask |= uint64_t{1} << i;
  out.varint(mask);
  for (size_t i = 0; i < kColumns; ++i)
    if (mask >> i & 1) out.varint(columns_[i].size());
  for (size_t i = 0; i < kColumns; ++i)
    if (mask >> i & 1) out.raw(columns_[i]);
}

}  // namespace kalends
