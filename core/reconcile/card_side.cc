// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/card_side.h"

#include <algorithm>

namespace kalends {
namespace {

int64_t changed_ms(const CardStamps& stamps, FacetField field) {
  switch (field) {
    case FacetField::kTitle:
      return stamps.title;
    case FacetField::kDone:
      return std::max(stamps.done, stamps.position);
    case FacetField::kDates:
      return std::max(stamps.start, stamps.due);
    case FacetField::kDescription:
      return 0;  // texts merge; where they overlap the calendar's is the later one
    case FacetField::kLocation:
      return stamps.location;
    case FacetField::kColour:
      return stamps.colour;
  }
  return 0;
}

}  // namespace

CardSide card_side(const CardContent& card, const LinkPolicy& policy) {
  CardSide side;
  side.exists = true;
  side.is_deleted = card.is_deleted;
  side.wanted = project(card, policy);
  side.facet = facet_of(card, policy);
  for (FacetField field : kFacetFields)
    side.changed_ms[static_cast<size_t>(field)] = changed_ms(card.changed_ms, field);
  return side;
}

}  // namespace kalends
