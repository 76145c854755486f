// SPDX-License-Identifier: Apache-2.0
#include "worker/http/problem.h"

#include <nlohmann/json.hpp>

namespace kalends {
namespace {

std::string_view title_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "The request is not valid";
    case ErrorCode::kNotFound:
      return "Not found";
    case ErrorCode::kConflict:
      return "Changed in the meantime";
    case ErrorCode::kCorrupt:
      return "Something broke inside";
    case ErrorCode::kUnsupportedVersion:
      return "Versions do not fit";
    case ErrorCode::kClockSkew:
      return "A clock is wrong";
    case ErrorCode::kUnauthenticated:
      return "Not signed in";
    case ErrorCode::kForbidden:
      return "Not allowed";
    case ErrorCode::kRateLimited:
      return "Too many requests";
    case ErrorCode::kUnavailable:
      return "Not available at the moment";
    case ErrorCode::kCancelled:
      return "Stopped";
  }
  return "Something broke inside";
}

}  // namespace

int http_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kUnsupportedVersion:
    case ErrorCode::kClockSkew:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kCorrupt:
      return 500;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kForbidden:
      return 403;
    case ErrorCode::kRateLimited:
      return 429;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
  }
  return 500;
}

HttpResponse problem_response(const Error& error) {
  return problem_response(http_status_of(error.code), title_of(error.code), error);
}

HttpResponse problem_response(int status, std::string_view title, const Error& error) {
  std::string code(error_code_name(error.code));
  std::string detail = error.code == ErrorCode::kCorrupt
                           ? "The request could not be carried out; the server's log says why."
                           : error.message;
  nlohmann::ordered_json body{{"type", "urn:kalends:problem:" + code},
                              {"title", title},
                              {"status", status},
                              {"detail", detail},
                              {"code", code}};
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/problem+json");
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (error.retry_after_ms > 0) {
    response.headers.add("Retry-After", std::to_string((error.retry_after_ms + 999) / 1000));
  }
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

HttpResponse internal_problem() { return problem_response(Error{ErrorCode::kCorrupt, "", 0}); }

}  // namespace kalends
