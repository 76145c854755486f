// SPDX-License-Identifier: Apache-2.0
// Reading images.
#include "core/oplog/image.h"

#include <algorithm>
#include <new>

#include "core/oplog/apply.h"
#include "core/oplog/image_format.h"
#include "core/time/wall_time.h"

namespace kalends {
namespace {

Error damaged() { return corrupt("The snapshot is damaged: fetch it again or restore a backup."); }

class OpReader {
 public:
  OpReader(Reader& in, const std::vector<IdRef>& ids, Interner& names) : in_(in), ids_(ids), names_(names) {}
  OpRef op() {
    OpRef op;
    uint64_t counter = in_.varint();
    if (counter > kCounterMax) in_.fail();
    op.counter = static_cast<uint32_t>(counter);
    if (!op.is_nil()) op.replica = replica();
    return op;
  }
  OpRef some_op() {
    OpRef found = op();
    if (found.is_nil()) in_.fail();
    return found;
  }
  uint32_t replica() {
    uint64_t local = in_.varint();
    if (local >= ids_.size()) return in_.fail(), uint32_t{0};
    return names_.replica(ids_[static_cast<size_t>(local)]);
  }
  std::vector<OpRef> ops() {
    std::vector<OpRef> ops(in_.count(2));
    for (OpRef& op : ops) op = some_op();
    return ops;
  }
  IdRef id_or_nil() {
    uint64_t local = in_.varint();
    if (local > ids_.size()) return in_.fail(), IdRef{0};
    return local == 0 ? 0 : ids_[static_cast<size_t>(local - 1)];
  }
  uint32_t u32() {
    uint64_t value = in_.varint();
    if (value > UINT32_MAX) in_.fail();
    return static_cast<uint32_t>(value);
  }

