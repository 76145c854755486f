// SPDX-License-Identifier: Apache-2.0
// OAuth, batches and the control API, through the same door as HTTP uses.
#include "tests/emulator/stand_in.h"

#include <catch2/catch.hpp>

namespace kalends::emulator {
namespace {

constexpr int64_t kStartMs = 1'795'500'000'000;
constexpr const char* kRedirect = "http://127.0.0.1:7777/oauth/google/callback";
const std::string kVerifier(64, 'v');

struct TestStandIn {
  TestStandIn() : stand_in({"http://127.0.0.1:1", 1, {"ann@example.org", "bob@example.org"}, {}}) {
    stand_in.advance_to(kStartMs);
  }

  Response ask(const std::string& method, const std::string& target, const std::string& body = "",
               Headers headers = {}) {
    Request request;
    request.method = method;
    split_target(target, request.path, request.query);
    request.body = body;
    request.headers = std::move(headers);
    return stand_in.handle(request);
  }

  Json control(const std::string& method, const std::string& path, const Json& body = Json()) {
    return Json::parse(ask(method, "/control/" + path, body.is_null() ? "" : body.dump()).body);
  }

  std::string authorise(const std::string& scope, const std::string& extra = "&test_consent=all",
                        const std::string& mail = "ann@example.org") {
    std::string target = "/o/oauth2/v2/auth?response_type=code&access_type=offline&state=s&client_id=" +
                         percent_encode(stand_in.oauth().client_id()) +
                         "&redirect_uri=" + percent_encode(kRedirect) + "&scope=" + percent_encode(scope) +
                         "&code_challenge_method=S256&code_challenge=" + base64_url(sha256(kVerifier)) +
                         "&login_hint=" + percent_encode(mail) + extra;
    Response response = ask("GET", target);
    return response.status == 302 ? response.headers["location"] : "";
  }

  static std::string parameter(const std::string& location, const std::string& name) {
    Request parsed;
    split_target(location, parsed.path, parsed.query);
    return parsed.query_value(name).value_or("");
  }

  Response token(std::vector<std::pair<std::string, std::string>> fields) {
    std::string form = "client_id=" + percent_encode(stand_in.oauth().client_id()) +
                       "&client_secret=" + percent_encode(stand_in.oauth().client_secret());
    for (const auto& [name, value] : fields) form += "&" + name + "=" + percent_encode(value);
    return ask("POST", "/token", form, {{"content-type", "application/x-www-form-urlencoded"}});
  }

  Response exchange(const std::string& code, const std::string& verifier = kVerifier) {
    return token({{"grant_type", "authorization_code"},
                  {"code", code},
                  {"redirect_uri", kRedirect},
                  {"code_verifier", verifier}});
  }

  Json sign_in(const std::string& scope, const std::string& extra = "&test_consent=all") {
    return Json::parse(exchange(parameter(authorise(scope, extra), "code")).body);
  }

  int list_status(const std::string& access_token) {
    return ask("GET", "/calendar/v3/users/me/calendarList", "", {{"authorization", "Bearer " + access_token}})
        .status;
  }

