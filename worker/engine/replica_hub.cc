// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/replica_hub.h"

#include <algorithm>
#include <cstring>

#include "worker/engine/admission.h"
#include "worker/engine/tuning.h"

namespace kalends {
namespace {

// A replica whose first edits were all refused: how many are looked at to find out whose it is.
constexpr uint64_t kOwnerSearchMax = 100;

Error moved_meanwhile() {
  return {ErrorCode::kUnavailable, "The board has changed meanwhile: decide again.", 0};
}

}  // namespace

Bytes op_bytes(const Op& op) {
  Writer out;
  write_op(out, op);
  return out.take();
}

Result<Op> op_from_bytes(ByteView bytes) {
  Reader in(bytes);
  Op op = read_op(in);
  if (!in.done()) return corrupt("A stored operation is damaged: restore a backup.");
  return op;
}

// One for each epoch of a document: after a restore the epoch is another, so no id is used by two living
// copies.
ReplicaId ReplicaHub::hub_replica(const DocumentKey& key, uint64_t epoch) const {
  Writer input;
  input.id(key.document.raw);
  input.varint(epoch);
  Bytes hash = ports_.secrets.keyed_hash("hub replica", input.view());
  ReplicaId replica;
  std::memcpy(replica.raw.bytes.data(), hash.data(), 16);
  return replica;
}

Status ReplicaHub::create(const DocumentKey& key, DocumentKind kind, const EditContext& context,
                          const std::vector<Command>& commands) {
  KALENDS_TRY(Origin origin, draft(key, kind, context, commands));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(create_in(*txn, key, origin));
  return txn->commit();
}

Result<ReplicaHub::Origin> ReplicaHub::draft(const DocumentKey& key, DocumentKind kind,
                                             const EditContext& context,
                                             const std::vector<Command>& commands) const {
  Replica replica({key.document, kind, hub_replica(key, 1)});
  KALENDS_TRY(EditResult result, replica.edit(context, commands));
  return Origin{kind, std::move(result.ops), {}};
}

Status ReplicaHub::create_in(Txn& txn, const DocumentKey& key, const Origin& origin) {
  int64_t now_ms = ports_.clock.now_ms();
  KALENDS_TRY_VOID(txn.ensure_workspace(key.workspace, now_ms));
  KALENDS_TRY_VOID(
      txn.create_document(key.workspace, key.document, static_cast<int64_t>(origin.kind), now_ms));
  uint64_t last_seq = 0;
  for (const Op& op : origin.ops) {
    KALENDS_TRY(AppendedOp appended, txn.append_op(key.workspace, key.document,
                                                   {op.id.replica, op.id.counter, op_bytes(op)}, now_ms));
    last_seq = appended.seq;
  }
  if (origin.snapshot.empty()) return {};
  Digest hash = digest_of(origin.snapshot);
  return txn.save_snapshot(key.workspace, key.document,
                           {origin.snapshot, last_seq, Bytes(hash.begin(), hash.end())}, now_ms);
}

Result<Replica> ReplicaHub::with_history(const DocumentKey& key) {
  KALENDS_TRY(std::vector<Op> ops, ops_after(key, 0, SIZE_MAX / 2));
  KALENDS_TRY(OpenDocument * document, open(key));
  auto whole = Replica::open(document->replica.options(), {}, ops);
  // A document that was imported or compacted has no history below its first snapshot.
  if (whole.ok() && whole->hash() == document->replica.hash()) return whole;
  return document->replica.copy();
}

Result<OpenDocument*> ReplicaHub::open(const DocumentKey& key) {
  if (auto it = open_.find(key); it != open_.end()) {
    if (is_store_shared_) {
      KALENDS_TRY(auto txn, ports_.store.begin());
      KALENDS_TRY_VOID(catch_up(*txn, *it->second.document));
    }
    it = open_.find(key);
    if (it != open_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second.used);
      return it->second.document.get();
    }
  }
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<DocumentRow> row, txn->document(key.workspace, key.document));
  if (!row) return not_found("There is no such board in this workspace.");
  std::vector<Op> ops;
  KALENDS_TRY(std::vector<OpRow> rows,
              txn->ops_after(key.workspace, key.document, row->head.snapshot_seq, SIZE_MAX / 2));
  ops.reserve(rows.size());
  for (const OpRow& op_row : rows) {
    KALENDS_TRY(Op op, op_from_bytes(op_row.op));
    ops.push_back(std::move(op));
  }
  KALENDS_TRY(Replica replica, Replica::open({key.document, static_cast<DocumentKind>(row->head.kind),
                                              hub_replica(key, row->head.epoch)},
                                             row->snapshot, ops));
  auto document = std::make_unique<OpenDocument>(key, std::move(replica));
  document->epoch = row->head.epoch;
  document->seq = row->head.next_seq - 1;
  document->snapshot_seq = row->head.snapshot_seq;
  if (document->seq - document->snapshot_seq > tuning::kSnapshotEveryOps) {
    // Only spares work: a store that takes no writes is read all the same.
    Status saved = save_snapshot(*txn, *document);
    if (saved.ok()) saved = txn->commit();
    if (!saved.ok()) document->snapshot_seq = row->head.snapshot_seq;
  }
  make_room();
  recent_.push_front(key);
  OpenDocument* opened = document.get();
  open_.emplace(key, Slot{std::move(document), recent_.begin()});
  return opened;
}

