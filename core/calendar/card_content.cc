// SPDX-License-Identifier: Apache-2.0
#include "core/calendar/card_content.h"

#include <algorithm>
#include <tuple>

namespace kalends {
namespace {

When day_after(const When& when) { return When::all_day({when.first_day().days + 1}); }

When shifted(const When& when, int64_t minutes) {
  When result = when;
  result.wall.seconds += minutes * 60;
  result.fold = Fold::kFirst;
  return result;
}

bool is_chosen(const CardContent& card, const LinkPolicy& policy) {
  auto has = [&](const std::vector<Id128>& ids) {
    return std::find(ids.begin(), ids.end(), policy.which_id) != ids.end();
  };
  switch (policy.which) {
    case WhichCards::kAllDated:
      return true;
    case WhichCards::kWithLabel:
      return has(card.labels);
    case WhichCards::kWithAssignee:
      return has(card.assignees);
  }
  return false;
}

bool is_done(const CardContent& card, const LinkPolicy& policy) {
  if (policy.done == DoneMeans::kFlag) return card.is_done;
  return card.list == policy.done_list;
}

std::optional<std::pair<When, When>> dates_of_event(const CardDates& dates, const LinkPolicy& policy) {
  std::optional<When> start = dates.start;
  std::optional<When> due = dates.due;
  // Dates that two people crossed are an open conflict on the card; meanwhile the due date is what the event
  // shows.
  if (start && due && is_start_after_due(*start, *due)) start.reset();
  if (!start && !due) return std::nullopt;
  if ((start && start->is_all_day) || (due && due->is_all_day)) {
    When first = When::all_day((start ? *start : *due).first_day());
    return std::pair(first, day_after(due ? *due : *start));
  }
  if (!start) return std::pair(shifted(*due, -policy.duration_minutes), *due);
  if (!due) return std::pair(*start, shifted(*start, policy.duration_minutes));
  return std::pair(*start, *due);
}

}  // namespace

std::optional<std::pair<When, When>> event_dates(const CardDates& dates, const LinkPolicy& policy) {
  auto event = dates_of_event(dates, policy);
  // The last of all days has no next one: what no calendar can show has no event.
  return event && is_valid_when(event->first) && is_valid_when(event->second) ? event : std::nullopt;
}

CardDates card_dates(const When& start, const When& end, const CardDates& now, const LinkPolicy& policy) {
  CardDates both;
  both.start = start;
  both.due = start.is_all_day ? When::all_day({end.date.days - 1}) : end;
  auto gives_back = [&](const CardDates& dates) {
    auto event = event_dates(dates, policy);
    return event && event->first == start && event->second == end;
  };
  CardDates due_only{std::nullopt, both.due};
  CardDates start_only{both.start, std::nullopt};
  if (!now.start && gives_back(due_only)) return due_only;
  if (!now.due && now.start && gives_back(start_only)) return start_only;
  return both;
}

EventFacet facet_of(const CardContent& card, const LinkPolicy& policy) {
  EventFacet facet;
  facet.start = facet.end = When::all_day({0});
  if (auto dates = event_dates(card.dates, policy)) std::tie(facet.start, facet.end) = *dates;
  facet.is_done = policy.done_mark != DoneMark::kNone && is_done(card, policy);
  facet.colour = card.colour;
  bool marks_colour = policy.done_mark == DoneMark::kColour || policy.done_mark == DoneMark::kBoth;
  // Where the colour says "done", it says nothing else.
  if (marks_colour && (facet.is_done || facet.colour == kDoneColour)) facet.colour.clear();
  if (policy.details != Details::kBusy) facet.title = card.title;
  if (policy.details == Details::kFull) {
    facet.description = card.description;
    facet.location = card.location;
  }
  return facet;
}

std::optional<EventFacet> project(const CardContent& card, const LinkPolicy& policy) {
  bool is_shown = !card.is_deleted && !card.is_archived && card.is_here;
  if (!is_shown || !is_chosen(card, policy) || !event_dates(card.dates, policy)) return std::nullopt;
  return facet_of(card, policy);
}

}  // namespace kalends
