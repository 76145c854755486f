// SPDX-License-Identifier: Apache-2.0
#include "worker/store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "worker/store/migrations.h"

namespace kalends {
namespace {

constexpr int64_t kDiskRetryMs = 5'000;

void note_disk_failure(int code, int* disk_failure) {
  bool is_of_disk = (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR;
  if (is_of_disk && disk_failure) *disk_failure = code;
}

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
    case SQLITE_FULL:
      return {ErrorCode::kUnavailable,
              "Nothing can be stored at the moment: the disk is full. Reading goes on; try again in a few "
              "seconds.",
              kDiskRetryMs};
    case SQLITE_IOERR:
      return {ErrorCode::kUnavailable,
              "Nothing can be stored at the moment: the disk fails (" + std::to_string(code) +
                  "). Try again in a few seconds.",
              kDiskRetryMs};
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
      disk_failure_(other.disk_failure_),
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
  if (statement_ == nullptr) {
    note_disk_failure(problem_, disk_failure_);
    return sqlite_error(database_, problem_);
  }
  KALENDS_CHECK(bound_ == sqlite3_bind_parameter_count(statement_));
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  note_disk_failure(code, disk_failure_);
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
  int code =
      sqlite3_open_v2(options.path.c_str(), &raw, flags, options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Sqlite> database(new Sqlite(raw));
  if (code != SQLITE_OK) return sqlite_error(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, options.busy_timeout_ms);
  // FULL: a transaction that was answered survives a power cut. trusted_schema and defensive: the file is
  // data, not code. The cache is bounded, so that a large database costs no memory.
  KALENDS_TRY_VOID(
      database->execute("PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = " +
                        options.synchronous +
                        ";"
                        "PRAGMA wal_autocheckpoint = " +
                        std::to_string(options.checkpoint_pages) +
                        ";"
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
  note_disk_failure(code, &disk_failure_);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  return {};
}

int64_t Sqlite::total_changed() const { return sqlite3_total_changes64(database_); }

Status Sqlite::checkpoint() {
  int code = sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  note_disk_failure(code, &disk_failure_);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  return {};
}

SqliteQuery Sqlite::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteQuery(database_, nullptr, code, &disk_failure_);
    found = statements_.emplace(std::string(sql), statement).first;
  }
  // Two uses of one statement at once would steal each other's rows.
  KALENDS_CHECK(sqlite3_stmt_busy(found->second) == 0);
  return SqliteQuery(database_, found->second, SQLITE_OK, &disk_failure_);
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

Status refresh_log(const SqliteOptions& options) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(options.vfs.empty() ? nullptr : options.vfs.c_str());
  KALENDS_CHECK(vfs != nullptr);
  std::string name = options.path + "-wal";
  int is_there = 0;
  if (vfs->xAccess(vfs, name.c_str(), SQLITE_ACCESS_EXISTS, &is_there) != SQLITE_OK || !is_there) return {};
  // A VFS finds parameters behind a name: these have none.
  std::unique_ptr<const char, void (*)(const char*)> names(
      sqlite3_create_filename(options.path.c_str(), "", name.c_str(), 0, nullptr),
      [](const char* made) { sqlite3_free_filename(const_cast<char*>(made)); });
  std::vector<uint64_t> memory((static_cast<size_t>(vfs->szOsFile) + 7) / 8);
  auto* file = reinterpret_cast<sqlite3_file*>(memory.data());
  int code = vfs->xOpen(vfs, sqlite3_filename_wal(names.get()), file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL,
                        nullptr);
  if (code != SQLITE_OK) return sqlite_error(nullptr, code);
  sqlite3_int64 size = 0;
  code = file->pMethods->xFileSize(file, &size);
  Bytes part(65'536);  // SQLite's own way to files writes less than 128 KB at a time
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
    int amount =
        static_cast<int>(std::min<sqlite3_int64>(size - at, static_cast<sqlite3_int64>(part.size())));
    code = file->pMethods->xRead(file, part.data(), amount, at);
    if (code == SQLITE_OK) code = file->pMethods->xWrite(file, part.data(), amount, at);
    at += amount;
  }
  if (code == SQLITE_OK && size > 0) code = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
  file->pMethods->xClose(file);
  if (code != SQLITE_OK) return sqlite_error(nullptr, code);
  return {};
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
