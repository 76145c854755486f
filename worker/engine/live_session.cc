// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/live_session.h"

#include <algorithm>

#include "core/replica/session.h"
#include "core/wire/cbor.h"
#include "worker/engine/tuning.h"

namespace kalends {
namespace {

constexpr size_t kDocumentsPerConnection = 200;

// The stored operations are the whole history: an import may begin with a snapshot.
bool has_whole_history(const OpenDocument& document) {
  uint64_t count = 0;
  Version version = document.replica.version();
  for (const auto& [replica, counter] : version.entries()) count += counter;
  return count == document.seq;
}

Bytes frame(const DocumentKey& key, Cbor message) {
  return encode_cbor(Cbor::map({{"d", to_hex(key.document)}, {"m", Cbor::bytes(encode_cbor(message))}}));
}

Cbor of_type(const char* type) { return Cbor::map({{"t", type}}); }

}  // namespace

LiveSession::~LiveSession() {
  for (const auto& [key, following] : following_) hub_.ignore(key, *this);
}

bool LiveSession::receive(ByteView bytes) {
  if (!who_) return sign_in(bytes);
  auto frame_map = decode_cbor(bytes);
  auto document = frame_map.ok() ? id_from_hex((*frame_map)["d"].as_text()) : std::nullopt;
  if (!document || !(*frame_map)["m"].is_bytes()) {
    Cbor error = of_type("error");
    error.set("code", "invalid");
    error.set("message", "A frame is a CBOR map of d (document) and m (message).");
    send_(encode_cbor(error));
    return false;
  }
  DocumentKey key{who_->workspace, DocumentId{*document}};
  ByteView message_bytes = (*frame_map)["m"].as_byte_view();
  auto message = decode_cbor(message_bytes);
  const std::string type = message.ok() ? (*message)["t"].as_text() : std::string();
  if (type == "hello")
    hello(key, message_bytes);
  else if (type == "push")
    push(key, message_bytes);
  else if (type == "bye")
    hub_.ignore(key, *this), following_.erase(key);
  else
    send_error(key, invalid("A message is hello, push or bye."));
  return true;
}

bool LiveSession::sign_in(ByteView bytes) {
  auto message = decode_cbor(bytes);
  Result<SignedIn> who = message.ok() && (*message)["t"].as_text() == "auth"
                             ? authenticate_((*message)["token"].as_text())
                             : Result<SignedIn>(invalid("The first frame is {t: auth, token}."));
  if (!who.ok()) {
    Cbor error = of_type("error");
    error.set("code", error_code_name(who.error().code));
    error.set("message", who.error().message);
    send_(encode_cbor(error));
    return false;
  }
  who_ = *who;
  Cbor hello = of_type("hello");
  hello.set("member", to_hex(who_->member));
  hello.set("workspace", to_hex(who_->workspace));
  hello.set("workspace_document", to_hex(who_->workspace));
  hello.set("protocol", kProtocolVersion);
  send_(encode_cbor(hello));
  return true;
}

void LiveSession::hello(const DocumentKey& key, ByteView bytes) {
  auto parsed = decode_cbor(bytes);
  const Cbor& message = *parsed;
  if (message["protocol"].as_int() != kProtocolVersion || message["format"].as_int() != kFormatVersion) {
    Cbor reload = of_type("reload");
    reload.set("message",
               message["protocol"].as_int() > kProtocolVersion || message["format"].as_int() > kFormatVersion
                   ? "This page is newer than the server: the server must be updated."
                   : "This page is too old: reload it.");
    send_(frame(key, std::move(reload)));
    return;
  }
  auto replica = id_from_hex(message["replica"].as_text());
  auto document = hub_.open(key);
  if (!replica || !document.ok())
    return send_error(key, replica ? document.error() : invalid("hello names the replica."));
  if (following_.size() >= kDocumentsPerConnection && following_.count(key) == 0)
    return send_error(
        key, Error{ErrorCode::kRateLimited, "Too many documents on one connection: close some.", 1000});
  if (Status own = hub_.may_use(key, {who_->member, who_->may_write, ReplicaId{*replica}}); !own.ok())
    return send_error(key, own.error());
  OpenDocument& open = **document;
  following_[key] = {ReplicaId{*replica}, 0};
  hub_.listen(key, *this);

  bool is_same_epoch = message["epoch"].as_int() == static_cast<int64_t>(open.epoch);
  auto from = static_cast<uint64_t>(std::max<int64_t>(0, is_same_epoch ? message["seq"].as_int() : 0));
  from = std::min(from, open.seq);
  Cbor welcome = of_type("welcome");
  welcome.set("protocol", kProtocolVersion);
  welcome.set("epoch", static_cast<int64_t>(open.epoch));
  welcome.set("head", static_cast<int64_t>(open.seq));
  welcome.set("have", static_cast<int64_t>(open.replica.version().of(ReplicaId{*replica})));
  // What the client lacks comes before the welcome, so that it pushes on top of it.
  // A copy that followed an earlier epoch may have operations that a restore has taken from here: it begins
  // with our state, and keeps its own.
  bool is_restored = !is_same_epoch && message["epoch"].as_int() != 0;
  if (is_restored)
    send_snapshot(key, open);
  else
    catch_up(key, open, from);
  send_(frame(key, std::move(welcome)));
}

void LiveSession::catch_up(const DocumentKey& key, OpenDocument& document, uint64_t from_seq) {
  Following& following = following_[key];
  following.seq = document.seq;
  bool is_whole = from_seq > 0 || has_whole_history(document);
  if (is_whole && from_seq >= document.seq) return;
  auto ops = hub_.ops_after(key, from_seq, tuning::kTailOpsMax);
  bool is_short = is_whole && ops.ok() && ops->size() == document.seq - from_seq &&
                  (from_seq > 0 || document.seq <= tuning::kSnapshotEveryOps);
  if (!is_short) return send_snapshot(key, document);
  for (size_t i = 0; i < ops->size(); i += tuning::kOpsPerMessage) {
    size_t end = std::min(ops->size(), i + tuning::kOpsPerMessage);
    Cbor message = of_type("ops");
    message.set("seq", static_cast<int64_t>(from_seq + end));
    message.set("ops", Cbor::bytes(encode_chunk({ops->begin() + static_cast<std::ptrdiff_t>(i),
                                                 ops->begin() + static_cast<std::ptrdiff_t>(end)})));
    send_(frame(key, std::move(message)));
  }
}

void LiveSession::send_snapshot(const DocumentKey& key, const OpenDocument& document) {
  following_[key].seq = document.seq;
  Cbor snapshot = of_type("snapshot");
  snapshot.set("epoch", static_cast<int64_t>(document.epoch));
  snapshot.set("seq", static_cast<int64_t>(document.seq));
  snapshot.set("snapshot", Cbor::bytes(document.replica.snapshot()));
  send_(frame(key, std::move(snapshot)));
}

void LiveSession::push(const DocumentKey& key, ByteView bytes) {
  auto it = following_.find(key);
  if (it == following_.end()) return send_error(key, invalid("Say hello before the first push."));
  auto message = decode_cbor(bytes);
  auto ops = decode_chunk((*message)["ops"].as_byte_view());
  if (!ops.ok()) return send_error(key, ops.error());
  // What the hub tells meanwhile moves the client's cursor past its own operations: refusals go first, so that one
  // that is lost is told again.
  std::vector<Bytes> held;
  held_ = &held;
  auto accepted = hub_.push(key, {who_->member, who_->may_write, it->second.replica}, *ops);
  held_ = nullptr;
  if (!accepted.ok()) {
    for (Bytes& bytes_held : held) send_(std::move(bytes_held));
    return send_error(key, accepted.error());
  }
  for (const auto& verdict : accepted->verdicts) {
    Cbor refused = of_type("refused");
    refused.set("op", op_id_text(verdict.op));
    refused.set("code", error_code_name(verdict.reason.code));
    refused.set("message", verdict.reason.message);
    send_(frame(key, std::move(refused)));
  }
  for (Bytes& bytes_held : held) send_(std::move(bytes_held));
  if (accepted->has_gap) {
    auto document = hub_.open(key);
    if (!document.ok()) return send_error(key, document.error());
    Cbor welcome = of_type("welcome");
    welcome.set("protocol", kProtocolVersion);
    welcome.set("epoch", static_cast<int64_t>((*document)->epoch));
    welcome.set("head", static_cast<int64_t>((*document)->seq));
    welcome.set("have", static_cast<int64_t>(accepted->have));
    send_(frame(key, std::move(welcome)));
    return;
  }
  Cbor ack = of_type("ack");
  ack.set("counter", static_cast<int64_t>(accepted->have));
  send_(frame(key, std::move(ack)));
}

void LiveSession::on_ops(const DocumentKey& key, uint64_t last_seq, const std::vector<Op>& ops) {
  auto it = following_.find(key);
  if (it == following_.end() || last_seq <= it->second.seq) return;
  it->second.seq = last_seq;
  std::vector<Op> foreign;
  for (const Op& op : ops)
    if (op.id.replica != it->second.replica) foreign.push_back(op);
  Cbor message = of_type("ops");
  message.set("seq", static_cast<int64_t>(last_seq));
  message.set("ops", Cbor::bytes(encode_chunk(foreign)));
  Bytes bytes = frame(key, std::move(message));
  held_ ? held_->push_back(std::move(bytes)) : send_(std::move(bytes));
}

void LiveSession::on_reset(const DocumentKey& key) {
  send_error(key, Error{ErrorCode::kUnavailable,
                        "The server could not store an edit just now: connect again.", 1000});
}

void LiveSession::send_error(const DocumentKey& key, const Error& error) {
  Cbor message = of_type("error");
  message.set("code", error_code_name(error.code));
  message.set("message", error.message);
  message.set("retry_after_ms", error.retry_after_ms);
  message.set("d", to_hex(key.document));
  send_(encode_cbor(message));
}

}  // namespace kalends
