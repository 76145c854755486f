// SPDX-License-Identifier: Apache-2.0
// The mapping between a card and its event, both ways (docs/calendar-mapping.md).
#pragma once

#include <optional>
#include <utility>

#include "core/calendar/link_policy.h"
#include "core/model/document.h"

namespace kalends {

// The event that the card should have, or nothing: undated, archived, deleted, moved to another board, or not
// chosen by the policy.
std::optional<EventFacet> project(const Document& board, const Entity& card, const LinkPolicy& policy);

// The facet of a card whatever its state, as far as it has dates: what an event showed must be comparable
// even after the card was archived. Undated cards give a facet whose dates are both the epoch's first day.
EventFacet facet_of(const Entity& card, const LinkPolicy& policy);

struct CardDates {
  std::optional<When> start;
  std::optional<When> due;  // all-day: the last day itself, not the day after
  friend bool operator==(const CardDates&, const CardDates&) = default;
};
CardDates dates_of(const Entity& card);

// Dates of the event that a card with these dates has. Nothing when the card has none.
std::optional<std::pair<When, When>> event_dates(const CardDates& dates, const LinkPolicy& policy);

// The card dates that make `event_dates` give back exactly [start, end), as close as possible to the shape
// that the card has now: a card that only has a due date keeps having only that when the length allows.
CardDates card_dates(const When& start, const When& end, const CardDates& now, const LinkPolicy& policy);

bool is_done(const Entity& card, const LinkPolicy& policy);

}  // namespace kalends