Result<std::vector<Op>> ReplicaHub::ops_after(const DocumentKey& key, uint64_t seq, size_t limit) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<OpRow> rows, txn->ops_after(key.workspace, key.document, seq, limit));
  std::vector<Op> ops;
  ops.reserve(rows.size());
  for (const OpRow& row : rows) {
    KALENDS_TRY(Op op, op_from_bytes(row.op));
    ops.push_back(std::move(op));
  }
  return ops;
}

Status ReplicaHub::save_snapshot(Txn& txn, OpenDocument& document) {
  Bytes snapshot = document.replica.snapshot();
  Digest hash = digest_of(snapshot);
  KALENDS_TRY_VOID(txn.save_snapshot(document.key.workspace, document.key.document,
                                     {std::move(snapshot), document.seq, Bytes(hash.begin(), hash.end())},
                                     ports_.clock.now_ms()));
  document.snapshot_seq = document.seq;
  return {};
}

void ReplicaHub::make_room() {
  // Copies that somebody listens to are opened again at their next operation: nothing is lost by forgetting
  // them.
  // Not where others write: what they wrote meanwhile would never be told.
  auto place = recent_.end();
  while (open_.size() >= open_max_ && place != recent_.begin()) {
    --place;
    if (is_store_shared_ && listeners_.count(*place) > 0) continue;
    open_.erase(*place);
    place = recent_.erase(place);
  }
}

Status ReplicaHub::append(Txn& txn, OpenDocument& document, const std::vector<Op>& ops) {
  for (const Op& op : ops) {
    KALENDS_TRY(AppendedOp appended,
                txn.append_op(document.key.workspace, document.key.document,
                              {op.id.replica, op.id.counter, op_bytes(op)}, ports_.clock.now_ms()));
    document.seq = std::max(document.seq, appended.seq);
  }
  return {};
}

Status ReplicaHub::finish(OpenDocument& document, Txn& txn, const std::vector<Op>& ops,
                          const Changes& changes, const Also& also) {
  KALENDS_TRY_VOID(append(txn, document, ops));
  if (observer_) KALENDS_TRY_VOID(observer_->on_changes(txn, document, changes));
  if (also) KALENDS_TRY_VOID(also(txn));
  if (document.seq - document.snapshot_seq > tuning::kSnapshotEveryOps) {
    KALENDS_TRY_VOID(save_snapshot(txn, document));
    document.replica.compact();
  }
  return txn.commit();
}

Result<EditResult> ReplicaHub::edit(const DocumentKey& key, const EditContext& context,
                                    const std::vector<Command>& commands, const Also& also,
                                    std::optional<uint64_t> decided_at) {
  KALENDS_TRY(OpenDocument * document, open(key));
  if (decided_at && *decided_at != document->seq) return moved_meanwhile();
  // Where others write too the transaction comes first: nobody writes between the edit and its storing.
  std::unique_ptr<Txn> txn;
  if (is_store_shared_) {
    KALENDS_TRY(txn, ports_.store.begin());
    KALENDS_TRY_VOID(catch_up(*txn, *document));
    if (decided_at && *decided_at != document->seq) return moved_meanwhile();
  }
  KALENDS_TRY(EditResult result, document->replica.edit(context, commands));
  if (result.ops.empty() && !also) return result;
  Status status = [&]() -> Status {
    if (!txn) {
      KALENDS_TRY(txn, ports_.store.begin());
    }
    return finish(*document, *txn, result.ops, result.changes, also);
  }();
  txn.reset();
  if (!status.ok()) {
    lose(key);  // the copy in memory is ahead of the store: read it again
    return status.error();
  }
  uint64_t seq = document->seq;
  if (!result.ops.empty()) tell(key, seq, result.ops);
  if (observer_) observer_->after_commit(key);
  return result;
}

