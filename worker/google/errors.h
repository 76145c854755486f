// SPDX-License-Identifier: Apache-2.0
// What to do about an answer of Google's. Decided by status and reason, never by the message's wording.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "worker/ports/http.h"

namespace kalends {

enum class GoogleMove : uint8_t {
  kOk,                  // 2xx
  kAuth,                // refresh the access token once, then ask the person to connect again
  kRateLimited,         // back off; nothing was done
  kQuotaExceeded,       // stop creating for this account for hours; nothing was done
  kNotFound,            // never existed, or no access: the two look alike
  kDuplicate,           // the id is taken, by a live or a dead one: fetch and compare
  kGone,                // deleted already
  kFullSyncRequired,    // drop the sync token and list everything
  kPreconditionFailed,  // fetch again, plan again
  kForbidden,           // this account may not do that here
  kInsufficientScope,   // ask for the scope when the person wants the feature
  kInvalid,             // our request is wrong: do not repeat it
  kUnavailable,         // back off; a write may have happened
};
inline constexpr size_t kGoogleMoves = static_cast<size_t>(GoogleMove::kUnavailable) + 1;

struct GoogleVerdict {
  GoogleMove move = GoogleMove::kOk;
  int64_t retry_after_ms = 0;  // 0: Google gave no advice
  std::string reason;  // Google's word for it, letters, digits, dots and underscores only; may be empty
  bool ok() const { return move == GoogleMove::kOk; }
};

struct GoogleCallFacts {
  bool has_sync_token = false;  // a bad token of ours comes back as a plain 400
};

GoogleVerdict judge_response(const HttpResponse& response, const GoogleCallFacts& facts = {});
std::string_view google_move_name(GoogleMove move);

// Requires: !verdict.ok(). For callers that only pass it on.
Error to_error(const GoogleVerdict& verdict);

}  // namespace kalends
