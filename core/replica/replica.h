// SPDX-License-Identifier: Apache-2.0
// One living copy of one document: edit, merge, hand out what others lack. No transport, no persistence, no
// clock: the caller stores the operations that come out before it shows or sends them.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/oplog/apply.h"
#include "core/replica/command.h"
#include "core/replica/order_index.h"

namespace kalends {

struct ReplicaOptions {
  DocumentId document;
  DocumentKind kind = DocumentKind::kBoard;
  ReplicaId replica;  // never shared by two living copies: a restored or cloned copy takes a new one
};

struct EditContext {
  MemberId author;
  Cause cause = Cause::kPerson;
  int64_t now_ms = 0;
};

struct EditResult {
  std::vector<Op> ops;        // one transaction; empty when everything was so already
  std::vector<OpId> created;  // one entry a command: the child it made, or nil
  Changes changes;
};

struct MergeResult {
  size_t applied = 0;    // operations that were new
  size_t held_back = 0;  // operations that wait for an earlier one of their replica
  Changes changes;
};

// What a retracted operation said, so that a person can say it again.
struct TrayEntry {
  OpId op;
  Id128 entity;
  Field field = Field::kTitle;
  Value value;
};

class Replica {
 public:
  explicit Replica(const ReplicaOptions& options);
  // From a snapshot (may be empty) and the operations after it.
  static Result<Replica> open(const ReplicaOptions& options, ByteView snapshot, const std::vector<Op>& ops);

  // All commands or none of them. Errors name the command that cannot be done, and why.
  Result<EditResult> edit(const EditContext& context, const std::vector<Command>& commands);

  // Operations from elsewhere, in any order, known ones too. A malformed operation refuses them all.
  Result<MergeResult> merge(const std::vector<Op>& ops, int64_t now_ms);

  // Own operations that were refused: a void takes the place of each. Those named are retracted, no others:
  // the hub names what depends on them.
  struct Refusal {
    OpId op;
    ErrorCode reason;
  };
  struct Retraction {
    std::vector<TrayEntry> tray;
    std::vector<Op> voids;
    Changes changes;
  };
  Retraction retract(const std::vector<Refusal>& refusals);

  // Operations that `version` does not cover, each replica's in order. kConflict when history below the
  // compaction floor would be needed: hand out the snapshot instead.
  Result<std::vector<Op>> ops_since(const Version& version) const;

  Bytes snapshot() const;
  Digest hash() const { return state_hash(document_); }
  // Forgets the operations that the snapshot contains; nothing visible changes.
  void compact();

  const Document& document() const { return document_; }
  const OrderIndex& order() const { return order_; }
  const Version& version() const { return document_.version; }
  const Version& floor() const { return floor_; }
  const ReplicaOptions& options() const { return options_; }
  const std::vector<Op>& log() const { return log_; }
  const Bytes& base() const { return base_; }  // snapshot at the floor; empty at the beginning of history

 private:
  friend class Transaction;
  void note(const Changes& changes);

  ReplicaOptions options_;
  Document document_;
  OrderIndex order_;
  HlcClock clock_;
  Version floor_;             // what base_ contains
  Bytes base_;                // snapshot at the floor; empty at the beginning of history
  std::vector<Op> log_;       // after the floor, in the order applied
  std::map<OpId, Op> early_;  // held back
};

// The operation that stands in the place of a refused one: the same bytes wherever it is made.
Op void_of(const Op& refused, ErrorCode reason);

// How many early operations are held back before merge refuses: enough for any honest reordering.
inline constexpr size_t kHeldBackMax = 100000;

}  // namespace kalends
