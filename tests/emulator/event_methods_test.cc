// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/event_rules.h"
#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

TEST_CASE("an inserted event comes back with what the server adds") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  CHECK(made.status == 200);
  CHECK(made.body["iCalUID"] == "abcde12345@google.com");
  CHECK(made.body["status"] == "confirmed");
  CHECK(made.body["sequence"] == 0);
  CHECK(made.body["organizer"]["self"] == true);
  CHECK(made.body["start"]["dateTime"] == "2026-12-01T10:00:00+01:00");
  CHECK(made.body["reminders"]["useDefault"] == true);
  CHECK(made.etag == made.body["etag"]);
}

TEST_CASE("the etag is twice the microseconds of updated") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  CHECK(made.etag == "\"" + std::to_string(kTestNowMs * 2000) + "\"");
}

TEST_CASE("an id outside the alphabet or the length is refused") {
  TestModel test;
  for (const char* id : {"abcd", "ABCDE12345", "abcdew", "abc-12345"}) {
    INFO(id);
    Answer refused = test.insert(id);
    CHECK(refused.status == 400);
    CHECK(refused.body["error"]["message"] == "Invalid resource id value.");
  }
}

TEST_CASE("an id stays taken after its event is deleted") {
  TestModel test;
  test.insert("abcde12345");
  CHECK(test.insert("abcde12345").status == 409);
  CHECK(test.ask("DELETE", test.events("/abcde12345")).status == 204);
  Answer again = test.insert("abcde12345");
  CHECK(again.status == 409);
  CHECK(again.reason() == "duplicate");
  CHECK(test.ask("DELETE", test.events("/abcde12345")).status == 410);
  Answer dead = test.ask("GET", test.events("/abcde12345"));
  CHECK(dead.status == 200);
  CHECK(dead.body["status"] == "cancelled");
  CHECK(test.ask("GET", test.events("/never12345")).status == 404);
}

TEST_CASE("a write with an old etag is refused and changes nothing") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  Answer changed =
      test.ask("PATCH", test.events("/abcde12345"), {{"summary", "One"}}, {{"if-match", made.etag}});
  CHECK(changed.status == 200);
  Answer stale =
      test.ask("PATCH", test.events("/abcde12345"), {{"summary", "Two"}}, {{"if-match", made.etag}});
  CHECK(stale.status == 412);
  CHECK(stale.reason() == "conditionNotMet");
  CHECK(test.ask("DELETE", test.events("/abcde12345"), Json(), {{"if-match", made.etag}}).status == 412);
  CHECK(test.ask("GET", test.events("/abcde12345")).body["summary"] == "One");
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "Three"}}, {{"if-match", "*"}}).status ==
        200);
}

TEST_CASE("a read that names the current etag is answered with 304") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  CHECK(test.ask("GET", test.events("/abcde12345"), Json(), {{"if-none-match", made.etag}}).status == 304);
  CHECK(test.ask("GET", test.events("/abcde12345"), Json(), {{"if-none-match", "\"1\""}}).status == 200);
}

TEST_CASE("a patch merges deeply, null takes away, arrays are replaced") {
  TestModel test;
  Json body = TestModel::event("abcde12345");
  body["description"] = "long";
  body["extendedProperties"] = {{"private", {{"a", "1"}, {"b", "2"}}}};
  body["attendees"] = Json::array({{{"email", "x@example.net"}}, {{"email", "y@example.net"}}});
  test.ask("POST", test.events(), body);
  Answer patched = test.ask("PATCH", test.events("/abcde12345"),
                            {{"description", nullptr},
                             {"extendedProperties", {{"private", {{"a", nullptr}, {"c", "3"}}}}},
                             {"attendees", Json::array({{{"email", "y@example.net"}}})}});
  CHECK_FALSE(patched.body.contains("description"));
  CHECK(patched.body["extendedProperties"]["private"] == Json({{"b", "2"}, {"c", "3"}}));
  CHECK(patched.body["attendees"].size() == 1);
  CHECK(patched.body["summary"] == "Write the docs");
}

TEST_CASE("an update resets what it does not name") {
  TestModel test;
  Json body = TestModel::event("abcde12345");
  body["description"] = "long";
  body["colorId"] = "5";
  test.ask("POST", test.events(), body);
  Answer put = test.ask("PUT", test.events("/abcde12345"), TestModel::event("abcde12345", "Short"));
  CHECK(put.status == 200);
  CHECK_FALSE(put.body.contains("description"));
  CHECK_FALSE(put.body.contains("colorId"));
  CHECK(put.body["iCalUID"] == "abcde12345@google.com");
}

