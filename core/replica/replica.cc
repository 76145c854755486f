// SPDX-License-Identifier: Apache-2.0
#include "core/replica/replica.h"

#include <algorithm>
#include <new>

#include "core/base/sort.h"

namespace kalends {
namespace {

std::vector<TrayEntry> words_of(const Op& op) {
  std::vector<TrayEntry> words;
  auto body = decode_body(op.kind, op.body);
  if (!body.ok()) return words;
  auto say = [&](Field field, Value value) { words.push_back({op.id, op.target, field, std::move(value)}); };
  if (const auto* create = std::get_if<CreateBody>(&*body)) {
    for (const FieldValue& field : create->fields)
      if (kind_of(field.value) == ValueKind::kText) say(field.field, field.value);
  } else if (const auto* set = std::get_if<SetBody>(&*body)) {
    say(set->field.field, set->field.value);
  } else if (const auto* insert = std::get_if<TextInsertBody>(&*body)) {
    say(Field::kDescription, insert->insert.text);
  }
  return words;
}

bool covers(const std::vector<uint32_t>& counters, const OpRef& op) {
  return op.replica < counters.size() && op.counter <= counters[op.replica];
}

// What a version covers, by replica number; replicas that this document never heard of do not matter.
std::vector<uint32_t> counters_of(const Interner& names, const Version& version) {
  std::vector<uint32_t> counters(names.replica_ids.size());
  for (const auto& [replica, counter] : version.entries())
    if (uint32_t number = names.find_replica(replica); number != 0)
      counters[number] = static_cast<uint32_t>(std::min<uint64_t>(counter, kCounterMax));
  return counters;
}

bool has_text_beyond(const Document& document) {
  return std::any_of(document.texts.begin(), document.texts.end(),
                     [](const TextSequence& text) { return text.length() > kTextLengthBound; });
}

}  // namespace

Op void_of(const Op& refused, ErrorCode reason) {
  Op op = refused;
  op.replaced.clear();
  op.kind = static_cast<uint16_t>(OpKind::kVoid);
  op.body = encode_body(VoidBody{reason});
  return op;
}

Replica::Replica(const ReplicaOptions& options) : options_(options), document_(options.document, options.kind) {
  me_ = document_.names.replica(options.replica);
}

Result<Replica> Replica::open(const ReplicaOptions& options, std::unique_ptr<uint8_t[]> saved, size_t size,
                              bool is_trusted) {
  Replica replica(options);
  if (size == 0) return replica;
  // An image, and perhaps a chunk of what came after it.
  ByteView all(saved.get(), size);
  Reader in(all);
  if (in.u8() != kImageFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "This snapshot was written by another version of Kalends: update this copy.", 0};
  uint64_t image_size = in.fixed64();
  if (!in.ok() || image_size > in.remaining()) return corrupt("The snapshot is cut short: fetch it again.");
  ByteView image = in.raw(static_cast<size_t>(image_size));
  ByteView tail = in.raw(in.remaining());
  if (image_size > 0) {
    // The tables start anew, in the order of the image's directory.
    replica.document_ = Document(options.document, options.kind);
    replica.document_.names.arena.adopt(std::move(saved));
    KALENDS_TRY(replica.image_, Image::open(image, replica.document_));
    if (replica.document_.id != options.document || replica.document_.kind != options.kind)
      return corrupt("The snapshot belongs to another document.");
    replica.me_ = replica.document_.names.replica(options.replica);
    if (!replica.image_->is_archive()) replica.floor_ = replica.document_.version();
    if (!is_trusted) {
      replica.document_.warm_all();
      if (replica.document_.is_damaged())
        return corrupt("The snapshot is damaged: fetch it again or restore a backup.");
    }
  }
  if (!tail.empty()) {
    MergeResult merged;
    KALENDS_TRY_VOID(replica.merge_chunk(tail, 0, merged));
    if (merged.held_back > 0) return corrupt("Operations are missing: fetch the document again.");
  }
  if (replica.me_ < replica.document_.stamps.size())
    replica.clock_.follow(replica.document_.stamps[replica.me_], kHlcMsMax);
  replica.has_stored_stamps_ = true;
  return replica;
}

Result<Replica> Replica::open(const ReplicaOptions& options, ByteView saved, const std::vector<Op>& ops,
                              bool is_trusted) {
  std::unique_ptr<uint8_t[]> copy(new uint8_t[saved.size() + 1]);
  std::copy(saved.begin(), saved.end(), copy.get());
  KALENDS_TRY(Replica replica, open(options, std::move(copy), saved.size(), is_trusted));
  // Its own stamps stay ahead of what it wrote before, however the wall clock moved: follow without a limit.
  for (const Op& op : ops)
    if (op.id.replica == options.replica) replica.clock_.follow(op.stamp, kHlcMsMax);
  KALENDS_TRY(MergeResult merged, replica.merge(ops, 0));
  if (merged.held_back > 0)
    return corrupt("Operations are missing before the stored ones: fetch the document again.");
  return replica;
}

Status Replica::fold(std::span<Record* const> records, const Room& before, int64_t now_ms,
                     MergeResult& result) {
  result.applied = 0;
  result.changes.clear();
  const size_t first = log_.size();
  const HlcClock clock = clock_;
  std::vector<Record*> held, due;  // put to what waits, and taken from it
  document_.has_long_text = false;
  auto fold_one = [&](Record* record) {
    switch (apply(document_, *record, result.changes)) {
      case Applied::kNew:
        clock_.follow(record->stamp, now_ms);
        log_.push_back(record);
        ++result.applied;
        break;
      case Applied::kKnown:
        break;
      case Applied::kEarly:
        if (early_.emplace(document_.names.op_id(record->id), record).second) held.push_back(record);
        break;
    }
  };
  // What waited for the operations of a replica may have become due.
  auto take_due = [&](uint32_t replica) {
    auto it = early_.lower_bound({ReplicaId{document_.names.replica_ids[replica]}, 0});
    while (it != early_.end() && it->second->id.replica == replica &&
           it->second->id.counter <= document_.counter_of(replica) + 1) {
      due.push_back(it->second);
      it = early_.erase(it);
      fold_one(due.back());
    }
  };
  for (Record* record : records) {
    fold_one(record);
    if (!early_.empty()) take_due(record->id.replica);
  }
  if (!early_.empty()) take_due(me_);
  Status status;
  if (early_.size() > kHeldBackMax && !held.empty())
    status = Error{ErrorCode::kConflict, "Too many operations wait for missing ones: fetch the document again.", 0};
  else if (document_.has_long_text && has_text_beyond(document_))
    status = invalid("With these operations a text would be longer than any copy makes it: fetch the document again, "
                     "without them.");
  if (!status.ok()) {
    for (Record* record : due) early_.emplace(document_.names.op_id(record->id), record);
    for (Record* record : held) early_.erase(document_.names.op_id(record->id));
    bool is_changed = log_.size() != first;
    log_.resize(first);
    clock_ = clock;
    result = {};
    if (is_changed)
      rebuild();
    else
      give_back(before);
  } else if (result.applied == 0 && held.empty()) {
    give_back(before);
  }
  result.held_back = early_.size();
  return status;
}

Result<MergeResult> Replica::merge(const std::vector<Op>& ops, int64_t now_ms) {
  const Room before = room();
  std::vector<Record*> records;
  records.reserve(ops.size());
  for (const Op& op : ops) {
    auto record = record_of(document_.names, op);
    if (!record.ok()) {
      give_back(before);
      return record.error();
    }
    records.push_back(new (document_.names.arena.take(sizeof(Record))) Record(*record));
  }
  MergeResult result;
  KALENDS_TRY_VOID(fold(records, before, now_ms, result));
  return result;
}

Status Replica::merge_chunk(ByteView chunk, int64_t now_ms, MergeResult& result) {
  const Room before = room();
  Status status = reader_->read(document_.names, &document_, chunk);
  if (!status.ok()) {
    give_back(before);
    return status;
  }
  return fold(reader_->records(), before, now_ms, result);
}

Status Replica::merge_stored(ByteView chunk, MergeResult& result) {
  KALENDS_TRY_VOID(merge_chunk(chunk, 0, result));
  if (me_ < document_.stamps.size()) clock_.follow(document_.stamps[me_], kHlcMsMax);
  has_stored_stamps_ = true;
  return {};
}

// The state from the image and the log once more, after an operation of the log changed.
void Replica::rebuild() {
  Interner names = std::move(document_.names);
  document_ = Document(options_.document, options_.kind);
  document_.names = std::move(names);
  if (image_) image_->install(document_);
  Changes ignored;
  for (const Record* record : log_) apply(document_, *record, ignored);
  order_.reset();
}

// Takes the operations out of an archive, so that they can be changed.
void Replica::unpack() {
  if (!image_ || !image_->is_archive()) return;
  Arena records;
  std::vector<const Record*> all = all_records(records);
  if (is_damaged()) return;
  Bytes chunk = writer_.encode(document_.names, all);
  image_.reset();
  log_.clear();
  Interner names = std::move(document_.names);
  document_ = Document(options_.document, options_.kind);
  document_.names = std::move(names);
  order_.reset();
  const Room before = room();
  KALENDS_CHECK(reader_->read(document_.names, nullptr, chunk).ok());
  HlcClock clock = clock_;
  MergeResult again;
  KALENDS_CHECK(fold(reader_->records(), before, 0, again).ok());
  clock_ = clock;
}

Replica::Retraction Replica::retract(const std::vector<Refusal>& refusals) {
  Retraction retraction;
  auto find = [&](const OpRef& op) {
    return std::find_if(log_.begin(), log_.end(), [&](const Record* record) { return record->id == op; });
  };
  for (const Refusal& refusal : refusals) {
    OpRef op = document_.names.find_op(refusal.op);
    if (op.is_nil() || !covers(document_.counters, op)) continue;
    auto it = find(op);
    if (it == log_.end()) {
      unpack();
      it = find(op);
    }
    if (it == log_.end() || (*it)->is(OpKind::kVoid)) continue;
    Op refused = op_of(document_.names, **it);
    auto words = words_of(refused);
    retraction.tray.insert(retraction.tray.end(), words.begin(), words.end());
    retraction.changes.touch((*it)->target);
    Op stand_in = void_of(refused, refusal.reason);
    auto record = record_of(document_.names, stand_in);
    KALENDS_CHECK(record.ok());
    *it = new (document_.names.arena.take(sizeof(Record))) Record(*record);
    retraction.voids.push_back(std::move(stand_in));
  }
  if (!retraction.voids.empty()) rebuild();
  return retraction;
}

std::vector<const Record*> Replica::all_records(Arena& arena) const {
  std::vector<const Record*> records;
  if (image_ && image_->is_archive()) {
    for (uint32_t block = 0; block < image_->block_count(); ++block)
      if (!image_->read_operations(document_, block, arena, records)) document_.set_damaged();
    const ReplicaOrder order = document_.names.order();
    sort(records, [&](const Record* a, const Record* b) { return order.less(a->id, b->id); });
  }
  records.insert(records.end(), log_.begin(), log_.end());
  return records;
}

namespace {

Error gone() {
  return Error{ErrorCode::kConflict, "That version is older than the kept history: take the snapshot.", 0};
}
Error history_damaged() { return corrupt("The stored document is damaged: fetch it again or restore a backup."); }

}  // namespace

Result<std::vector<Op>> Replica::ops_since(const Version& version) const {
  if (!version.covers(floor_)) return gone();
  std::vector<uint32_t> known = counters_of(document_.names, version);
  Arena arena;
  std::vector<Op> ops;
  for (const Record* record : all_records(arena))
    if (!covers(known, record->id)) ops.push_back(op_of(document_.names, *record));
  if (is_damaged()) return history_damaged();
  return ops;
}

Result<Bytes> Replica::chunk_since(const Version& version) const {
  if (!version.covers(floor_)) return gone();
  std::vector<uint32_t> known = counters_of(document_.names, version);
  Arena arena;
  std::vector<const Record*> records;
  // What the image holds need not be read when all of it is known.
  bool is_image_known = true;
  if (image_ && image_->is_archive())
    for (const auto& [op, stamp] : image_->version()) is_image_known = is_image_known && covers(known, op);
  if (is_image_known) {
    for (const Record* record : log_)
      if (!covers(known, record->id)) records.push_back(record);
  } else {
    for (const Record* record : all_records(arena))
      if (!covers(known, record->id)) records.push_back(record);
  }
  if (is_damaged()) return history_damaged();
  return writer_.encode(document_, records, version.empty() ? nullptr : &known);
}

namespace {

Bytes saved_bytes(ByteView image, ByteView tail) {
  Writer out;
  out.u8(kImageFormat);
  out.fixed64(image.size());
  out.raw(image);
  out.raw(tail);
  return out.take();
}

}  // namespace

Bytes Replica::snapshot() const { return saved_bytes(encode_snapshot(document_), {}); }

Bytes Replica::save() const {
  if (image_ && (log_.empty() || !floor_.empty())) {
    std::vector<const Record*> tail(log_);
    return saved_bytes(image_->bytes(), writer_.encode(document_.names, tail));
  }
  Arena arena;
  return saved_bytes(encode_archive(document_, all_records(arena)), {});
}

void Replica::compact() {
  Bytes bytes = snapshot();
  auto fresh = Replica::open(options_, bytes, {}, true);
  KALENDS_CHECK(fresh.ok());
  std::vector<Op> waiting;
  for (const auto& [id, record] : early_) waiting.push_back(op_of(document_.names, *record));
  fresh->clock_ = clock_;
  *this = std::move(*fresh);
  auto merged = merge(waiting, 0);
  KALENDS_CHECK(merged.ok());
}

Result<Replica> Replica::at(const Version& version) const {
  if (!version.covers(floor_)) return gone();
  std::vector<uint32_t> known = counters_of(document_.names, version);
  Arena arena;
  std::vector<const Record*> records;
  for (const Record* record : all_records(arena))
    if (covers(known, record->id)) records.push_back(record);
  if (is_damaged()) return history_damaged();
  ReplicaOptions options = options_;
  options.replica = {};  // nobody: it is to read
  Bytes base = image_ && !image_->is_archive() ? saved_bytes(image_->bytes(), {}) : Bytes{};
  KALENDS_TRY(Replica then, Replica::open(options, base, {}, true));
  MergeResult merged;
  KALENDS_TRY_VOID(then.merge_chunk(writer_.encode(document_.names, records), 0, merged));
  return then;
}

std::vector<Op> Replica::log() const {
  Arena arena;
  std::vector<Op> ops;
  for (const Record* record : all_records(arena)) ops.push_back(op_of(document_.names, *record));
  return ops;
}

std::vector<const Record*> Replica::own_since(uint64_t counter, Arena& arena) const {
  // Own operations stand in the log in their order: search from its end.
  std::vector<const Record*> own;
  uint32_t left = document_.counter_of(me_);
  for (size_t i = log_.size(); i > 0 && left >= counter && left > 0; --i) {
    if (log_[i - 1]->id.replica != me_) continue;
    if (log_[i - 1]->id.counter < counter) break;
    own.push_back(log_[i - 1]);
    left = log_[i - 1]->id.counter - 1;
  }
  std::reverse(own.begin(), own.end());
  if (left < counter || !image_ || !image_->is_archive()) return own;
  std::vector<const Record*> all = all_records(arena);
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Record* r) { return r->id.replica != me_ || r->id.counter < counter; }),
            all.end());
  return all;
}

