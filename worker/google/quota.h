// SPDX-License-Identifier: Apache-2.0
// Keeps calls inside Google's quotas: so many a minute for each user and for the whole project. Google counts
// in a sliding window, so this does too: a bucket that refills while it is drained would pass twice the quota
// in the minute after a pause, or has to waste a share of it. For one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "core/base/id.h"

namespace kalends {

struct QuotaLimits {
  int64_t user_per_minute = 600;
  int64_t project_per_minute = 10'000;
};

struct QuotaRequest {
  AccountId account;
  int64_t cost = 1;  // units; a patch costs 3
  // Bulk work leaves so many units of the user's minute to what a person waits for.
  int64_t leave_free = 0;
};

class QuotaGate {
 public:
  explicit QuotaGate(const QuotaLimits& limits) : limits_(limits) {}

  // 0: granted and counted. Otherwise nothing was counted: ask again after so many milliseconds.
  // A cost above the limit itself is granted when the window is empty. `now_ms` is monotonic.
  int64_t take(const QuotaRequest& request, int64_t now_ms);
  // Google has refused all the same: no call of this account before `until_ms`.
  void hold(AccountId account, int64_t until_ms);
  // How long that still lasts; 0: it is over.
  int64_t held_ms(AccountId account, int64_t now_ms) const;
  // Accounts that are kept in memory: only those with a call in the last minute or on hold.
  size_t tracked(int64_t now_ms);

 private:
  // Calls of one window, in slots of kSlotMs.
  struct Window {
    struct Slot {
      int64_t number;
      int64_t cost;
    };
    std::deque<Slot> slots;
    int64_t used = 0;
    int64_t held_until_ms = 0;

    void forget_old(int64_t now_ms);
    int64_t wait_ms(int64_t cost, int64_t limit, int64_t now_ms) const;
    void count(int64_t cost, int64_t now_ms);
  };

  QuotaLimits limits_;
  std::map<AccountId, Window> users_;
  Window project_;
};

}  // namespace kalends
