// SPDX-License-Identifier: Apache-2.0
// Between Google's event and the facet that a card shares with it.
#pragma once

#include <optional>
#include <string>

#include "core/calendar/link_policy.h"
#include "core/calendar/shadow.h"
#include "worker/google/calendar_requests.h"
#include "worker/google/event.h"

namespace kalends {

// The whole event as an insert sends it.
GoogleEventWrite to_event(const EventFacet& facet, const LinkPolicy& policy);
// Only what `fields` names, as a patch sends it. The done mark lives in the title or the colour, so either
// field may bring both.
GoogleEventWrite to_event_patch(const EventFacet& facet, FacetMask fields, const LinkPolicy& policy);

struct ReadingContext {
  const LinkPolicy& policy;
  std::string calendar_zone;  // for times that come without a zone
  std::string known_title;    // when Google hides the title (a private event): keep what was known
  int64_t seen_ms = 0;
};
// What was seen. Recurring events, birthdays and the like are kUnmanaged; a cancelled one is kGone.
Observation observe(const GoogleEvent& event, const ReadingContext& context);

// Google's eleven event colours.
std::string color_id_of(std::string_view colour);  // "" for none or unknown
std::string colour_of(std::string_view color_id);

}  // namespace kalends
