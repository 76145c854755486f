// SPDX-License-Identifier: Apache-2.0
#include "worker/store/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "worker/store/migrations.h"
#include "worker/store/sqlite.h"

namespace kalends {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Connection = std::unique_ptr<sqlite3, Close>;

Error trouble(const std::string& what, sqlite3* database) {
  int code = sqlite3_errcode(database) & 0xff;
  std::string message = what + ": " + sqlite3_errmsg(database) + ".";
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) return corrupt(message);
  if (code == SQLITE_FULL) message += " Make room on the disk, then try again.";
  return Error{ErrorCode::kUnavailable, message, 0};
}

Result<Connection> connect(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(raw);
  if (code != SQLITE_OK) return trouble("The database " + path + " cannot be opened", raw);
  sqlite3_busy_timeout(raw, 10'000);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return connection;
}

Status run(const Connection& connection, const char* sql, const std::string& what) {
  if (sqlite3_exec(connection.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return trouble(what, connection.get());
  return {};
}

Status flush(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  bool is_fine = file >= 0 && ::fsync(file) == 0;
  int reason = errno;
  if (file >= 0) ::close(file);
  if (is_fine) return {};
  return Error{ErrorCode::kUnavailable,
               path + " cannot be flushed to its disk: " + std::strerror(reason) + ". Choose another disk.",
               0};
}

// First row of a pragma that says "ok" or what is wrong; a foreign key's violation is a row.
Result<std::string> first_row(const Connection& connection, const char* sql) {
  std::string text;
  auto keep = [](void* out, int count, char** values, char**) {
    auto& kept = *static_cast<std::string*>(out);
    if (kept.empty() && count > 0 && values[0]) kept = values[0];
    return 0;
  };
  if (sqlite3_exec(connection.get(), sql, keep, &text, nullptr) != SQLITE_OK)
    return trouble("The database cannot be read", connection.get());
  return text;
}

}  // namespace

Status check_database(const std::string& path) {
  KALENDS_TRY(Connection connection, connect(path, SQLITE_OPEN_READWRITE));
  KALENDS_TRY_VOID(
      run(connection, "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;", path + " is no database"));
  KALENDS_TRY(std::string whole, first_row(connection, "PRAGMA integrity_check(1)"));
  if (whole != "ok") return corrupt(path + " is damaged: " + whole + ". Use another backup.");
  KALENDS_TRY(std::string dangling, first_row(connection, "PRAGMA foreign_key_check"));
  if (!dangling.empty())
    return corrupt(path + " is damaged: rows of " + dangling + " hang loose. Use another backup.");
  return {};
}

Status expect_own_schema(const std::string& path) {
  auto parts = [](Sqlite& database) -> Result<std::vector<std::string>> {
    std::vector<std::string> found;
    SqliteQuery query = database.query(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1");
    while (true) {
      KALENDS_TRY(bool has_row, query.step());
      if (!has_row) return found;
      found.emplace_back(as_text(query.bytes(0)));
    }
  };
  KALENDS_TRY(auto database, Sqlite::open({path}));
  KALENDS_TRY(int64_t version, database->user_version());
  const auto migrations = schema_migrations();
  if (version > static_cast<int64_t>(migrations.size()))
    return Error{ErrorCode::kUnsupportedVersion,
                 path + " was written by a newer Kalends: update this one, then try again.", 0};
  KALENDS_TRY(auto expected, Sqlite::open({":memory:"}));
  for (int64_t entry = 0; entry < version; ++entry)
    KALENDS_TRY_VOID(expected->execute(std::string(migrations[static_cast<size_t>(entry)])));
  KALENDS_TRY(std::vector<std::string> there, parts(*database));
  KALENDS_TRY(std::vector<std::string> ours, parts(*expected));
  if (version < 1 || there != ours)
    return invalid(path +
                   " is no backup of Kalends': its tables are others. Give what `kalends backup` wrote.");
  return {};
}

Status settle_database(const std::string& path) {
  KALENDS_TRY(Connection connection, connect(path, SQLITE_OPEN_READWRITE));
  return run(connection, "PRAGMA wal_checkpoint(TRUNCATE)", "The database " + path + " cannot be settled");
}

Status copy_database(const std::string& source, const std::string& target) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored))
    return Error{ErrorCode::kConflict, target + " is there already: give the name of a new file.", 0};
  // Nobody else may read it, and a half one is never taken for a whole one.
  std::string half = target + ".half";
  std::filesystem::remove(half, ignored);
  int made = ::open(half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0)
    return Error{ErrorCode::kUnavailable, target + " cannot be written: " + std::strerror(errno) + ".", 0};
  ::close(made);
  Status status = [&]() -> Status {
    KALENDS_TRY(Connection from, connect(source, SQLITE_OPEN_READWRITE));
    KALENDS_TRY(Connection to, connect(half, SQLITE_OPEN_READWRITE));
    sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
    if (!backup) return trouble("The backup cannot begin", to.get());
    // All at once: one moment of the database. Writers go on meanwhile, into their log.
    int code;
    do {
      code = sqlite3_backup_step(backup, -1);
      if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(50);
    } while (code == SQLITE_BUSY || code == SQLITE_LOCKED);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE) return trouble("The backup could not be finished", to.get());
    KALENDS_TRY_VOID(run(to, "PRAGMA journal_mode = DELETE", "The backup could not be closed"));
    to.reset();
    KALENDS_TRY_VOID(check_database(half));
    return flush(half);
  }();
  if (status.ok() && ::rename(half.c_str(), target.c_str()) != 0)
    status = Error{ErrorCode::kUnavailable, target + " cannot be written: " + std::strerror(errno) + ".", 0};
  for (const char* end : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(half + end, ignored);
  if (status.ok()) status = flush(std::filesystem::absolute(target).parent_path().string());
  return status;
}

}  // namespace kalends
