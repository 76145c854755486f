// SPDX-License-Identifier: Apache-2.0
#include "worker/store/store.h"

#include <sqlite3.h>

#include <chrono>

#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

constexpr int64_t kRetryMs = 5'000;

bool is_full(int code) { return (code & 0xff) == SQLITE_FULL; }

int64_t machine_now_ms() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  KALENDS_TRY_VOID(refresh_log(options));
  KALENDS_TRY(auto database, Sqlite::open(options));
  KALENDS_TRY_VOID(migrate(*database));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), options));
}

Result<std::unique_ptr<Txn>> SqliteStore::begin() {
  KALENDS_CHECK(!is_txn_open_);
  if (!refusal_.empty() && SteadyClock::now() >= next_heal_) heal();
  // IMMEDIATE: the wait for other writers is here, and no later statement can fail for their sake.
  KALENDS_TRY_VOID(database_->query("BEGIN IMMEDIATE").run());
  is_txn_open_ = true;
  return std::unique_ptr<Txn>(new SqliteTxn(*database_, *this));
}

void SqliteStore::txn_ended() {
  is_txn_open_ = false;
  if (database_->disk_failure() != 0) stop_writing(database_->disk_failure());
}

int64_t SqliteStore::txn_now_ms() const { return clock_ ? clock_->now_ms() : machine_now_ms(); }

void SqliteStore::stop_writing(int code) {
  database_->forget_disk_failure();
  has_doubtful_log_ = has_doubtful_log_ || !is_full(code);
  refusal_ =
      is_full(code)
          ? "The disk of the data folder is full: make room. Reading goes on, and writing by itself then."
          : "The disk of the data folder fails (SQLite " + std::to_string(code) +
                "): look at the system's log. Reading goes on; writing is tried again by itself.";
  next_heal_ = SteadyClock::now() + heal_gap_;
}

// After a flush that failed nobody knows which of the log's pages the disk has, and a second flush would say
// that all is well. So what was committed is first written anew, into the database, and the log begins anew.
void SqliteStore::heal() {
  next_heal_ = SteadyClock::now() + heal_gap_;
  auto try_it = [&]() -> Status {
    if (has_doubtful_log_) KALENDS_TRY_VOID(database_->checkpoint());
    KALENDS_TRY_VOID(database_->query("BEGIN IMMEDIATE").run());
    Status written =
        database_->query("INSERT OR REPLACE INTO meta (key, value) VALUES ('write_check', randomblob(16))")
            .run();
    if (written.ok()) written = database_->query("COMMIT").run();
    if (!written.ok()) (void)database_->query("ROLLBACK").run();
    return written;
  };
  Status healed = try_it();
  if (database_->disk_failure() != 0) return stop_writing(database_->disk_failure());
  if (!healed.ok()) return;
  has_doubtful_log_ = false;
  refusal_.clear();
}

SqliteTxn::~SqliteTxn() {
  if (!is_over_) (void)database_.query("ROLLBACK").run();
  if (!is_over_) home_.txn_ended();
}

Status SqliteTxn::commit() {
  KALENDS_CHECK(!is_over_);
  bool has_written = database_.total_changed() != changed_before_;
  Status outcome;
  if (has_written && !home_.txn_refusal().empty())
    outcome =
        Error{ErrorCode::kUnavailable,
              "Nothing can be stored at the moment: " + home_.txn_refusal() + " Try again in a few seconds.",
              kRetryMs};
  else
    outcome = database_.query("COMMIT").run();
  if (!outcome.ok()) (void)database_.query("ROLLBACK").run();
  is_over_ = true;
  home_.txn_ended();
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
