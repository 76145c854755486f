// SPDX-License-Identifier: Apache-2.0
// A database of every schema that there ever was opens, is whole, and holds what it held. The databases are
// in tests/fixtures/schema; a new schema adds one (make.mjs there), none is ever changed.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/worker/temporary_folder.h"
#include "worker/store/migrations.h"
#include "worker/store/store.h"

namespace kalends::test {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string fixture(size_t version) {
  return std::string(KALENDS_FIXTURES) + "/schema/v" + std::to_string(version) + ".sql";
}

std::vector<std::string> texts(Sqlite& database, const std::string& sql) {
  std::vector<std::string> found;
  SqliteQuery query = database.query(sql);
  while (*query.step()) found.emplace_back(as_text(query.bytes(0)));
  return found;
}

// Table → the SQL that shows its rows by the columns that it has now.
std::map<std::string, std::string> readers(Sqlite& database) {
  std::map<std::string, std::string> found;
  for (const std::string& table :
       texts(database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")) {
    std::string columns;
    for (const std::string& column : texts(database, "SELECT name FROM pragma_table_info('" + table + "')"))
      columns += (columns.empty() ? "quote(" : " || ' ' || quote(") + column + ")";
    found[table] = "SELECT " + columns + " FROM " + table + " ORDER BY 1";
  }
  return found;
}

}  // namespace

TEST_CASE("there is a database of every schema version, and of no other") {
  size_t newest = schema_migrations().size();
  for (size_t version = 1; version <= newest; ++version) {
    INFO("node tests/fixtures/schema/make.mjs writes the newest");
    CHECK(std::filesystem::exists(fixture(version)));
  }
  CHECK_FALSE(std::filesystem::exists(fixture(newest + 1)));
}

TEST_CASE("a database of every earlier schema is brought to the newest with all its data") {
  for (size_t version = 1; version <= schema_migrations().size(); ++version) {
    INFO("schema " << version);
    TemporaryFolder folder;
    std::string path = folder.path() + "/kalends.db";
    std::map<std::string, std::string> how;
    std::map<std::string, std::vector<std::string>> before;
    {
      auto database = *Sqlite::open({path});
      REQUIRE(database->execute("PRAGMA foreign_keys = OFF").ok());
      REQUIRE(database->execute(read_text(fixture(version))).ok());
      REQUIRE(*database->user_version() == static_cast<int64_t>(version));
      how = readers(*database);
      for (const auto& [table, sql] : how) {
        before[table] = texts(*database, sql);
        INFO(table);
        CHECK_FALSE(before[table].empty());
      }
      CHECK(before.size() >= 14);
    }
    {
      auto store = SqliteStore::open({path});
      REQUIRE(store.ok());
      CHECK(*(*store)->integrity() == "ok");
      auto txn = *(*store)->begin();
      auto workspaces = *txn->workspaces();
      REQUIRE(workspaces.size() == 1);
      CHECK(txn->documents(workspaces[0])->size() == 1);
      CHECK(txn->links(workspaces[0])->size() == 1);
    }
    auto database = *Sqlite::open({path});
    CHECK(*database->user_version() == static_cast<int64_t>(schema_migrations().size()));
    CHECK(texts(*database, "SELECT \"table\" FROM pragma_foreign_key_check").empty());
    for (const auto& [table, rows] : before) {
      INFO(table);
      CHECK(texts(*database, how[table]) == rows);
    }
  }
}

TEST_CASE("a schema that was released is the one that its database has: migrations are never edited") {
  for (size_t version = 1; version <= schema_migrations().size(); ++version) {
    auto made = *Sqlite::open({":memory:"});
    for (size_t entry = 0; entry < version; ++entry)
      REQUIRE(made->execute(std::string(schema_migrations()[entry])).ok());
    auto kept = *Sqlite::open({":memory:"});
    REQUIRE(kept->execute(read_text(fixture(version))).ok());
    const char* all = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1";
    CHECK(texts(*made, all) == texts(*kept, all));
  }
}

}  // namespace kalends::test
