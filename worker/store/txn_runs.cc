// SPDX-License-Identifier: Apache-2.0
// Runs of links, and what they did.
#include "worker/store/sqlite_txn.h"

#include <algorithm>

namespace kalends {
namespace {

RunRow read_run(const SqliteQuery& row) {
  RunRow run{row.count(0), row.integer(1), std::nullopt, row.bytes(3)};
  if (!row.is_null(2)) run.finished_ms = row.integer(2);
  return run;
}

EntryRow read_entry(const SqliteQuery& row) {
  return {row.count(0),   row.count(1),        row.id<CardId>(2), row.integer(3),
          row.integer(4), row.integer(5) != 0, row.integer(6),    row.bytes(7)};
}

}  // namespace

Result<uint64_t> SqliteTxn::start_run(const LinkLease& lease, int64_t now_ms) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY(uint64_t last, last_run(lease.workspace, lease.link));
  uint64_t run = last + 1;
  KALENDS_TRY_VOID(database_
                       .query("INSERT INTO runs (workspace, link, run, started_ms, finished_ms, report) "
                              "VALUES (?, ?, ?, ?, NULL, x'')")
                       .bind(lease.workspace)
                       .bind(lease.link)
                       .bind(run)
                       .bind(now_ms)
                       .run());
  return run;
}

Status SqliteTxn::finish_run(const LinkLease& lease, uint64_t run, int64_t now_ms, ByteView report) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY_VOID(
      database_
          .query("UPDATE runs SET finished_ms = ?, report = ? WHERE workspace = ? AND link = ? AND run = ?")
          .bind(now_ms)
          .bind(report)
          .bind(lease.workspace)
          .bind(lease.link)
          .bind(run)
          .run());
  return expect_change("run");
}

Result<std::vector<RunRow>> SqliteTxn::runs(WorkspaceId workspace, LinkId link, size_t limit) {
  return read_all<RunRow>(std::move(database_
                                        .query("SELECT run, started_ms, finished_ms, report FROM runs "
                                               "WHERE workspace = ? AND link = ? ORDER BY run DESC LIMIT ?")
                                        .bind(workspace)
                                        .bind(link)
                                        .bind(uint64_t{limit})),
                          read_run);
}

Result<std::optional<RunRow>> SqliteTxn::run(WorkspaceId workspace, LinkId link, uint64_t run) {
  return read_one<RunRow>(std::move(database_
                                        .query("SELECT run, started_ms, finished_ms, report FROM runs "
                                               "WHERE workspace = ? AND link = ? AND run = ?")
                                        .bind(workspace)
                                        .bind(link)
                                        .bind(run)),
                          read_run);
}

Result<uint64_t> SqliteTxn::last_run(WorkspaceId workspace, LinkId link) {
  SqliteQuery query =
      database_.query("SELECT coalesce(max(run), 0) FROM runs WHERE workspace = ? AND link = ?");
  query.bind(workspace).bind(link);
  KALENDS_TRY(bool has_row, query.step());
  KALENDS_CHECK(has_row);
  return query.count(0);
}

Status SqliteTxn::keep_newest_runs(const LinkLease& lease, size_t count) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "DELETE FROM runs WHERE workspace = ?1 AND link = ?2 AND run <= "
          "(SELECT max(run) FROM runs WHERE workspace = ?1 AND link = ?2) - ?3")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(uint64_t{count})
      .run();
}

Status SqliteTxn::forget_runs(const LinkLease& lease, const RunsKept& kept) {
  KALENDS_TRY_VOID(keep_newest_runs(lease, std::max<size_t>(kept.count, 1)));
  KALENDS_TRY(uint64_t last, last_run(lease.workspace, lease.link));
  KALENDS_TRY_VOID(
      database_.query("DELETE FROM runs WHERE workspace = ? AND link = ? AND started_ms < ? AND run < ?")
          .bind(lease.workspace)
          .bind(lease.link)
          .bind(kept.started_ms)
          .bind(last)
          .run());
  // A run goes where the entries of the runs after it fill the bound already.
  return database_
      .query(
          "DELETE FROM runs WHERE workspace = ?1 AND link = ?2 AND run < ?3 AND run <= "
          "(SELECT run FROM entries WHERE workspace = ?1 AND link = ?2 "
          "ORDER BY run DESC, entry DESC LIMIT 1 OFFSET ?4)")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(last)
      .bind(uint64_t{kept.entries_max})
      .run();
}

