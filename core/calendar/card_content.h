// SPDX-License-Identifier: Apache-2.0
// What the mapping needs to know of a card, wherever it comes from: a document in the worker, a snapshot in
// the browser. The mapping to an event is here once for both.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/calendar/link_policy.h"

namespace kalends {

struct CardDates {
  std::optional<When> start;
  std::optional<When> due;  // all-day: the last day itself, not the day after
  friend bool operator==(const CardDates&, const CardDates&) = default;
};

// When each field was last edited, in milliseconds since 1970; 0: never, or not known.
struct CardStamps {
  int64_t title = 0;
  int64_t done = 0;
  int64_t position = 0;
  int64_t start = 0;
  int64_t due = 0;
  int64_t location = 0;
  int64_t colour = 0;
};

struct CardContent {
  bool is_deleted = false;
  bool is_archived = false;
  bool is_here = true;  // false: it moved to another board
  std::string title;
  std::string description;
  std::string location;
  std::string colour;
  bool is_done = false;       // its flag, whatever the policy makes of it
  std::optional<Id128> list;  // where it stands
  CardDates dates;
  std::vector<Id128> labels;
  std::vector<Id128> assignees;
  CardStamps changed_ms;
};

// Dates of the event that a card with these dates has. Nothing when the card has none, or none that an event
// can have: those of the years 1 to 9999.
std::optional<std::pair<When, When>> event_dates(const CardDates& dates, const LinkPolicy& policy);

// The card dates that make `event_dates` give back exactly [start, end), as close as possible to the shape
// that the card has now: a card that only has a due date keeps having only that when the length allows.
CardDates card_dates(const When& start, const When& end, const CardDates& now, const LinkPolicy& policy);

// The facet of a card whatever its state, as far as it has dates: what an event showed must be comparable
// even after the card was archived. Undated cards give a facet whose dates are both the epoch's first day.
EventFacet facet_of(const CardContent& card, const LinkPolicy& policy);

// The event that the card should have, or nothing: undated, archived, deleted, moved to another board, or not
// chosen by the policy.
std::optional<EventFacet> project(const CardContent& card, const LinkPolicy& policy);

}  // namespace kalends
