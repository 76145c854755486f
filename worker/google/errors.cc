// SPDX-License-Identifier: Apache-2.0
#include "worker/google/errors.h"

#include <algorithm>
#include <charconv>

#include "worker/google/json.h"

namespace kalends {
namespace {

// Longer waits than a day come from no healthy server.
constexpr int64_t kRetryAfterMsMax = 86'400'000;
constexpr size_t kReasonSizeMax = 64;

struct Reasons {
  std::string reason;  // errors[0].reason, or details[].reason, or status
  bool is_scope_missing = false;
};

std::string only_word(const std::string& text) {
  bool is_word = text.size() <= kReasonSizeMax && std::all_of(text.begin(), text.end(), [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '.' || c == '_';
                 });
  return is_word ? text : "";
}

// Proxies answer in HTML, and errors may be plain texts: then there is no reason, and the status decides
// alone.
Reasons read_reasons(std::string_view body) {
  Reasons reasons;
  auto parsed = parse_json(body, 1024 * 1024);
  if (!parsed.ok()) return reasons;
  const Json& error = json_member(*parsed, "error");
  const Json& errors = json_member(error, "errors");
  if (errors.is_array() && !errors.empty())
    reasons.reason = only_word(json_text_or_empty(errors[0], "reason"));
  const Json& details = json_member(error, "details");
  if (details.is_array()) {
    for (const Json& detail : details) {
      std::string reason = only_word(json_text_or_empty(detail, "reason"));
      if (reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT") reasons.is_scope_missing = true;
      if (reasons.reason.empty()) reasons.reason = reason;
    }
  }
  if (reasons.reason.empty()) reasons.reason = only_word(json_text_or_empty(error, "status"));
  return reasons;
}

int64_t read_retry_after_ms(const HttpHeaders& headers) {
  std::string_view text = headers.get("Retry-After");
  int64_t seconds = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  // The other form, a date, needs Google's clock to be ours: ignored, the caller's own back-off is as good.
  if (text.empty() || problem != std::errc() || end != text.data() + text.size() || seconds <= 0) return 0;
  return std::min(seconds, kRetryAfterMsMax / 1000) * 1000;
}

GoogleMove move_of_bad_request(const std::string& reason, const GoogleCallFacts& facts) {
  // "Invalid sync token value." and a token of another query; the rest of a listing's parameters never
  // change.
  if (facts.has_sync_token &&
      (reason == "invalid" || reason == "invalidParameter" || reason == "badRequest")) {
    return GoogleMove::kFullSyncRequired;
  }
  if (reason == "channelIdNotUnique") return GoogleMove::kDuplicate;
  return GoogleMove::kInvalid;
}

GoogleMove move_of_forbidden(const Reasons& reasons) {
  const std::string& reason = reasons.reason;
  if (reasons.is_scope_missing || reason == "insufficientPermissions") return GoogleMove::kInsufficientScope;
  if (reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" || reason == "RATE_LIMIT_EXCEEDED" ||
      reason == "RESOURCE_EXHAUSTED") {
    return GoogleMove::kRateLimited;
  }
  // The day's allowance of the project is no matter of seconds either.
  if (reason == "quotaExceeded" || reason == "dailyLimitExceeded") return GoogleMove::kQuotaExceeded;
  return GoogleMove::kForbidden;
}

GoogleMove move_of(int status, const Reasons& reasons, const GoogleCallFacts& facts) {
  if (status >= 200 && status < 300) return GoogleMove::kOk;
  if (status >= 500) return GoogleMove::kUnavailable;
  switch (status) {
    case 400:
      return move_of_bad_request(reasons.reason, facts);
    case 401:
      return GoogleMove::kAuth;
    case 403:
      return move_of_forbidden(reasons);
    case 404:
      return GoogleMove::kNotFound;
    case 408:
      return GoogleMove::kUnavailable;
    // "conflict" is a clash of writes: nothing is there to be adopted, look again.
    case 409:
      return reasons.reason == "conflict" ? GoogleMove::kPreconditionFailed : GoogleMove::kDuplicate;
    case 410:
      return facts.has_sync_token || reasons.reason == "fullSyncRequired" ||
                     reasons.reason == "updatedMinTooLongAgo"
                 ? GoogleMove::kFullSyncRequired
                 : GoogleMove::kGone;
    case 412:
      return GoogleMove::kPreconditionFailed;
    case 429:
      return reasons.reason == "quotaExceeded" ? GoogleMove::kQuotaExceeded : GoogleMove::kRateLimited;
    default:
      return GoogleMove::kInvalid;
  }
}

ErrorCode code_of(GoogleMove move) {
  switch (move) {
    case GoogleMove::kOk:
      return ErrorCode::kInvalid;
    case GoogleMove::kAuth:
      return ErrorCode::kUnauthenticated;
    case GoogleMove::kRateLimited:
    case GoogleMove::kQuotaExceeded:
      return ErrorCode::kRateLimited;
    case GoogleMove::kNotFound:
    case GoogleMove::kGone:
      return ErrorCode::kNotFound;
    case GoogleMove::kDuplicate:
    case GoogleMove::kFullSyncRequired:
    case GoogleMove::kPreconditionFailed:
      return ErrorCode::kConflict;
    case GoogleMove::kForbidden:
    case GoogleMove::kInsufficientScope:
      return ErrorCode::kForbidden;
    case GoogleMove::kInvalid:
      return ErrorCode::kInvalid;
    case GoogleMove::kUnavailable:
      return ErrorCode::kUnavailable;
  }
  return ErrorCode::kInvalid;
}

}  // namespace

GoogleVerdict judge_response(const HttpResponse& response, const GoogleCallFacts& facts) {
  if (response.status >= 200 && response.status < 300) return {};
  Reasons reasons = read_reasons(response.body);
  return {move_of(response.status, reasons, facts), read_retry_after_ms(response.headers), reasons.reason};
}

std::string_view google_move_name(GoogleMove move) {
  switch (move) {
    case GoogleMove::kOk:
      return "ok";
    case GoogleMove::kAuth:
      return "auth";
    case GoogleMove::kRateLimited:
      return "rate_limited";
    case GoogleMove::kQuotaExceeded:
      return "quota_exceeded";
    case GoogleMove::kNotFound:
      return "not_found";
    case GoogleMove::kDuplicate:
      return "duplicate";
    case GoogleMove::kGone:
      return "gone";
    case GoogleMove::kFullSyncRequired:
      return "full_sync_required";
    case GoogleMove::kPreconditionFailed:
      return "precondition_failed";
    case GoogleMove::kForbidden:
      return "forbidden";
    case GoogleMove::kInsufficientScope:
      return "insufficient_scope";
    case GoogleMove::kInvalid:
      return "invalid";
    case GoogleMove::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

Error to_error(const GoogleVerdict& verdict) {
  KALENDS_CHECK(!verdict.ok());
  std::string message = "Google answered: " + std::string(google_move_name(verdict.move));
  if (!verdict.reason.empty()) message += " (" + verdict.reason + ")";
  return {code_of(verdict.move), std::move(message), verdict.retry_after_ms};
}

}  // namespace kalends
