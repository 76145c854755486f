// SPDX-License-Identifier: Apache-2.0
// What the worker keeps. Facts only: nothing pending is stored as work, it is derived again after a crash.
//
// Every call names the workspace, and an implementation lets nothing of another workspace through. A caller
// that holds only a secret (bearer token, OAuth state, channel token) must carry the workspace inside that
// secret.
//
// Every write for a link names its lease. A lease whose epoch is no longer the link's gives kConflict:
// another worker has taken over, and the caller must drop what it was doing. The one exception is
// mark_pair_dirty, which decides nothing.
//
// Errors: kConflict as said at each call; kUnavailable (busy or full disk: back off, retry the whole
// transaction); kCorrupt (damaged file); kNotFound where a write names a row that is not there. Reads give
// nullopt for that. Times are milliseconds since 1970 UTC. Blobs are opaque here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/result.h"

namespace kalends {

using ChannelId = Id<struct ChannelTag>;  // a push channel at Google

// Where a document stands, without its snapshot.
struct DocumentHead {
  DocumentId document;
  int64_t kind = 0;
  uint64_t epoch = 1;     // rises when the store was restored from a backup: cursors of older epochs are void
  uint64_t next_seq = 1;  // given to the next new operation
  uint64_t floor_seq = 0;     // operations up to here are only in the snapshot
  uint64_t snapshot_seq = 0;  // the last operation in the snapshot; 0: no snapshot yet
  Bytes state_hash;           // of the snapshot
  int64_t updated_ms = 0;
  friend bool operator==(const DocumentHead&, const DocumentHead&) = default;
};

struct DocumentRow {
  DocumentHead head;
  Bytes snapshot;
  friend bool operator==(const DocumentRow&, const DocumentRow&) = default;
};

struct NewOpRow {
  ReplicaId replica;
  uint64_t counter = 0;
  Bytes op;
};

struct OpRow {
  uint64_t seq = 0;
  ReplicaId replica;
  uint64_t counter = 0;
  Bytes op;
  friend bool operator==(const OpRow&, const OpRow&) = default;
};

struct AppendedOp {
  uint64_t seq = 0;
  bool is_new = false;  // false: it was there already, under this sequence number
};

struct SnapshotRow {
  Bytes snapshot;
  uint64_t snapshot_seq = 0;
  Bytes state_hash;
};

struct TokenRow {
  Bytes token_hash;  // SHA-256 of the whole token text
  MemberId member;
  int64_t role = 0;
  Bytes label;
  int64_t created_ms = 0;
  std::optional<int64_t> revoked_ms;
  friend bool operator==(const TokenRow&, const TokenRow&) = default;
};

struct MemberRow {
  MemberId member;
  Bytes profile;  // name; outside the logs, so that it can be erased
  int64_t created_ms = 0;
  friend bool operator==(const MemberRow&, const MemberRow&) = default;
};

struct AccountRow {
  AccountId account;
  MemberId member;
  Bytes subject_hash;  // keyed hash of Google's `sub`
  Bytes sealed;        // tokens, granted scopes, address
  int64_t state = 0;
  int64_t updated_ms = 0;
  friend bool operator==(const AccountRow&, const AccountRow&) = default;
};

struct OauthFlowRow {
  Bytes state_hash;
  MemberId member;
  Bytes sealed;  // verifier, nonce, what the person wanted
  int64_t expires_ms = 0;
  friend bool operator==(const OauthFlowRow&, const OauthFlowRow&) = default;
};

// What a caller may set of a link; the lease is not among it.
struct LinkRow {
  LinkId link;
  DocumentId board;
  AccountId account;
  Bytes calendar_hash;    // keyed hash of the calendar's id; one link per calendar
  Bytes sealed_calendar;  // the id itself
  Bytes settings;
  int64_t state = 0;
  int64_t last_verified_ms = 0;
  Bytes last_error;
  int64_t created_ms = 0;
  friend bool operator==(const LinkRow&, const LinkRow&) = default;
};

// The right to write for a link, fenced by its epoch.
struct LinkLease {
  WorkspaceId workspace;
  LinkId link;
  uint64_t epoch = 0;
  friend bool operator==(const LinkLease&, const LinkLease&) = default;
};

struct LeaseRequest {
  ReplicaId holder;  // one per running worker
  int64_t life_ms = 0;
};

struct CursorRow {
  Bytes sync_token;  // empty: none yet
  bool full_sync_needed = false;
  int64_t updated_ms = 0;
  friend bool operator==(const CursorRow&, const CursorRow&) = default;
};

struct PairRow {
  CardId card;
  uint64_t generation = 0;
  std::optional<Bytes> event_key;  // keyed hash of the event's id; unique within a link
  Bytes shadow;
  Bytes observation;
  Bytes explain;
  bool is_dirty = false;
  int64_t updated_ms = 0;
  Bytes left_alone{};  // what the pair was when its run was undone; empty: it is kept in step
  friend bool operator==(const PairRow&, const PairRow&) = default;
};

struct AttemptRow {
  CardId card;
  uint64_t generation = 0;
  int64_t kind = 0;
  Bytes request;  // what was asked for: after a crash the answer is told from an edit by it
  int64_t started_ms = 0;
  friend bool operator==(const AttemptRow&, const AttemptRow&) = default;
};

struct ChannelRow {
  ChannelId channel;
  Bytes resource;    // Google's resource id; empty until it has answered
  Bytes token_hash;  // SHA-256 of the channel's secret
  int64_t expires_ms = 0;
  int64_t state = 0;
  friend bool operator==(const ChannelRow&, const ChannelRow&) = default;
};

struct RunRow {
  uint64_t run = 0;
  int64_t started_ms = 0;
  std::optional<int64_t> finished_ms;
  Bytes report;
  friend bool operator==(const RunRow&, const RunRow&) = default;
};

// One thing that a run did.
struct EntryRow {
  uint64_t run = 0;
  uint64_t entry = 0;  // from 1, within its run; given by the store
  CardId card;
  int64_t kind = 0;
  int64_t outcome = 0;   // 0: the answer has not come; at most one such entry for a card
  bool deletes = false;  // counts as a deletion that nobody had approved
  int64_t at_ms = 0;
  Bytes content;
  friend bool operator==(const EntryRow&, const EntryRow&) = default;
};

// What is kept of a link's runs.
struct RunsKept {
  size_t count = 0;        // the newest
  int64_t started_ms = 0;  // of those, the ones that began at this time or later
  size_t entries_max = 0;  // of those, the newest with so many entries together
};

// One transaction: all of it or nothing. Destroyed without commit() it never happened.
class Txn {
 public:
  virtual ~Txn() = default;
  // Ensures: durable when it gives success. The transaction is over either way.
  virtual Status commit() = 0;