 private:
  Reader& in_;
  const std::vector<IdRef>& ids_;
  Interner& names_;
};

}  // namespace

Result<std::unique_ptr<Image>> Image::open(ByteView bytes, Document& document) {
  if (bytes.size() > UINT32_MAX) return damaged();
  Reader in(bytes);
  if (in.u8() != kImageFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "This snapshot was written by another version of Kalends: update this copy.", 0};
  auto image = std::make_unique<Image>();
  image->bytes_ = bytes;
  uint8_t flags = in.u8();
  image->is_archive_ = flags == 1;
  image->id_.raw = in.id();
  uint8_t kind = in.u8();
  if (flags > 1 || kind < 1 || kind > 2) return damaged();
  image->kind_ = static_cast<DocumentKind>(kind);
  uint64_t entity_count = in.varint();
  size_t id_count = in.count(16);
  if (!in.ok() || entity_count > id_count) return damaged();
  image->entity_count_ = static_cast<uint32_t>(entity_count);
  Interner& names = document.names;
  names.ids.reserve(id_count);
  image->ids_.resize(id_count);
  // All first bytes, then all second ones …: ids that were made alike begin alike.
  ByteView columns = in.raw(id_count * 16);
  if (!in.ok()) return damaged();
  for (size_t i = 0; i < id_count; ++i) {
    uint32_t before = names.ids.size();
    Id128 id;
    for (size_t k = 0; k < 16; ++k) id.bytes[k] = columns[k * id_count + i];
    image->ids_[i] = names.ids.intern(id);
    if (i < entity_count && names.ids.size() == before && before > id_count) return damaged();
  }
  image->zones_.resize(in.count(1));
  for (std::string_view& zone : image->zones_) {
    zone = in.text();
    if (!is_valid_zone_name(zone)) in.fail();
  }
  image->shapes_.resize(in.count(3));
  for (Shape& shape : image->shapes_) read_shape(in, !image->is_archive_, shape);
  OpReader ops(in, image->ids_, names);
  image->version_.resize(in.count(3));
  for (auto& [op, stamp] : image->version_) {
    op.replica = ops.replica();
    op.counter = ops.u32();
    stamp.raw = in.varint();
    if (op.is_nil() || op.replica == 0) in.fail();
  }
  for (size_t n = in.count(4); n > 0 && in.ok(); --n) {
    ClockTable::Row row{ops.replica(), ops.u32(), {}};
    row.ms.resize(in.count(1));
    uint64_t ms = 0;
    for (uint64_t& step : row.ms) {
      step = ms += static_cast<uint64_t>(in.zigzag());
      if (ms >> 48 != 0) in.fail();
    }
    if (row.replica == 0 || row.ms.empty()) in.fail();
    image->clock_.add(std::move(row));
  }
  image->makers_.resize(image->entity_count_);
  OpRef last;
  for (OpRef& made : image->makers_) {
    uint64_t step = in.varint();
    if (step == 0) continue;
    made = last;
    uint64_t counter = step >> 1;
    if (step & 1)
      made.replica = ops.replica();
    else
      counter += last.counter;
    if (counter == 0 || counter > kCounterMax || made.replica == 0) in.fail();
    made.counter = static_cast<uint32_t>(counter);
    if (!in.ok()) return damaged();
    last = made;
  }
  image->carried_ = ops.ops();
  image->redactions_ = ops.ops();
  image->voids_ = ops.ops();
  image->bounds_.resize(in.count(3));
  for (auto& [op, stamp] : image->bounds_) {
    op = ops.some_op();
    stamp.raw = in.varint();
  }
  image->opaque_.resize(in.count(3));
  for (auto& [op, raw] : image->opaque_) {
    op = ops.some_op();
    ByteView view = in.bytes();
    raw.assign(view.begin(), view.end());
  }
  if (!in.ok()) return damaged();

  // The table of blocks gives sizes; where each column of a block begins is their sum.
  size_t block_count = (image->entity_count_ + kBlockEntities - 1) / kBlockEntities;
  if (block_count > in.remaining()) return damaged();
  image->blocks_.resize(block_count);
  uint64_t live_totals[kParts] = {};
  uint64_t past_totals[kParts] = {};
  uint64_t rest_total = 0;
  uint64_t rows = 0;
  auto read_part = [&](Part& part, uint64_t* totals, size_t block) {
    part.count = ops.u32();
    rows += part.count;
    if (rows > bytes.size()) in.fail();
    for (size_t i = 0; i < kParts; ++i) part.begins[i] = static_cast<uint32_t>(totals[i]);
    if (part.count == 0) return;
    part.options.remembers = in.boolean();
    uint64_t unit = in.varint();
    if (unit != 1 && unit != 60 && unit != 900) in.fail();
    part.options.date_unit = static_cast<uint32_t>(unit);
    part.options.first_target = static_cast<uint32_t>(block * kBlockEntities);
    part.options.is_image = true;
    part.options.clock = &image->clock_;
    uint64_t mask = in.varint();
    if (mask >> kColumns != 0) in.fail();
    for (size_t i = 0; i < kColumns && in.ok(); ++i) {
      if (!(mask >> i & 1)) continue;
      uint64_t size = in.varint();
      if (size > bytes.size()) in.fail();
      totals[i] += size;
    }
    uint64_t texts = in.varint();
    if (texts > bytes.size()) in.fail();
    totals[kColumns] += texts;
  };
  for (size_t i = 0; i < block_count && in.ok(); ++i) {
    Block& block = image->blocks_[i];
    read_part(block.past, past_totals, i);
    if (block.past.count > 0) {
      block.past_sum = in.fixed64();
      if (!image->is_archive_) in.fail();
    }
    read_part(block.live, live_totals, i);
    block.live.options.is_state = !image->is_archive_;
    block.rest_begin = static_cast<uint32_t>(rest_total);
    uint64_t rest = in.varint();
    if (rest > bytes.size()) in.fail();
    rest_total += rest;
    block.rest_size = static_cast<uint32_t>(rest);
    block.live_sum = in.fixed64();
  }
  if (!in.ok()) return damaged();
  ByteView head = bytes.first(static_cast<size_t>(in.position() - bytes.data()));
  uint64_t sum = in.fixed64();
  if (!in.ok() || !sums_agree(sum, image_checksum(head))) return damaged();
  auto take = [&](uint64_t size) {
    if (size > in.remaining()) in.fail();
    return in.raw(static_cast<size_t>(in.ok() ? size : 0));
  };
  for (size_t i = 0; i < kColumns; ++i) image->live_[i] = take(live_totals[i]);
  image->rests_ = take(rest_total);
  image->live_[kColumns] = take(live_totals[kColumns]);
  for (size_t i = 0; i < kParts; ++i) image->past_[i] = take(past_totals[i]);
  if (!in.done()) return damaged();
  document.id = image->id_;
  document.kind = image->kind_;
  image->install(document);
  return image;
}

void Image::install(Document& document) {
  const Interner& names = document.names;
  for (const auto& [op, stamp] : version_) document.raise(op, stamp);
  for (const OpRef& op : carried_) document.carried.insert(names.op_id(op));
  for (const OpRef& op : redactions_) document.redactions.insert(names.op_id(op));
  for (const OpRef& op : voids_) document.voids.insert(names.op_id(op));
  for (const auto& [op, stamp] : bounds_) document.bounds.emplace(names.op_id(op), stamp);
  for (const auto& [op, raw] : opaque_) document.opaque.emplace(names.op_id(op), raw);
  document.set_cold(this);
  for (uint32_t i = 0; i < entity_count_; ++i) document.set_cold_entity(ids_[i], i / kBlockEntities);
}

IdRef Image::made_by(const OpRef& op) const {
  // Grouped by replica, counters rising: the first of a replica is found by a walk over groups.
  for (size_t begin = 0; begin < makers_.size();) {
    size_t end = begin;
    // Groups are few: find the end by doubling steps.
    size_t step = 1;
    while (end + step < makers_.size() && makers_[end + step].replica == makers_[begin].replica) {
      end += step;
      step *= 2;
    }
    for (; step > 0; step /= 2)
      if (end + step < makers_.size() && makers_[end + step].replica == makers_[begin].replica) end += step;
    if (makers_[begin].replica == op.replica) {
      auto first = makers_.begin() + static_cast<std::ptrdiff_t>(begin);
      auto last = makers_.begin() + static_cast<std::ptrdiff_t>(end) + 1;
      auto found = std::lower_bound(first, last, op,
                                    [](const OpRef& a, const OpRef& b) { return a.counter < b.counter; });
      if (found != last && *found == op) return ids_[static_cast<size_t>(found - makers_.begin())];
    }
    begin = end + 1;
  }
  return 0;
}

uint32_t Image::block_of(IdRef entity) const {
  // Ids of a new document are numbered in the order of the directory.
  uint32_t guess = entity - 1;
  if (guess < entity_count_ && ids_[guess] == entity) return guess / kBlockEntities;
  for (uint32_t i = 0; i < entity_count_; ++i)
    if (ids_[i] == entity) return i / kBlockEntities;
  return kNoSlot;
}

// The slices of one block and a sum over them.
uint64_t Image::slices_of(uint32_t index, bool is_live, ColumnSlices& slices, std::string_view& texts) const {
  const ByteView* whole = is_live ? live_ : past_;
  auto part = [&](uint32_t block) -> const Part& { return is_live ? blocks_[block].live : blocks_[block].past; };
  uint64_t sum = 0;
  for (size_t i = 0; i < kParts; ++i) {
    size_t begin = part(index).begins[i];
    size_t end = index + 1 < blocks_.size() ? part(index + 1).begins[i] : whole[i].size();
    ByteView slice = whole[i].subspan(begin, end - begin);
    if (i == kColumns)
      texts = as_text(slice);
    else
      slices.columns[i] = slice;
    if (!slice.empty() || i == kColumns) sum = sum * 31 + image_checksum(slice);
  }
  return sum;
}

void Image::load(Document& document, uint32_t index) {
  const Block& block = blocks_[index];
  ByteView rest = rests_.subspan(block.rest_begin, block.rest_size);
  uint64_t sum = 0;
  ColumnSlices slices;
  std::string_view texts;
  if (block.live.count > 0) sum = slices_of(index, true, slices, texts);
  if (!sums_agree(block.live_sum, sum * 31 + image_checksum(rest))) return document.set_damaged();
  if (block.live.count > 0) {
    reader_.start(document.names, {&ids_, &zones_, false, true, &shapes_, &makers_}, block.live.options, slices, texts);
    for (uint32_t i = 0; i < block.live.count && reader_.ok(); ++i) {
      Record record = reader_.next();
      bool fits = reader_.ok() && !record.is_opaque && block_of(record.target) == index;
      if (!fits) return document.set_damaged();
      put_back(document, record, reader_.dead_fields());
    }
    if (!reader_.done()) return document.set_damaged();
  }
  if (!read_rest(document, rest, index * kBlockEntities)) document.set_damaged();
}

bool Image::read_rest(Document& document, ByteView rest, uint32_t first) const {
  Reader in(rest);
  OpReader ops(in, ids_, document.names);
  auto read_early = [&](std::vector<Early>& early) {
    for (size_t n = in.count(4); n > 0 && in.ok(); --n) {
      uint64_t field = in.varint();
      if (field > 0xFFFF) in.fail();
      IdRef key = ops.id_or_nil();
      early.push_back({static_cast<Field>(field), key, ops.some_op()});
    }
  };
  while (in.ok() && in.remaining() > 0) {
    uint64_t local = in.varint();
    if (local == 0 || local > kBlockEntities || first + local > entity_count_) return false;
    uint32_t slot = document.entity_slot(ids_[static_cast<size_t>(first + local - 1)]);
    OpRef child = ops.op();
    if (!in.ok()) return false;
    if (!child.is_nil()) slot = document.child_slot(slot, child);
    for (const OpRef& op : ops.ops()) document.touch(slot, op);
    for (size_t n = in.count(3); n > 0 && in.ok(); --n) {
      OpRef op = ops.some_op();
      uint32_t begin = ops.u32();
      uint32_t length = ops.u32();
      if (!in.ok() || length == 0 || begin + length < begin) return false;
      document.text_of(slot).remove(op, begin, length);
    }
    std::vector<OpRef> restored = ops.ops();
    std::vector<OpRef> makers = ops.ops();
    std::vector<Early> replaced, removed;
    read_early(replaced);
    read_early(removed);
    if (restored.empty() && makers.empty() && replaced.empty() && removed.empty()) continue;
    Rarities& rarities = document.rarities_of(slot);
    rarities.restored_early = std::move(restored);
    rarities.other_makers = std::move(makers);
    rarities.replaced_early = std::move(replaced);
    rarities.removed_early = std::move(removed);
  }
  return in.ok();
}

bool Image::read_operations(Document& document, uint32_t index, Arena& arena,
                            std::vector<const Record*>& out) const {
  const Block& block = blocks_[index];
  // The records go to an arena of their own, their ids to the document's tables.
  std::swap(document.names.arena, arena);
  bool is_fine = true;
  size_t before = out.size();
  ColumnReader columns;
  const ReplicaOrder order = document.names.order();
  auto comes_before = [&](const OpRef& a, const OpRef& b) { return order.less(a, b); };
  for (bool is_live : {false, true}) {
    const Part& part = is_live ? block.live : block.past;
    if (part.count == 0) continue;
    ColumnSlices slices;
    std::string_view texts;
    uint64_t sum = slices_of(index, is_live, slices, texts);
    // The sum of the live part is also that of the rest, which is no operation's.
    if (is_live) sum = sum * 31 + image_checksum(rests_.subspan(block.rest_begin, block.rest_size));
    is_fine = is_fine && sums_agree(is_live ? block.live_sum : block.past_sum, sum);
    if (!is_fine) break;
    columns.start(document.names, {&ids_, &zones_, false, false, &shapes_, &makers_}, part.options, slices, texts,
                  is_live && block.past.count > 0);
    for (uint32_t i = 0; i < part.count && columns.ok(); ++i) {
      Record record = columns.next();
      if (!columns.ok()) break;
      // By what the image says: meanwhile it may have come by itself.
      if (!std::binary_search(carried_.begin(), carried_.end(), record.id, comes_before))
        out.push_back(new (document.names.arena.take(sizeof(Record))) Record(record));
    }
    is_fine = columns.done();
    if (!is_fine) break;
  }
  std::swap(document.names.arena, arena);
  if (!is_fine) out.resize(before);
  return is_fine;
}

}  // namespace kalends