Bytes Replica::base() const {
  return image_ && !image_->is_archive() ? saved_bytes(image_->bytes(), {}) : Bytes{};
}

std::vector<const Record*> Replica::history_of(const Id128& entity, Arena& arena) const {
  std::vector<const Record*> history;
  IdRef id = document_.names.ids.find(entity);
  if (id == 0) return history;
  auto keep = [&](const Record* record) {
    if (record->target == id && !record->is(OpKind::kCarry)) history.push_back(record);
    if (record->is(OpKind::kCarry))
      for (uint32_t i = 0; i < record->count; ++i)
        if (record->carried[i].target == id) history.push_back(&record->carried[i]);
  };
  if (image_ && image_->is_archive()) {
    std::vector<const Record*> records;
    if (uint32_t block = image_->block_of(id); block != kNoSlot)
      if (!image_->read_operations(document_, block, arena, records)) document_.set_damaged();
    for (const Record* record : records) keep(record);
  }
  for (const Record* record : log_) keep(record);
  const ReplicaOrder order = document_.names.order();
  sort(history, [&](const Record* a, const Record* b) {
    return a->stamp != b->stamp ? a->stamp < b->stamp : order.less(a->id, b->id);
  });
  // What was carried may have come more than once.
  history.erase(std::unique(history.begin(), history.end(),
                            [](const Record* a, const Record* b) { return a->id == b->id; }),
                history.end());
  return history;
}

std::vector<Entity> Replica::cards(const Id128& list) const {
  std::vector<Entity> cards;
  IdRef id = document_.names.ids.find(list);
  if (id == 0 && !list.is_nil()) return cards;
  for (const OrderIndex::Entry& entry : order_.cards(document_, id)) cards.emplace_back(document_, entry.slot);
  return cards;
}

std::vector<Entity> Replica::ordered(EntityType type) const {
  std::vector<Entity> entities;
  for (const OrderIndex::Entry& entry : order_.of(document_, type)) entities.emplace_back(document_, entry.slot);
  return entities;
}

std::vector<Id128> Replica::lists_with_cards() const {
  std::vector<Id128> lists;
  for (IdRef list : order_.lists_with_cards(document_)) lists.push_back(document_.names.ids[list]);
  return lists;
}

}  // namespace kalends
