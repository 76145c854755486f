// SPDX-License-Identifier: Apache-2.0
// Pairs of card and event, and the attempts to write them.
#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

PairRow read_pair(const SqliteQuery& row) {
  PairRow pair;
  pair.card = row.id<CardId>(0);
  pair.generation = row.count(1);
  if (!row.is_null(2)) pair.event_key = row.bytes(2);
  pair.shadow = row.bytes(3);
  pair.observation = row.bytes(4);
  pair.explain = row.bytes(5);
  pair.is_dirty = row.integer(6) != 0;
  pair.updated_ms = row.integer(7);
  pair.left_alone = row.bytes(8);
  return pair;
}

AttemptRow read_attempt(const SqliteQuery& row) {
  return {row.id<CardId>(0), row.count(1), row.integer(2), row.bytes(3), row.integer(4)};
}

Result<uint64_t> read_count(SqliteQuery query) {
  KALENDS_TRY(bool has_row, query.step());
  KALENDS_CHECK(has_row);
  return query.count(0);
}

}  // namespace

Status SqliteTxn::put_pair(const LinkLease& lease, const PairRow& pair) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "INSERT INTO pairs (workspace, link, card, generation, event_key, shadow, observation, explain, "
          "dirty, updated_ms, left_alone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (workspace, link, card) DO UPDATE SET "
          "generation = excluded.generation, event_key = excluded.event_key, shadow = excluded.shadow, "
          "observation = excluded.observation, explain = excluded.explain, dirty = excluded.dirty, "
          "updated_ms = excluded.updated_ms, left_alone = excluded.left_alone")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(pair.card)
      .bind(pair.generation)
      .bind(pair.event_key)
      .bind(pair.shadow)
      .bind(pair.observation)
      .bind(pair.explain)
      .bind(pair.is_dirty)
      .bind(pair.updated_ms)
      .bind(pair.left_alone)
      .run();
}

Status SqliteTxn::delete_pair(const LinkLease& lease, CardId card) {
  KALENDS_TRY_VOID(check_lease(lease));
  KALENDS_TRY_VOID(database_.query("DELETE FROM pairs WHERE workspace = ? AND link = ? AND card = ?")
                       .bind(lease.workspace)
                       .bind(lease.link)
                       .bind(card)
                       .run());
  return expect_change("pair");
}

Result<std::optional<PairRow>> SqliteTxn::pair(WorkspaceId workspace, LinkId link, CardId card) {
  return read_one<PairRow>(
      std::move(
          database_
              .query("SELECT card, generation, event_key, shadow, observation, explain, dirty, updated_ms, left_alone "
                     "FROM pairs WHERE workspace = ? AND link = ? AND card = ?")
              .bind(workspace)
              .bind(link)
              .bind(card)),
      read_pair);
}

Result<std::optional<PairRow>> SqliteTxn::pair_by_event(WorkspaceId workspace, LinkId link,
                                                        ByteView event_key) {
  return read_one<PairRow>(
      std::move(
          database_
              .query("SELECT card, generation, event_key, shadow, observation, explain, dirty, updated_ms, left_alone "
                     "FROM pairs WHERE workspace = ? AND link = ? AND event_key = ?")
              .bind(workspace)
              .bind(link)
              .bind(event_key)),
      read_pair);
}

Result<std::vector<PairRow>> SqliteTxn::pairs(WorkspaceId workspace, LinkId link, CardId after_card,
                                              size_t limit) {
  return read_all<PairRow>(
      std::move(
          database_
              .query("SELECT card, generation, event_key, shadow, observation, explain, dirty, updated_ms, left_alone "
                     "FROM pairs WHERE workspace = ? AND link = ? AND card > ? ORDER BY card LIMIT ?")
              .bind(workspace)
              .bind(link)
              .bind(after_card)
              .bind(uint64_t{limit})),
      read_pair);
}

Result<std::vector<CardId>> SqliteTxn::dirty_pairs(WorkspaceId workspace, LinkId link, size_t limit) {
  return read_all<CardId>(
      std::move(database_
                    .query("SELECT card FROM pairs WHERE workspace = ? AND link = ? AND dirty <> 0 "
                           "ORDER BY updated_ms, card LIMIT ?")
                    .bind(workspace)
                    .bind(link)
                    .bind(uint64_t{limit})),
      [](const SqliteQuery& row) { return row.id<CardId>(0); });
}

Result<uint64_t> SqliteTxn::count_pairs(WorkspaceId workspace, LinkId link) {
  return read_count(std::move(database_.query("SELECT count(*) FROM pairs WHERE workspace = ? AND link = ?")
                                  .bind(workspace)
                                  .bind(link)));
}

Result<uint64_t> SqliteTxn::count_dirty_pairs(WorkspaceId workspace, LinkId link) {
  return read_count(
      std::move(database_.query("SELECT count(*) FROM pairs WHERE workspace = ? AND link = ? AND dirty <> 0")
                    .bind(workspace)
                    .bind(link)));
}

Status SqliteTxn::mark_pair_dirty(WorkspaceId workspace, LinkId link, CardId card, int64_t now_ms) {
  // A pair that is dirty already keeps its place in the queue.
  return database_
      .query(
          "INSERT INTO pairs (workspace, link, card, generation, event_key, shadow, observation, explain, "
          "dirty, "
          "updated_ms) VALUES (?, ?, ?, 0, NULL, x'', x'', x'', 1, ?) ON CONFLICT (workspace, link, card) "
          "DO UPDATE SET dirty = 1, updated_ms = excluded.updated_ms WHERE dirty = 0")
      .bind(workspace)
      .bind(link)
      .bind(card)
      .bind(now_ms)
      .run();
}

Status SqliteTxn::put_attempt(const LinkLease& lease, const AttemptRow& attempt) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_
      .query(
          "INSERT INTO attempts (workspace, link, card, generation, kind, request, started_ms) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, link, card, generation, kind) DO UPDATE SET "
          "request = excluded.request, started_ms = excluded.started_ms")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(attempt.card)
      .bind(attempt.generation)
      .bind(attempt.kind)
      .bind(attempt.request)
      .bind(attempt.started_ms)
      .run();
}

Result<std::vector<AttemptRow>> SqliteTxn::attempts(WorkspaceId workspace, LinkId link) {
  return read_all<AttemptRow>(
      std::move(database_
                    .query("SELECT card, generation, kind, request, started_ms FROM attempts "
                           "WHERE workspace = ? AND link = ? ORDER BY card, generation, kind")
                    .bind(workspace)
                    .bind(link)),
      read_attempt);
}

Result<std::vector<AttemptRow>> SqliteTxn::attempts_of_card(WorkspaceId workspace, LinkId link, CardId card) {
  return read_all<AttemptRow>(
      std::move(database_
                    .query("SELECT card, generation, kind, request, started_ms FROM attempts "
                           "WHERE workspace = ? AND link = ? AND card = ? ORDER BY generation, kind")
                    .bind(workspace)
                    .bind(link)
                    .bind(card)),
      read_attempt);
}

Status SqliteTxn::delete_attempts(const LinkLease& lease, CardId card) {
  KALENDS_TRY_VOID(check_lease(lease));
  return database_.query("DELETE FROM attempts WHERE workspace = ? AND link = ? AND card = ?")
      .bind(lease.workspace)
      .bind(lease.link)
      .bind(card)
      .run();
}

}  // namespace kalends
