// SPDX-License-Identifier: Apache-2.0
// What the planner needs to know of a card that is there, from what is on it.
#pragma once

#include "core/calendar/card_content.h"
#include "core/reconcile/reconcile.h"

namespace kalends {

CardSide card_side(const CardContent& card, const LinkPolicy& policy);

}  // namespace kalends
