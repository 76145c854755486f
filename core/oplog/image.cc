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
  for (size_t i = 0; i < id_count; ++i) {
    uint32_t before = names.ids.size();
    image->ids_[i] = names.ids.intern(in.id());
    if (i < entity_count && names.ids.size() == before && before > id_count) return damaged();
  }
  image->zones_.resize(in.count(1));
  for (std::string_view& zone : image->zones_) {
    zone = in.text();
    if (!is_valid_zone_name(zone)) in.fail();
  }
  OpReader ops(in, image->ids_, names);
  image->version_.resize(in.count(3));
  for (auto& [op, stamp] : image->version_) {
    op.replica = ops.replica();
    op.counter = ops.u32();
    stamp.raw = in.varint();
    if (op.is_nil() || op.replica == 0) in.fail();
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

  // The table of blocks: sizes first, then the views once the places are known.
  struct Sizes {
    size_t columns = 0;
    size_t texts = 0;
  };
  size_t block_count = (image->entity_count_ + kBlockEntities - 1) / kBlockEntities;
  std::vector<Sizes> live(block_count), past(block_count);
  std::vector<size_t> rest(block_count);
  image->blocks_.resize(block_count);
  auto read_part = [&](Part& part, Sizes& sizes, size_t block) {
    part.count = ops.u32();
    if (part.count == 0) return;
    part.options.remembers = in.boolean();
    part.options.slope = static_cast<uint32_t>(std::min<uint64_t>(in.varint(), 1 << 20));
    uint64_t unit = in.varint();
    if (unit != 1 && unit != 60 && unit != 900) in.fail();
    part.options.date_unit = static_cast<uint32_t>(unit);
    part.options.first_target = static_cast<uint32_t>(block * kBlockEntities);
    sizes.columns = static_cast<size_t>(in.varint());
    sizes.texts = static_cast<size_t>(in.varint());
    if (part.count > sizes.columns) in.fail();  // every row has a kind
  };
  for (size_t i = 0; i < block_count && in.ok(); ++i) {
    Block& block = image->blocks_[i];
    read_part(block.live, live[i], i);
    rest[i] = static_cast<size_t>(in.varint());
    block.live_sum = in.fixed64();
    read_part(block.past, past[i], i);
    if (block.past.count > 0) block.past_sum = in.fixed64();
    if (block.past.count > 0 && !image->is_archive_) in.fail();
  }
  uint64_t columns_size = in.varint();
  uint64_t live_size = in.varint();
  uint64_t past_size = in.varint();
  if (!in.ok()) return damaged();
  ByteView head = bytes.first(static_cast<size_t>(in.position() - bytes.data()));
  uint64_t sum = in.fixed64();
  if (!in.ok() || sum != image_checksum(head)) return damaged();
  if (columns_size > in.remaining()) return damaged();
  Reader columns(in.raw(static_cast<size_t>(columns_size)));
  if (live_size > in.remaining()) return damaged();
  Reader live_texts(in.raw(static_cast<size_t>(live_size)));
  if (past_size != in.remaining()) return damaged();
  Reader past_texts(in.raw(static_cast<size_t>(past_size)));
  for (size_t i = 0; i < block_count; ++i) {
    Block& block = image->blocks_[i];
    block.live.columns = columns.raw(live[i].columns);
    block.live.texts = as_text(live_texts.raw(live[i].texts));
    block.rest = columns.raw(rest[i]);
    block.past.columns = columns.raw(past[i].columns);
    block.past.texts = as_text(past_texts.raw(past[i].texts));
  }
  if (!columns.done() || !live_texts.done() || !past_texts.done()) return damaged();
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

void Image::load(Document& document, uint32_t index) {
  const Block& block = blocks_[index];
  uint64_t sum = image_checksum({block.live.columns.data(), block.live.columns.size() + block.rest.size()}) * 31 +
                 image_checksum(as_bytes(block.live.texts));
  if (sum != block.live_sum) return document.set_damaged();
  if (block.live.count > 0) {
    Reader in(block.live.columns);
    ColumnReader& columns = reader_;
    columns.start(document.names, {&ids_, &zones_, false, true, !is_archive_}, block.live.options, in, block.live.texts);
    for (uint32_t i = 0; i < block.live.count && columns.ok(); ++i) {
      Record record = columns.next();
      bool fits = columns.ok() && !record.is_opaque && block_of(record.target) == index;
      if (!fits) return document.set_damaged();
      put_back(document, record, ~columns.dead_fields());
    }
    if (!columns.done()) return document.set_damaged();
  }
  if (!read_rest(document, block, index * kBlockEntities)) document.set_damaged();
}

bool Image::read_rest(Document& document, const Block& block, uint32_t first) const {
  Reader in(block.rest);
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
  for (const Part* part : {&block.live, &block.past}) {
    if (part->count == 0) continue;
    Reader in(part->columns);
    ColumnReader columns;
    columns.start(document.names, {&ids_, &zones_, false, false, false}, part->options, in, part->texts);
    for (uint32_t i = 0; i < part->count && columns.ok(); ++i) {
      Record record = columns.next();
      bool is_carried = !document.carried.empty() && document.carried.count(document.names.op_id(record.id)) > 0;
      if (!is_carried) out.push_back(new (document.names.arena.take(sizeof(Record))) Record(record));
    }
    is_fine = is_fine && columns.done();
  }
  std::swap(document.names.arena, arena);
  return is_fine;
}

}  // namespace kalends
