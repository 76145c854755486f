// SPDX-License-Identifier: Apache-2.0
#include "worker/store/sqlite.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/worker/temporary_folder.h"
#include "worker/store/migrations.h"
#include "worker/store/store.h"

namespace kalends {
namespace {

TEST_CASE("A database of a newer schema is refused with what to do and left as it is") {
  TemporaryFolder folder;
  std::string path = folder.path() + "/kalends.db";
  {
    auto database = Sqlite::open({path}).value();
    REQUIRE(database->execute("PRAGMA user_version = 999").ok());
  }
  auto refused = SqliteStore::open({path});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnsupportedVersion);
  CHECK(refused.error().message.find("update Kalends") != std::string::npos);
  CHECK(Sqlite::open({path}).value()->user_version().value() == 999);
}

TEST_CASE("Opening migrates to the newest schema once and keeps the data") {
  TemporaryFolder folder;
  std::string path = folder.path() + "/kalends.db";
  for (int round = 0; round < 2; ++round) {
    auto store = SqliteStore::open({path}).value();
    auto txn = store->begin().value();
    REQUIRE(txn->set_meta(round == 0 ? "a" : "b", Bytes{1}).ok());
    REQUIRE(txn->commit().ok());
  }
  auto store = SqliteStore::open({path}).value();
  auto txn = store->begin().value();
  CHECK(txn->meta("a").value().has_value());
  CHECK(txn->meta("b").value().has_value());
  txn.reset();
  CHECK(store->integrity().value() == "ok");
  CHECK(Sqlite::open({path}).value()->user_version().value() ==
        static_cast<int64_t>(schema_migrations().size()));
}

TEST_CASE("What a worker that died has left in its log is there, also when the log is long") {
  for (size_t bytes : {size_t{100}, size_t{100'000}, size_t{131'072}, size_t{500'000}, size_t{2'000'000}}) {
    TemporaryFolder folder, after;
    std::string path = folder.path() + "/kalends.db";
    SqliteOptions options{path};
    options.checkpoint_pages = 1'000'000;
    auto store = SqliteStore::open(options).value();
    for (uint8_t i = 0; i < 3; ++i) {
      auto txn = store->begin().value();
      REQUIRE(txn->set_meta("a", Bytes(bytes, i)).ok());
      REQUIRE(txn->commit().ok());
    }
    for (const char* end : {"", "-wal"})
      std::filesystem::copy_file(path + end, after.path() + "/kalends.db" + end);
    auto next = SqliteStore::open({after.path() + "/kalends.db"});
    REQUIRE(next.ok());
    CHECK(*(*next)->begin().value()->meta("a").value() == Bytes(bytes, 2));
    CHECK((*next)->integrity().value() == "ok");
  }
}

TEST_CASE("A file that is no database gives corrupt, a folder that is not there gives unavailable") {
  TemporaryFolder folder;
  std::ofstream(folder.path() + "/bad.db") << std::string(4096, 'x');
  auto bad = SqliteStore::open({folder.path() + "/bad.db"});
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == ErrorCode::kCorrupt);
  auto missing = SqliteStore::open({folder.path() + "/none/kalends.db"});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("A second writer waits its time and then is told that the database is busy") {
  TemporaryFolder folder;
  std::string path = folder.path() + "/kalends.db";
  auto first = SqliteStore::open({path, 0}).value();
  auto second = SqliteStore::open({path, 0}).value();
  auto txn = first->begin().value();
  auto refused = second->begin();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  txn.reset();
  CHECK(second->begin().ok());
}

TEST_CASE("The database keeps its promises: WAL, full flushes, foreign keys") {
  TemporaryFolder folder;
  auto database = Sqlite::open({folder.path() + "/kalends.db"}).value();
  auto pragma = [&](std::string_view sql) {
    SqliteQuery query = database->query(sql);
    REQUIRE(query.step().value());
    return std::string(as_text(query.bytes(0)));
  };
  CHECK(pragma("PRAGMA journal_mode") == "wal");
  CHECK(pragma("PRAGMA synchronous") == "2");
  CHECK(pragma("PRAGMA foreign_keys") == "1");
}

TEST_CASE("Every table but meta has the workspace first in its primary key, not null, and is strict") {
  auto database = Sqlite::open({":memory:"}).value();
  REQUIRE(migrate(*database).ok());
  SqliteQuery tables = database->query(
      "SELECT t.name, t.strict, (SELECT c.name FROM pragma_table_info(t.name) c WHERE c.pk = 1), "
      "(SELECT c.\"notnull\" FROM pragma_table_info(t.name) c WHERE c.pk = 1) "
      "FROM pragma_table_list t WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'");
  int count = 0;
  while (tables.step().value()) {
    std::string name(as_text(tables.bytes(0)));
    CAPTURE(name);
    CHECK(tables.integer(1) == 1);
    CHECK(as_text(tables.bytes(2)) == (name == "meta" ? "key" : "workspace"));
    CHECK(tables.integer(3) == 1);
    ++count;
  }
  // The list of tables was read at all.
  CHECK(count >= 14);
}

TEST_CASE("Columns are ids, numbers or opaque bytes: no column of text but the key of meta") {
  auto database = Sqlite::open({":memory:"}).value();
  REQUIRE(migrate(*database).ok());
  SqliteQuery columns = database->query(
      "SELECT t.name || '.' || c.name FROM pragma_table_list t, pragma_table_info(t.name) c "
      "WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND c.type NOT IN ('BLOB', 'INTEGER')");
  REQUIRE(columns.step().value());
  CHECK(as_text(columns.bytes(0)) == "meta.key");
  CHECK_FALSE(columns.step().value());
}

}  // namespace
}  // namespace kalends
