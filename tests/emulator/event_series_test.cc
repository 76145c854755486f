// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

Json weekly() {
  return {{"id", "series12345"},
          {"summary", "Stand-up"},
          {"start", {{"dateTime", "2026-12-01T09:00:00"}, {"timeZone", "Europe/Zurich"}}},
          {"end", {{"dateTime", "2026-12-01T09:15:00"}, {"timeZone", "Europe/Zurich"}}},
          {"recurrence", {"RRULE:FREQ=WEEKLY;COUNT=4"}}};
}

constexpr const char* kSecond = "/series12345_20261208T080000Z";

TEST_CASE("a timed series without a zone is refused") {
  TestModel test;
  Json body = weekly();
  body["start"] = {{"dateTime", "2026-12-01T09:00:00+01:00"}};
  Answer refused = test.ask("POST", test.events(), body);
  CHECK(refused.status == 400);
  CHECK(refused.body["error"]["message"] == "Missing time zone definition for start time.");
}

TEST_CASE("instances are computed under ids of their original start") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  Answer all = test.ask("GET", test.events("/series12345/instances"));
  REQUIRE(all.body["items"].size() == 4);
  CHECK(all.body["items"][1]["id"] == "series12345_20261208T080000Z");
  CHECK(all.body["items"][1]["recurringEventId"] == "series12345");
  CHECK_FALSE(all.body["items"][1].contains("recurrence"));
  CHECK(test.ask("GET", test.events(kSecond)).body["start"]["dateTime"] == "2026-12-08T09:00:00+01:00");
  CHECK(test.ask("GET", test.events("/series12345_20261209T080000Z")).status == 404);
}

TEST_CASE("a patched instance becomes an exception and keeps its identity") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  Answer moved = test.ask("PATCH", test.events(kSecond),
                          {{"start", {{"dateTime", "2026-12-09T10:00:00+01:00"}}},
                           {"end", {{"dateTime", "2026-12-09T10:30:00+01:00"}}}});
  CHECK(moved.status == 200);
  CHECK(moved.body["originalStartTime"]["dateTime"] == "2026-12-08T09:00:00+01:00");
  Answer all = test.ask("GET", test.events("?singleEvents=true&orderBy=startTime"));
  REQUIRE(all.body["items"].size() == 4);
  CHECK(all.body["items"][1]["start"]["dateTime"] == "2026-12-09T10:00:00+01:00");
}

TEST_CASE("a cancelled instance is listed bare as long as its series lives") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  CHECK(test.ask("DELETE", test.events(kSecond)).status == 204);
  CHECK(test.ask("DELETE", test.events(kSecond)).status == 410);
  Answer plain = test.ask("GET", test.events());
  REQUIRE(plain.body["items"].size() == 2);
  const Json& hole = plain.body["items"][1];
  CHECK(hole["status"] == "cancelled");
  CHECK_FALSE(hole.contains("start"));
  CHECK(hole.contains("originalStartTime"));
  CHECK(test.ask("GET", test.events("?singleEvents=true")).body["items"].size() == 3);
  CHECK(test.ask("GET", test.events("?singleEvents=true&showDeleted=true")).body["items"].size() == 4);
}

TEST_CASE("a deleted series shows as the table of deletions says") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  test.ask("DELETE", test.events("/series12345"));
  CHECK(test.ask("GET", test.events()).body["items"].empty());
  CHECK(test.ask("GET", test.events("?singleEvents=true")).body["items"].empty());
  Answer masters = test.ask("GET", test.events("?showDeleted=true"));
  REQUIRE(masters.body["items"].size() == 1);
  CHECK(masters.body["items"][0]["id"] == "series12345");
  Answer instances = test.ask("GET", test.events("?showDeleted=true&singleEvents=true"));
  CHECK(instances.body["items"].size() == 4);
}

TEST_CASE("a changed rule cancels exceptions whose start is gone") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  test.ask("PATCH", test.events("/series12345_20261222T080000Z"), {{"summary", "Last one"}});
  std::string token = test.ask("GET", test.events("?singleEvents=true")).body["nextSyncToken"];
  test.ask("PATCH", test.events("/series12345"), {{"recurrence", {"RRULE:FREQ=WEEKLY;COUNT=2"}}});
  CHECK(test.ask("GET", test.events("/series12345_20261222T080000Z")).body["status"] == "cancelled");
  Answer changed = test.ask("GET", test.events("?singleEvents=true&syncToken=" + token));
  int cancelled = 0;
  for (const Json& item : changed.body["items"]) cancelled += item["status"] == "cancelled" ? 1 : 0;
  CHECK(cancelled == 2);
  CHECK(changed.body["items"].size() == 4);
}

TEST_CASE("windows are exclusive at both ends and see into series") {
  TestModel test;
  test.ask("POST", test.events(), weekly());
  auto count = [&](const std::string& window) {
    return test.ask("GET", test.events("?" + window)).body["items"].size();
  };
  CHECK(count("timeMin=2026-12-22T08:15:00Z") == 0);
  CHECK(count("timeMin=2026-12-22T08:14:00Z") == 1);
  CHECK(count("timeMax=2026-12-01T08:00:00Z") == 0);
  CHECK(count("singleEvents=true&timeMin=2026-12-02T00:00:00Z&timeMax=2026-12-16T00:00:00Z") == 2);
}

}  // namespace
}  // namespace kalends::emulator
