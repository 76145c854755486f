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
  if (!situation.shadow) situation.shadow = Shadow{attempt.asked, attempt.asked};
  for (FacetField field : kFacetFields) {
    if (!mask.has(field) || !same(shown, attempt.asked, field)) continue;
    copy_field(situation.shadow->ours, attempt.asked, field);
    copy_field(situation.shadow->theirs, shown, field);
  }
}

}  // namespace kalends