  virtual Result<std::optional<Bytes>> meta(std::string_view key) = 0;
  virtual Status set_meta(std::string_view key, ByteView value) = 0;

  virtual Status ensure_workspace(WorkspaceId workspace, int64_t now_ms) = 0;
  virtual Result<std::vector<WorkspaceId>> workspaces() = 0;

  // kConflict: it is there already.
  virtual Status create_document(WorkspaceId workspace, DocumentId document, int64_t kind,
                                 int64_t now_ms) = 0;
  virtual Result<std::optional<DocumentHead>> document_head(WorkspaceId workspace, DocumentId document) = 0;
  virtual Result<std::optional<DocumentRow>> document(WorkspaceId workspace, DocumentId document) = 0;
  virtual Result<std::vector<DocumentHead>> documents(WorkspaceId workspace) = 0;
  // Operations with seq > after_seq in their order, at most `limit`.
  virtual Result<std::vector<OpRow>> ops_after(WorkspaceId workspace, DocumentId document, uint64_t after_seq,
                                               size_t limit) = 0;
  virtual Result<std::optional<OpRow>> op_of(WorkspaceId workspace, DocumentId document, ReplicaId replica,
                                             uint64_t counter) = 0;
  // The same (replica, counter) again gives the first number; with other bytes kConflict: two living copies
  // use one replica id. Below the floor the caller's version vector must know what was seen.
  virtual Result<AppendedOp> append_op(WorkspaceId workspace, DocumentId document, const NewOpRow& op,
                                       int64_t now_ms) = 0;
  // kConflict: an older snapshot than the stored one. kInvalid: beyond the log's end.
  virtual Status save_snapshot(WorkspaceId workspace, DocumentId document, const SnapshotRow& snapshot,
                               int64_t now_ms) = 0;
  // Forgets operations with seq <= floor_seq. kInvalid: the snapshot does not cover them.
  virtual Status raise_floor(WorkspaceId workspace, DocumentId document, uint64_t floor_seq) = 0;
  // Replaces the bytes of one operation in place (redaction).
  virtual Status replace_op(WorkspaceId workspace, DocumentId document, uint64_t seq, ByteView op) = 0;
  // After a restore from a backup: every document of the workspace gets the next epoch.
  virtual Status raise_epochs(WorkspaceId workspace) = 0;
  virtual Status delete_document(WorkspaceId workspace, DocumentId document) = 0;

