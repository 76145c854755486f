// SPDX-License-Identifier: Apache-2.0
// Errors are chosen by the caller's next move, not by what broke.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kalends {

// Do not renumber: codes travel in messages and logs.
enum class ErrorCode : uint8_t {
  kInvalid = 1,             // fix the input; retrying the same bytes is useless
  kNotFound = 2,            // the thing is not there (or not for you)
  kConflict = 3,            // re-read, then decide again
  kCorrupt = 4,             // stored or received bytes are damaged
  kUnsupportedVersion = 5,  // update one of the two sides
  kClockSkew = 6,           // fix the clock
  kUnauthenticated = 7,     // get a new token
  kForbidden = 8,           // ask for the right
  kRateLimited = 9,         // wait `retry_after_ms`, then retry
  kUnavailable = 10,        // retry with back-off; the outcome may be unknown
  kCancelled = 11,          // somebody stopped it
};

// A failure: its code, a sentence for a person (never with what a person wrote in it), and how long to wait.
// Its members stand out of line: errors are passed on in hundreds of places and hardly ever made.
struct Error {
  Error();
  Error(ErrorCode code, std::string message, int64_t retry_after_ms = 0);
  Error(const Error&);
  Error(Error&&) noexcept;
  Error& operator=(const Error&);
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorCode code = ErrorCode::kInvalid;
  std::string message;
  int64_t retry_after_ms = 0;  // 0: no advice
};

Error invalid(std::string_view message);
Error corrupt(std::string_view message);
Error not_found(std::string_view message);
Error conflict(std::string_view message);
// The parts make one sentence.
Error invalid(std::initializer_list<std::string_view> parts);

std::string_view error_code_name(ErrorCode code);

}  // namespace kalends
