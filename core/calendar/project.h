// SPDX-License-Identifier: Apache-2.0
// The mapping between a card of a document and its event, both ways (docs/calendar-mapping.md).
#pragma once

#include <optional>

#include "core/calendar/card_content.h"
#include "core/model/document.h"

namespace kalends {

// Requires: `card` is a card.
CardContent content_of(const Document& board, const Entity& card);

// As for a card's content; nothing for what is no card.
std::optional<EventFacet> project(const Document& board, const Entity& card, const LinkPolicy& policy);
EventFacet facet_of(const Entity& card, const LinkPolicy& policy);

CardDates dates_of(const Entity& card);

}  // namespace kalends
