// SPDX-License-Identifier: Apache-2.0
#include "core/replica/session.h"

#include <algorithm>

#include "core/base/text.h"

namespace kalends {
namespace {

Error bad_message() { return invalid("The hub sent a message that this copy does not understand."); }

}  // namespace

std::string op_id_text(const OpId& id) {
  return id.is_nil() ? std::string() : join({to_hex(id.replica), ":", std::to_string(id.counter)});
}

std::optional<OpId> parse_op_id(std::string_view text) {
  if (text.size() < 34 || text.size() > 52 || text[32] != ':') return std::nullopt;
  auto replica = id_from_hex(text.substr(0, 32));
  if (!replica) return std::nullopt;
  OpId id{ReplicaId{*replica}, 0};
  for (char c : text.substr(33)) {
    if (c < '0' || c > '9' || id.counter > UINT64_MAX / 10 - 1) return std::nullopt;
    id.counter = id.counter * 10 + static_cast<uint64_t>(c - '0');
  }
  return id.is_nil() ? std::nullopt : std::optional(id);
}

std::optional<ErrorCode> error_code_from_name(std::string_view name) {
  for (uint8_t code = 1; code <= 11; ++code)
    if (error_code_name(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  return std::nullopt;
}

Bytes Session::start() {
  is_welcomed_ = false;
  sent_ = acked_ = 0;
  received_seq_ = 0;
  Cbor hello = Cbor::map();
  hello.set("t", "hello");
  hello.set("protocol", kProtocolVersion);
  hello.set("format", kFormatVersion);
  hello.set("core", kCoreVersion);
  hello.set("epoch", cursor_.epoch);
  hello.set("seq", cursor_.seq);
  hello.set("replica", replica_->options().replica);
  return encode_cbor(hello);
}

std::vector<Bytes> Session::pushes() {
  std::vector<Bytes> messages;
  if (!is_welcomed_) return messages;
  Arena arena;
  std::vector<const Record*> own = replica_->own_since(sent_ + 1, arena);
  for (size_t begin = 0; begin < own.size(); begin += kPushOpsMax) {
    auto batch = std::span(own).subspan(begin, std::min(kPushOpsMax, own.size() - begin));
    Cbor push = Cbor::map();
    push.set("t", "push");
    push.set("ops", Cbor::bytes(replica_->chunk_of(batch)));
    messages.push_back(encode_cbor(push));
    sent_ = batch.back()->id.counter;
  }
  return messages;
}

Result<Session::Received> Session::receive(ByteView bytes, int64_t now_ms) {
  KALENDS_TRY(Cbor message, decode_cbor(bytes));
  Received received;
  const std::string& type = message["t"].as_text();
  if (type == "welcome") {
    KALENDS_TRY_VOID(welcome(message, received));
  } else if (type == "ops") {
    KALENDS_TRY_VOID(take_ops(message, now_ms, received));
  } else if (type == "snapshot") {
    KALENDS_TRY_VOID(take_snapshot(message, now_ms, received));
  } else if (type == "ack") {
    acked_ = std::max(acked_, static_cast<uint64_t>(message["counter"].as_int()));
  } else if (type == "refused") {
    KALENDS_TRY_VOID(take_refusal(message, received));
  } else if (type == "reload") {
    received.reload = message["message"].as_text();
    if (received.reload.empty()) received.reload = "This copy is too old: reload the page.";
  } else {
    return bad_message();
  }
  return received;
}

Status Session::welcome(const Cbor& message, Received& received) {
  if (!message["epoch"].is_int() || !message["have"].is_int()) return bad_message();
  int64_t epoch = message["epoch"].as_int();
  // What this connection brought before the welcome counts in the new epoch; what earlier ones brought does
  // not.
  if (epoch != cursor_.epoch) cursor_ = {epoch, received_seq_};
  head_ = message["head"].as_int();
  is_welcomed_ = true;
  acked_ = sent_ = static_cast<uint64_t>(message["have"].as_int());
  received.send = pushes();
  return {};
}

Status Session::take_ops(const Cbor& message, int64_t now_ms, Received& received) {
  KALENDS_TRY(std::vector<Op> ops, decode_chunk(message["ops"].as_byte_view()));
  Version before = replica_->version();
  KALENDS_TRY(MergeResult merged, replica_->merge(ops, now_ms));
  received.changes = std::move(merged.changes);
  // Where the hub has a void and this copy has the operation, the refusal was told while nobody listened.
  std::vector<Replica::Refusal> refusals;
  for (Op& op : ops) {
    if (!before.covers(op.id)) {
      received.ops.push_back(std::move(op));
    } else if (op.kind == static_cast<uint16_t>(OpKind::kVoid)) {
      KALENDS_TRY(OpBody body, decode_body(op.kind, op.body));
      refusals.push_back({op.id, std::get<VoidBody>(body).reason});
    }
  }
  if (auto retraction = replica_->retract(refusals); !retraction.voids.empty()) {
    for (const Op& stand_in : retraction.voids)
      if (stand_in.id.replica == replica_->options().replica) {
        KALENDS_TRY(OpBody body, decode_body(stand_in.kind, stand_in.body));
        received.refused.push_back({stand_in.id, std::string(error_code_name(std::get<VoidBody>(body).reason)),
                                    "The server refused this edit while you were away."});
      }
    received.tray = std::move(retraction.tray);
    received.changes.add(retraction.changes);
    received.is_rewritten = true;
    received.base = replica_->base();
    received.log = replica_->log();
  }
  received_seq_ = std::max(received_seq_, message["seq"].as_int());
  cursor_.seq = std::max(cursor_.seq, received_seq_);
  head_ = std::max(head_, cursor_.seq);
  return {};
}

Status Session::take_snapshot(const Cbor& message, int64_t now_ms, Received& received) {
  KALENDS_TRY(Replica fresh, Replica::open(replica_->options(), message["snapshot"].as_byte_view(), {}));
  // Whatever the hub does not have yet goes on top. After a restore of the hub only what is this copy's own:
  // it has lost others' operations for everybody, unless they push them.
  bool is_restored = cursor_.epoch != 0 && message["epoch"].as_int() != cursor_.epoch;
  ReplicaId own = replica_->options().replica;
  std::vector<Op> mine;
  for (const Op& op : replica_->log())
    if (!fresh.version().covers(op.id) && (!is_restored || op.id.replica == own)) mine.push_back(op);
  KALENDS_TRY(MergeResult merged, fresh.merge(mine, now_ms));
  (void)merged;
  *replica_ = std::move(fresh);
  for (const Entity& entity : replica_->document().all()) received.changes.touch(entity.record().id);
  cursor_ = {message["epoch"].as_int(), message["seq"].as_int()};
  received.is_rewritten = true;
  ByteView base = message["snapshot"].as_byte_view();
  received.base.assign(base.begin(), base.end());
  received.log = replica_->log();
  return {};
}

Status Session::take_refusal(const Cbor& message, Received& received) {
  auto op = parse_op_id(message["op"].as_text());
  auto code = error_code_from_name(message["code"].as_text());
  if (!op || !code) return bad_message();
  auto retraction = replica_->retract({{*op, *code}});
  received.refused.push_back({*op, message["code"].as_text(), message["message"].as_text()});
  received.tray = std::move(retraction.tray);
  received.changes = std::move(retraction.changes);
  received.is_rewritten = true;
  received.base = replica_->base();
  received.log = replica_->log();
  if (op->replica == replica_->options().replica) acked_ = std::max(acked_, op->counter);
  return {};
}

}  // namespace kalends
