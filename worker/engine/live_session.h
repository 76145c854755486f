// SPDX-License-Identifier: Apache-2.0
// The hub's half of the conversation with one connected client, over all the documents it has open
// (docs/protocol.md). Sans-I/O: frames in by `receive`, frames out by `Send`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "worker/engine/replica_hub.h"

namespace kalends {

struct SignedIn {
  WorkspaceId workspace;
  MemberId member;
  bool may_write = true;
};

class LiveSession final : public HubListener {
 public:
  using Send = std::function<void(Bytes frame)>;
  using Authenticate = std::function<Result<SignedIn>(std::string_view token)>;
  LiveSession(ReplicaHub& hub, Authenticate authenticate, Send send)
      : hub_(hub), authenticate_(std::move(authenticate)), send_(std::move(send)) {}
  ~LiveSession() override;
  LiveSession(const LiveSession&) = delete;

  // False: the connection must be closed; what there was to say was sent.
  bool receive(ByteView frame);

  void on_ops(const DocumentKey& document, uint64_t last_seq, const std::vector<Op>& ops) override;
  void on_reset(const DocumentKey& document) override;
  const std::optional<SignedIn>& signed_in() const { return who_; }

 private:
  struct Following {
    ReplicaId replica;
    uint64_t seq = 0;  // sent up to here
  };

  bool sign_in(ByteView frame);
  void hello(const DocumentKey& key, ByteView message);
  void push(const DocumentKey& key, ByteView message);
  void send_error(const DocumentKey& key, const Error& error);
  void catch_up(const DocumentKey& key, OpenDocument& document, uint64_t from_seq);
  void send_snapshot(const DocumentKey& key, const OpenDocument& document);

  ReplicaHub& hub_;
  Authenticate authenticate_;
  Send send_;
  std::optional<SignedIn> who_;
  std::map<DocumentKey, Following> following_;
  std::vector<Bytes>* held_ = nullptr;  // frames that wait while a push is under way
};

}  // namespace kalends
