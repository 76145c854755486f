// SPDX-License-Identifier: Apache-2.0
// Ranks: keys that order cards in a list (lists on a board, items in a checklist), compared as bytes.
//
// Between any two different ranks there is another, and runs that two people insert at the same place do not
// interleave: A1 A2 A3 B1 B2 B3, never A1 B1 A2 B2. A rank is a path in a tree, in the manner of Fugue
// (Weidner and Kleppmann 2023) made into a string: a sequence of components (tag, value, side). The tag names
// the replica and the direction of its run; a run that grows at its end only changes the value of its last
// component, so ranks stay short when cards are added one after another, at the bottom or at the top of a
// list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/id.h"

namespace kalends {

struct RankMaker {
  ReplicaId replica;
  uint64_t counter;  // of the operation that will carry the rank: never used twice by the replica
};

// A rank strictly between `left` and `right`; an empty text is the end of the list on that side.
// Requires: left < right, or one of them empty. When left == right (forged or copied ranks) the new rank
// stands directly after both.
std::string rank_between(std::string_view left, std::string_view right, RankMaker maker);

}  // namespace kalends
