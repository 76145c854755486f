// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/left_alone.h"

namespace kalends {

// The first byte is the version of the layout.
Bytes encode_left_alone(const LeftAlone& left) {
  Writer out;
  out.u8(1);
  out.u8(static_cast<uint8_t>(left.stays));
  write_facet(out, left.card);
  return out.take();
}

std::optional<LeftAlone> left_alone_of(const PairRow& row) {
  Reader in(row.left_alone);
  if (row.left_alone.empty() || in.u8() != 1) return std::nullopt;
  LeftAlone left;
  left.stays = in.u8() == 0 ? LeftAlone::Stays::kCard : LeftAlone::Stays::kEvent;
  left.card = read_facet(in);
  return in.done() ? std::optional(left) : std::nullopt;
}

bool leave_alone(const LeftAlone& left, FacetMask mask, Situation& situation) {
  switch (left.stays) {
    case LeftAlone::Stays::kCard:
      if (!situation.card.wanted || !differing(*situation.card.wanted, left.card, mask).empty()) return false;
      situation.card.wanted.reset();
      return true;
    case LeftAlone::Stays::kEvent:
      if (situation.card.wanted) return false;
      if (situation.event && situation.event->presence == EventPresence::kLive)
        situation.event->presence = EventPresence::kUnmanaged;
      return true;
  }
  return false;
}

}  // namespace kalends
