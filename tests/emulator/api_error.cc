// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/api_error.h"

namespace kalends::emulator {

Json ApiError::envelope() const {
  Json one = {{"domain", domain}, {"reason", reason}, {"message", message}};
  if (!location_type.empty()) one["locationType"] = location_type;
  if (!location.empty()) one["location"] = location;
  Json error = {{"code", status}, {"message", message}, {"errors", Json::array({one})}};
  if (!rpc_status.empty()) error["status"] = rpc_status;
  if (!rpc_reason.empty()) {
    Json info = {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                 {"reason", rpc_reason},
                 {"domain", "googleapis.com"},
                 {"metadata", {{"service", "calendar-json.googleapis.com"}}}};
    error["details"] = Json::array({info});
  }
  return {{"error", error}};
}

Response ApiError::response() const {
  Response answer;
  answer.status = status;
  answer.headers["content-type"] = "application/json; charset=UTF-8";
  if (status == 401) {
    answer.headers["www-authenticate"] =
        "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
  }
  if (retry_after) answer.headers["retry-after"] = std::to_string(*retry_after);
  answer.body = envelope().dump(1, ' ', false, Json::error_handler_t::replace);
  return answer;
}

ApiError bad_request(std::string reason, std::string message) {
  return {400, "global", std::move(reason), std::move(message)};
}
ApiError bad_parameter(std::string reason, std::string message, std::string parameter) {
  return {400, "global", std::move(reason), std::move(message), "parameter", std::move(parameter)};
}
ApiError bad_time(std::string message) { return bad_request("invalid", std::move(message)); }
ApiError not_found_error() { return {404, "global", "notFound", "Not Found"}; }
ApiError gone_error() { return {410, "global", "deleted", "Resource has been deleted"}; }
ApiError duplicate_error() {
  return {409, "global", "duplicate", "The requested identifier already exists."};
}
ApiError precondition_failed() {
  return {412, "global", "conditionNotMet", "Precondition Failed", "header", "If-Match"};
}
ApiError full_sync_required() {
  return {
      410,         "calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required.",
      "parameter", "syncToken"};
}
ApiError invalid_credentials() {
  return {401, "global", "authError", "Invalid Credentials", "header", "Authorization", "UNAUTHENTICATED"};
}
ApiError insufficient_scopes() {
  return {403, "global", "insufficientPermissions", "Request had insufficient authentication scopes.",
          "",  "",       "PERMISSION_DENIED",       "ACCESS_TOKEN_SCOPE_INSUFFICIENT"};
}
ApiError needs_writer_access() {
  return {403, "calendar", "requiredAccessLevel", "You need to have writer access to this calendar."};
}
ApiError needs_owner_access() {
  return {403, "calendar", "requiredAccessLevel", "You need to have owner access to this calendar."};
}
ApiError forbidden(std::string message) { return {403, "global", "forbidden", std::move(message)}; }
ApiError shared_property_by_guest() {
  return {403, "calendar", "forbiddenForNonOrganizer",
          "Shared properties can only be changed by the organizer of the event."};
}
ApiError user_rate_limit(int status) {
  return {status, "usageLimits", status == 429 ? "rateLimitExceeded" : "userRateLimitExceeded",
          "User Rate Limit Exceeded"};
}
ApiError project_rate_limit(int status) {
  return {status, "usageLimits", "rateLimitExceeded",
          "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
          "'calendar-json.googleapis.com'."};
}
ApiError usage_limits_exceeded() {
  return {403, "usageLimits", "quotaExceeded", "Calendar usage limits exceeded."};
}
ApiError backend_error(int status) { return {status, "global", "backendError", "Backend Error"}; }

}  // namespace kalends::emulator
