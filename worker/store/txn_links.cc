// SPDX-License-Identifier: Apache-2.0
// Links, their leases, and what hangs on them besides the pairs: cursors, channels, runs.
#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

LinkRow read_link(const SqliteQuery& row) {
  LinkRow link;
  link.link = row.id<LinkId>(0);
  link.board = row.id<DocumentId>(1);
  link.account = row.id<AccountId>(2);
  link.calendar_hash = row.bytes(3);
  link.sealed_calendar = row.bytes(4);
  link.settings = row.bytes(5);
  link.state = row.integer(6);
  link.last_verified_ms = row.integer(7);
  link.last_error = row.bytes(8);
  link.created_ms = row.integer(9);
  return link;
}

ChannelRow read_channel(const SqliteQuery& row) {
  return {row.id<ChannelId>(0), row.bytes(1), row.bytes(2), row.integer(3), row.integer(4)};
}

}  // namespace

Status SqliteTxn::check_lease(const LinkLease& lease) {
  SqliteQuery query = database_.query("SELECT lease_epoch FROM links WHERE workspace = ? AND link = ?");
  query.bind(lease.workspace).bind(lease.link);
  KALENDS_TRY(bool has_row, query.step());
  if (!has_row) return not_found("there is no such link");
  if (query.count(0) != lease.epoch || lease.epoch == 0) {
    return Error{ErrorCode::kConflict, "another worker has taken over this link", 0};
  }
  return {};
}

Status SqliteTxn::create_link(WorkspaceId workspace, const LinkRow& link) {
  return database_
      .query(
          "INSERT INTO links (workspace, link, board, account, calendar_hash, sealed_calendar, settings, "
          "state, "
          "lease_holder, lease_epoch, lease_until_ms, last_verified_ms, last_error, created_ms) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, x'', 0, 0, ?, ?, ?)")
      .bind(workspace)
      .bind(link.link)
      .bind(link.board)
      .bind(link.account)
      .bind(link.calendar_hash)
      .bind(link.sealed_calendar)
      .bind(link.settings)
      .bind(link.state)
      .bind(link.last_verified_ms)
      .bind(link.last_error)
      .bind(link.created_ms)
      .run();
}

Result<std::optional<LinkRow>> SqliteTxn::link(WorkspaceId workspace, LinkId link) {
  return read_one<LinkRow>(
      std::move(
          database_
              .query("SELECT link, board, account, calendar_hash, sealed_calendar, settings, state, "
                     "last_verified_ms, last_error, created_ms FROM links WHERE workspace = ? AND link = ?")
              .bind(workspace)
              .bind(link)),
      read_link);
}

Result<std::vector<LinkRow>> SqliteTxn::links(WorkspaceId workspace) {
  return read_all<LinkRow>(
      std::move(
          database_
              .query("SELECT link, board, account, calendar_hash, sealed_calendar, settings, state, "
                     "last_verified_ms, last_error, created_ms FROM links WHERE workspace = ? ORDER BY link")
              .bind(workspace)),
      read_link);
}

Result<std::vector<LinkRow>> SqliteTxn::links_of_board(WorkspaceId workspace, DocumentId board) {
  return read_all<LinkRow>(
      std::move(
          database_
              .query("SELECT link, board, account, calendar_hash, sealed_calendar, settings, state, "
                     "last_verified_ms, last_error, created_ms FROM links WHERE workspace = ? AND board = ? "
                     "ORDER BY link")
              .bind(workspace)
              .bind(board)),
      read_link);
}

Result<LinkLease> SqliteTxn::acquire_lease(WorkspaceId workspace, LinkId link, const LeaseRequest& request) {
  uint64_t epoch = 0;
  {
    SqliteQuery query = database_.query(
        "SELECT lease_holder, lease_epoch, lease_until_ms FROM links WHERE workspace = ? AND link = ?");
    query.bind(workspace).bind(link);
    KALENDS_TRY(bool has_row, query.step());
    if (!has_row) return not_found("there is no such link");
    Bytes holder = query.bytes(0);
    bool is_own = holder == Bytes(request.holder.raw.bytes.begin(), request.holder.raw.bytes.end());
    if (!holder.empty() && !is_own && query.integer(2) > now_ms_) {
      return Error{ErrorCode::kConflict, "another worker holds this link", query.integer(2) - now_ms_};
    }
    epoch = query.count(1) + 1;
  }
  KALENDS_TRY_VOID(database_
                       .query("UPDATE links SET lease_holder = ?, lease_epoch = ?, lease_until_ms = ? "
                              "WHERE workspace = ? AND link = ?")
                       .bind(request.holder)
                       .bind(epoch)
                       .bind(now_ms_ + request.life_ms)
                       .bind(workspace)
                       .bind(link)
                       .run());
  return LinkLease{workspace, link, epoch};
}

Status SqliteTxn::renew_lease(const LinkLease& lease, int64_t life_ms) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_.query("UPDATE links SET lease_until_ms = ? WHERE workspace = ? AND link = ?")
      .bind(now_ms_ + life_ms)
      .bind(lease.workspace)
      .bind(lease.link)
      .run();
}

