// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/absorb.h"

namespace kalends {

void absorb(const Attempt& attempt, FacetMask mask, Situation& situation) {
  if (!situation.event) return;
  if (attempt.write == RemoteWrite::kDelete) {
    if (situation.event->presence == EventPresence::kGone) situation.shadow.reset();
    return;
  }
  if (situation.event->presence != EventPresence::kLive) return;
  const EventFacet& shown = situation.event->facet;
  if (!situation.shadow) {
    // An event with our id was made by us. A patch of an adopted event proves nothing until all of it is
    // there.
    if (attempt.write == RemoteWrite::kPatch && !differing(shown, attempt.asked, mask).empty()) return;
    situation.shadow = Shadow{attempt.asked, attempt.asked};
  }
  for (FacetField field : kFacetFields) {
    if (!mask.has(field) || !same(shown, attempt.asked, field)) continue;
    copy_field(situation.shadow->ours, attempt.asked, field);
    copy_field(situation.shadow->theirs, shown, field);
  }
}

Shadow taken_up(Shadow shadow, const Plan& plan, const EventFacet& event) {
  if (plan.change == CardChange::kEdit)
    for (const FieldEdit& edit : plan.edits) {
      copy_field(shadow.theirs, event, edit.field);
      // Taken as it was, it is no edit of the card's either; merged, it still has to be sent.
      bool is_merged = edit.field == FacetField::kDescription && plan.has_merged_description;
      if (!edit.is_offer && !is_merged) copy_field(shadow.ours, event, edit.field);
    }
  return shadow;
}

Shadow agreed_after(const Plan& plan, const EventFacet& shown, const EventFacet& event,
                    bool are_dates_taken) {
  Shadow agreed{plan.target, event};
  for (const FieldEdit& edit : plan.edits)
    if (edit.field == FacetField::kDates && are_dates_taken) copy_field(agreed.ours, shown, edit.field);
  return agreed;
}

}  // namespace kalends