Status ReplicaHub::may_use(const DocumentKey& key, const Pusher& pusher) {
  const Error refused{ErrorCode::kForbidden,
                      "This copy's id belongs to somebody else: begin with a new copy.", 0};
  KALENDS_TRY(OpenDocument * document, open(key));
  if (pusher.replica == document->replica.options().replica) return refused;
  auto known = document->owners.find(pusher.replica);
  if (known == document->owners.end()) {
    // The first operation that was not refused says whose it is; a refused one changed nothing.
    uint64_t have = std::min<uint64_t>(document->replica.version().of(pusher.replica), kOwnerSearchMax);
    KALENDS_TRY(auto txn, ports_.store.begin());
    for (uint64_t counter = 1; counter <= have; ++counter) {
      KALENDS_TRY(std::optional<OpRow> row, txn->op_of(key.workspace, key.document, pusher.replica, counter));
      if (!row) continue;
      KALENDS_TRY(Op op, op_from_bytes(row->op));
      if (op.kind == static_cast<uint16_t>(OpKind::kVoid) && counter < kOwnerSearchMax) continue;
      if (op.cause != Cause::kPerson) return refused;  // a hub's, of this epoch or an earlier one
      known = document->owners.emplace(pusher.replica, op.author).first;
      break;
    }
  }
  if (known != document->owners.end()) return known->second == pusher.member ? Status{} : Status{refused};
  KALENDS_TRY(bool is_elsewhere, is_of_another(*document, pusher.replica));
  return is_elsewhere ? Status{refused} : Status{};
}

// A card that moves takes its operations along under their ids: on two documents they must not be the same.
Result<bool> ReplicaHub::is_of_another(const OpenDocument& document, ReplicaId replica) {
  const std::set<OpId>& carried = document.replica.document().carried;
  auto it = carried.lower_bound({replica, 0});
  if (it != carried.end() && it->replica == replica) return true;
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<DocumentHead> others, txn->documents(document.key.workspace));
  for (const DocumentHead& other : others) {
    if (other.document == document.key.document) continue;
    KALENDS_TRY(std::optional<OpRow> row, txn->op_of(document.key.workspace, other.document, replica, 1));
    if (row) return true;
  }
  return false;
}

Result<ReplicaHub::Accepted> ReplicaHub::push(const DocumentKey& key, const Pusher& pusher,
                                              const std::vector<Op>& ops) {
  KALENDS_TRY_VOID(may_use(key, pusher));
  KALENDS_TRY(OpenDocument * document, open(key));
  std::unique_ptr<Txn> txn;
  if (is_store_shared_) {
    KALENDS_TRY(txn, ports_.store.begin());
    KALENDS_TRY_VOID(catch_up(*txn, *document));
  }
  Replica& replica = document->replica;
  Accepted accepted;
  std::vector<Op> taken;
  Changes changes;
  int64_t now_ms = ports_.clock.now_ms();
  Status status;
  for (const Op& op : ops) {
    uint64_t have = replica.version().of(op.id.replica);
    if (op.id.counter <= have) continue;  // pushed before; the answer was lost
    if (op.id.counter != have + 1 || op.id.replica != pusher.replica) {
      accepted.has_gap = true;
      break;
    }
    auto body = decode_body(op.kind, op.body);
    Status verdict = body.ok() ? admit({replica.document(), pusher.member, pusher.may_write}, op, *body)
                               : Status{body.error()};
    Op kept = op;
    if (!verdict.ok()) {
      kept = void_of(op, verdict.error().code);
      accepted.verdicts.push_back({op.id, true, verdict.error()});
    }
    auto merged = replica.merge({kept}, now_ms);
    if (!merged.ok()) {
      status = merged.error();
      break;
    }
    changes.add(merged->changes);
    taken.push_back(kept);
    if (kept.stamp.ms() > now_ms + kClockSkewMsMax && verdict.ok()) {
      // An honest offline person with a wrong clock loses nothing; nobody wins by a stamp from the future.
      auto bound = replica.edit({pusher.member, Cause::kHub, now_ms},
                                {BoundCommand{{kept.target, {}}, kept.id, Hlc::from(now_ms, 0)}});
      if (bound.ok()) taken.insert(taken.end(), bound->ops.begin(), bound->ops.end());
    }
  }
  if (status.ok() && !taken.empty()) {
    status = [&]() -> Status {
      if (!txn) {
        KALENDS_TRY(txn, ports_.store.begin());
      }
      return finish(*document, *txn, taken, changes, {});
    }();
  }
  txn.reset();
  if (!status.ok()) {
    lose(key);
    return status.error();
  }
  accepted.have = replica.version().of(pusher.replica);
  uint64_t seq = document->seq;
  if (!taken.empty()) {
    tell(key, seq, taken);
    if (observer_) observer_->after_commit(key);
    KALENDS_TRY_VOID(forward(key, taken));
  }
  return accepted;
}

