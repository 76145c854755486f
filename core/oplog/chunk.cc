// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/chunk.h"

#include <algorithm>
#include <new>

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
  ColumnWriter columns(names, ids_);
  ColumnOptions options = options_for(records);
  std::vector<std::string_view> zones;
  columns.start(options, zones);
  for (const Record* record : records) columns.add(*record);

  Writer out;
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
  out.varint(zones.size());
  for (std::string_view zone : zones) out.text(zone);
  out.varint(options.slope);
  out.varint(options.date_unit);
  columns.finish(out);
  out.raw(columns.texts());
  return out.take();
}

Result<std::vector<Record*>> read_chunk(Interner& names, const Document* document, ByteView bytes) {
  std::vector<Record*> records;
  if (bytes.empty()) return records;
  // Texts of the records point into a copy that lives as long as they do.
  const char* kept = names.arena.copy(as_text(bytes));
  Reader in({reinterpret_cast<const uint8_t*>(kept), bytes.size()});
  if (in.u8() != kChunkFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "These operations were written by another version of Kalends: update this copy.", 0};
  size_t count = in.count(1);
  if (count == 0 || count > kChunkOpsMax) return damaged();
  auto id_count = static_cast<size_t>(in.varint());
  auto known_count = static_cast<size_t>(in.varint());
  if (id_count > in.remaining() || known_count > id_count) return damaged();
  ByteView bits;
  if (known_count > 0) bits = in.raw((id_count + 7) / 8);
  auto is_known_id = [&](size_t i) { return known_count > 0 && (bits[i / 8] >> i % 8 & 1) != 0; };
  if (!in.ok() || id_count - known_count > in.remaining() / 16) return damaged();
  std::vector<IdRef> ids(id_count);
  size_t flagged = 0;
  names.start_marks();
  for (size_t i = 0; i < id_count; ++i) {
    if (is_known_id(i))
      ++flagged;
    else if (!names.mark(ids[i] = names.ids.intern(in.id())))
      return damaged();  // named twice, or nil
  }
  if (flagged != known_count) return damaged();
  if (known_count > 0) {
    if (!document)
      return Error{ErrorCode::kConflict,
                   "These operations name things by what the receiver has: merge them into that document.", 0};
    int64_t replica = 0;
    int64_t counter = 0;
    std::vector<OpRef> makers(id_count);
    for (size_t i = 0; i < id_count; ++i) {
      if (!is_known_id(i)) continue;
      replica += in.zigzag();
      counter += in.zigzag();
      bool fits = replica >= 0 && static_cast<size_t>(replica) < id_count &&
                  !is_known_id(static_cast<size_t>(replica)) && counter > 0 &&
                  counter <= static_cast<int64_t>(kCounterMax);
      if (!in.ok() || !fits) return damaged();
      OpRef maker{names.replica(ids[static_cast<size_t>(replica)]), static_cast<uint32_t>(counter)};
      ids[i] = document->made_by(maker);
      if (ids[i] == 0)
        return Error{ErrorCode::kConflict,
                     "These operations build on others that this copy does not have: ask for what it lacks, by "
                     "its version.",
                     0};
    }
  }
  std::vector<std::string_view> zones(in.count(1));
  for (std::string_view& zone : zones) {
    zone = in.text();
    if (!is_valid_zone_name(zone)) in.fail();
  }
  ColumnOptions options;
  options.slope = static_cast<uint32_t>(std::min<uint64_t>(in.varint(), 1 << 20));
  uint64_t unit = in.varint();
  if (!in.ok() || (unit != 1 && unit != 60 && unit != 900)) return damaged();
  options.date_unit = static_cast<uint32_t>(unit);

  // The texts are what stands behind the columns.
  Reader probe = in;
  uint64_t mask = probe.varint();
  uint64_t size = 0;
  for (size_t i = 0; i < kColumns && probe.ok(); ++i)
    if (mask >> i & 1) size += probe.varint();
  if (!probe.ok() || size > probe.remaining()) return damaged();
  std::string_view texts = as_text(probe.raw(probe.remaining())).substr(static_cast<size_t>(size));
  ColumnReader columns(names, {&ids, &zones, true, false}, options, in, texts);
  records.reserve(count);
  for (size_t i = 0; i < count && columns.ok(); ++i)
    records.push_back(new (names.arena.take(sizeof(Record))) Record(columns.next()));
  if (!columns.done()) return damaged();
  // One list of operations, one chunk: what suits these operations, and nothing in the tables that none of them uses
  // (makers of things may be).
  ColumnOptions suited = options_for({records.data(), records.size()});
  if (suited.slope != options.slope || suited.date_unit != options.date_unit) return damaged();
  if (known_count == 0 && columns.used_ids() != id_count) return damaged();
  return records;
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
  KALENDS_TRY(std::vector<Record*> records, read_chunk(names, nullptr, bytes));
  std::vector<Op> ops;
  ops.reserve(records.size());
  for (const Record* record : records) ops.push_back(op_of(names, *record));
  return ops;
}

}  // namespace kalends
