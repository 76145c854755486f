// SPDX-License-Identifier: Apache-2.0
#include "worker/google/errors.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

HttpResponse answer(int status, const std::string& reason) {
  HttpResponse response;
  response.status = status;
  response.body =
      R"({"error":{"code":1,"message":"Words that may change.","errors":[{"domain":"global","reason":")" +
      reason + R"("}]}})";
  return response;
}

TEST_CASE("Each of Google's refusals leads to the one move that helps") {
  struct Case {
    int status;
    const char* reason;
    GoogleMove move;
  };
  auto row = GENERATE(
      Case{400, "invalid", GoogleMove::kInvalid}, Case{400, "required", GoogleMove::kInvalid},
      Case{400, "channelIdNotUnique", GoogleMove::kDuplicate},
      Case{400, "pushNotSupportedForRequestedResource", GoogleMove::kInvalid},
      Case{401, "authError", GoogleMove::kAuth}, Case{403, "userRateLimitExceeded", GoogleMove::kRateLimited},
      Case{403, "rateLimitExceeded", GoogleMove::kRateLimited},
      Case{429, "rateLimitExceeded", GoogleMove::kRateLimited},
      Case{403, "quotaExceeded", GoogleMove::kQuotaExceeded},
      Case{429, "quotaExceeded", GoogleMove::kQuotaExceeded},
      Case{403, "dailyLimitExceeded", GoogleMove::kQuotaExceeded},
      Case{403, "forbiddenForNonOrganizer", GoogleMove::kForbidden},
      Case{403, "requiredAccessLevel", GoogleMove::kForbidden},
      Case{403, "accessNotConfigured", GoogleMove::kForbidden},
      Case{403, "insufficientPermissions", GoogleMove::kInsufficientScope},
      Case{404, "notFound", GoogleMove::kNotFound}, Case{409, "duplicate", GoogleMove::kDuplicate},
      Case{409, "conflict", GoogleMove::kPreconditionFailed}, Case{410, "deleted", GoogleMove::kGone},
      Case{410, "fullSyncRequired", GoogleMove::kFullSyncRequired},
      Case{410, "updatedMinTooLongAgo", GoogleMove::kFullSyncRequired},
      Case{412, "conditionNotMet", GoogleMove::kPreconditionFailed},
      Case{500, "backendError", GoogleMove::kUnavailable},
      Case{503, "backendError", GoogleMove::kUnavailable}, Case{301, "", GoogleMove::kInvalid},
      Case{204, "", GoogleMove::kOk});
  CAPTURE(row.status, row.reason);
  CHECK(judge_response(answer(row.status, row.reason)).move == row.move);
}

TEST_CASE("A refused sync token means a full listing, whichever way Google says it") {
  GoogleCallFacts facts{true};
  CHECK(judge_response(answer(400, "invalid"), facts).move == GoogleMove::kFullSyncRequired);
  CHECK(judge_response(answer(410, "deleted"), facts).move == GoogleMove::kFullSyncRequired);
  CHECK(judge_response(answer(400, "required"), facts).move == GoogleMove::kInvalid);
}

TEST_CASE("The newer error form is read too, and bodies that are no JSON leave the status to decide") {
  HttpResponse scope;
  scope.status = 403;
  scope.body = R"({"error":{"code":403,"status":"PERMISSION_DENIED",
    "details":[{"@type":"x","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}})";
  CHECK(judge_response(scope).move == GoogleMove::kInsufficientScope);
  HttpResponse rate;
  rate.status = 403;
  rate.body = R"({"error":{"details":[{"reason":"RATE_LIMIT_EXCEEDED"}]}})";
  CHECK(judge_response(rate).move == GoogleMove::kRateLimited);
  HttpResponse page;
  page.status = 502;
  page.body = "<html>Bad gateway</html>";
  CHECK(judge_response(page).move == GoogleMove::kUnavailable);
  page.status = 403;
  CHECK(judge_response(page).move == GoogleMove::kForbidden);
}

TEST_CASE("Google's advice to wait is taken in seconds and bounded") {
  HttpResponse response = answer(429, "rateLimitExceeded");
  response.headers.add("retry-after", "7");
  CHECK(judge_response(response).retry_after_ms == 7'000);
  response.headers.set("Retry-After", "99999999");
  CHECK(judge_response(response).retry_after_ms == 86'400'000);
  response.headers.set("Retry-After", "-1");
  CHECK(judge_response(response).retry_after_ms == 0);
  response.headers.set("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT");
  CHECK(judge_response(response).retry_after_ms == 0);
}

TEST_CASE("A reason is passed on only as a word, and a verdict becomes an error with the next move's code") {
  CHECK(judge_response(answer(403, "requiredAccessLevel")).reason == "requiredAccessLevel");
  CHECK(judge_response(answer(403, "somebody's title")).reason.empty());
  CHECK(to_error({GoogleMove::kAuth, 0, "authError"}).code == ErrorCode::kUnauthenticated);
  CHECK(to_error({GoogleMove::kAuth, 0, "authError"}).message == "Google answered: auth (authError)");
  CHECK(to_error({GoogleMove::kQuotaExceeded, 5, ""}).retry_after_ms == 5);
  CHECK(to_error({GoogleMove::kUnavailable, 0, ""}).code == ErrorCode::kUnavailable);
  CHECK(to_error({GoogleMove::kInsufficientScope, 0, ""}).code == ErrorCode::kForbidden);
}

}  // namespace
}  // namespace kalends
