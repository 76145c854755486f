// SPDX-License-Identifier: Apache-2.0
#include "worker/store/sqlite.h"

#include <sqlite3.h>

#include <cstring>

#include "worker/store/migrations.h"

namespace kalends {
namespace {

// The text names SQLite's reason, never a value.
Error sqlite_error(sqlite3* database, int code) {
  std::string reason = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return {ErrorCode::kConflict, "the database refuses the row: " + reason, 0};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable, "the database is busy with another process", 0};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return corrupt("the database file is damaged: " + reason);
    case SQLITE_TOOBIG:
      return invalid("a value is larger than the database takes");
    default:
      return {ErrorCode::kUnavailable, "the database cannot work: " + reason, 0};
  }
}

// A failing bind means a wrong number of parameters or no memory: our bug, or the end.
void expect_bound(int code) { KALENDS_CHECK(code == SQLITE_OK); }

}  // namespace

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

SqliteQuery::SqliteQuery(SqliteQuery&& other) noexcept
    : database_(other.database_),
      statement_(other.statement_),
      problem_(other.problem_),
      bound_(other.bound_) {
  other.statement_ = nullptr;
}

SqliteQuery& SqliteQuery::bind(int64_t value) {
  expect_bound(statement_ == nullptr ? SQLITE_OK : sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

SqliteQuery& SqliteQuery::bind(ByteView value) {
  // A null pointer would bind NULL; an empty blob is a value.
  const void* data = value.empty() ? "" : static_cast<const void*>(value.data());
  expect_bound(statement_ == nullptr
                   ? SQLITE_OK
                   : sqlite3_bind_blob64(statement_, ++bound_, data, value.size(), SQLITE_STATIC));
  return *this;
}

SqliteQuery& SqliteQuery::bind(std::string_view value) {
  const char* data = value.empty() ? "" : value.data();
  expect_bound(statement_ == nullptr ? SQLITE_OK
                                     : sqlite3_bind_text64(statement_, ++bound_, data, value.size(),
                                                           SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteQuery& SqliteQuery::bind(const std::optional<int64_t>& value) {
  if (value) return bind(*value);
  expect_bound(statement_ == nullptr ? SQLITE_OK : sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

SqliteQuery& SqliteQuery::bind(const std::optional<Bytes>& value) {
  if (value) return bind(ByteView(*value));
  expect_bound(statement_ == nullptr ? SQLITE_OK : sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

Result<bool> SqliteQuery::step() {
  if (statement_ == nullptr) return sqlite_error(database_, problem_);
  KALENDS_CHECK(bound_ == sqlite3_bind_parameter_count(statement_));
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(database_, code);
}

Status SqliteQuery::run() {
  KALENDS_TRY(bool has_row, step());
  KALENDS_CHECK(!has_row);
  return {};
}

int64_t SqliteQuery::integer(int column) const { return sqlite3_column_int64(statement_, column); }

bool SqliteQuery::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Bytes SqliteQuery::bytes(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

Id128 SqliteQuery::id128(int column) const {
  Id128 id;
  // The schema's CHECK holds the size; a damaged file must still not make us read past its end.
  const void* data = sqlite3_column_blob(statement_, column);
  if (data != nullptr && sqlite3_column_bytes(statement_, column) == 16)
    std::memcpy(id.bytes.data(), data, 16);
  return id;
}

Result<std::unique_ptr<Sqlite>> Sqlite::open(const SqliteOptions& options) {
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(options.path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Sqlite> database(new Sqlite(raw));
  if (code != SQLITE_OK) return sqlite_error(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, options.busy_timeout_ms);
  // FULL: a transaction that was answered survives a power cut. trusted_schema and defensive: the file is
  // data, not code. The cache is bounded, so that a large database costs no memory.
  KALENDS_TRY_VOID(
      database->execute("PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = FULL;"
                        "PRAGMA foreign_keys = ON;"
                        "PRAGMA trusted_schema = OFF;"
                        "PRAGMA cache_size = -8192;"
                        "PRAGMA journal_size_limit = 67108864;"));
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return database;
}

Sqlite::~Sqlite() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(database_);
}

Status Sqlite::execute(const std::string& sql) {
  int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  return {};
}

SqliteQuery Sqlite::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteQuery(database_, nullptr, code);
    found = statements_.emplace(std::string(sql), statement).first;
  }
  // Two uses of one statement at once would steal each other's rows.
  KALENDS_CHECK(sqlite3_stmt_busy(found->second) == 0);
  return SqliteQuery(database_, found->second, SQLITE_OK);
}

int64_t Sqlite::changed() const { return sqlite3_changes64(database_); }

Result<int64_t> Sqlite::user_version() {
  SqliteQuery query = this->query("PRAGMA user_version");
  KALENDS_TRY(bool has_row, query.step());
  KALENDS_CHECK(has_row);
  return query.integer(0);
}

Result<std::string> Sqlite::integrity() {
  SqliteQuery query = this->query("PRAGMA integrity_check(1)");
  KALENDS_TRY(bool has_row, query.step());
  KALENDS_CHECK(has_row);
  return std::string(as_text(query.bytes(0)));
}

Status migrate(Sqlite& database) {
  const auto migrations = schema_migrations();
  const auto newest = static_cast<int64_t>(migrations.size());
  // The version is read inside the transaction: two processes may start at once.
  KALENDS_TRY_VOID(database.execute("BEGIN IMMEDIATE"));
  auto advance = [&]() -> Status {
    KALENDS_TRY(int64_t version, database.user_version());
    if (version > newest) {
      return Error{ErrorCode::kUnsupportedVersion,
                   "the database was written by a newer Kalends (schema " + std::to_string(version) +
                       ", this one knows " + std::to_string(newest) +
                       "); update Kalends, or give it another data folder",
                   0};
    }
    for (int64_t next = version; next < newest; ++next) {
      KALENDS_TRY_VOID(database.execute(std::string(migrations[static_cast<size_t>(next)])));
      KALENDS_TRY_VOID(database.execute("PRAGMA user_version = " + std::to_string(next + 1)));
    }
    return database.execute("COMMIT");
  };
  Status outcome = advance();
  if (!outcome.ok()) (void)database.execute("ROLLBACK");
  return outcome;
}

}  // namespace kalends