Status SqliteTxn::release_lease(const LinkLease& lease) {
  KALENDS_TRY_VOID(check_lease(lease));
  // The epoch rises now, not at the next acquisition: the released lease must not write any more.
  return database_
      .query(
          "UPDATE links SET lease_holder = x'', lease_until_ms = 0, lease_epoch = lease_epoch + 1 "
          "WHERE workspace = ? AND link = ?")
      .bind(lease.workspace)
      .bind(lease.link)
      .run();
}

Status SqliteTxn::end_leases(WorkspaceId workspace) {
  return database_
      .query(
          "UPDATE links SET lease_holder = x'', lease_until_ms = 0, lease_epoch = lease_epoch + 1 "
          "WHERE workspace = ?")
      .bind(workspace)
      .run();
}

Status SqliteTxn::update_link(const LinkLease& lease, const LinkRow& link) {
  KALENDS_CHECK(link.link == lease.link);
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "UPDATE links SET board = ?, account = ?, calendar_hash = ?, sealed_calendar = ?, settings = ?, "
          "state = ?, last_verified_ms = ?, last_error = ?, created_ms = ? WHERE workspace = ? AND link = ?")
      .bind(link.board)
      .bind(link.account)
      .bind(link.calendar_hash)
      .bind(link.sealed_calendar)
      .bind(link.settings)
      .bind(link.state)
      .bind(link.last_verified_ms)
      .bind(link.last_error)
      .bind(link.created_ms)
      .bind(lease.workspace)
      .bind(lease.link)
      .run();
}

Status SqliteTxn::delete_link(const LinkLease& lease) {
  KALENDS_TRY_VOID(check_lease(lease));
  // What hangs on it goes by the schema's ON DELETE CASCADE.
  return database_.query("DELETE FROM links WHERE workspace = ? AND link = ?")
      .bind(lease.workspace)
      .bind(lease.link)
      .run();
}

Status SqliteTxn::put_cursor(const LinkLease& lease, const CursorRow& cursor) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "INSERT INTO cursors (workspace, link, sync_token, full_sync_needed, updated_ms) VALUES (?, ?, ?, "
          "?, ?) "
          "ON CONFLICT (workspace, link) DO UPDATE SET sync_token = excluded.sync_token, "
          "full_sync_needed = excluded.full_sync_needed, updated_ms = excluded.updated_ms")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(cursor.sync_token)
      .bind(cursor.full_sync_needed)
      .bind(cursor.updated_ms)
      .run();
}

Result<std::optional<CursorRow>> SqliteTxn::cursor(WorkspaceId workspace, LinkId link) {
  return read_one<CursorRow>(
      std::move(database_
                    .query("SELECT sync_token, full_sync_needed, updated_ms FROM cursors "
                           "WHERE workspace = ? AND link = ?")
                    .bind(workspace)
                    .bind(link)),
      [](const SqliteQuery& row) {
        return CursorRow{row.bytes(0), row.integer(1) != 0, row.integer(2)};
      });
}

Status SqliteTxn::put_channel(const LinkLease& lease, const ChannelRow& channel) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "INSERT INTO channels (workspace, link, channel, resource, token_hash, expires_ms, state) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, link, channel) DO UPDATE SET "
          "resource = excluded.resource, token_hash = excluded.token_hash, expires_ms = excluded.expires_ms, "
          "state = excluded.state")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(channel.channel)
      .bind(channel.resource)
      .bind(channel.token_hash)
      .bind(channel.expires_ms)
      .bind(channel.state)
      .run();
}

Result<std::vector<ChannelRow>> SqliteTxn::channels(WorkspaceId workspace, LinkId link) {
  return read_all<ChannelRow>(
      std::move(database_
                    .query("SELECT channel, resource, token_hash, expires_ms, state FROM channels "
                           "WHERE workspace = ? AND link = ? ORDER BY expires_ms, channel")
                    .bind(workspace)
                    .bind(link)),
      read_channel);
}

Result<std::optional<std::pair<LinkId, ChannelRow>>> SqliteTxn::channel(WorkspaceId workspace,
                                                                        ChannelId channel) {
  using Found = std::pair<LinkId, ChannelRow>;
  return read_one<Found>(
      std::move(database_
                    .query("SELECT channel, resource, token_hash, expires_ms, state, link FROM channels "
                           "WHERE workspace = ? AND channel = ?")
                    .bind(workspace)
                    .bind(channel)),
      [](const SqliteQuery& row) { return Found(row.id<LinkId>(5), read_channel(row)); });
}

Status SqliteTxn::delete_channel(const LinkLease& lease, ChannelId channel) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY_VOID(database_.query("DELETE FROM channels WHERE workspace = ? AND link = ? AND channel = ?")
                       .bind(lease.workspace)
                       .bind(lease.link)
                       .bind(channel)
                       .run());
  return expect_change("channel");
}

}  // namespace kalends