TEST_CASE("a change of reminders alone moves the etag but not updated") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  test.pass(5000);
  Answer patched = test.ask("PATCH", test.events("/abcde12345"), {{"reminders", {{"useDefault", false}}}});
  CHECK(patched.body["updated"] == made.body["updated"]);
  CHECK(patched.etag != made.etag);
}

TEST_CASE("a patch that changes nothing commits nothing") {
  TestModel test;
  Answer made = test.insert("abcde12345");
  size_t changes = test.model.world().change_log.size();
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "Write the docs"}}).etag == made.etag);
  CHECK(test.model.world().change_log.size() == changes);
}

TEST_CASE("a cancelled event comes back by status confirmed and stays dead otherwise") {
  TestModel test;
  test.insert("abcde12345");
  test.ask("DELETE", test.events("/abcde12345"));
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "Ghost"}}).body["status"] == "cancelled");
  Answer back = test.ask("PATCH", test.events("/abcde12345"), {{"status", "confirmed"}});
  CHECK(back.status == 200);
  CHECK(back.body["status"] == "confirmed");
}

TEST_CASE("times are checked as Google checks them") {
  TestModel test;
  auto refuse = [&](const Json& start, const Json& end) {
    Answer refused = test.ask("POST", test.events(), {{"start", start}, {"end", end}});
    CHECK(refused.status == 400);
    return refused.body["error"]["message"].get<std::string>();
  };
  Json ten = {{"dateTime", "2026-12-01T10:00:00Z"}}, nine = {{"dateTime", "2026-12-01T09:00:00Z"}};
  Json day = {{"date", "2026-12-01"}};
  CHECK(refuse(ten, nine) == "The specified time range is empty.");
  CHECK(refuse(day, day) == "The specified time range is empty.");
  CHECK(refuse(day, ten) == "Start and end times must either both be date or both be dateTime.");
  CHECK(refuse({{"date", "2026-02-30"}}, day) == "Invalid start time.");
  CHECK(refuse({{"date", "2026-12-01"}, {"dateTime", "2026-12-01T10:00:00Z"}}, ten) == "Invalid start time.");
  CHECK(refuse({{"dateTime", "2026-12-01T10:00:00"}, {"timeZone", "Mars/Olympus"}}, ten) ==
        "Invalid time zone definition for start time.");
  CHECK(test.ask("POST", test.events(), {{"start", ten}}).body["error"]["message"] == "Missing end time.");
}

TEST_CASE("a time without offset is read on the wall clock of its zone, or of the calendar") {
  TestModel test;
  Json body = {{"start", {{"dateTime", "2026-12-01T10:00:00"}, {"timeZone", "America/New_York"}}},
               {"end", {{"dateTime", "2026-12-01T17:00:00"}}}};
  Answer made = test.ask("POST", test.events(), body);
  CHECK(made.body["start"]["dateTime"] == "2026-12-01T16:00:00+01:00");
  CHECK(made.body["start"]["timeZone"] == "America/New_York");
  CHECK(made.body["end"]["dateTime"] == "2026-12-01T17:00:00+01:00");
}

TEST_CASE("all-day becomes timed only when the date is taken away") {
  TestModel test;
  test.ask("POST", test.events(),
           {{"id", "abcde12345"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  Json start = {{"dateTime", "2026-12-01T10:00:00+01:00"}}, end = {{"dateTime", "2026-12-01T11:00:00+01:00"}};
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"start", start}, {"end", end}}).status == 400);
  start["date"] = end["date"] = nullptr;
  Answer timed = test.ask("PATCH", test.events("/abcde12345"), {{"start", start}, {"end", end}});
  CHECK(timed.status == 200);
  CHECK_FALSE(timed.body["start"].contains("date"));
}

TEST_CASE("a sequence may not go down and rises when the time moves") {
  TestModel test;
  test.insert("abcde12345");
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"sequence", 4}}).body["sequence"] == 4);
  Answer down = test.ask("PATCH", test.events("/abcde12345"), {{"sequence", 3}});
  CHECK(down.status == 400);
  CHECK(down.body["error"]["message"] == "Invalid sequence value.");
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"end", {{"dateTime", "2026-12-01T12:00:00+01:00"}}}})
            .body["sequence"] == 5);
}

