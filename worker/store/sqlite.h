// SPDX-License-Identifier: Apache-2.0
// A thin owner of one SQLite connection: prepared statements are kept, results are values, errors are Errors.
// For one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "worker/ports/clock.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kalends {

struct SqliteOptions {
  std::string path;  // ":memory:" for tests
  int busy_timeout_ms = 5'000;
  const Clock* clock = nullptr;  // judges leases; none: the machine's
  std::string vfs = {};              // SQLite's way to files; empty: the system's
  std::string synchronous = "FULL";  // less loses what was acknowledged when the power goes
  int checkpoint_pages = 1'000;
  int64_t heal_gap_ms = 5'000;  // after a write that the disk refused: between two tries
};

// One use of a prepared statement: bind in order, then step until it gives false. Ends when destroyed.
// Binding takes no copies: what is bound must live until the last step.
class SqliteQuery {
 public:
  // A null statement could not be prepared (`problem` is SQLite's code): step gives the error. What the disk
  // refuses is noted in *disk_failure.
  SqliteQuery(sqlite3* database, sqlite3_stmt* statement, int problem, int* disk_failure)
      : database_(database), statement_(statement), problem_(problem), disk_failure_(disk_failure) {}
  ~SqliteQuery();
  SqliteQuery(SqliteQuery&& other) noexcept;
  SqliteQuery& operator=(SqliteQuery&&) = delete;

  SqliteQuery& bind(int64_t value);
  SqliteQuery& bind(uint64_t value) { return bind(static_cast<int64_t>(value)); }
  SqliteQuery& bind(bool value) { return bind(int64_t{value}); }
  SqliteQuery& bind(ByteView value);
  SqliteQuery& bind(const Bytes& value) { return bind(ByteView(value)); }
  SqliteQuery& bind(std::string_view value);
  SqliteQuery& bind(const std::optional<int64_t>& value);
  SqliteQuery& bind(const std::optional<Bytes>& value);
  template <typename Tag>
  SqliteQuery& bind(const Id<Tag>& id) {
    return bind(ByteView(id.raw.bytes));
  }

  // True: a row is there to be read. False: the end.
  Result<bool> step();
  // For statements without rows.
  Status run();

  // Columns are read in their order, 0 first.
  int64_t integer(int column) const;
  uint64_t count(int column) const { return static_cast<uint64_t>(integer(column)); }
  bool is_null(int column) const;
  Bytes bytes(int column) const;
  template <typename TypedId>
  TypedId id(int column) const {
    return TypedId{id128(column)};
  }

 private:
  Id128 id128(int column) const;

  sqlite3* database_;
  sqlite3_stmt* statement_;
  int problem_;
  int* disk_failure_;
  int bound_ = 0;
};

class Sqlite {
 public:
  // Opens or makes the file: WAL, synchronous=FULL, foreign keys on.
  // kUnavailable: the path cannot be opened. kCorrupt: it is no database.
  static Result<std::unique_ptr<Sqlite>> open(const SqliteOptions& options);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // Several statements without parameters (pragmas, migrations).
  Status execute(const std::string& sql);
  // Requires: `sql` is one valid statement, written in our source; its parameters are bound, never pasted.
  SqliteQuery query(std::string_view sql);
  // Rows changed by the last insert, update or delete.
  int64_t changed() const;
  Result<int64_t> user_version();
  // "ok", or what is damaged.
  Result<std::string> integrity();
  // Rows changed on this connection so far.
  int64_t total_changed() const;
  // SQLite's code of the last thing that the disk refused; 0: nothing since it was forgotten.
  int disk_failure() const { return disk_failure_; }
  void forget_disk_failure() { disk_failure_ = 0; }
  // Moves the whole log into the database, flushed, and empties it. kUnavailable: not wholly.
  Status checkpoint();

 private:
  explicit Sqlite(sqlite3* database) : database_(database) {}

  sqlite3* database_;
  int disk_failure_ = 0;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

// Writes the log beside the database anew, byte by byte, and flushes it. A process that has died may have
// left pages there that a failed flush never brought to the disk; reading them from memory as committed, and
// building on them, would lose what comes after when the power goes. Requires: nobody writes to the database.
Status refresh_log(const SqliteOptions& options);

// Brings a database from its user_version to the newest, in one transaction.
// kUnsupportedVersion: it was written by a newer Kalends.
Status migrate(Sqlite& database);

}  // namespace kalends
