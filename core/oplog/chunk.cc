// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/chunk.h"

#include <algorithm>
#include <new>

#include "core/base/sort.h"
#include "core/oplog/column_rules.h"
#include "core/time/wall_time.h"

namespace kalends {
namespace {

Error damaged() { return corrupt("A chunk of operations is damaged: fetch it again."); }

// Made by an operation that the receiver has.
bool is_known(const Document& document, IdRef id, const std::vector<uint32_t>& known) {
  uint32_t slot = document.slot_of(id);
  if (slot == kNoSlot) return false;
  OpRef made = document.entities[slot].created_by;
  return !made.is_nil() && made.replica < known.size() && made.counter <= known[made.replica];
}

}  // namespace

Bytes ChunkWriter::encode(const Document& document, std::span<const Record* const> records,
                          const std::vector<uint32_t>* known) {
  return encode(document.names, &document, records, known);
}

Bytes ChunkWriter::encode(const Interner& names, std::span<const Record* const> records) {
  return encode(names, nullptr, records, nullptr);
}

Bytes ChunkWriter::encode(const Interner& names, const Document* document,
                          std::span<const Record* const> records, const std::vector<uint32_t>* known) {
  if (records.empty()) return {};
  ids_.clear();
  ColumnOptions options = options_for(records);
  options.are_rows = records.size() <= kRowsMax;
  zones_.clear();
  shapes_.clear();
  columns_.use(names, ids_, shapes_);
  columns_.use_makers(known ? document : nullptr, known);
  columns_.start(options, zones_);
  for (const Record* record : records) columns_.add(*record);

  Writer out;
  out.reserve(64 + ids_.ids().size() * 16 + columns_.texts().size() + (options.are_rows ? 64 : records.size() * 12));
  out.u8(kChunkFormat);
  out.varint(records.size());
  // Naming makers may add their replicas to the table: look them up before it is written.
  std::vector<uint8_t> is_known_id;
  size_t known_count = 0;
  if (document && known) {
    size_t count = ids_.ids().size();
    is_known_id.resize(count);
    for (size_t i = 0; i < count; ++i) {
      IdRef id = ids_.ids()[i];
      is_known_id[i] = is_known(*document, id, *known);
      if (!is_known_id[i]) continue;
      ++known_count;
      ids_.of(names.replica_refs[document->entities[document->slot_of(id)].created_by.replica]);
    }
    is_known_id.resize(ids_.ids().size());
  }
  out.varint(ids_.ids().size());
  out.varint(known_count);
  if (known_count == 0) {
    for (IdRef id : ids_.ids()) out.id(names.ids[id]);
  } else {
    for (size_t i = 0; i < is_known_id.size(); i += 8) {
      uint8_t bits = 0;
      for (size_t k = i; k < std::min(i + 8, is_known_id.size()); ++k)
        bits |= static_cast<uint8_t>(is_known_id[k] << (k - i));
      out.u8(bits);
    }
    for (size_t i = 0; i < is_known_id.size(); ++i)
      if (!is_known_id[i]) out.id(names.ids[ids_.ids()[i]]);
    uint32_t last_replica = 0;
    uint32_t last_counter = 0;
    for (size_t i = 0; i < is_known_id.size(); ++i) {
      if (!is_known_id[i]) continue;
      OpRef made = document->entities[document->slot_of(ids_.ids()[i])].created_by;
      uint32_t replica = ids_.of(names.replica_refs[made.replica]);
      out.zigzag(int64_t{replica} - last_replica);
      out.zigzag(int64_t{made.counter} - last_counter);
      last_replica = replica;
      last_counter = made.counter;
    }
  }
  out.varint(zones_.size());
  for (std::string_view zone : zones_) out.text(zone);
  if (!options.are_rows) {
    out.u8(options.remembers);
    out.varint(options.slope);
    out.varint(options.date_unit);
  }
  columns_.finish(out);
  out.raw(columns_.texts());
  return out.take();
}

// Entities that the receiver has, by the operations that made them.
Status ChunkReader::read_makers(Interner& names, const Document& document, Reader& in, ByteView is_known) {
  auto is_known_id = [&](size_t i) { return (is_known[i / 8] >> i % 8 & 1) != 0; };
  int64_t replica = 0;
  int64_t counter = 0;
  for (size_t i = 0; i < ids_.size(); ++i) {
    if (!is_known_id(i)) continue;
    replica = wrapping_sum(replica, in.zigzag());
    counter = wrapping_sum(counter, in.zigzag());
    bool fits = replica >= 0 && static_cast<size_t>(replica) < ids_.size() &&
                !is_known_id(static_cast<size_t>(replica)) && counter > 0 &&
                counter <= static_cast<int64_t>(kCounterMax);
    if (!in.ok() || !fits) return damaged();
    OpRef maker{names.replica(ids_[static_cast<size_t>(replica)]), static_cast<uint32_t>(counter)};
    ids_[i] = document.made_by(maker);
    makers_[i] = maker;
    if (ids_[i] == 0)
      return Error{ErrorCode::kConflict,
                   "These operations build on others that this copy does not have: ask for what it lacks, by its "
                   "version.",
                   0};
  }
  return {};
}

bool ChunkReader::read_shapes(Reader& in) {
  known_shapes_.clear();
  shapes_.resize(in.count(3));
  for (size_t i = 0; i < shapes_.size() && in.ok(); ++i) {
    read_shape(in, false, shapes_[i]);
    if (in.ok() && (shapes_[i].is_implicit || shapes_[i].is_same || known_shapes_.of(shapes_[i]) != i)) in.fail();  // named twice
  }
  return in.ok();
}

// What is used most comes first, then what is used first.
bool ChunkReader::are_shapes_in_order() const {
  const std::vector<uint32_t>& uses = columns_.shape_uses();
  const std::vector<uint32_t>& order = columns_.shape_order();
  if (order.size() != uses.size()) return false;  // some are not used
  std::vector<uint32_t> firsts(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) firsts[order[i]] = i;
  for (size_t i = 1; i < uses.size(); ++i)
    if (uses[i] > uses[i - 1] || (uses[i] == uses[i - 1] && firsts[i] < firsts[i - 1])) return false;
  return true;
}

Status ChunkReader::read(Interner& names, const Document* document, ByteView bytes) {
  records_.clear();
  if (bytes.empty()) return {};
  // Texts of the records point into a copy that lives as long as they do.
  const char* kept = names.arena.copy(as_text(bytes));
  Reader in({reinterpret_cast<const uint8_t*>(kept), bytes.size()});
  if (in.u8() != kChunkFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "These operations were written by another version of Kalends: update this copy.", 0};
  size_t count = in.count(1);
  if (count == 0 || count > kChunkOpsMax) return damaged();
  size_t id_count = in.count(1);
  size_t known_count = in.count(1);
  if (id_count > in.remaining() || known_count > id_count) return damaged();
  ByteView is_known;
  if (known_count > 0) is_known = in.raw((id_count + 7) / 8);
  if (!in.ok() || id_count - known_count > in.remaining() / 16) return damaged();
  // Nothing stands behind the last flag.
  if (!is_known.empty() && id_count % 8 != 0 && is_known.back() >> id_count % 8 != 0) return damaged();
  ids_.resize(id_count);
  makers_.assign(known_count > 0 ? id_count : 0, {});
  size_t flagged = 0;
  names.start_marks();
  for (size_t i = 0; i < id_count; ++i) {
    if (known_count > 0 && (is_known[i / 8] >> i % 8 & 1) != 0)
      ++flagged;
    else if (!names.mark(ids_[i] = names.ids.intern(in.id())))
      return damaged();  // named twice, or nil
  }
  if (flagged != known_count) return damaged();
  if (known_count > 0) {
    if (!document)
      return Error{ErrorCode::kConflict,
                   "These operations name things by what the receiver has: merge them into that document.", 0};
    KALENDS_TRY_VOID(read_makers(names, *document, in, is_known));
  }
  zones_.resize(in.count(1));
  for (std::string_view& zone : zones_) {
    zone = in.text();
    if (!is_valid_zone_name(zone)) in.fail();
  }
  std::vector<std::string_view> sorted(zones_);
  sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return damaged();  // named twice
  ColumnOptions options;
  options.are_rows = count <= ChunkWriter::kRowsMax;
  Reader probe = in;
  uint64_t size = 0;
  if (options.are_rows) {
    size = probe.varint();
  } else {
    options.remembers = in.boolean();
    uint64_t slope = in.varint();
    uint64_t unit = in.varint();
    options.slope = static_cast<uint32_t>(slope);
    if (!in.ok() || slope > 1 << 20 || (unit != 1 && unit != 60 && unit != 900)) return damaged();
    options.date_unit = static_cast<uint32_t>(unit);
    if (!read_shapes(in)) return damaged();
    probe = in;
    uint64_t mask = probe.varint();
    for (size_t i = 0; i < kColumns && probe.ok(); ++i)
      if (mask >> i & 1) size += probe.varint();
  }
  // The texts are what stands behind the columns.
  if (!probe.ok() || size > probe.remaining()) return damaged();
  std::string_view texts = as_text(probe.raw(probe.remaining())).substr(static_cast<size_t>(size));
  columns_.start(names, {&ids_, &zones_, true, false, options.are_rows ? nullptr : &shapes_, &makers_}, options, in, texts);
  auto* memory = names.arena.array<Record>(count);
  records_.resize(count);
  for (size_t i = 0; i < count && columns_.ok(); ++i) records_[i] = new (&memory[i]) Record(columns_.next());
  if (!columns_.done()) return records_.clear(), damaged();
  // One list of operations, one chunk: what suits these operations, and nothing in the tables that none of them uses
  // (makers of things may be).
  ColumnOptions suited = options_for(records_);
  bool fits = suited.slope == options.slope && suited.date_unit == options.date_unit &&
              suited.remembers == options.remembers && (known_count > 0 || columns_.used_ids() == id_count) &&
              (options.are_rows || are_shapes_in_order());
  if (!fits) return records_.clear(), damaged();
  return {};
}

Bytes encode_chunk(const std::vector<Op>& ops) {
  Interner names;
  std::vector<const Record*> records;
  for (const Op& op : ops) {
    auto record = record_of(names, op);
    KALENDS_CHECK(record.ok());
    records.push_back(new (names.arena.take(sizeof(Record))) Record(*record));
  }
  return ChunkWriter().encode(names, records);
}

Result<std::vector<Op>> decode_chunk(ByteView bytes) {
  Interner names;
  ChunkReader reader;
  KALENDS_TRY_VOID(reader.read(names, nullptr, bytes));
  std::vector<Op> ops;
  ops.reserve(reader.records().size());
  for (const Record* record : reader.records()) ops.push_back(op_of(names, *record));
  return ops;
}

}  // namespace kalends
