// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <utility>

#include "core/base/text.h"

namespace kalends {

Error::Error() = default;
Error::Error(ErrorCode code_, std::string message_, int64_t retry_after_ms_)
    : code(code_), message(std::move(message_)), retry_after_ms(retry_after_ms_) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

Error invalid(std::string_view message) { return {ErrorCode::kInvalid, std::string(message)}; }
Error corrupt(std::string_view message) { return {ErrorCode::kCorrupt, std::string(message)}; }
Error not_found(std::string_view message) { return {ErrorCode::kNotFound, std::string(message)}; }
Error conflict(std::string_view message) { return {ErrorCode::kConflict, std::string(message)}; }
Error invalid(std::initializer_list<std::string_view> parts) { return {ErrorCode::kInvalid, join(parts)}; }

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kUnsupportedVersion:
      return "unsupported_version";
    case ErrorCode::kClockSkew:
      return "clock_skew";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kRateLimited:
      return "rate_limited";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace kalends
