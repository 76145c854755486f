// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

constexpr int64_t kTestDayMs = 24 * 3600 * 1000LL;

// Reads every page; adds the ids to `ids` and gives the sync token of the last page.
std::string read_all(TestModel& test, const std::string& query, std::vector<std::string>& ids) {
  std::string page;
  while (true) {
    Answer answer = test.ask("GET", test.events("?" + query + (page.empty() ? "" : "&pageToken=" + page)));
    REQUIRE(answer.status == 200);
    for (const Json& item : answer.body["items"]) ids.push_back(item["id"]);
    CHECK(answer.body.contains("nextPageToken") != answer.body.contains("nextSyncToken"));
    if (answer.body.contains("nextSyncToken")) return answer.body["nextSyncToken"];
    page = answer.body["nextPageToken"];
  }
}

void insert_many(TestModel& test, int count) {
  for (int i = 0; i < count; ++i) test.insert("event" + std::to_string(1000 + i));
}

using Ids = std::vector<std::string>;

TEST_CASE("a sync token gives exactly what changed since, deletions included") {
  TestModel test;
  insert_many(test, 3);
  Ids ids;
  std::string token = read_all(test, "showDeleted=true", ids);
  CHECK(ids.size() == 3);
  test.ask("DELETE", test.events("/event1001"));
  test.ask("PATCH", test.events("/event1000"), {{"summary", "New"}});
  Ids changed;
  std::string next = read_all(test, "showDeleted=true&syncToken=" + token, changed);
  CHECK(changed == Ids{"event1001", "event1000"});
  Ids nothing;
  read_all(test, "showDeleted=true&syncToken=" + next, nothing);
  CHECK(nothing.empty());
}

TEST_CASE("only the last page carries the sync token, and small or empty pages lose nothing") {
  TestModel test;
  insert_many(test, 7);
  test.model.world().switches.page_size_max = 2;
  test.model.world().switches.empty_pages = true;
  Ids ids;
  read_all(test, "maxResults=2500", ids);
  CHECK(ids.size() == 7);
}

TEST_CASE("a write while pages are read is not lost") {
  TestModel test;
  insert_many(test, 4);
  Answer first = test.ask("GET", test.events("?maxResults=2"));
  std::string page = first.body["nextPageToken"];
  test.ask("PATCH", test.events("/event1000"), {{"summary", "Changed behind the reader"}});
  test.insert("aaaaa00000");
  Answer second = test.ask("GET", test.events("?maxResults=2&pageToken=" + page));
  std::string token = second.body["nextSyncToken"];
  Ids changed;
  read_all(test, "syncToken=" + token, changed);
  CHECK(changed == Ids{"event1000", "aaaaa00000"});
}

TEST_CASE("what may not be combined with a sync token is refused") {
  TestModel test;
  Ids ids;
  std::string token = read_all(test, "showDeleted=true", ids);
  for (const char* extra :
       {"timeMin=2026-01-01T00:00:00Z", "timeMax=2027-01-01T00:00:00Z", "q=x", "orderBy=updated", "iCalUID=x",
        "updatedMin=2026-11-23T00:00:00Z", "privateExtendedProperty=a%3Db"}) {
    INFO(extra);
    CHECK(test.ask("GET", test.events("?showDeleted=true&syncToken=" + token + "&" + extra)).status == 400);
  }
  CHECK(test.ask("GET", test.events("?showDeleted=false&syncToken=" + token)).status == 400);
}

TEST_CASE("a token of another query, calendar or person, or a garbled one, is invalid") {
  TestModel test;
  Ids ids;
  std::string token = read_all(test, "showDeleted=true", ids);
  CHECK(test.ask("GET", test.events("?showDeleted=true&singleEvents=true&syncToken=" + token)).status == 400);
  CHECK(test.ask("GET", "calendars/primary/events?showDeleted=true&syncToken=" + token).status == 400);
  Answer garbled = test.ask("GET", test.events("?showDeleted=true&syncToken=x" + token));
  CHECK(garbled.status == 400);
  CHECK(garbled.reason() == "invalid");
}