Result<std::vector<Op>> ReplicaHub::ops_of_card(const DocumentKey& key, CardId card) {
  KALENDS_TRY(std::vector<Op> all, ops_after(key, 0, SIZE_MAX / 2));
  std::vector<Op> ops;
  for (Op& op : all) {
    if (op.target != card.raw) continue;
    if (op.kind != static_cast<uint16_t>(OpKind::kCarry)) {
      ops.push_back(std::move(op));
      continue;
    }
    KALENDS_TRY(OpBody body, decode_body(op.kind, op.body));
    auto& carried = std::get<CarryBody>(body).ops;
    ops.insert(ops.end(), carried.begin(), carried.end());
  }
  return ops;
}

Status ReplicaHub::transfer(const Transfer& transfer) {
  DocumentKey source_key{transfer.workspace, transfer.source};
  DocumentKey target_key{transfer.workspace, transfer.target};
  if (transfer.source == transfer.target)
    return invalid("The card is on this board already: move it to another list.");
  {
    KALENDS_TRY(OpenDocument * source, open(source_key));
    const Document& document = source->replica.document();
    Entity card = document.find(transfer.card.raw);
    if (!card || card->type() != EntityType::kCard || !card->is_live())
      return not_found("This board has no such card, or it was deleted.");
    if (!lives_here(document, *card))
      return Error{ErrorCode::kConflict, "The card was moved to another board meanwhile.", 0};
  }
  KALENDS_TRY(std::vector<Op> ops, ops_of_card(source_key, transfer.card));
  KALENDS_TRY(OpenDocument * target, open(target_key));
  KALENDS_TRY(OpenDocument * source, open(source_key));
  Entity list = target->replica.document().find(transfer.list.raw);
  if (!list || list->type() != EntityType::kList || !list->is_live())
    return not_found("That board has no list with this id.");
  KALENDS_TRY(target, open(target_key));  // opening one may have made room by closing the other
  EditContext context{transfer.author, Cause::kHub, ports_.clock.now_ms()};
  Target card{transfer.card.raw, {}};
  SetCommand home{card, {Field::kHome, {}, transfer.target.raw}};
  Status status = [&]() -> Status {
    KALENDS_TRY(auto txn, ports_.store.begin());
    if (is_store_shared_) {
      KALENDS_TRY_VOID(catch_up(*txn, *source));
      KALENDS_TRY_VOID(catch_up(*txn, *target));
    }
    KALENDS_TRY(EditResult arrived,
                target->replica.edit(context, {CarryCommand{transfer.card.raw, ops}, home,
                                               MoveCommand{card, transfer.list.raw, {}, {}}}));
    KALENDS_TRY(EditResult left, source->replica.edit(context, {home}));
    KALENDS_TRY_VOID(append(*txn, *source, left.ops));
    if (observer_) KALENDS_TRY_VOID(observer_->on_changes(*txn, *source, left.changes));
    KALENDS_TRY_VOID(finish(*target, *txn, arrived.ops, arrived.changes, {}));
    tell(target_key, target->seq, arrived.ops);
    tell(source_key, source->seq, left.ops);
    return {};
  }();
  if (!status.ok()) {
    lose(target_key);
    lose(source_key);
    return status;
  }
  if (observer_) {
    observer_->after_commit(source_key);
    observer_->after_commit(target_key);
  }
  return {};
}

