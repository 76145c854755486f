// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/columns.h"

#include <algorithm>
#include <new>

#include "core/base/text.h"

namespace kalends {
namespace {

constexpr size_t kManyRecords = 32;  // fewer have nothing to gain from what costs time
constexpr uint32_t kLife = 0xFFFF;  // stands for a field: what deletions and restores are about

size_t index_of(Column column) { return static_cast<size_t>(column); }

void push_varint(Bytes& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<uint8_t>(value));
}

// A register, by numbers that are the same for writer and reader.
uint64_t register_key(uint64_t target, uint64_t child_replica, uint64_t child, uint64_t field, uint64_t key) {
  uint64_t mixed = target * 0x9E3779B97F4A7C15ull + child;
  mixed = (mixed ^ mixed >> 31) * 0xD6E8FEB86659FD93ull + (child_replica << 32) + (field << 48) + key;
  mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9ull;
  mixed ^= mixed >> 32;
  return mixed == 0 ? 1 : mixed;
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

ValueKind usual_kind(Field field) {
  static constexpr size_t kFieldsMax = 64;
  static const auto* table = [] {
    static ValueKind kinds[kFieldsMax] = {};
    for (const FieldSpec& spec : all_fields()) kinds[static_cast<size_t>(spec.field)] = spec.value;
    return kinds;
  }();
  auto number = static_cast<size_t>(field);
  return number < kFieldsMax ? table[number] : ValueKind::kNull;
}

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

// --- ColumnWriter ---

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
  last_counters_.clear();
  last_op_ = {};
  last_ms_ = 0;
  last_logical_ = 0;
  last_author_ = 0;
  last_target_ = UINT32_MAX;
  last_child_ = {};
  last_child_of_ = 0;
  last_when_[0] = last_when_[1] = 0;
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

void ColumnWriter::add(const Record& record, uint64_t dead_fields) {
  uint32_t replica = ids_->of(names_->replica_refs[record.id.replica]);
  uint32_t& last_counter = last_counters_.of(record.id.replica);
  uint32_t last_replica = last_op_.is_nil() ? 0 : ids_->of(names_->replica_refs[last_op_.replica]);
  zigzag(Column::kReplica, int64_t{replica} - last_replica);
  zigzag(Column::kCounter, int64_t{record.id.counter} - last_counter - 1);
  bool is_bare = options_.is_state && (record.is(OpKind::kRun) || record.is(OpKind::kAdd));  // the rest is history
  bool is_same = record.id == last_op_;  // more of the same operation
  number(Column::kKind, uint64_t{record.kind} << 1 | record.is_opaque);
  uint64_t expected = last_ms_;
  if (options_.slope != 0 && record.id.replica == last_op_.replica)
    expected += options_.slope * static_cast<uint64_t>(int64_t{record.id.counter} - last_counter);
  last_counter = record.id.counter;
  last_op_ = record.id;
  uint64_t ms = is_bare ? expected : record.stamp.raw >> 16;
  auto logical = static_cast<uint32_t>(record.stamp.raw & 0xFFFF);
  if (!is_bare) {
    zigzag(Column::kMs, static_cast<int64_t>(ms - expected));
    zigzag(Column::kLogical, int64_t{logical} - (ms != last_ms_ ? 0 : is_same ? last_logical_ : last_logical_ + 1));
    last_logical_ = logical;
    uint32_t author = record.author == 0 ? 0 : ids_->of(record.author) + 1;
    zigzag(Column::kAuthor, int64_t{author} - last_author_);
    last_author_ = author;
    number(Column::kBack, record.back);
    number(Column::kCause, static_cast<uint64_t>(record.cause) - 1);
  }
  last_ms_ = ms;
  uint32_t target = ids_->of(record.target);
  number(Column::kTarget, target == last_target_ ? 0 : target - options_.first_target + uint64_t{1});
  last_target_ = target;
  uint32_t child_replica = 0;
  if (record.child.is_nil()) {
    number(Column::kChild, 0);
  } else {
    bool is_own = record.child == record.id;
    bool is_again = !is_own && record.child == last_child_ && record.target == last_child_of_;
    number(Column::kChild, is_own ? 1 : is_again ? 2 : 3);
    if (!is_own && !is_again) op(Column::kChild, record.id, record.child);
    child_replica = ids_->of(names_->replica_refs[record.child.replica]) + 1;
    last_child_ = record.child;
    last_child_of_ = record.target;
  }

  add_body(record, dead_fields, target, replica, child_replica);

  // What it replaces: nothing, exactly what the columns saw written there last, or a list.
  uint64_t written = 0;
  if (!record.is_opaque && names_registers(record.kind))
    written = register_key(target, child_replica, record.child.counter, static_cast<uint64_t>(record.fields->field),
                           record.fields->key == 0 ? 0 : ids_->of(record.fields->key) + 1);
  else if (!record.is_opaque && is_about_life(record.kind))
    written = register_key(target, child_replica, record.child.counter, kLife, 0);
  OpRef* last = written == 0 || !options_.remembers ? nullptr : &last_.at(written);
  if (record.replaced_count == 0) {
    number(Column::kReplaced, 0);
  } else if (last && record.replaced_count == 1 && record.replaced[0] == *last) {
    number(Column::kReplaced, 1);
  } else {
    number(Column::kReplaced, uint64_t{record.replaced_count} + 1);
    for (const OpRef& replaced : record.replaced_ops()) op(Column::kReplacedOp, record.id, replaced);
  }
  if (last) *last = record.id;
}

void ColumnWriter::add_body(const Record& record, uint64_t dead_fields, uint32_t target, uint32_t replica,
                            uint32_t child_replica) {
  if (record.is_opaque) {
    number(Column::kRest, record.count);
    raw(Column::kRest, record.raw, record.count);
    return;
  }
  switch (record.op_kind()) {
    case OpKind::kCreate: {
      number(Column::kDead, dead_fields);
      number(Column::kType, record.detail);
      number(Column::kType, record.count);
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
      number(Column::kRange, kept.length);
      number(Column::kRange, kept.removed_count);
      for (uint32_t i = 0; i < kept.removed_count; ++i) {
        number(Column::kRange, kept.removed[i].offset);
        number(Column::kRange, kept.removed[i].length);
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
  bool has_removed = record.is(OpKind::kRun) && record.run->removed_count > 0;
  number(Column::kRun, uint64_t{text.parent.offset} << 3 | (has_removed ? 4 : 0) |
                           (text.side == Side::kAfter ? 2 : 0) | (text.parent.op.is_nil() ? 1 : 0));
  if (!text.parent.op.is_nil()) op(Column::kRun, record.id, text.parent.op);
  number(Column::kTextSize, text.size);
  texts_.insert(texts_.end(), text.text, text.text + text.size);
}

void ColumnWriter::field(const StoredField& stored, bool has_value) {
  bool has_key = stored.key != 0;
  number(Column::kField, static_cast<uint64_t>(stored.field) << 1 | has_key);
  if (has_key) number(Column::kKey, ids_->of(stored.key) + uint64_t{1});
  if (has_value) value(stored.field, stored.value);
}

void ColumnWriter::value(Field field, const Stored& stored) {
  number(Column::kValue, stored.kind == usual_kind(field) ? 0 : static_cast<uint64_t>(stored.kind) + 1);
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
      number(Column::kWhenForm, when.form);
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
      number(Column::kList, place.list == 0 ? 0 : ids_->of(place.list) + uint64_t{1});
      number(Column::kParent, place.parent.is_nil() ? 0 : 1);
      if (!place.parent.is_nil()) op(Column::kParent, last_op_, place.parent);
      std::string_view rank = place.rank_text();
      size_t shared = shared_prefix(last_rank_, rank);
      number(Column::kRankShared, shared);
      number(Column::kRankSize, rank.size() - shared);
      raw(Column::kRank, as_bytes(rank).data() + shared, rank.size() - shared);
      last_rank_ = rank;
      return;
    }
  }
}

void ColumnWriter::finish(Writer& out) {
  if (are_rows_) return out.bytes(columns_[0]);
  uint64_t mask = 0;
  for (size_t i = 0; i < kColumns; ++i)
    if (!columns_[i].empty()) mask |= uint64_t{1} << i;
  out.varint(mask);
  for (size_t i = 0; i < kColumns; ++i)
    if (mask >> i & 1) out.varint(columns_[i].size());
  for (size_t i = 0; i < kColumns; ++i)
    if (mask >> i & 1) out.raw(columns_[i]);
}

// --- ColumnReader ---

void ColumnReader::start(Interner& names, const ColumnTables& tables, const ColumnOptions& options,
                         Reader& columns, std::string_view texts) {
  ColumnSlices slices;
  if (options.are_rows) {
    slices.columns[0] = columns.bytes();
  } else {
    uint64_t mask = columns.varint();
    size_t sizes[kColumns] = {};
    for (size_t i = 0; i < kColumns && columns.ok(); ++i)
      if (mask >> i & 1) sizes[i] = columns.count(1);
    for (size_t i = 0; i < kColumns && columns.ok(); ++i) {
      if (mask >> i & 1) slices.columns[i] = columns.raw(sizes[i]);
      if ((mask >> i & 1) && slices.columns[i].empty()) columns.fail();
    }
    if (mask >> kColumns != 0) columns.fail();
  }
  start(names, tables, options, slices, texts);
  if (!columns.ok()) fail();
}

void ColumnReader::start(Interner& names, const ColumnTables& tables, const ColumnOptions& options,
                         const ColumnSlices& columns, std::string_view texts, bool remembers_on) {
  names_ = &names;
  tables_ = tables;
  options_ = options;
  texts_ = texts;
  ok_ = true;
  bool fail_later = false;
  for (size_t i = 0; i < (options.are_rows ? 1 : kColumns); ++i) {
    ByteView bytes = columns.columns[i];
    cursors_[i] = {bytes.data(), bytes.data() + bytes.size(), bytes.empty()};
    // A column of zeros is not written; where bytes of others' making stand, they may be anything.
    bool may_be_zero = options.are_rows || i == index_of(Column::kRank) || i == index_of(Column::kRest);
    if (!may_be_zero && !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; }))
      fail_later = true;
  }
  dead_fields_ = 0;
  if (!remembers_on) last_.clear();
  last_counters_.clear();
  last_op_ = {};
  last_replica_ = last_author_ = 0;
  last_ms_ = last_target_ = 0;
  last_logical_ = 0;
  has_target_ = false;
  last_child_ = {};
  last_child_of_ = 0;
  last_when_[0] = last_when_[1] = 0;
  last_key_ = last_id_ = 0;
  last_rank_ = {};
  used_ids_ = tables.are_in_order ? 0 : tables.ids->size();
  used_zones_ = tables.are_in_order ? 0 : tables.zones->size();
  // The whole of the texts is looked at once; `text` sees that none of them is cut inside a character.
  if (fail_later || !is_valid_text(texts)) fail();
}

uint64_t ColumnReader::rest_of_number(Cursor& from, uint64_t first) {
  uint64_t value = first & 0x7F;
  for (int shift = 7; shift < 64; shift += 7) {
    if (from.at == from.end) break;
    uint64_t byte = *from.at++;
    if (shift == 63 && byte > 1) break;
    if (byte == 0) break;  // not the shortest form
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

uint32_t ColumnReader::small(Column column, uint32_t max) {
  uint64_t value = number(column);
  if (value > max) return fail(), uint32_t{0};
  return static_cast<uint32_t>(value);
}

uint32_t ColumnReader::narrow(Column column) { return small(column, UINT32_MAX); }

IdRef ColumnReader::id(uint64_t local) {
  if (local >= tables_.ids->size() || local > used_ids_) return fail(), IdRef{0};
  if (local == used_ids_) ++used_ids_;
  return (*tables_.ids)[static_cast<size_t>(local)];
}

uint32_t ColumnReader::replica(int64_t local) {
  if (local < 0) return fail(), uint32_t{0};
  IdRef ref = id(static_cast<uint64_t>(local));
  return ref == 0 ? 0 : names_->replica(ref);
}

OpRef ColumnReader::op(Column column, const OpRef& base) {
  uint64_t first = number(column);
  OpRef op;
  if (first & 1) {
    op.replica = replica(static_cast<int64_t>(first >> 1));
    op.counter = small(column, kCounterMax);
    last_local_ = first >> 1;
    if (op.replica == base.replica) fail();  // has a shorter form
  } else {
    uint64_t back = first >> 1;
    last_local_ = static_cast<uint64_t>(last_replica_);
    int64_t counter = int64_t{base.counter} - static_cast<int64_t>(back >> 1 ^ (~(back & 1) + 1));
    if (counter < 1 || counter > static_cast<int64_t>(kCounterMax)) fail();
    op = {base.replica, static_cast<uint32_t>(counter)};
  }
  if (op.is_nil() || op.replica == 0) fail();
  return op;
}

std::string_view ColumnReader::text() {
  uint64_t size = number(Column::kTextSize);
  if (size > texts_.size()) return fail(), std::string_view{};
  std::string_view text = texts_.substr(0, static_cast<size_t>(size));
  texts_.remove_prefix(static_cast<size_t>(size));
  // The next text must not begin inside a character.
  if (!texts_.empty() && (static_cast<uint8_t>(texts_[0]) & 0xC0) == 0x80) fail();
  return text;
}

Record ColumnReader::next() {
  Record record;
  int64_t replica_local = last_replica_ + zigzag(Column::kReplica);
  last_replica_ = replica_local;
  record.id.replica = replica(replica_local);
  if (record.id.replica == 0) fail();
  if (!ok_) return record;
  uint32_t& last_counter = last_counters_.of(record.id.replica);
  int64_t counter = int64_t{last_counter} + 1 + zigzag(Column::kCounter);
  if (counter < 1 || counter > static_cast<int64_t>(kCounterMax)) return fail(), record;
  record.id.counter = static_cast<uint32_t>(counter);
  uint64_t kind = number(Column::kKind);
  record.is_opaque = kind & 1;
  if (kind >> 1 > 0xFFFF) fail();
  record.kind = static_cast<uint16_t>(kind >> 1);
  if (record.kind == static_cast<uint16_t>(OpKind::kRun) && (!options_.is_state || record.is_opaque)) fail();
  if (!record.is_opaque && record.kind > static_cast<uint16_t>(OpKind::kCarry)) fail();
  bool is_bare = options_.is_state && (record.is(OpKind::kRun) || record.is(OpKind::kAdd));
  bool is_same = record.id == last_op_;
  uint64_t expected = last_ms_;
  if (options_.slope != 0 && record.id.replica == last_op_.replica)
    expected += options_.slope * static_cast<uint64_t>(counter - last_counter);
  last_counter = record.id.counter;
  last_op_ = record.id;
  if (is_bare) {
    last_ms_ = expected;
  } else {
    uint64_t ms = expected + static_cast<uint64_t>(zigzag(Column::kMs));
    int64_t logical = zigzag(Column::kLogical) +
                      (ms != last_ms_ ? 0 : is_same ? last_logical_ : int64_t{last_logical_} + 1);
    if (ms >> 48 != 0 || logical < 0 || logical > 0xFFFF) return fail(), record;
    record.stamp.raw = ms << 16 | static_cast<uint64_t>(logical);
    last_ms_ = ms;
    last_logical_ = static_cast<uint32_t>(logical);
    last_author_ += zigzag(Column::kAuthor);
    if (last_author_ < 0) return fail(), record;
    record.author = last_author_ == 0 ? 0 : id(static_cast<uint64_t>(last_author_ - 1));
    record.back = narrow(Column::kBack);
    if (record.back >= record.id.counter) fail();
    record.cause = static_cast<Cause>(small(Column::kCause, kCauseMax - 1) + 1);
  }
  uint64_t target = number(Column::kTarget);
  if (target != 0) {
    uint64_t next = target - 1 + options_.first_target;
    if (has_target_ && next == last_target_) fail();  // has a shorter form
    last_target_ = next;
    has_target_ = true;
  }
  if (!has_target_) fail();
  record.target = id(last_target_);
  uint64_t child_replica = 0;
  uint32_t child = small(Column::kChild, 3);
  if (child != 0) {
    bool is_again = record.target == last_child_of_ && !last_child_.is_nil();
    if (child == 1) record.child = record.id;
    if (child == 2) record.child = is_again ? last_child_ : (fail(), OpRef{});
    if (child == 3) {
      record.child = op(Column::kChild, record.id);
      if (record.child == record.id || (is_again && record.child == last_child_)) fail();  // has a shorter form
    }
    if (!ok_) return record;
    // What a register is called must be the same for writer and reader: by the place of the replica in the table.
    if (child == 1) last_child_local_ = static_cast<uint64_t>(replica_local);
    if (child == 3) last_child_local_ = last_local_;
    child_replica = last_child_local_ + 1;
    last_child_ = record.child;
    last_child_of_ = record.target;
  }
  if (!ok_) return record;

  uint64_t written = 0;
  if (!read_body(record, static_cast<uint64_t>(replica_local), child_replica, written)) return fail(), record;
  if (!ok_) return record;
  if (tables_.skips_replaced) return record;
  OpRef* last = written == 0 || !options_.remembers ? nullptr : &last_.at(written);
  uint64_t replaced = number(Column::kReplaced);
  if (replaced == 1) {
    // Exactly what these columns wrote there last.
    if (!last || last->is_nil()) return fail(), record;
    record.replaced = new (names_->arena.take(sizeof(OpRef))) OpRef(*last);
    record.replaced_count = 1;
  } else if (replaced > 1) {
    uint64_t count = replaced - 1;
    if (count > kReplacedMax) return fail(), record;
    scratch_ops_.clear();
    for (uint64_t i = 0; i < count && ok_; ++i) {
      scratch_ops_.push_back(op(Column::kReplacedOp, record.id));
      if (i > 0 && !names_->order().less(scratch_ops_[i - 1], scratch_ops_[i])) fail();
    }
    if (count == 1 && last && ok_ && scratch_ops_[0] == *last) fail();  // has a shorter form
    auto* ops = names_->arena.array<OpRef>(scratch_ops_.size());
    std::copy(scratch_ops_.begin(), scratch_ops_.end(), ops);
    record.replaced = ops;
    record.replaced_count = static_cast<uint32_t>(scratch_ops_.size());
  }
  if (last) *last = record.id;
  if (!record.is_opaque) return record;
  // What was of a newer version to the writer may be known here.
  auto body = decode_body(record.kind, Bytes(record.raw, record.raw + record.count));
  if (!body.ok()) return fail(), record;
  if (!std::holds_alternative<UnknownBody>(*body)) {
    auto known = record_of(*names_, op_of(*names_, record));
    if (!known.ok()) return fail(), record;
    record = *known;
  }
  return record;
}

bool ColumnReader::read_body(Record& record, uint64_t replica_local, uint64_t child_replica, uint64_t& written) {
  auto fields = [&](uint32_t count) {
    auto* list = names_->arena.array<StoredField>(count);
    record.fields = list;
    return list;
  };
  uint64_t target_key = last_target_;
  auto key_of = [&](const StoredField& made, uint64_t element_local) {
    return register_key(target_key, child_replica, record.child.counter, static_cast<uint64_t>(made.field),
                        element_local);
  };
  if (record.is_opaque) {
    uint64_t size = number(Column::kRest);
    Cursor& rest = cursor(Column::kRest);
    if (size > static_cast<uint64_t>(rest.end - rest.at) || size > kOpBytesMax) return false;
    record.count = static_cast<uint32_t>(size);
    record.raw = reinterpret_cast<const uint8_t*>(
        names_->arena.copy({reinterpret_cast<const char*>(rest.at), record.count}));
    rest.at += record.count;
    return true;
  }
  switch (record.op_kind()) {
    case OpKind::kCreate: {
      dead_fields_ = number(Column::kDead);
      if (dead_fields_ != 0 && tables_.are_in_order) return false;  // of archives only
      uint32_t type = small(Column::kType, static_cast<uint32_t>(kLastEntityType));
      if (!document_kind(static_cast<EntityType>(type))) return false;
      record.detail = static_cast<uint8_t>(type);
      uint64_t count = number(Column::kType);
      const Cursor& left = cursor(Column::kField);
      if (count > static_cast<uint64_t>(left.end - left.at) || count > kCreateFieldsMax) return false;
      StoredField* list = fields(static_cast<uint32_t>(count));
      if (is_child(static_cast<EntityType>(type))) {
        child_replica = replica_local + 1;
        last_child_local_ = replica_local;
        last_child_ = record.id;
        last_child_of_ = record.target;
      }
      uint64_t own_counter =
          is_child(static_cast<EntityType>(type)) ? record.id.counter : record.child.counter;
      for (uint32_t i = 0; i < count && ok_; ++i) {
        list[i] = field(true);
        ++record.count;
        if (!options_.remembers || tables_.skips_replaced) continue;
        uint64_t local = last_key_ != 0 ? last_key_ : list[i].value.kind == ValueKind::kId ? last_id_ : 0;
        last_.at(register_key(target_key, child_replica, own_counter, static_cast<uint64_t>(list[i].field),
                              local)) = record.id;
      }
      return true;
    }
    case OpKind::kSet:
    case OpKind::kOffer: {
      StoredField* list = fields(1);
      list[0] = field(true);
      record.count = 1;
      written = key_of(list[0], last_key_);
      break;
    }
    case OpKind::kAdd:
    case OpKind::kRemove: {
      StoredField* list = fields(1);
      list[0] = field(false);
      record.count = 1;
      written = key_of(list[0], last_key_);
      break;
    }
    case OpKind::kRestore:
      written = register_key(target_key, child_replica, record.child.counter, kLife, 0);
      break;
    case OpKind::kTextInsert:
      record.text = new (names_->arena.take(sizeof(RecordText))) RecordText(run(record));
      if (record.text->size == 0 || record.text->size > kTextBytesMax) fail();
      break;
    case OpKind::kRun: {
      bool has_removed = false;
      RecordRun kept{run(record, &has_removed), 0, 0, nullptr};
      if (has_removed) {
        kept.length = narrow(Column::kRange);
        uint64_t count = number(Column::kRange);
        const Cursor& left = cursor(Column::kRange);
        if (count == 0 || count > static_cast<uint64_t>(left.end - left.at)) return false;
        auto* removed = names_->arena.array<RefRange>(static_cast<size_t>(count));
        uint64_t end = 0;
        uint64_t gone = 0;
        for (uint64_t i = 0; i < count && ok_; ++i) {
          RefRange range{record.id, narrow(Column::kRange), narrow(Column::kRange)};
          if (range.length == 0 || range.offset < end) fail();
          end = uint64_t{range.offset} + range.length;
          gone += range.length;
          if (end > kept.length) fail();
          removed[kept.removed_count++] = range;
        }
        kept.removed = removed;
        if (!ok_ || code_point_count(kept.text.view()) != kept.length - gone) fail();
      } else {
        kept.length = code_point_count(kept.text.view());
      }
      if (!ok_ || kept.length == 0 || kept.length > kTextBytesMax) fail();
      record.run = new (names_->arena.take(sizeof(RecordRun))) RecordRun(kept);
      break;
    }
    case OpKind::kTextRemove: {
      uint64_t count = number(Column::kRange);
      const Cursor& left = cursor(Column::kRange);
      if (count == 0 || count > static_cast<uint64_t>(left.end - left.at)) return false;
      auto* ranges = names_->arena.array<RefRange>(static_cast<size_t>(count));
      for (uint64_t i = 0; i < count && ok_; ++i) {
        RefRange range;
        range.op = op(Column::kRange, record.id);
        range.offset = narrow(Column::kRange);
        range.length = narrow(Column::kRange);
        if (range.length == 0 || range.offset + range.length < range.offset) fail();
        ranges[record.count++] = range;
      }
      record.ranges = ranges;
      break;
    }
    case OpKind::kDelete:
      written = register_key(target_key, child_replica, record.child.counter, kLife, 0);
      [[fallthrough]];
    case OpKind::kRedact: {
      uint64_t count = number(Column::kRest);
      const Cursor& left = cursor(Column::kRest);
      if (count > static_cast<uint64_t>(left.end - left.at)) return false;
      if (record.is(OpKind::kRedact) && count != 1) return false;
      auto* ops = names_->arena.array<OpRef>(static_cast<size_t>(count));
      for (uint64_t i = 0; i < count && ok_; ++i) {
        ops[record.count++] = op(Column::kRest, record.id);
        bool is_in_order = i == 0 || (names_->order().less(ops[i - 1], ops[i]) &&
                                      ops[i - 1].replica != ops[i].replica);
        if (!is_in_order) fail();
      }
      record.ops = ops;
      break;
    }
    case OpKind::kBound: {
      OpRef about = op(Column::kRest, record.id);
      record.bound = new (names_->arena.take(sizeof(RecordBound))) RecordBound{about, Hlc{number(Column::kRest)}};
      break;
    }
    case OpKind::kVoid:
      record.detail = static_cast<uint8_t>(small(Column::kRest, 11));
      if (record.detail == 0) fail();
      break;
    case OpKind::kCarry: {
      uint64_t count = number(Column::kRest);
      Cursor& rest = cursor(Column::kRest);
      auto left = static_cast<size_t>(rest.end - rest.at);
      if (count > left / 40) return false;
      auto* carried = names_->arena.array<Record>(static_cast<size_t>(count));
      Reader in({rest.at, left});
      for (uint64_t i = 0; i < count && ok_; ++i) {
        Op inner = read_op(in);
        if (!in.ok() || inner.kind == static_cast<uint16_t>(OpKind::kCarry)) return false;
        auto made = record_of(*names_, inner);
        if (!made.ok() || made->id == record.id) return false;
        new (&carried[record.count++]) Record(*made);
      }
      rest.at = rest.end - in.remaining();
      record.carried = carried;
      break;
    }
  }
  return true;
}

RecordText ColumnReader::run(const Record& record, bool* has_removed) {
  RecordText made{};
  uint64_t run = number(Column::kRun);
  if (run >> 3 > UINT32_MAX || ((run & 4) != 0 && !has_removed)) return fail(), made;
  if (has_removed) *has_removed = (run & 4) != 0;
  made.parent.offset = static_cast<uint32_t>(run >> 3);
  made.side = run & 2 ? Side::kAfter : Side::kBefore;
  if (!(run & 1))
    made.parent.op = op(Column::kRun, record.id);
  else if (made.parent.offset != 0 || made.side != Side::kAfter)
    fail();
  std::string_view written = text();
  made.size = static_cast<uint32_t>(written.size());
  made.text = written.data();
  return made;
}

StoredField ColumnReader::field(bool has_value) {
  uint32_t number_and_key = small(Column::kField, 0x1FFFF);
  StoredField stored{static_cast<Field>(number_and_key >> 1), 0, {}};
  if (stored.field == Field{}) fail();
  last_key_ = 0;
  if (number_and_key & 1) {
    last_key_ = number(Column::kKey);
    if (last_key_ == 0) return fail(), stored;
    stored.key = id(last_key_ - 1);
    if (stored.key == 0) fail();
  }
  if (has_value) stored.value = value(stored.field);
  return stored;
}

Stored ColumnReader::value(Field field) {
  Stored stored;
  uint32_t kind = small(Column::kValue, static_cast<uint32_t>(ValueKind::kPosition) + 1);
  stored.kind = kind == 0 ? usual_kind(field) : static_cast<ValueKind>(kind - 1);
  if (kind != 0 && stored.kind == usual_kind(field)) fail();  // has a shorter form
  switch (stored.kind) {
    case ValueKind::kNull:
      break;
    case ValueKind::kBool:
      stored.number = zigzag(Column::kNumber);
      if (stored.number != 0 && stored.number != 1) fail();
      break;
    case ValueKind::kInt:
      stored.number = zigzag(Column::kNumber);
      break;
    case ValueKind::kId:
      last_id_ = number(Column::kNumber);
      stored.number = last_id_ == 0 ? 0 : id(last_id_ - 1);
      break;
    case ValueKind::kInts: {
      uint64_t count = number(Column::kNumber);
      const Cursor& left = cursor(Column::kNumber);
      if (count > static_cast<uint64_t>(left.end - left.at)) return fail(), Stored{};
      auto* ints = names_->arena.array<int64_t>(static_cast<size_t>(count));
      for (uint64_t i = 0; i < count; ++i) ints[i] = zigzag(Column::kNumber);
      stored.size = static_cast<uint32_t>(count);
      stored.ints = ints;
      break;
    }
    case ValueKind::kText: {
      std::string_view kept = text();
      stored.size = static_cast<uint32_t>(kept.size());
      stored.text = kept.data();
      break;
    }
    case ValueKind::kWhen: {
      StoredWhen when{};
      when.form = static_cast<uint8_t>(small(Column::kWhenForm, 2));
      bool is_timed = when.form != 0;
      if (is_timed) {
        uint64_t zone = number(Column::kZone);
        if (zone >= tables_.zones->size() || zone > used_zones_) return fail(), Stored{};
        if (zone == used_zones_) ++used_zones_;
        when.zone = (*tables_.zones)[static_cast<size_t>(zone)].data();
        when.zone_size = static_cast<uint32_t>((*tables_.zones)[static_cast<size_t>(zone)].size());
      }
      last_when_[is_timed] += zigzag(Column::kWhen);
      int64_t units = last_when_[is_timed];
      constexpr int64_t kDaysMax = 4000000;  // far beyond the year 9999
      int64_t most = is_timed ? kDaysMax * 86400 / options_.date_unit : kDaysMax;
      if (units > most || units < -most) return fail(), Stored{};
      when.number = is_timed ? units * options_.date_unit : units;
      CivilDate day = is_timed ? WallTime{when.number}.date() : CivilDate{static_cast<int32_t>(units)};
      if (!is_valid_date(day)) fail();
      stored.when = new (names_->arena.take(sizeof(StoredWhen))) StoredWhen(when);
      break;
    }
    case ValueKind::kPosition: {
      StoredPlace place{};
      uint64_t list = number(Column::kList);
      place.list = list == 0 ? 0 : id(list - 1);
      if (small(Column::kParent, 1) == 1) place.parent = op(Column::kParent, last_op_);
      uint64_t shared = number(Column::kRankShared);
      uint64_t size = number(Column::kRankSize);
      Cursor& ranks = cursor(Column::kRank);
      if (shared > last_rank_.size() || size > static_cast<uint64_t>(ranks.end - ranks.at))
        return fail(), Stored{};
      place.rank_size = static_cast<uint32_t>(shared + size);
      char* rank = static_cast<char*>(names_->arena.take(place.rank_size));
      if (shared < last_rank_.size() && size > 0 && static_cast<uint8_t>(last_rank_[shared]) == *ranks.at) fail();
      std::copy_n(last_rank_.data(), static_cast<size_t>(shared), rank);
      std::copy_n(ranks.at, static_cast<size_t>(size), rank + shared);
      ranks.at += size;
      place.rank = rank;
      last_rank_ = {rank, place.rank_size};
      stored.place = new (names_->arena.take(sizeof(StoredPlace))) StoredPlace(place);
      break;
    }
  }
  return stored;
}

bool ColumnReader::done() {
  if (!ok_ || !texts_.empty() || used_zones_ != tables_.zones->size()) return false;
  if (options_.are_rows) return cursors_[0].at == cursors_[0].end;
  for (size_t i = 0; i < kColumns; ++i) {
    bool is_skipped = tables_.skips_replaced && (i == index_of(Column::kReplaced) || i == index_of(Column::kReplacedOp));
    if (cursors_[i].at != cursors_[i].end && !is_skipped) return false;
  }
  return true;
}

}  // namespace kalends
