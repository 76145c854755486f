// SPDX-License-Identifier: Apache-2.0
// The client's half of the conversation with a hub about one document (docs/protocol.md). Sans-I/O: bytes in,
// bytes out; the caller owns the socket, retries and storage.
//
//   client                        hub
//   hello {epoch, seq, replica} ->
//                                <- welcome {epoch, head, have}   (or snapshot first, or reload)
//                                <- ops {seq, ops} …
//   push {ops} …                 ->
//                                <- ack {counter}, refused {op, code}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/replica/replica.h"
#include "core/wire/cbor.h"

namespace kalends {

inline constexpr int64_t kProtocolVersion = 1;
inline constexpr int64_t kFormatVersion = 2;
inline constexpr const char* kCoreVersion = "0.1.0";
inline constexpr size_t kPushOpsMax = 500;  // operations in one message: about 50 KB

// How far a client has followed a hub. After a restore of the hub the epoch rises and sequences start anew.
struct Cursor {
  int64_t epoch = 0;
  int64_t seq = 0;
};

class Session {
 public:
  struct Refused {
    OpId op;
    std::string code;
    std::string message;
  };
  struct Received {
    std::vector<Bytes> send;
    Changes changes;
    std::vector<Op> ops;        // new ones from the hub: store them
    bool is_rewritten = false;  // forget what is stored: keep `base` and `log` instead
    Bytes base;
    std::vector<Op> log;
    std::vector<Refused> refused;
    std::vector<TrayEntry> tray;
    std::string reload;  // not empty: this copy is too old for the hub; tell the person to reload
  };

  Session(Replica& replica, Cursor cursor) : replica_(&replica), cursor_(cursor) {}

  // First message of a connection; forgets what an earlier connection had under way.
  Bytes start();
  // A malformed message is an error and changes nothing.
  Result<Received> receive(ByteView message, int64_t now_ms);
  // Messages for operations made since; empty while not welcomed.
  std::vector<Bytes> pushes();

  Cursor cursor() const { return cursor_; }
  uint64_t acked() const { return acked_; }
  bool is_synced() const {
    return is_welcomed_ && cursor_.seq >= head_ &&
           acked_ >= replica_->version().of(replica_->options().replica);
  }

 private:
  Status welcome(const Cbor& message, Received& received);
  Status take_snapshot(const Cbor& message, int64_t now_ms, Received& received);
  Status take_ops(const Cbor& message, int64_t now_ms, Received& received);
  Status take_refusal(const Cbor& message, Received& received);

  Replica* replica_;
  Cursor cursor_;
  int64_t head_ = 0;
  int64_t received_seq_ = 0;  // on this connection
  uint64_t sent_ = 0;         // own operations, by counter
  uint64_t acked_ = 0;
  bool is_welcomed_ = false;
};

// "<replica in hex>:<counter>", and back.
std::string op_id_text(const OpId& id);
std::optional<OpId> parse_op_id(std::string_view text);
std::optional<ErrorCode> error_code_from_name(std::string_view name);

}  // namespace kalends
