// SPDX-License-Identifier: Apache-2.0
// A pair whose run was undone: one half is gone again, the other stays, and neither brings the other back
// until somebody changes the one that stayed.
#pragma once

#include <optional>

#include "core/reconcile/reconcile.h"
#include "worker/ports/store.h"

namespace kalends {

struct LeftAlone {
  // Do not renumber: stored.
  enum class Stays : uint8_t { kCard = 0, kEvent = 1 } stays = Stays::kCard;
  EventFacet card;  // what the card's event would have shown then
  friend bool operator==(const LeftAlone&, const LeftAlone&) = default;
};

Bytes encode_left_alone(const LeftAlone& left);
// Nothing: the pair is kept in step.
std::optional<LeftAlone> left_alone_of(const PairRow& row);

// The situation as the planner may see it. False: somebody has changed what stayed, so the pair is kept in
// step from now on.
bool leave_alone(const LeftAlone& left, FacetMask mask, Situation& situation);

}  // namespace kalends
