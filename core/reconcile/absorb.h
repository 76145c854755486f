// SPDX-License-Identifier: Apache-2.0
// A write whose answer was lost may be what the event shows now: our own hand, not a person's edit.
#pragma once

#include "core/reconcile/reconcile.h"

namespace kalends {

// A write that was begun and whose outcome is not known.
struct Attempt {
  RemoteWrite write = RemoteWrite::kNone;
  EventFacet asked;
};

// Field by field, what was asked for and is there counts as agreed; an event that is gone after we asked for
// that was deleted by us.
void absorb(const Attempt& attempt, FacetMask mask, Situation& situation);

// The agreement as it stands when the card's half of a plan is stored and the write is still to come: what
// the event showed is on the card now (shown, merged or kept open), so it is no news to the next decision.
Shadow taken_up(Shadow shadow, const Plan& plan, const EventFacet& event);

// The agreement that a plan without a write ends in. `shown` is what the card's projection is after the
// plan's edits. What it shows otherwise than the plan wanted was not agreed, and has to be sent: a field that
// changed along with another (the colour behind a mark of "done"), a value that another one outranks by its
// stamp. Only dates that the card has taken count as what it makes of them (`are_dates_taken`): not all of an
// event's can be said on a card.
Shadow agreed_after(const Plan& plan, const EventFacet& shown, const EventFacet& event, bool are_dates_taken);

}  // namespace kalends