  StandIn stand_in;
};

const std::string kCalendarScope = "https://www.googleapis.com/auth/calendar";
const std::string kAppScope = "https://www.googleapis.com/auth/calendar.app.created";

TEST_CASE("a code with its verifier becomes tokens, once") {
  TestStandIn test;
  std::string location = test.authorise("openid email " + kCalendarScope);
  CHECK(TestStandIn::parameter(location, "state") == "s");
  std::string code = TestStandIn::parameter(location, "code");
  CHECK(test.exchange(code, std::string(64, 'w')).status == 400);
  Response response = test.exchange(code);
  CHECK(response.status == 200);
  Json tokens = Json::parse(response.body);
  CHECK(tokens.contains("refresh_token"));
  CHECK(tokens.contains("id_token"));
  CHECK(test.list_status(tokens["access_token"]) == 200);
  Response again = test.exchange(code);
  CHECK(again.status == 400);
  CHECK(Json::parse(again.body)["error"] == "invalid_grant");
  CHECK(test.list_status(tokens["access_token"]) == 401);
}

TEST_CASE("a refresh token comes with the first consent only, or when asked with prompt=consent") {
  TestStandIn test;
  CHECK(test.sign_in(kCalendarScope).contains("refresh_token"));
  CHECK_FALSE(test.sign_in(kCalendarScope).contains("refresh_token"));
  CHECK(test.sign_in(kCalendarScope, "&test_consent=all&prompt=consent").contains("refresh_token"));
}

TEST_CASE("a person may grant a part or nothing, and the scope string tells") {
  TestStandIn test;
  std::string asked = "openid email " + kCalendarScope + " " + kAppScope;
  Json part = test.sign_in(asked, "&test_consent=calendar.app.created");
  CHECK(part["scope"] == kAppScope + " https://www.googleapis.com/auth/userinfo.email openid");
  CHECK(test.list_status(part["access_token"]) == 403);
  Json none = test.sign_in(asked, "&test_consent=none");
  CHECK(none["scope"] == "https://www.googleapis.com/auth/userinfo.email openid");
  CHECK(TestStandIn::parameter(test.authorise(asked, "&test_consent=deny"), "error") == "access_denied");
}

TEST_CASE("an incremental grant covers the earlier one") {
  TestStandIn test;
  test.sign_in("openid " + kAppScope);
  Json more = test.sign_in(kCalendarScope, "&test_consent=all&include_granted_scopes=true");
  CHECK(more["scope"] == kCalendarScope + " " + kAppScope + " openid");
}

TEST_CASE("tokens expire, refresh and die together when one is revoked") {
  TestStandIn test;
  Json tokens = test.sign_in(kCalendarScope);
  test.stand_in.advance_to(kStartMs + 3'600'000);
  CHECK(test.list_status(tokens["access_token"]) == 401);
  Json fresh = Json::parse(
      test.token({{"grant_type", "refresh_token"}, {"refresh_token", tokens["refresh_token"]}}).body);
  CHECK(test.list_status(fresh["access_token"]) == 200);
  CHECK_FALSE(fresh.contains("refresh_token"));
  CHECK(test.ask("POST", "/revoke", "token=" + percent_encode(fresh["access_token"].get<std::string>()))
            .status == 200);
  CHECK(test.list_status(fresh["access_token"]) == 401);
  Response dead = test.token({{"grant_type", "refresh_token"}, {"refresh_token", tokens["refresh_token"]}});
  CHECK(dead.status == 400);
  CHECK(Json::parse(dead.body)["error"] == "invalid_grant");
  CHECK(test.ask("POST", "/revoke", "token=x").status == 400);
}

TEST_CASE("an unused refresh token dies after six months, in testing mode after a week") {
  TestStandIn test;
  Json tokens = test.sign_in(kCalendarScope);
  test.stand_in.advance_to(kStartMs + 184LL * 24 * 3'600'000);
  CHECK(test.token({{"grant_type", "refresh_token"}, {"refresh_token", tokens["refresh_token"]}}).status ==
        400);
  test.control("POST", "switches", {{"testing_mode", true}});
  Json second = test.sign_in(kCalendarScope, "&test_consent=all&prompt=consent");
  test.stand_in.advance_to(kStartMs + 192LL * 24 * 3'600'000);
  CHECK(test.token({{"grant_type", "refresh_token"}, {"refresh_token", second["refresh_token"]}}).status ==
        400);
}

TEST_CASE("redirect addresses must match exactly once they are given") {
  StandIn strict({"http://127.0.0.1:1", 1, {"ann@example.org"}, {kRedirect}});
  auto status = [&](const std::string& uri) {
    Request request;
    request.method = "GET";
    split_target(
        "/o/oauth2/v2/"
        "auth?response_type=code&scope=openid&test_consent=all&login_hint=ann@example.org&client_id=" +
            percent_encode(strict.oauth().client_id()) + "&redirect_uri=" + percent_encode(uri),
        request.path, request.query);
    return strict.handle(request).status;
  };
  CHECK(status(kRedirect) == 302);
  CHECK(status(std::string(kRedirect) + "/") == 400);
  CHECK(status("http://127.0.0.1:7778/oauth/google/callback") == 400);
}

TEST_CASE("a wrong secret is refused and the consent page shows a box per scope") {
  TestStandIn test;
  CHECK(test.ask("POST", "/token", "client_id=x&grant_type=refresh_token",
                 {{"content-type", "application/x-www-form-urlencoded"}})
            .status == 401);
  std::string target = "/o/oauth2/v2/auth?response_type=code&scope=" +
                       percent_encode("openid " + kCalendarScope + " " + kAppScope) +
                       "&client_id=" + percent_encode(test.stand_in.oauth().client_id()) +
                       "&redirect_uri=" + percent_encode(kRedirect);
  std::string page = test.ask("GET", target).body;
  size_t boxes = 0;
  for (size_t at = page.find("type=\"checkbox\""); at != std::string::npos;
       at = page.find("type=\"checkbox\"", at + 1))
    ++boxes;
  CHECK(boxes == 2);
  CHECK(page.find("bob@example.org") != std::string::npos);
}

TEST_CASE("a batch answers in its order, each part on its own") {
  TestStandIn test;
  Json tokens = test.sign_in(kCalendarScope);
  std::string body =
      "--b\r\nContent-Type: application/http\r\nContent-ID: <one>\r\n\r\nGET /calendar/v3/colors "
      "HTTP/1.1\r\n\r\n\r\n"
      "--b\r\nContent-Type: application/http\r\nContent-ID: <two>\r\n\r\nGET "
      "/calendar/v3/calendars/none/events HTTP/1.1\r\n\r\n\r\n--b--\r\n";
  Response response = test.ask("POST", "/batch/calendar/v3", body,
                               {{"content-type", "multipart/mixed; boundary=b"},
                                {"authorization", "Bearer " + tokens["access_token"].get<std::string>()}});
  CHECK(response.status == 200);
  size_t one = response.body.find("<response-one>"), two = response.body.find("<response-two>");
  REQUIRE(two != std::string::npos);
  CHECK(one < two);
  CHECK(response.body.find("HTTP/1.1 200 OK", one) < two);
  CHECK(response.body.find("HTTP/1.1 404 Not Found", two) != std::string::npos);
}

TEST_CASE("a person's acts in the page are committed, listed and never counted as API calls") {
  TestStandIn test;
  Json calendar = test.control("POST", "people/ann@example.org/calendars", {{"summary", "Home"}});
  std::string events =
      "people/ann@example.org/calendars/" + percent_encode(calendar["id"].get<std::string>()) + "/events";
  Json made = test.control(
      "POST", events,
      {{"summary", "Dentist"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  std::string id = made["id"];
  CHECK(id.size() == 26);
  test.control("PATCH", events + "/" + id, {{"summary", "Dentist at noon"}});
  test.control("DELETE", events + "/" + id);
  Json changes = test.control("GET", "changes?after=0")["changes"];
  REQUIRE(changes.size() == 3);
  CHECK(changes[0]["kind"] == "insert");
  CHECK(changes[2]["kind"] == "delete");
  CHECK(changes[2]["by"] == "person");
  Json state = test.control("GET", "state?calendar=" + percent_encode(calendar["id"].get<std::string>()));
  CHECK(state["calendars"][0]["events"][0]["status"] == "cancelled");
  CHECK(state["calendars"][0]["events"][0]["summary"] == "Dentist at noon");
  CHECK(test.control("GET", "stats")["writes"] == 0);
  CHECK(test.ask("DELETE", "/control/" + events + "/" + id).status == 410);
}

TEST_CASE("a series split in the page ends the old one and begins one with a telling id") {
  TestStandIn test;
  Json calendar = test.control("POST", "people/ann@example.org/calendars", {{"summary", "Home"}});
  std::string events =
      "people/ann@example.org/calendars/" + percent_encode(calendar["id"].get<std::string>()) + "/events";
  Json time = {{"timeZone", "Europe/Zurich"}};
  Json start = time, end = time;
  start["dateTime"] = "2026-12-01T09:00:00";
  end["dateTime"] = "2026-12-01T10:00:00";
  std::string id = test.control(
      "POST", events, {{"start", start}, {"end", end}, {"recurrence", {"RRULE:FREQ=WEEKLY"}}})["id"];
  Json tail =
      test.control("POST", events + "/" + id + "_20261215T080000Z/split", {{"summary", "From here on"}});
  CHECK(tail["id"] == id + "_R20261215T090000");
  Json head = test.control("GET", events + "/" + id);
  CHECK(head["recurrence"][0] == "RRULE:FREQ=WEEKLY;UNTIL=20261215T075959Z");
}

TEST_CASE("long polls wait only while there is no news") {
  TestStandIn test;
  Request request;
  request.method = "GET";
  split_target("/control/changes?after=0&wait_ms=5000", request.path, request.query);
  CHECK(test.stand_in.may_wait_ms(request) == 5000);
  test.control("POST", "people/ann@example.org/calendars/primary/events",
               {{"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  CHECK_FALSE(test.stand_in.may_wait_ms(request));
  split_target("/control/held?wait_ms=5000", request.path, request.query);
  CHECK(test.stand_in.may_wait_ms(request));
  uint64_t id = test.stand_in.hold(Response{});
  CHECK_FALSE(test.stand_in.may_wait_ms(request));
  CHECK(test.control("POST", "release", {{"id", id}, {"drop", true}})["released"] == 1);
  CHECK(test.stand_in.held(id)->is_dropped);
}

TEST_CASE("the clock moves forward only") {
  TestStandIn test;
  CHECK(test.control("POST", "clock", {{"advance_ms", 86'400'000}})["now"] == "2026-11-25T06:00:00.000Z");
  CHECK(test.ask("POST", "/control/clock", R"({"advance_ms":-1})").status == 400);
}

TEST_CASE("an unknown switch or fault is refused") {
  TestStandIn test;
  CHECK(test.ask("POST", "/control/switches", R"({"page_size_max":2})").status == 200);
  CHECK(test.ask("POST", "/control/switches", R"({"pagesize":2})").status == 400);
  CHECK(test.ask("POST", "/control/faults", R"({"kind":"earthquake"})").status == 400);
}

}  // namespace
}  // namespace kalends::emulator
