// SPDX-License-Identifier: Apache-2.0
// Txn on SQLite. Its statements are grouped by subject over several .cc files.
#pragma once

#include "worker/ports/store.h"
#include "worker/store/sqlite.h"

namespace kalends {

// Whose transaction it is.
class SqliteTxnHome {
 public:
  virtual ~SqliteTxnHome() = default;
  // It is over; what the disk has refused meanwhile is noted in the database.
  virtual void txn_ended() = 0;
  // Why nothing may be written now; empty: it may.
  virtual const std::string& txn_refusal() const = 0;
  // The store's own clock: whose lease it is, is judged by it.
  virtual int64_t txn_now_ms() const = 0;
};

class SqliteTxn : public Txn {  // a simulator puts crashes into it
 public:
  // Requires: BEGIN was run on `database`.
  SqliteTxn(Sqlite& database, SqliteTxnHome& home)
      : database_(database), home_(home), changed_before_(database.total_changed()), now_ms_(home.txn_now_ms()) {}
  ~SqliteTxn() override;
  SqliteTxn(const SqliteTxn&) = delete;
  SqliteTxn& operator=(const SqliteTxn&) = delete;

  Status commit() override;

  Result<std::optional<Bytes>> meta(std::string_view key) override;
  Status set_meta(std::string_view key, ByteView value) override;
  Status ensure_workspace(WorkspaceId workspace, int64_t now_ms) override;
  Result<std::vector<WorkspaceId>> workspaces() override;

  Status create_document(WorkspaceId workspace, DocumentId document, int64_t kind, int64_t now_ms) override;
  Result<std::optional<DocumentHead>> document_head(WorkspaceId workspace, DocumentId document) override;
  Result<std::optional<DocumentRow>> document(WorkspaceId workspace, DocumentId document) override;
  Result<std::vector<DocumentHead>> documents(WorkspaceId workspace) override;
  Result<std::vector<OpRow>> ops_after(WorkspaceId workspace, DocumentId document, uint64_t after_seq,
                                       size_t limit) override;
  Result<std::optional<OpRow>> op_of(WorkspaceId workspace, DocumentId document, ReplicaId replica,
                                     uint64_t counter) override;
  Result<AppendedOp> append_op(WorkspaceId workspace, DocumentId document, const NewOpRow& op,
                               int64_t now_ms) override;
  Status save_snapshot(WorkspaceId workspace, DocumentId document, const SnapshotRow& snapshot,
                       int64_t now_ms) override;
  Status raise_floor(WorkspaceId workspace, DocumentId document, uint64_t floor_seq) override;
  Status replace_op(WorkspaceId workspace, DocumentId document, uint64_t seq, ByteView op) override;
  Status raise_epochs(WorkspaceId workspace) override;
  Status delete_document(WorkspaceId workspace, DocumentId document) override;

  Status put_token(WorkspaceId workspace, const TokenRow& token) override;
  Result<std::optional<TokenRow>> token(WorkspaceId workspace, ByteView token_hash) override;
  Result<std::vector<TokenRow>> tokens(WorkspaceId workspace) override;
  Status revoke_token(WorkspaceId workspace, ByteView token_hash, int64_t now_ms) override;
  Status put_member(WorkspaceId workspace, const MemberRow& member) override;
  Result<std::vector<MemberRow>> members(WorkspaceId workspace) override;
  Status put_account(WorkspaceId workspace, const AccountRow& account) override;
  Result<std::optional<AccountRow>> account(WorkspaceId workspace, AccountId account) override;
  Result<std::optional<AccountRow>> account_of(WorkspaceId workspace, MemberId member,
                                               ByteView subject_hash) override;
  Result<std::vector<AccountRow>> accounts(WorkspaceId workspace) override;
  Status delete_account(WorkspaceId workspace, AccountId account) override;
  Status put_oauth_flow(WorkspaceId workspace, const OauthFlowRow& flow) override;
  Result<std::optional<OauthFlowRow>> take_oauth_flow(WorkspaceId workspace, ByteView state_hash,
                                                      int64_t now_ms) override;
  Status forget_old_oauth_flows(WorkspaceId workspace, int64_t now_ms) override;

  Status create_link(WorkspaceId workspace, const LinkRow& link) override;
  Result<std::optional<LinkRow>> link(WorkspaceId workspace, LinkId link) override;
  Result<std::vector<LinkRow>> links(WorkspaceId workspace) override;
  Result<std::vector<LinkRow>> links_of_board(WorkspaceId workspace, DocumentId board) override;
  Result<LinkLease> acquire_lease(WorkspaceId workspace, LinkId link, const LeaseRequest& request) override;
  Status renew_lease(const LinkLease& lease, int64_t life_ms) override;
  Status release_lease(const LinkLease& lease) override;
  Status end_leases(WorkspaceId workspace) override;
  Status update_link(const LinkLease& lease, const LinkRow& link) override;
  Status delete_link(const LinkLease& lease) override;

