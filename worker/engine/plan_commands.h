// SPDX-License-Identifier: Apache-2.0
// A plan's changes of the card, as commands to its replica.
#pragma once

#include <string>
#include <vector>

#include "core/calendar/project.h"
#include "core/reconcile/reconcile.h"
#include "core/replica/replica.h"

namespace kalends {

// What the planner needs to know of the card; there may be no such card.
CardSide card_side(const Document& board, CardId id, const LinkPolicy& policy);

std::vector<Command> commands_of(const Plan& plan, const EventFacet& event, CardId card, const Replica& board,
                                 const LinkPolicy& policy);

}  // namespace kalends