TEST_CASE("a token dies of age, of changed rights and on demand, with 410") {
  TestModel test;
  Ids ids;
  std::string rule = "calendars/" + percent_encode(test.calendar) + "/acl";
  std::string token = read_all(test, "", ids);
  test.ask("POST", rule, {{"role", "reader"}, {"scope", {{"type", "user"}, {"value", "bob@example.org"}}}});
  Answer after_rights = test.ask("GET", test.events("?syncToken=" + token));
  CHECK(after_rights.status == 410);
  CHECK(after_rights.reason() == "fullSyncRequired");
  token = read_all(test, "", ids);
  test.model.world().expire_sync_tokens(test.model.world().calendars.at(test.calendar));
  CHECK(test.ask("GET", test.events("?syncToken=" + token)).status == 410);
  token = read_all(test, "", ids);
  test.pass(29 * kTestDayMs);
  CHECK(test.ask("GET", test.events("?syncToken=" + token)).status == 410);
}

TEST_CASE("the window of the first run is remembered, and what leaves it is still reported") {
  TestModel test;
  insert_many(test, 1);
  Ids ids;
  std::string token = read_all(test, "timeMin=2026-11-30T00:00:00Z&timeMax=2026-12-05T00:00:00Z", ids);
  CHECK(ids.size() == 1);
  Json far = TestModel::event("far0012345");
  far["start"]["dateTime"] = "2027-12-01T10:00:00Z";
  far["end"]["dateTime"] = "2027-12-01T11:00:00Z";
  test.ask("POST", test.events(), far);
  test.ask("PATCH", test.events("/event1000"), {{"start", far["start"]}, {"end", far["end"]}});
  Ids changed;
  read_all(test, "syncToken=" + token, changed);
  CHECK(changed == Ids{"event1000"});
}

TEST_CASE("tombstones in lists may be bare, reads by id are whole") {
  TestModel test;
  test.model.world().switches.tombstones = "bare";
  insert_many(test, 1);
  test.ask("DELETE", test.events("/event1000"));
  Json dead = test.ask("GET", test.events("?showDeleted=true")).body["items"][0];
  CHECK(dead.size() == 4);  // kind, etag, id, status
  CHECK(test.ask("GET", test.events("/event1000")).body.contains("start"));
}

TEST_CASE("ordering by start needs expanded instances") {
  TestModel test;
  Answer refused = test.ask("GET", test.events("?orderBy=startTime"));
  CHECK(refused.status == 400);
  CHECK(refused.body["error"]["errors"][0]["location"] == "orderBy");
}

TEST_CASE("updatedMin too far back is 410 and a recent one includes deletions") {
  TestModel test;
  insert_many(test, 2);
  test.ask("DELETE", test.events("/event1000"));
  Answer old = test.ask("GET", test.events("?updatedMin=2026-10-01T00:00:00Z"));
  CHECK(old.status == 410);
  CHECK(old.reason() == "updatedMinTooLongAgo");
  CHECK(test.ask("GET", test.events("?updatedMin=2026-11-23T00:00:00Z")).body["items"].size() == 2);
}

TEST_CASE("an absurd page size is cut to the maximum, and one beyond any number refused") {
  TestModel test;
  insert_many(test, 2);
  CHECK(test.ask("GET", test.events("?maxResults=99999999999")).body["items"].size() == 2);
  CHECK(test.ask("GET", test.events("?maxResults=99999999999999999999")).status == 400);
}

TEST_CASE("properties filter a list") {
  TestModel test;
  Json body = TestModel::event("marked1234");
  body["extendedProperties"]["private"]["card"] = "7";
  test.ask("POST", test.events(), body);
  insert_many(test, 1);
  CHECK(test.ask("GET", test.events("?privateExtendedProperty=card%3D7")).body["items"].size() == 1);
  CHECK(test.ask("GET", test.events("?privateExtendedProperty=card%3D8")).body["items"].empty());
}

TEST_CASE("the calendar list has sync tokens of its own") {
  TestModel test;
  Answer all = test.ask("GET", "users/me/calendarList");
  CHECK(all.body["items"].size() == 2);
  std::string token = all.body["nextSyncToken"];
  CHECK(test.ask("DELETE", "calendars/" + percent_encode(test.calendar)).status == 204);
  Answer changed = test.ask("GET", "users/me/calendarList?syncToken=" + token);
  REQUIRE(changed.body["items"].size() == 1);
  CHECK(changed.body["items"][0]["deleted"] == true);
  CHECK(test.ask("GET", test.events()).status == 404);
}

}  // namespace
}  // namespace kalends::emulator
