// SPDX-License-Identifier: Apache-2.0
// Probes take at most a hundredth of what Google allows: for each account, and for all of them together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "worker/google/quota.h"

namespace kalends {

class ProbeBudget {
 public:
  explicit ProbeBudget(const QuotaLimits& limits)
      : account_gap_ms_(gap(limits.user_per_minute)), project_gap_ms_(gap(limits.project_per_minute)) {}

  // True: one call, counted. What is not used is not saved up, but for what the last tick could have had.
  bool take(AccountId account, int64_t monotonic_ms) {
    auto [next, is_new] = account_next_ms_.try_emplace(account, 0);
    if (next->second > monotonic_ms || project_next_ms_ > monotonic_ms) return false;
    next->second = monotonic_ms + account_gap_ms_;
    project_next_ms_ = std::max(project_next_ms_, monotonic_ms - kTickMs) + project_gap_ms_;
    return true;
  }

 private:
  static constexpr int64_t kTickMs = 10'000;
  // One call in so many milliseconds is one in a hundred of the limit.
  static int64_t gap(int64_t per_minute) { return 100 * 60'000 / std::max<int64_t>(1, per_minute); }

  int64_t account_gap_ms_;
  int64_t project_gap_ms_;
  int64_t project_next_ms_ = INT64_MIN / 2;
  std::map<AccountId, int64_t> account_next_ms_;
};

}  // namespace kalends