Result<uint64_t> SqliteTxn::append_entry(const LinkLease& lease, const EntryRow& entry) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY(std::optional<RunRow> known, run(lease.workspace, lease.link, entry.run));
  if (!known) return not_found("there is no such run");
  uint64_t number = 1;
  {
    SqliteQuery query = database_.query(
        "SELECT coalesce(max(entry), 0) FROM entries WHERE workspace = ? AND link = ? AND run = ?");
    query.bind(lease.workspace).bind(lease.link).bind(entry.run);
    KALENDS_TRY(bool has_row, query.step());
    KALENDS_CHECK(has_row);
    number = query.count(0) + 1;
  }
  KALENDS_TRY_VOID(
      database_
          .query("INSERT INTO entries (workspace, link, run, entry, card, kind, outcome, deletes, "
                 "at_ms, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
          .bind(lease.workspace)
          .bind(lease.link)
          .bind(entry.run)
          .bind(number)
          .bind(entry.card)
          .bind(entry.kind)
          .bind(entry.outcome)
          .bind(entry.deletes)
          .bind(entry.at_ms)
          .bind(entry.content)
          .run());
  return number;
}

Status SqliteTxn::update_entry(const LinkLease& lease, const EntryRow& entry) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY_VOID(database_
                       .query("UPDATE entries SET kind = ?, outcome = ?, deletes = ?, at_ms = ?, content = ? "
                              "WHERE workspace = ? AND link = ? AND run = ? AND entry = ? AND card = ?")
                       .bind(entry.kind)
                       .bind(entry.outcome)
                       .bind(entry.deletes)
                       .bind(entry.at_ms)
                       .bind(entry.content)
                       .bind(lease.workspace)
                       .bind(lease.link)
                       .bind(entry.run)
                       .bind(entry.entry)
                       .bind(entry.card)
                       .run());
  return expect_change("entry");
}

Result<std::optional<EntryRow>> SqliteTxn::unanswered_entry(WorkspaceId workspace, LinkId link, CardId card) {
  return read_one<EntryRow>(
      std::move(database_
                    .query("SELECT run, entry, card, kind, outcome, deletes, at_ms, content FROM entries "
                           "WHERE workspace = ? AND link = ? AND card = ? AND outcome = 0")
                    .bind(workspace)
                    .bind(link)
                    .bind(card)),
      read_entry);
}

Result<std::vector<EntryRow>> SqliteTxn::entries(WorkspaceId workspace, LinkId link, uint64_t run,
                                                 uint64_t after_entry, size_t limit) {
  return read_all<EntryRow>(
      std::move(
          database_
              .query("SELECT run, entry, card, kind, outcome, deletes, at_ms, content FROM entries "
                     "WHERE workspace = ? AND link = ? AND run = ? AND entry > ? ORDER BY entry LIMIT ?")
              .bind(workspace)
              .bind(link)
              .bind(run)
              .bind(after_entry)
              .bind(uint64_t{limit})),
      read_entry);
}

Result<std::vector<EntryRow>> SqliteTxn::entries_of_card(WorkspaceId workspace, LinkId link, CardId card,
                                                         size_t limit) {
  return read_all<EntryRow>(
      std::move(
          database_
              .query("SELECT run, entry, card, kind, outcome, deletes, at_ms, content FROM entries "
                     "WHERE workspace = ? AND link = ? AND card = ? ORDER BY run DESC, entry DESC LIMIT ?")
              .bind(workspace)
              .bind(link)
              .bind(card)
              .bind(uint64_t{limit})),
      read_entry);
}

Result<std::vector<EntryRow>> SqliteTxn::deleting_entries_since(WorkspaceId workspace, LinkId link,
                                                                int64_t since_ms) {
  return read_all<EntryRow>(
      std::move(database_
                    .query("SELECT run, entry, card, kind, outcome, deletes, at_ms, content FROM entries "
                           "WHERE workspace = ? AND link = ? AND at_ms >= ? AND deletes <> 0 ORDER BY at_ms")
                    .bind(workspace)
                    .bind(link)
                    .bind(since_ms)),
      read_entry);
}

}  // namespace kalends
