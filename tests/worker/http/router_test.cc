// SPDX-License-Identifier: Apache-2.0
#include "worker/http/router.h"

#include <catch2/catch.hpp>

#include "worker/http/problem.h"

namespace kalends {
namespace {

struct RouterFixture {
  Router router;
  std::optional<HttpResponse> answer;

  RouterFixture() {
    auto named = [](const char* name) {
      return [name](InboundRequest, PathParameters parameters, Respond respond) {
        std::string text = name;
        for (const auto& [key, value] : parameters) text += " " + key + "=" + value;
        respond(text_response(200, "text/plain", text));
      };
    };
    router.add("GET", "/v1/boards/{board}", named("get-board"));
    router.add("DELETE", "/v1/boards/{board}", named("delete-board"));
    router.add("GET", "/v1/boards/recent", named("recent"));
    router.add("GET", "/v1/boards/{board}/cards/{card}", named("card"));
    router.add("GET", "/", named("root"));
  }
  bool route(std::string method, std::string path) {
    answer.reset();
    InboundRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    return router.route(request, Respond([this](HttpResponse response) { answer = std::move(response); }));
  }
};

TEST_CASE_METHOD(RouterFixture, "A path finds its handler and its names their values") {
  CHECK(route("GET", "/v1/boards/a%2Fb"));
  CHECK(answer->body == "get-board board=a/b");
  CHECK(route("DELETE", "/v1/boards/7"));
  CHECK(answer->body == "delete-board board=7");
  CHECK(route("GET", "/v1/boards/7/cards/9"));
  CHECK(answer->body == "card board=7 card=9");
  CHECK(route("GET", "/"));
  CHECK(answer->body == "root");
}

TEST_CASE_METHOD(RouterFixture, "A literal segment wins over a name, whatever was added first") {
  CHECK(route("GET", "/v1/boards/recent"));
  CHECK(answer->body == "recent");
}

TEST_CASE_METHOD(RouterFixture, "HEAD is answered by GET's handler, OPTIONS with what is allowed") {
  CHECK(route("HEAD", "/v1/boards/7"));
  CHECK(answer->body == "get-board board=7");
  CHECK(route("OPTIONS", "/v1/boards/7"));
  CHECK(answer->status == 204);
  CHECK(answer->headers.get("Allow") == "DELETE, GET");
}

TEST_CASE_METHOD(RouterFixture,
                 "A wrong method gives 405, a broken escape 400, and an unknown path is left alone") {
  CHECK(route("TRACE", "/v1/boards/7"));
  CHECK(answer->status == 405);
  CHECK(answer->headers.get("Allow") == "DELETE, GET");
  CHECK(route("GET", "/v1/boards/%zz"));
  CHECK(answer->status == 400);
  for (const char* path :
       {"/v1", "/v1/boards/", "/v1/boards", "/v1/boards/7/", "/v1/boards//cards/9", "//"}) {
    CAPTURE(path);
    CHECK_FALSE(route("GET", path));
  }
}

TEST_CASE_METHOD(RouterFixture, "All routes can be listed") {
  auto list = router.list();
  REQUIRE(list.size() == 5);
  CHECK(list[1].method == "DELETE");
  CHECK(list[1].pattern == "/v1/boards/{board}");
}

TEST_CASE("A problem says what happened in RFC 9457's words") {
  HttpResponse response = problem_response(Error{ErrorCode::kRateLimited, "slow down", 1'200});
  CHECK(response.status == 429);
  CHECK(response.headers.get("Content-Type") == "application/problem+json");
  CHECK(response.headers.get("Retry-After") == "2");
  CHECK(response.body ==
        R"({"type":"urn:kalends:problem:rate_limited","title":"Too many requests","status":429,)"
        R"("detail":"slow down","code":"rate_limited"})");
  CHECK(problem_response(Error{ErrorCode::kUnauthenticated, "", 0}).headers.get("WWW-Authenticate") ==
        "Bearer");
  CHECK(problem_response(corrupt("table pairs is broken")).body.find("pairs") == std::string::npos);
}

TEST_CASE("Every error code has its status") {
  CHECK(http_status_of(ErrorCode::kInvalid) == 400);
  CHECK(http_status_of(ErrorCode::kNotFound) == 404);
  CHECK(http_status_of(ErrorCode::kConflict) == 409);
  CHECK(http_status_of(ErrorCode::kCorrupt) == 500);
  CHECK(http_status_of(ErrorCode::kUnauthenticated) == 401);
  CHECK(http_status_of(ErrorCode::kForbidden) == 403);
  CHECK(http_status_of(ErrorCode::kUnavailable) == 503);
}

}  // namespace
}  // namespace kalends
