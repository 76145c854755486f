// SPDX-License-Identifier: Apache-2.0
// The guard: a run that would delete suspiciously much stops and asks.
#pragma once

#include <algorithm>
#include <cstddef>

namespace kalends {

struct RunShape {
  size_t pairs = 0;                   // of the link
  size_t event_deletions = 0;         // events the run would delete
  size_t card_deletions = 0;          // cards that would lose their date or be archived
  size_t recent_event_deletions = 0;  // the same, done a short while ago without anybody's approval
  size_t recent_card_deletions = 0;
  bool is_listing_complete = true;
  bool is_listing_plausible = true;  // not empty or cut to less than half of what was known
};

enum class GuardVerdict { kGo, kTooManyDeletions, kImplausibleListing };

// A fifth of the link, or five, whichever is more: what a person may do in one sitting.
inline size_t deletions_allowed(size_t pairs) { return std::max<size_t>(5, pairs / 5); }

// The same over a short while, one by one: that is slower and more deliberate, so it may be more, but not
// most of a calendar. A third of the link, or twelve.
inline size_t deletions_allowed_in_a_while(size_t pairs) { return std::max<size_t>(12, pairs / 3); }

// More than half of what was known is not there: no person did that, the answer is wrong until the events
// themselves say otherwise. A few are asked for one by one anyway, and a listing may lag behind the newest of
// them.
inline bool is_listing_implausible(size_t known, size_t missing) {
  return missing > 5 && 2 * missing > known;
}

inline GuardVerdict judge(const RunShape& run) {
  if (run.card_deletions > 0 && (!run.is_listing_complete || !run.is_listing_plausible))
    return GuardVerdict::kImplausibleListing;
  // What went a short while ago is no reason to allow less.
  size_t allowed_in_a_while =
      deletions_allowed_in_a_while(run.pairs + run.recent_event_deletions + run.recent_card_deletions);
  auto is_too_many = [&](size_t now, size_t recent) {
    return now > 0 && (now > deletions_allowed(run.pairs) || now + recent > allowed_in_a_while);
  };
  bool too_many_events = is_too_many(run.event_deletions, run.recent_event_deletions);
  bool too_many_cards = is_too_many(run.card_deletions, run.recent_card_deletions);
  return too_many_events || too_many_cards ? GuardVerdict::kTooManyDeletions : GuardVerdict::kGo;
}

}  // namespace kalends