Status ReplicaHub::forward(const DocumentKey& key, const std::vector<Op>& ops) {
  std::map<Id128, DocumentId> moved;
  {
    KALENDS_TRY(OpenDocument * document, open(key));
    for (const Op& op : ops) {
      Entity card = document->replica.document().find(op.target);
      if (card && card->type() == EntityType::kCard && !lives_here(document->replica.document(), *card))
        moved[op.target] = DocumentId{std::get<Id128>(card->value(Field::kHome))};
    }
  }
  for (const auto& [card, home] : moved) {
    // All of the card's: what the target has is left out, and what a crash kept back before goes along.
    KALENDS_TRY(std::vector<Op> all, ops_of_card(key, CardId{card}));
    KALENDS_TRY(EditResult carried,
                edit({key.workspace, home}, {ops.front().author, Cause::kHub, ports_.clock.now_ms()},
                     {CarryCommand{card, all}}));
    (void)carried;
  }
  return {};
}

Status ReplicaHub::catch_up(Txn& txn, OpenDocument& document) {
  const DocumentKey key = document.key;
  KALENDS_TRY(std::optional<DocumentHead> head, txn.document_head(key.workspace, key.document));
  if (!head || head->epoch != document.epoch || head->floor_seq > document.seq) {
    lose(key);
    return Error{ErrorCode::kUnavailable, "The board was restored meanwhile: try again.", 0};
  }
  if (head->next_seq == document.seq + 1) return {};
  KALENDS_TRY(std::vector<OpRow> rows,
              txn.ops_after(key.workspace, key.document, document.seq, SIZE_MAX / 2));
  std::vector<Op> ops;
  ops.reserve(rows.size());
  for (const OpRow& row : rows) {
    KALENDS_TRY(Op op, op_from_bytes(row.op));
    ops.push_back(std::move(op));
  }
  KALENDS_TRY(MergeResult merged, document.replica.merge(ops, ports_.clock.now_ms()));
  (void)merged;
  document.seq = head->next_seq - 1;
  document.snapshot_seq = head->snapshot_seq;
  tell(key, document.seq, ops);
  return {};
}

void ReplicaHub::look_for_news() {
  std::vector<DocumentKey> keys;
  for (const auto& [key, listeners] : listeners_) keys.push_back(key);
  for (const DocumentKey& key : keys) (void)open(key);
}

void ReplicaHub::listen(const DocumentKey& key, HubListener& listener) {
  auto& listeners = listeners_[key];
  if (std::find(listeners.begin(), listeners.end(), &listener) == listeners.end())
    listeners.push_back(&listener);
}

void ReplicaHub::ignore(const DocumentKey& key, HubListener& listener) {
  auto it = listeners_.find(key);
  if (it == listeners_.end()) return;
  std::erase(it->second, &listener);
  if (it->second.empty()) listeners_.erase(it);
}

void ReplicaHub::tell(const DocumentKey& key, uint64_t last_seq, const std::vector<Op>& ops) {
  auto it = listeners_.find(key);
  if (it == listeners_.end()) return;
  auto listeners = it->second;  // a listener may leave while it is told
  for (HubListener* listener : listeners) listener->on_ops(key, last_seq, ops);
}

void ReplicaHub::lose(const DocumentKey& key) {
  if (auto it = open_.find(key); it != open_.end()) {
    recent_.erase(it->second.used);
    open_.erase(it);
  }
  auto it = listeners_.find(key);
  if (it == listeners_.end()) return;
  auto listeners = it->second;
  for (HubListener* listener : listeners) listener->on_reset(key);
}

void ReplicaHub::close_all() {
  for (auto& [key, slot] : open_) {
    OpenDocument& document = *slot.document;
    if (document.seq == document.snapshot_seq) continue;
    auto txn = ports_.store.begin();
    if (!txn.ok()) break;
    if (save_snapshot(**txn, document).ok()) (void)(*txn)->commit();
  }
  open_.clear();
  recent_.clear();
}

}  // namespace kalends
