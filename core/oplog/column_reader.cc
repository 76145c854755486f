// SPDX-License-Identifier: Apache-2.0
// Reading columns.
#include <algorithm>
#include <new>

#include "core/base/text.h"
#include "core/oplog/column_rules.h"

namespace kalends {

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
    bool may_be_zero = options.are_rows || i == index_of(Column::kRank);
    if (!may_be_zero && !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; }))
      fail_later = true;
  }
  dead_fields_.clear();
  if (!remembers_on) last_.clear();
  last_counters_.clear();
  last_op_ = {};
  last_replica_ = last_author_ = 0;
  last_ms_ = last_target_ = 0;
  last_logical_ = 0;
  has_target_ = false;
  next_place_ = options.first_target;
  last_child_ = {};
  last_child_of_ = 0;
  last_when_[0] = last_when_[1] = 0;
  last_key_ = last_id_ = 0;
  last_ranks_.clear();
  last_rank_ = {};
  used_ids_ = tables.are_in_order ? 0 : tables.ids->size();
  shape_uses_.assign(tables.are_in_order && tables.shapes ? tables.shapes->size() : 0, 0);
  shape_order_.clear();
  bytes_ = cost_ = 0;
  for (size_t i = 0; i < (options.are_rows ? 1 : kColumns); ++i)
    if (i != index_of(Column::kFill)) bytes_ += columns.columns[i].size();
  ByteView fill = columns.columns[index_of(Column::kFill)];
  if (!std::all_of(fill.begin(), fill.end(), [](uint8_t b) { return b == kFillByte; })) fail_later = true;
  cost_max_ = kCostFree + (bytes_ + fill.size()) * kCostPerByte;
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

std::string_view ColumnReader::text(Column sizes) {
  uint64_t size = number(sizes);
  if (size > texts_.size()) return fail(), std::string_view{};
  std::string_view text = texts_.substr(0, static_cast<size_t>(size));
  texts_.remove_prefix(static_cast<size_t>(size));
  // The next text must not begin inside a character.
  if (!texts_.empty() && (static_cast<uint8_t>(texts_[0]) & 0xC0) == 0x80) fail();
  return text;
}

// Null after a failure. In rows each operation says its own.
const Shape* ColumnReader::shape() {
  const Shape* found = nullptr;
  if (options_.are_rows) {
    Cursor& from = cursor(Column::kShape);
    Reader in({from.at, static_cast<size_t>(from.end - from.at)});
    read_shape(in, options_.is_state, own_shape_);
    if (!in.ok()) return fail(), nullptr;
    from.at = from.end - in.remaining();
    found = &own_shape_;
  } else {
    uint64_t number_of_shape = number(Column::kShape);
    if (number_of_shape >= tables_.shapes->size()) return fail(), nullptr;
    auto place = static_cast<size_t>(number_of_shape);
    if (tables_.are_in_order && shape_uses_[place]++ == 0) shape_order_.push_back(static_cast<uint32_t>(place));
    found = &(*tables_.shapes)[place];
  }
  // In rows each field has bytes of its own.
  if (!options_.are_rows) cost_ += cost_of(*found);
  if (cost_ > cost_max_) return fail(), nullptr;
  return found;
}

