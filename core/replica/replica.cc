// SPDX-License-Identifier: Apache-2.0
#include "core/replica/replica.h"

#include <algorithm>

namespace kalends {
namespace {

Document empty_document(const ReplicaOptions& options) {
  Document document;
  document.id = options.document;
  document.kind = options.kind;
  return document;
}

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

}  // namespace

Op void_of(const Op& refused, ErrorCode reason) {
  Op op = refused;
  op.replaced.clear();
  op.kind = static_cast<uint16_t>(OpKind::kVoid);
  op.body = encode_body(VoidBody{reason});
  return op;
}

Replica::Replica(const ReplicaOptions& options) : options_(options), document_(empty_document(options)) {}

Result<Replica> Replica::open(const ReplicaOptions& options, ByteView snapshot, const std::vector<Op>& ops) {
  Replica replica(options);
  if (!snapshot.empty()) {
    KALENDS_TRY(replica.document_, decode_document(snapshot));
    if (replica.document_.id != options.document || replica.document_.kind != options.kind)
      return corrupt("The snapshot belongs to another document.");
    replica.base_.assign(snapshot.begin(), snapshot.end());
    replica.floor_ = replica.document_.version;
    replica.order_.rebuild(replica.document_);
    for (const auto& [id, entity] : replica.document_.entities)
      for (const auto& [key, reg] : entity.registers)
        for (const RegisterValue& value : reg.values)
          if (value.op.replica == options.replica) replica.clock_.follow(value.stamp, kHlcMsMax);
  }
  // Its own stamps stay ahead of what it wrote before, however the wall clock moved: follow without a limit.
  for (const Op& op : ops)
    if (op.id.replica == options.replica) replica.clock_.follow(op.stamp, kHlcMsMax);
  KALENDS_TRY(MergeResult merged, replica.merge(ops, 0));
  if (merged.held_back > 0)
    return corrupt("Operations are missing before the stored ones: fetch the document again.");
  return replica;
}

Result<MergeResult> Replica::merge(const std::vector<Op>& ops, int64_t now_ms) {
  std::vector<OpBody> bodies;
  bodies.reserve(ops.size());
  for (const Op& op : ops) {
    KALENDS_TRY(OpBody body, decode_body(op.kind, op.body));
    bodies.push_back(std::move(body));
  }
  if (early_.size() + ops.size() > kHeldBackMax + 1 && !early_.empty())
    return Error{ErrorCode::kConflict, "Too many operations wait for missing ones: fetch the document again.",
                 0};
  MergeResult result;
  auto apply_one = [&](const Op& op, const OpBody& body) {
    switch (apply(document_, op, body, result.changes)) {
      case Applied::kNew:
        clock_.follow(op.stamp, now_ms);
        log_.push_back(op);
        ++result.applied;
        break;
      case Applied::kKnown:
        break;
      case Applied::kEarly:
        early_.emplace(op.id, op);
        break;
    }
  };
  for (size_t i = 0; i < ops.size(); ++i) apply_one(ops[i], bodies[i]);
  // What waited may have become due; each pass applies at least one operation or ends.
  for (bool progress = !early_.empty(); progress;) {
    progress = false;
    for (auto it = early_.begin(); it != early_.end();) {
      if (it->first.counter > document_.version.of(it->first.replica) + 1) {
        ++it;
        continue;
      }
      auto body = decode_body(it->second.kind, it->second.body);
      KALENDS_CHECK(body.ok());
      apply_one(it->second, *body);
      it = early_.erase(it);
      progress = true;
    }
  }
  result.held_back = early_.size();
  note(result.changes);
  return result;
}

Replica::Retraction Replica::retract(const std::vector<Refusal>& refusals) {
  Retraction retraction;
  for (const Refusal& refusal : refusals) {
    auto it = std::find_if(log_.begin(), log_.end(), [&](const Op& op) { return op.id == refusal.op; });
    if (it == log_.end() || it->kind == static_cast<uint16_t>(OpKind::kVoid)) continue;
    auto words = words_of(*it);
    retraction.tray.insert(retraction.tray.end(), words.begin(), words.end());
    retraction.changes.touch(it->target);
    *it = void_of(*it, refusal.reason);
    retraction.voids.push_back(*it);
  }
  if (retraction.voids.empty()) return retraction;
  document_ = empty_document(options_);
  if (!base_.empty()) {
    auto base = decode_document(base_);
    KALENDS_CHECK(base.ok());
    document_ = std::move(base).value();
  }
  Changes ignored;
  for (const Op& op : log_) {
    auto body = decode_body(op.kind, op.body);
    KALENDS_CHECK(body.ok());
    apply(document_, op, *body, ignored);
  }
  order_.rebuild(document_);
  return retraction;
}

Result<std::vector<Op>> Replica::ops_since(const Version& version) const {
  if (!version.covers(floor_))
    return Error{ErrorCode::kConflict, "That version is older than the kept history: take the snapshot.", 0};
  std::vector<Op> ops;
  for (const Op& op : log_)
    if (!version.covers(op.id)) ops.push_back(op);
  return ops;
}

Bytes Replica::snapshot() const {
  Writer out;
  encode_document(out, document_);
  return out.take();
}

void Replica::compact() {
  base_ = snapshot();
  floor_ = document_.version;
  log_.clear();
}

void Replica::note(const Changes& changes) {
  for (const Id128& entity : changes.entities) order_.update(document_, entity);
}

}  // namespace kalends
