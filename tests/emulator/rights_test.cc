// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

TEST_CASE("without a caller every call is 401") {
  TestModel test;
  Request request;
  request.method = "GET";
  request.path = "/calendar/v3/users/me/calendarList";
  Response response = test.model.handle(request, std::nullopt);
  CHECK(response.status == 401);
  CHECK(response.headers.count("www-authenticate") == 1);
}

TEST_CASE("calendar.app.created reaches only calendars that the app made") {
  TestModel test;
  test.caller.scopes = {"calendar.app.created"};
  CHECK(test.insert("abcde12345").status == 200);
  CHECK(test.ask("GET", test.events()).status == 200);
  Answer primary = test.ask("GET", "calendars/primary/events");
  CHECK(primary.status == 403);
  CHECK(primary.reason() == "insufficientPermissions");
  CHECK(primary.body["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
  CHECK(test.ask("GET", "users/me/calendarList").status == 403);
  CHECK(test.ask("GET", "users/me/calendarList/" + percent_encode(test.calendar)).status == 200);
  CHECK(test.ask("POST", test.events("/abcde12345/move?destination=primary")).status == 403);
  CHECK(test.ask("GET", "colors").status == 200);
  std::string by_person = test.model.world().add_calendar("ann@example.org", {{"summary", "Own"}}, "").id;
  CHECK(test.ask("GET", "calendars/" + percent_encode(by_person) + "/events").status == 403);
}

TEST_CASE("calendar.events does not reach colours, free/busy or the list") {
  TestModel test;
  test.caller.scopes = {"calendar.events"};
  CHECK(test.insert("abcde12345").status == 200);
  CHECK(test.ask("GET", "colors").status == 403);
  CHECK(
      test.ask("POST", "freeBusy", {{"timeMin", "2026-12-01T00:00:00Z"}, {"timeMax", "2026-12-02T00:00:00Z"}})
          .status == 403);
  CHECK(test.ask("GET", "users/me/calendarList").status == 403);
}

TEST_CASE("a reader may read, a stranger sees nothing") {
  TestModel test;
  Json private_event = TestModel::event("secret1234", "Secret");
  private_event["visibility"] = "private";
  test.ask("POST", test.events(), private_event);
  std::string rules = "calendars/" + percent_encode(test.calendar) + "/acl";
  test.caller.mail = "bob@example.org";
  CHECK(test.ask("GET", test.events()).status == 404);
  test.caller.mail = "ann@example.org";
  CHECK(test.ask("POST", rules,
                 {{"role", "reader"}, {"scope", {{"type", "user"}, {"value", "bob@example.org"}}}})
            .status == 200);
  test.caller.mail = "bob@example.org";
  Answer seen = test.ask("GET", test.events());
  CHECK(seen.body["accessRole"] == "reader");
  CHECK_FALSE(seen.body["items"][0].contains("summary"));
  Answer refused = test.insert("abcde12345");
  CHECK(refused.status == 403);
  CHECK(refused.reason() == "requiredAccessLevel");
  test.caller.mail = "ann@example.org";
  CHECK(test.ask("DELETE", rules + "/user:bob@example.org").status == 204);
  test.caller.mail = "bob@example.org";
  CHECK(test.ask("GET", test.events()).status == 404);
}

TEST_CASE("the data owner cannot lose rights or the list entry") {
  TestModel test;
  std::string rule = "calendars/" + percent_encode(test.calendar) + "/acl/user:ann@example.org";
  CHECK(test.ask("PATCH", rule, {{"role", "reader"}}).status == 403);
  CHECK(test.ask("DELETE", "users/me/calendarList/" + percent_encode(test.calendar)).status == 403);
  CHECK(test.ask("DELETE", "calendars/primary").status == 403);
}

TEST_CASE("free/busy joins touching events and names unknown calendars") {
  TestModel test;
  test.insert("abcde12345");
  Json next = TestModel::event("fghij12345");
  next["start"]["dateTime"] = "2026-12-01T11:00:00+01:00";
  next["end"]["dateTime"] = "2026-12-01T12:00:00+01:00";
  test.ask("POST", test.events(), next);
  Answer answer =
      test.ask("POST", "freeBusy",
               {{"timeMin", "2026-12-01T00:00:00Z"},
                {"timeMax", "2026-12-02T00:00:00Z"},
                {"items", Json::array({{{"id", test.calendar}}, {{"id", "nobody@example.net"}}})}});
  CHECK(answer.body["calendars"][test.calendar]["busy"] ==
        Json::array({{{"start", "2026-12-01T09:00:00Z"}, {"end", "2026-12-01T11:00:00Z"}}}));
  CHECK(answer.body["calendars"]["nobody@example.net"]["errors"][0]["reason"] == "notFound");
}

TEST_CASE("a request outside the contract is refused and counted") {
  TestModel test;
  CHECK(test.ask("GET", test.events("?maxResult=5")).status == 400);
  CHECK(test.ask("GET", test.events("?singleEvents=yes")).status == 400);
  CHECK(test.ask("GET", test.events("?timeMin=2026-12-01T00:00:00")).status == 400);
  Json body = TestModel::event("abcde12345");
  body["titel"] = "x";
  Answer refused = test.ask("POST", test.events(), body);
  CHECK(refused.status == 400);
  CHECK(refused.reason() == "badRequest");
  body.erase("titel");
  body["start"]["dateTime"] = 5;
  CHECK(test.ask("POST", test.events(), body).status == 400);
  CHECK(test.ask("GET", "calendars/x/unknown").status == 404);
  const auto& violations = test.model.world().stats.contract_violations;
  REQUIRE(violations.size() == 6);
  CHECK(violations[3]["problem"] == "body property 'titel' is unknown");
}

TEST_CASE("the newest parameters are known") {
  TestModel test;
  CHECK(test.ask("POST", test.events("?eventLabelVersion=1&sendUpdates=none"), TestModel::event("abcde12345"))
            .status == 200);
  CHECK(test.ask("GET", "users/me/calendarList?showOwnOrganizationOnly=true").status == 200);
  Json labels = {{"labelProperties",
                  {{"eventLabels", Json::array({{{"backgroundColor", "#039be5"}, {"name", "Deep work"}}})}}}};
  Answer labelled = test.ask("PATCH", "calendars/" + percent_encode(test.calendar), labels);
  CHECK(labelled.body["labelProperties"]["eventLabels"][0]["id"].get<std::string>().size() == 36);
}

TEST_CASE("quotas slide over a minute, and a patch can cost three") {
  TestModel test;
  test.pass(60'001);
  test.model.world().switches.quota_per_user = 5;
  for (int i = 0; i < 5; ++i) CHECK(test.ask("GET", "colors").status == 200);
  Answer refused = test.ask("GET", "colors");
  CHECK(refused.status == 403);
  CHECK(refused.reason() == "userRateLimitExceeded");
  CHECK(refused.body["error"]["errors"][0]["domain"] == "usageLimits");
  test.model.world().switches.quota_status = 429;
  CHECK(test.ask("GET", "colors").status == 429);
  CHECK(test.model.world().stats.quota_exceeded == 2);
  test.pass(60'001);
  CHECK(test.insert("abcde12345").status == 200);
  test.model.world().switches.patch_cost = 3;
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "a"}}).status == 200);
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "b"}}).status == 429);
}

TEST_CASE("labels, colours and settings answer as documented") {
  TestModel test;
  Answer colors = test.ask("GET", "colors");
  CHECK(colors.body["event"].size() == 11);
  CHECK(colors.body["calendar"].size() == 24);
  CHECK(colors.body["event"]["9"]["background"] == "#5484ed");
  CHECK(test.ask("GET", "users/me/settings/timezone").body["value"] == "Europe/Zurich");
  CHECK(test.ask("GET", "users/me/settings/nothing").status == 404);
}

}  // namespace
}  // namespace kalends::emulator