TEST_CASE("over-long property keys vanish and values are cut between characters") {
  TestModel test;
  Json body = TestModel::event("abcde12345");
  std::string umlauts;
  for (int i = 0; i < 1100; ++i) umlauts += "ü";
  body["extendedProperties"]["private"] = {
      {std::string(44, 'k'), "kept"}, {std::string(45, 'k'), "gone"}, {"v", umlauts}};
  Answer made = test.ask("POST", test.events(), body);
  CHECK(made.status == 200);
  const Json& kept = made.body["extendedProperties"]["private"];
  CHECK(kept.size() == 2);
  CHECK(kept[std::string(44, 'k')] == "kept");
  CHECK(kept["v"].get<std::string>().size() == 2048);
}

TEST_CASE("more than 300 properties are refused") {
  TestModel test;
  Json body = TestModel::event("abcde12345");
  for (int i = 0; i < 301; ++i) body["extendedProperties"]["shared"]["k" + std::to_string(i)] = "v";
  CHECK(test.ask("POST", test.events(), body).status == 400);
}

TEST_CASE("a move leaves a tombstone and shows the same id elsewhere") {
  TestModel test;
  test.insert("abcde12345");
  std::string other = test.ask("POST", "calendars", {{"summary", "Other"}}).body["id"];
  Answer moved = test.ask("POST", test.events("/abcde12345/move?destination=" + percent_encode(other)));
  CHECK(moved.status == 200);
  CHECK(moved.body["organizer"]["email"] == other);
  CHECK(test.ask("GET", test.events("/abcde12345")).body["status"] == "cancelled");
  CHECK(test.ask("GET", "calendars/" + percent_encode(other) + "/events/abcde12345").body["status"] ==
        "confirmed");
}

TEST_CASE("an import gets the id made of its UID and replaces its earlier self") {
  TestModel test;
  Json body = TestModel::event("x");
  body.erase("id");
  body["iCalUID"] = "040000008200E00074C5B7101A82E008";
  Answer first = test.ask("POST", test.events("/import"), body);
  CHECK(first.status == 200);
  CHECK(first.body["id"] == imported_event_id("040000008200E00074C5B7101A82E008"));
  body["summary"] = "Again";
  Answer second = test.ask("POST", test.events("/import"), body);
  CHECK(second.body["id"] == first.body["id"]);
  CHECK(second.body["summary"] == "Again");
}

TEST_CASE("guests get copies, answer into the organizer's event and may not change shared fields") {
  TestModel test;
  Json body = TestModel::event("abcde12345");
  body["attendees"] = Json::array({{{"email", "bob@example.org"}}});
  test.ask("POST", test.events(), body);
  Caller ann = test.caller;
  test.caller.mail = "bob@example.org";
  Answer copy = test.ask("GET", "calendars/primary/events/abcde12345");
  CHECK(copy.status == 200);
  CHECK(copy.body["attendees"][0]["self"] == true);
  CHECK(test.ask("PATCH", "calendars/primary/events/abcde12345", {{"colorId", "3"}}).status == 200);
  Answer refused = test.ask("PATCH", "calendars/primary/events/abcde12345", {{"summary", "Mine"}});
  CHECK(refused.status == 403);
  CHECK(refused.reason() == "forbiddenForNonOrganizer");
  Json yes = Json::array({{{"email", "bob@example.org"}, {"responseStatus", "accepted"}}});
  CHECK(test.ask("PATCH", "calendars/primary/events/abcde12345", {{"attendees", yes}}).status == 200);
  test.caller = ann;
  CHECK(test.ask("GET", test.events("/abcde12345")).body["attendees"][0]["responseStatus"] == "accepted");
  test.ask("PATCH", test.events("/abcde12345"), {{"summary", "Changed by ann"}});
  test.caller.mail = "bob@example.org";
  Answer later = test.ask("GET", "calendars/primary/events/abcde12345");
  CHECK(later.body["summary"] == "Changed by ann");
  CHECK(later.body["colorId"] == "3");
}

TEST_CASE("fields select a part of the answer and a broken selector is refused before anything is written") {
  TestModel test;
  Answer made = test.ask("POST", test.events("?fields=id,start/dateTime"), TestModel::event("abcde12345"));
  CHECK(made.body == Json({{"id", "abcde12345"}, {"start", {{"dateTime", "2026-12-01T10:00:00+01:00"}}}}));
  CHECK(test.ask("POST", test.events("?fields=items(id"), TestModel::event("fghij12345")).status == 400);
  CHECK(test.ask("GET", test.events("/fghij12345")).status == 404);
}

}  // namespace
}  // namespace kalends::emulator