  virtual Status put_token(WorkspaceId workspace, const TokenRow& token) = 0;
  // Revoked tokens are found too.
  virtual Result<std::optional<TokenRow>> token(WorkspaceId workspace, ByteView token_hash) = 0;
  virtual Result<std::vector<TokenRow>> tokens(WorkspaceId workspace) = 0;
  virtual Status revoke_token(WorkspaceId workspace, ByteView token_hash, int64_t now_ms) = 0;

  virtual Status put_member(WorkspaceId workspace, const MemberRow& member) = 0;
  virtual Result<std::vector<MemberRow>> members(WorkspaceId workspace) = 0;

  // kConflict: this member has connected the same Google account under another id.
  virtual Status put_account(WorkspaceId workspace, const AccountRow& account) = 0;
  virtual Result<std::optional<AccountRow>> account(WorkspaceId workspace, AccountId account) = 0;
  virtual Result<std::optional<AccountRow>> account_of(WorkspaceId workspace, MemberId member,
                                                       ByteView subject_hash) = 0;
  virtual Result<std::vector<AccountRow>> accounts(WorkspaceId workspace) = 0;
  virtual Status delete_account(WorkspaceId workspace, AccountId account) = 0;

  virtual Status put_oauth_flow(WorkspaceId workspace, const OauthFlowRow& flow) = 0;
  // Single use: the row is gone afterwards, also when it was too old (then nullopt).
  virtual Result<std::optional<OauthFlowRow>> take_oauth_flow(WorkspaceId workspace, ByteView state_hash,
                                                              int64_t now_ms) = 0;
  virtual Status forget_old_oauth_flows(WorkspaceId workspace, int64_t now_ms) = 0;

  // kConflict: the link or another link of this calendar is there already.
  virtual Status create_link(WorkspaceId workspace, const LinkRow& link) = 0;
  virtual Result<std::optional<LinkRow>> link(WorkspaceId workspace, LinkId link) = 0;
  virtual Result<std::vector<LinkRow>> links(WorkspaceId workspace) = 0;
  virtual Result<std::vector<LinkRow>> links_of_board(WorkspaceId workspace, DocumentId board) = 0;
  // Gives the lease to the holder. A free or run-out lease, and a worker's own, gets the next epoch;
  // kConflict while another holder's has time left.
  virtual Result<LinkLease> acquire_lease(WorkspaceId workspace, LinkId link,
                                          const LeaseRequest& request) = 0;
  virtual Status renew_lease(const LinkLease& lease, int64_t life_ms) = 0;
  virtual Status release_lease(const LinkLease& lease) = 0;
  // After a restore from a backup: nobody holds a link of the workspace any more, whatever time was left.
  virtual Status end_leases(WorkspaceId workspace) = 0;
  virtual Status update_link(const LinkLease& lease, const LinkRow& link) = 0;
  // With its cursor, pairs, attempts, channels, runs and their entries.
  virtual Status delete_link(const LinkLease& lease) = 0;

  virtual Status put_cursor(const LinkLease& lease, const CursorRow& cursor) = 0;
  virtual Result<std::optional<CursorRow>> cursor(WorkspaceId workspace, LinkId link) = 0;

