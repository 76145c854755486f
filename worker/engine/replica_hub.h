// SPDX-License-Identifier: Apache-2.0
// The server's copies of documents: opened from snapshot and tail when somebody needs them, kept by least
// recent use. Every accepted operation gets the document's next sequence number, in one transaction with what
// follows from it; then it is told to everybody who is connected.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/replica/replica.h"
#include "worker/engine/ports.h"

namespace kalends {

struct DocumentKey {
  WorkspaceId workspace;
  DocumentId document;
  friend bool operator==(const DocumentKey&, const DocumentKey&) = default;
  friend auto operator<=>(const DocumentKey&, const DocumentKey&) = default;
};

struct OpenDocument {
  OpenDocument(DocumentKey opened_key, Replica opened) : key(opened_key), replica(std::move(opened)) {}
  DocumentKey key;
  Replica replica;  // the hub's own: its edits are those of the API and of the bridge
  uint64_t epoch = 1;
  uint64_t seq = 0;  // of the last operation
  uint64_t snapshot_seq = 0;
  std::map<ReplicaId, MemberId> owners;  // of replica ids, as far as they were asked for
};

// Somebody who wants to know of new operations of one document.
class HubListener {
 public:
  virtual ~HubListener() = default;
  virtual void on_ops(const DocumentKey& document, uint64_t last_seq, const std::vector<Op>& ops) = 0;
  // The hub lost its copy (a failed commit): connect anew.
  virtual void on_reset(const DocumentKey& document) = 0;
};

// Derives what follows from an operation, in the same transaction (which links have work).
class DocumentObserver {
 public:
  virtual ~DocumentObserver() = default;
  virtual Status on_changes(Txn& txn, const OpenDocument& document, const Changes& changes) = 0;
  virtual void after_commit(const DocumentKey& document) = 0;
};

class ReplicaHub {
 public:
  ReplicaHub(const Ports& ports, size_t open_max) : ports_(ports), open_max_(open_max) {}
  void observe(DocumentObserver& observer) { observer_ = &observer; }

  // A new, empty document; `commands` make its first content.
  Status create(const DocumentKey& key, DocumentKind kind, const EditContext& context,
                const std::vector<Command>& commands);
  // The operations of a document to be: made here from commands, or elsewhere (an import), in an order in
  // which they apply. `snapshot` is the state after all of them; it may hold more than they say, where the
  // beginning of the history was not kept, and may be empty where they are everything.
  struct Origin {
    DocumentKind kind = DocumentKind::kBoard;
    std::vector<Op> ops;
    Bytes snapshot;
  };
  Result<Origin> draft(const DocumentKey& key, DocumentKind kind, const EditContext& context,
                       const std::vector<Command>& commands) const;
  // Inside a transaction of the caller's: with what is committed there the document is there, or it never
  // was. kConflict: it is there already.
  Status create_in(Txn& txn, const DocumentKey& key, const Origin& origin);
  // A copy of the document with all the history that the store has.
  Result<Replica> with_history(const DocumentKey& key);
  // kNotFound when the workspace has no such document.
  Result<OpenDocument*> open(const DocumentKey& key);

  // Operations with a sequence number above `seq`, at most `limit`.
  Result<std::vector<Op>> ops_after(const DocumentKey& key, uint64_t seq, size_t limit);

  // Edits by the API, imports and the bridge. Durable when it gives success. `also` runs in the same
  // transaction, after the operations were appended.
  using Also = std::function<Status(Txn&)>;
  Result<EditResult> edit(const DocumentKey& key, const EditContext& context,
                          const std::vector<Command>& commands, const Also& also = {});

  // Moves a card to another board, in one transaction over both documents: its operations are carried over
  // under their own ids, it gets a place in a list there, and its home register says the target in both
  // (docs/algebra.md).
  struct Transfer {
    WorkspaceId workspace;
    CardId card;
    DocumentId source;
    DocumentId target;
    ListId list;  // of the target
    MemberId author;
  };
  Status transfer(const Transfer& transfer);

  // Operations that a client pushed, as far as they are admissible.
  struct Verdict {
    OpId op;
    bool is_refused = false;
    Error reason;
  };
  struct Accepted {
    std::vector<Verdict> verdicts;  // of the refused ones
    uint64_t have = 0;              // of the pushing replica, afterwards
    bool has_gap = false;           // an operation before the pushed ones is missing: push from `have` on
  };
  struct Pusher {
    MemberId member;
    bool may_write = true;
    ReplicaId replica;
  };
  Result<Accepted> push(const DocumentKey& key, const Pusher& pusher, const std::vector<Op>& ops);
  // kForbidden: the replica id is another member's, another document's, or a hub's own. It belongs to the
  // member who used it first, on the document where it was used first.
  Status may_use(const DocumentKey& key, const Pusher& pusher);

  void listen(const DocumentKey& key, HubListener& listener) { listeners_[key].insert(&listener); }
  void ignore(const DocumentKey& key, HubListener& listener);
  size_t open_count() const { return open_.size(); }

  // Saves snapshots that are due and forgets all copies.
  void close_all();

 private:
  struct Slot {
    std::unique_ptr<OpenDocument> document;
    std::list<DocumentKey>::iterator used;
  };

  ReplicaId hub_replica(const DocumentKey& key, uint64_t epoch) const;
  // Operations on a card in the order in which this document got them, carried ones as themselves.
  Result<std::vector<Op>> ops_of_card(const DocumentKey& key, CardId card);
  // Edits of people who had not seen a transfer follow their card.
  Status forward(const DocumentKey& key, const std::vector<Op>& ops);
  Status append(Txn& txn, OpenDocument& document, const std::vector<Op>& ops);
  Status finish(OpenDocument& document, Txn& txn, const std::vector<Op>& ops, const Changes& changes,
                const Also& also);
  void tell(const DocumentKey& key, uint64_t last_seq, const std::vector<Op>& ops);
  void lose(const DocumentKey& key);
  // The replica id is in use on another document, or came from one with a card.
  Result<bool> is_of_another(const OpenDocument& document, ReplicaId replica);
  void make_room();
  Status save_snapshot(Txn& txn, OpenDocument& document);

  Ports ports_;
  size_t open_max_;
  DocumentObserver* observer_ = nullptr;
  std::map<DocumentKey, Slot> open_;
  std::list<DocumentKey> recent_;  // most recently used first
  std::map<DocumentKey, std::set<HubListener*>> listeners_;
};

// Bytes of one operation as a row of the log holds them.
Bytes op_bytes(const Op& op);
Result<Op> op_from_bytes(ByteView bytes);

}  // namespace kalends
