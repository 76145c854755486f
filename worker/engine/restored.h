// SPDX-License-Identifier: Apache-2.0
// After a restore from a backup the store is older than the calendars and the copies in browsers. Documents
// get the next epoch, so that copies push what is lacking; links stand still until a person has seen what
// their first run would do.
#pragma once

#include <string_view>

#include "worker/ports/store.h"

namespace kalends {

// Kept with the link (last_error) until its first run after the restore is over. Do not change: stored.
inline constexpr std::string_view kRestoredMark = "restored";  // a person has not approved yet
inline constexpr std::string_view kApprovedMark = "restored, approved";

struct RestoredCounts {
  size_t documents = 0;
  size_t links = 0;
};
// In one transaction.
Result<RestoredCounts> mark_restored(Store& store, int64_t now_ms);

}  // namespace kalends