  // kConflict: stale lease, or another card of the link has this event.
  virtual Status put_pair(const LinkLease& lease, const PairRow& pair) = 0;
  virtual Status delete_pair(const LinkLease& lease, CardId card) = 0;
  virtual Result<std::optional<PairRow>> pair(WorkspaceId workspace, LinkId link, CardId card) = 0;
  virtual Result<std::optional<PairRow>> pair_by_event(WorkspaceId workspace, LinkId link,
                                                       ByteView event_key) = 0;
  // In the order of card ids, those after `after_card` (nil: from the start), at most `limit`.
  virtual Result<std::vector<PairRow>> pairs(WorkspaceId workspace, LinkId link, CardId after_card,
                                             size_t limit) = 0;
  // Longest waiting first.
  virtual Result<std::vector<CardId>> dirty_pairs(WorkspaceId workspace, LinkId link, size_t limit) = 0;
  virtual Result<uint64_t> count_pairs(WorkspaceId workspace, LinkId link) = 0;
  virtual Result<uint64_t> count_dirty_pairs(WorkspaceId workspace, LinkId link) = 0;
  // A doorbell: "look at this card again". Makes an empty pair of generation 0 where there is none. Needs no
  // lease.
  virtual Status mark_pair_dirty(WorkspaceId workspace, LinkId link, CardId card, int64_t now_ms) = 0;

  virtual Status put_attempt(const LinkLease& lease, const AttemptRow& attempt) = 0;
  virtual Result<std::vector<AttemptRow>> attempts(WorkspaceId workspace, LinkId link) = 0;
  virtual Result<std::vector<AttemptRow>> attempts_of_card(WorkspaceId workspace, LinkId link,
                                                           CardId card) = 0;
  virtual Status delete_attempts(const LinkLease& lease, CardId card) = 0;

  virtual Status put_channel(const LinkLease& lease, const ChannelRow& channel) = 0;
  virtual Result<std::vector<ChannelRow>> channels(WorkspaceId workspace, LinkId link) = 0;
  // Where a doorbell rings: the channel and its link.
  virtual Result<std::optional<std::pair<LinkId, ChannelRow>>> channel(WorkspaceId workspace,
                                                                       ChannelId channel) = 0;
  virtual Status delete_channel(const LinkLease& lease, ChannelId channel) = 0;

  // The next run's number, 1 for the first.
  virtual Result<uint64_t> start_run(const LinkLease& lease, int64_t now_ms) = 0;
  virtual Status finish_run(const LinkLease& lease, uint64_t run, int64_t now_ms, ByteView report) = 0;
  // Newest first.
  virtual Result<std::vector<RunRow>> runs(WorkspaceId workspace, LinkId link, size_t limit) = 0;
  virtual Result<std::optional<RunRow>> run(WorkspaceId workspace, LinkId link, uint64_t run) = 0;
  // 0: none yet.
  virtual Result<uint64_t> last_run(WorkspaceId workspace, LinkId link) = 0;
  // Keeps the newest `count` runs of the link.
  virtual Status keep_newest_runs(const LinkLease& lease, size_t count) = 0;
  // The same with all bounds. The newest run always stays.
  virtual Status forget_runs(const LinkLease& lease, const RunsKept& kept) = 0;

  // Gives the entry the next number of its run. kConflict: stale lease, or the card has another entry without
  // an answer. kNotFound: there is no such run.
  virtual Result<uint64_t> append_entry(const LinkLease& lease, const EntryRow& entry) = 0;
  // Replaces everything but run, number and card.
  virtual Status update_entry(const LinkLease& lease, const EntryRow& entry) = 0;
  // The card's entry whose answer has not come.
  virtual Result<std::optional<EntryRow>> unanswered_entry(WorkspaceId workspace, LinkId link,
                                                           CardId card) = 0;
  // In their order, those after `after_entry`, at most `limit`.
  virtual Result<std::vector<EntryRow>> entries(WorkspaceId workspace, LinkId link, uint64_t run,
                                                uint64_t after_entry, size_t limit) = 0;
  // Newest first.
  virtual Result<std::vector<EntryRow>> entries_of_card(WorkspaceId workspace, LinkId link, CardId card,
                                                        size_t limit) = 0;
  virtual Result<std::vector<EntryRow>> deleting_entries_since(WorkspaceId workspace, LinkId link,
                                                               int64_t since_ms) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  // Takes the one right to write; other processes wait for a while, then get kUnavailable.
  // Requires: called from one thread only, and no transaction of this store is open.
  virtual Result<std::unique_ptr<Txn>> begin() = 0;
  // Why writes are refused at present, as a person reads it; empty: they are taken.
  virtual std::string read_only_reason() const { return {}; }
};

}  // namespace kalends
