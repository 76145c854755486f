// SPDX-License-Identifier: Apache-2.0
// The guard: a run that would delete suspiciously much stops and asks.
#pragma once

#include <algorithm>
#include <cstddef>

namespace kalends {

struct RunShape {
  size_t pairs = 0;            // of the link
  size_t event_deletions = 0;  // events the run would delete
  size_t card_deletions = 0;   // cards that would lose their date or be archived
  bool is_listing_complete = true;
  bool is_listing_plausible = true;  // not empty or cut to less than half of what was known
};

enum class GuardVerdict { kGo, kTooManyDeletions, kImplausibleListing };

// A fifth of the link, or five, whichever is more: what a person may do in one sitting.
inline size_t deletions_allowed(size_t pairs) { return std::max<size_t>(5, pairs / 5); }

inline GuardVerdict judge(const RunShape& run) {
  if (run.card_deletions > 0 && (!run.is_listing_complete || !run.is_listing_plausible))
    return GuardVerdict::kImplausibleListing;
  if (std::max(run.event_deletions, run.card_deletions) > deletions_allowed(run.pairs))
    return GuardVerdict::kTooManyDeletions;
  return GuardVerdict::kGo;
}

}  // namespace kalends