Record ColumnReader::next() {
  Record record;
  const Shape* made = shape();
  if (!made) return record;
  const Shape& shape = *made;
  record.kind = shape.kind;
  record.is_opaque = shape.is_opaque;
  if (shape.is_implicit) {
    const std::vector<OpRef>* makers = options_.is_image ? tables_.makers : nullptr;
    if (!makers || next_place_ >= makers->size()) return fail(), record;
    record.id = (*makers)[static_cast<size_t>(next_place_)];
    if (record.id.is_nil()) return fail(), record;
  } else if (shape.is_same) {
    record.id = last_op_;
    if (!options_.is_image || record.id.is_nil()) return fail(), record;
  } else {
    last_replica_ = wrapping_sum(last_replica_, zigzag(Column::kReplica));
    record.id.replica = replica(last_replica_);
    if (record.id.replica == 0) fail();
    if (!ok_) return record;
  }
  int64_t replica_local = last_replica_;
  if (!shape.is_implicit && !shape.is_same) {
    uint32_t& last_counter = last_counters_.of(record.id.replica);
    uint64_t step = number(Column::kCounter);
    uint64_t counter = step == 1 ? number(Column::kCounter) : last_counter + std::max<uint64_t>(step, 1);
    bool is_odd = step == 1 ? counter > last_counter : step > kCounterMax;
    if (is_odd || counter < 1 || counter > kCounterMax) return fail(), record;
    record.id.counter = last_counter = static_cast<uint32_t>(counter);
  }
  bool has_no_envelope = is_bare(record, options_.is_state);
  bool is_same = record.id == last_op_;
  uint64_t expected = expected_ms(options_, last_op_, record.id, last_ms_);
  last_op_ = record.id;
  if (has_no_envelope) {
    last_ms_ = expected;
  } else {
    uint64_t ms = expected + static_cast<uint64_t>(zigzag(Column::kMs));
    int64_t logical = wrapping_sum(zigzag(Column::kLogical),
                                   ms != last_ms_ ? 0 : is_same ? last_logical_ : int64_t{last_logical_} + 1);
    if (ms >> 48 != 0 || logical < 0 || logical > 0xFFFF) return fail(), record;
    record.stamp.raw = ms << 16 | static_cast<uint64_t>(logical);
    last_ms_ = ms;
    last_logical_ = static_cast<uint32_t>(logical);
    last_author_ = wrapping_sum(last_author_, zigzag(Column::kAuthor));
    if (last_author_ < 0) return fail(), record;
    record.author = last_author_ == 0 ? 0 : id(static_cast<uint64_t>(last_author_ - 1));
    record.back = narrow(Column::kBack);
    if (record.back >= record.id.counter) fail();
    record.cause = static_cast<Cause>(small(Column::kCause, kCauseMax - 1) + 1);
  }
  uint64_t target = shape.is_implicit ? 1 : shape.is_same ? 0 : number(Column::kTarget);
  if (target != 0) {
    uint64_t fresh = options_.is_image ? next_place_ : used_ids_;
    uint64_t next = target == 1 ? fresh : target - 2 + options_.first_target;
    if (has_target_ && next == last_target_) fail();  // has a shorter form
    if (target != 1 && next == fresh) fail();         // so has this
    last_target_ = next;
    next_place_ = std::max(next_place_, next + 1);
    has_target_ = true;
  }
  if (!has_target_) fail();
  record.target = id(last_target_);
  uint64_t child_replica = 0;
  uint32_t child = shape.child;
  if (child != 0) {
    bool is_again = record.target == last_child_of_ && !last_child_.is_nil();
    if (child == 1) record.child = record.id;
    if (child == 2) {
      record.child = is_again ? last_child_ : (fail(), OpRef{});
      if (record.child == record.id) fail();  // has another form
    }
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
  if (!read_body(shape, record, static_cast<uint64_t>(replica_local), child_replica, written)) return fail(), record;
  if (!ok_) return record;
  if (tables_.skips_replaced) return record;
  OpRef* last = written == 0 || !options_.remembers ? nullptr : &last_.at(written);
  uint32_t replaced = shape.replaced;
  OpRef maker = record.child;
  if (maker.is_nil() && tables_.makers && last_target_ < tables_.makers->size())
    maker = (*tables_.makers)[static_cast<size_t>(last_target_)];
  if (replaced == 1) {
    // Exactly what these columns wrote there last.
    if (!last || last->is_nil()) return fail(), record;
    record.replaced = new (names_->arena.take(sizeof(OpRef))) OpRef(*last);
    record.replaced_count = 1;
  } else if (replaced == 2) {
    // What made the entity, or the child.
    if (maker.is_nil() || (last && maker == *last)) return fail(), record;
    record.replaced = new (names_->arena.take(sizeof(OpRef))) OpRef(maker);
    record.replaced_count = 1;
  } else if (replaced > 2) {
    uint32_t count = replaced - 2;
    scratch_ops_.clear();
    for (uint32_t i = 0; i < count && ok_; ++i) {
      scratch_ops_.push_back(op(Column::kReplacedOp, record.id));
      if (i > 0 && !names_->order().less(scratch_ops_[i - 1], scratch_ops_[i])) fail();
    }
    bool is_usual = count == 1 && ok_ && ((last && scratch_ops_[0] == *last) || scratch_ops_[0] == maker);
    if (is_usual) fail();  // has a shorter form
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

bool ColumnReader::read_body(const Shape& shape, Record& record, uint64_t replica_local, uint64_t child_replica,
                             uint64_t& written) {
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
      dead_fields_.clear();
      for (size_t i = dead_words(options_, shape.fields.size()); i > 0; --i)
        dead_fields_.push_back(number(Column::kDead));
      if (tables_.are_in_order && dead_fields_[0] != 0) return false;  // of archives only
      uint32_t type = shape.type;
      record.detail = shape.type;
      size_t count = shape.fields.size();
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
        list[i] = field(shape.fields[i], true);
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
      list[0] = field(shape.fields[0], true);
      record.count = 1;
      written = key_of(list[0], last_key_);
      break;
    }
    case OpKind::kAdd:
    case OpKind::kRemove: {
      StoredField* list = fields(1);
      list[0] = field(shape.fields[0], false);
      record.count = 1;
      written = key_of(list[0], last_key_);
      break;
    }
    case OpKind::kRestore:
      written = register_key(target_key, child_replica, record.child.counter, kLife, 0);
      break;
    case OpKind::kTextInsert:
      record.text = new (names_->arena.take(sizeof(RecordText))) RecordText(run(shape, record));
      if (record.text->size == 0 || record.text->size > kTextBytesMax) fail();
      break;
    case OpKind::kRun: {
      RecordRun kept{run(shape, record), 0, 0, nullptr};
      uint64_t length = code_point_count(kept.text.view());
      if (shape.run & 4) {
        uint64_t count = number(Column::kRange);
        const Cursor& left = cursor(Column::kRange);
        if (count == 0 || count > static_cast<uint64_t>(left.end - left.at) / 2) return false;
        auto* removed = names_->arena.array<RefRange>(static_cast<size_t>(count));
        uint64_t end = 0;
        for (uint64_t i = 0; i < count && ok_; ++i) {
          uint64_t begin = end + narrow(Column::kRange);
          uint32_t gone = narrow(Column::kRange);
          end = begin + gone;
          length += gone;
          if (gone == 0 || end > kTextBytesMax) fail();
          removed[kept.removed_count++] = {record.id, static_cast<uint32_t>(begin), gone};
        }
        kept.removed = removed;
        if (end > length) fail();
      }
      kept.length = static_cast<uint32_t>(std::min<uint64_t>(length, UINT32_MAX));
      if (!ok_ || kept.length == 0 || kept.length > kTextBytesMax) fail();
      record.run = new (names_->arena.take(sizeof(RecordRun))) RecordRun(kept);
      break;
    }
    case OpKind::kTextRemove: {
      uint64_t count = number(Column::kRange);
      const Cursor& left = cursor(Column::kRange);
      if (count == 0 || count > static_cast<uint64_t>(left.end - left.at) / 3) return false;
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

RecordText ColumnReader::run(const Shape& shape, const Record& record) {
  RecordText made{};
  made.side = shape.run & 2 ? Side::kAfter : Side::kBefore;
  if (!(shape.run & 1)) {
    made.parent.offset = narrow(Column::kRun);
    made.parent.op = op(Column::kRun, record.id);
  }
  std::string_view written = text(Column::kRunSize);
  made.size = static_cast<uint32_t>(written.size());
  made.text = written.data();
  return made;
}

StoredField ColumnReader::field(const FieldShape& shape, bool has_value) {
  StoredField stored{shape.field, 0, {}};
  last_key_ = 0;
  if (shape.has_key) {
    last_key_ = number(Column::kKey) + 1;
    stored.key = id(last_key_ - 1);
    if (stored.key == 0) fail();
  }
  if (has_value) stored.value = value(shape);
  return stored;
}

Stored ColumnReader::value(const FieldShape& shape) {
  Stored stored;
  stored.kind = shape.kind;
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
      std::string_view kept = text(Column::kTextSize);
      stored.size = static_cast<uint32_t>(kept.size());
      stored.text = kept.data();
      break;
    }
    case ValueKind::kWhen: {
      StoredWhen when{};
      when.form = shape.detail;
      bool is_timed = when.form != 0;
      if (is_timed) {
        uint64_t zone = number(Column::kZone);
        if (zone >= tables_.zones->size() || zone > used_zones_) return fail(), Stored{};
        if (zone == used_zones_) ++used_zones_;
        when.zone = (*tables_.zones)[static_cast<size_t>(zone)].data();
        when.zone_size = static_cast<uint32_t>((*tables_.zones)[static_cast<size_t>(zone)].size());
      }
      int64_t units = last_when_[is_timed] = wrapping_sum(last_when_[is_timed], zigzag(Column::kWhen));
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
      if (shape.detail & 1) place.list = id(number(Column::kList));
      if (shape.detail & 2) place.parent = op(Column::kParent, last_op_);
      uint64_t shared = number(Column::kRankShared);
      uint64_t size = number(Column::kRankSize);
      Cursor& ranks = cursor(Column::kRank);
      std::string_view& last_rank = last_ranks_.at(place.parent.is_nil() ? place.list + uint64_t{1} : place.parent.packed());
      if (last_rank.empty()) last_rank = last_rank_;
      if (shared > last_rank.size() || size > static_cast<uint64_t>(ranks.end - ranks.at))
        return fail(), Stored{};
      place.rank_size = static_cast<uint32_t>(shared + size);
      char* rank = static_cast<char*>(names_->arena.take(place.rank_size));
      if (shared < last_rank.size() && size > 0 && static_cast<uint8_t>(last_rank[shared]) == *ranks.at) fail();
      std::copy_n(last_rank.data(), static_cast<size_t>(shared), rank);
      std::copy_n(ranks.at, static_cast<size_t>(size), rank + shared);
      ranks.at += size;
      place.rank = rank;
      last_rank = last_rank_ = {rank, place.rank_size};
      stored.place = new (names_->arena.take(sizeof(StoredPlace))) StoredPlace(place);
      break;
    }
  }
  return stored;
}

bool ColumnReader::done() {
  if (!ok_ || !texts_.empty() || used_zones_ != tables_.zones->size()) return false;
  if (options_.are_rows) return cursors_[0].at == cursors_[0].end;
  const Cursor& fill = cursors_[index_of(Column::kFill)];
  if (static_cast<uint64_t>(fill.end - fill.at) != fill_of(cost_, bytes_)) return false;
  for (size_t i = 0; i < index_of(Column::kFill); ++i) {
    bool is_skipped = tables_.skips_replaced && i == index_of(Column::kReplacedOp);
    if (cursors_[i].at != cursors_[i].end && !is_skipped) return false;
  }
  return true;
}

}  // namespace kalends
