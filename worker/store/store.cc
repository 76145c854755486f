// SPDX-License-Identifier: Apache-2.0
#include "worker/store/store.h"

#include <chrono>

#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

int64_t machine_now_ms() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  KALENDS_TRY(auto database, Sqlite::open(options));
  KALENDS_TRY_VOID(migrate(*database));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), options.clock));
}

Result<std::unique_ptr<Txn>> SqliteStore::begin() {
  KALENDS_CHECK(!is_txn_open_);
  // IMMEDIATE: the wait for other writers is here, and no later statement can fail for their sake.
  KALENDS_TRY_VOID(database_->query("BEGIN IMMEDIATE").run());
  is_txn_open_ = true;
  int64_t now_ms = clock_ ? clock_->now_ms() : machine_now_ms();
  return std::unique_ptr<Txn>(std::make_unique<SqliteTxn>(*database_, &is_txn_open_, now_ms));
}

SqliteTxn::~SqliteTxn() {
  if (!is_over_) (void)database_.query("ROLLBACK").run();
  *is_open_ = false;
}

Status SqliteTxn::commit() {
  KALENDS_CHECK(!is_over_);
  Status outcome = database_.query("COMMIT").run();
  if (!outcome.ok()) (void)database_.query("ROLLBACK").run();
  is_over_ = true;
  *is_open_ = false;
  return outcome;
}

Status SqliteTxn::expect_change(std::string_view what) {
  if (database_.changed() == 0) return not_found("there is no such " + std::string(what));
  return {};
}

Result<std::optional<Bytes>> SqliteTxn::meta(std::string_view key) {
  return read_one<Bytes>(std::move(database_.query("SELECT value FROM meta WHERE key = ?").bind(key)),
                         [](const SqliteQuery& row) { return row.bytes(0); });
}

Status SqliteTxn::set_meta(std::string_view key, ByteView value) {
  return database_
      .query(
          "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = "
          "excluded.value")
      .bind(key)
      .bind(value)
      .run();
}

Status SqliteTxn::ensure_workspace(WorkspaceId workspace, int64_t now_ms) {
  return database_.query("INSERT OR IGNORE INTO workspaces (workspace, created_ms) VALUES (?, ?)")
      .bind(workspace)
      .bind(now_ms)
      .run();
}

Result<std::vector<WorkspaceId>> SqliteTxn::workspaces() {
  return read_all<WorkspaceId>(database_.query("SELECT workspace FROM workspaces ORDER BY workspace"),
                               [](const SqliteQuery& row) { return row.id<WorkspaceId>(0); });
}

}  // namespace kalends