  Status put_cursor(const LinkLease& lease, const CursorRow& cursor) override;
  Result<std::optional<CursorRow>> cursor(WorkspaceId workspace, LinkId link) override;
  Status put_pair(const LinkLease& lease, const PairRow& pair) override;
  Status delete_pair(const LinkLease& lease, CardId card) override;
  Result<std::optional<PairRow>> pair(WorkspaceId workspace, LinkId link, CardId card) override;
  Result<std::optional<PairRow>> pair_by_event(WorkspaceId workspace, LinkId link,
                                               ByteView event_key) override;
  Result<std::vector<PairRow>> pairs(WorkspaceId workspace, LinkId link, CardId after_card,
                                     size_t limit) override;
  Result<std::vector<CardId>> dirty_pairs(WorkspaceId workspace, LinkId link, size_t limit) override;
  Result<uint64_t> count_pairs(WorkspaceId workspace, LinkId link) override;
  Result<uint64_t> count_dirty_pairs(WorkspaceId workspace, LinkId link) override;
  Status mark_pair_dirty(WorkspaceId workspace, LinkId link, CardId card, int64_t now_ms) override;
  Status put_attempt(const LinkLease& lease, const AttemptRow& attempt) override;
  Result<std::vector<AttemptRow>> attempts(WorkspaceId workspace, LinkId link) override;
  Result<std::vector<AttemptRow>> attempts_of_card(WorkspaceId workspace, LinkId link, CardId card) override;
  Status delete_attempts(const LinkLease& lease, CardId card) override;
  Status put_channel(const LinkLease& lease, const ChannelRow& channel) override;
  Result<std::vector<ChannelRow>> channels(WorkspaceId workspace, LinkId link) override;
  Result<std::optional<std::pair<LinkId, ChannelRow>>> channel(WorkspaceId workspace,
                                                               ChannelId channel) override;
  Status delete_channel(const LinkLease& lease, ChannelId channel) override;
  Result<uint64_t> start_run(const LinkLease& lease, int64_t now_ms) override;
  Status finish_run(const LinkLease& lease, uint64_t run, int64_t now_ms, ByteView report) override;
  Result<std::vector<RunRow>> runs(WorkspaceId workspace, LinkId link, size_t limit) override;
  Result<std::optional<RunRow>> run(WorkspaceId workspace, LinkId link, uint64_t run) override;
  Result<uint64_t> last_run(WorkspaceId workspace, LinkId link) override;
  Status keep_newest_runs(const LinkLease& lease, size_t count) override;
  Status forget_runs(const LinkLease& lease, const RunsKept& kept) override;
  Result<uint64_t> append_entry(const LinkLease& lease, const EntryRow& entry) override;
  Status update_entry(const LinkLease& lease, const EntryRow& entry) override;
  Result<std::optional<EntryRow>> unanswered_entry(WorkspaceId workspace, LinkId link, CardId card) override;
  Result<std::vector<EntryRow>> entries(WorkspaceId workspace, LinkId link, uint64_t run, uint64_t after_entry,
                                        size_t limit) override;
  Result<std::vector<EntryRow>> entries_of_card(WorkspaceId workspace, LinkId link, CardId card,
                                                size_t limit) override;
  Result<std::vector<EntryRow>> deleting_entries_since(WorkspaceId workspace, LinkId link,
                                                       int64_t since_ms) override;

 private:
  // kConflict: the lease is stale. kNotFound: there is no such link.
  Status check_lease(const LinkLease& lease);
  // kNotFound with `what` unless the last statement changed a row.
  Status expect_change(std::string_view what);

  Sqlite& database_;
  SqliteTxnHome& home_;
  int64_t changed_before_;
  int64_t now_ms_;
  bool is_over_ = false;
};

// Reads every row of a query by `read`, which is called once a row.
template <typename Row, typename Read>
Result<std::vector<Row>> read_all(SqliteQuery query, Read read) {
  std::vector<Row> rows;
  while (true) {
    KALENDS_TRY(bool has_row, query.step());
    if (!has_row) return rows;
    rows.push_back(read(query));
  }
}

// The first row, or nullopt.
template <typename Row, typename Read>
Result<std::optional<Row>> read_one(SqliteQuery query, Read read) {
  KALENDS_TRY(bool has_row, query.step());
  if (!has_row) return std::optional<Row>();
  return std::optional<Row>(read(query));
}

}  // namespace kalends
