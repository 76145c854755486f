// SPDX-License-Identifier: Apache-2.0
// Ranks: keys that order cards in a list (lists on a board, items in a checklist), compared as bytes.
//
// Between any two different ranks there is another, and runs that two people insert at the same place do not
// interleave: A1 A2 A3 B1 B2 B3, never A1 B1 A2 B2, in whichever direction each of them goes on. A rank is a sequence
// of stretches: the byte 0xFF, a tag of three bytes that names the replica which opened the stretch, and digits of
// 0x01 to 0xFE which that replica alone gives out in it. Somebody else who inserts there opens a stretch of his own at
// the digits that the owner would have taken, and goes on inside it. Appending counts up a number of three digits, so
// that millions of cards put one below the other keep one length; between two ranks stands a fraction.
#pragma once

#include <string>
#include <string_view>

#include "core/base/id.h"

namespace kalends {

// Where a replica goes on in one list: what it inserted last there, and the rank under which that run stands.
struct RankRun {
  std::string base;
  std::string last;
};

// A rank strictly between `left` and `right`; an empty text is the end of the list on that side. Whoever goes on with
// a run passes the same `run` again.
// Requires: left < right, or one of them empty. When left == right (forged or copied ranks) the new rank
// stands directly after both.
std::string rank_between(std::string_view left, std::string_view right, ReplicaId maker, RankRun* run = nullptr);

}  // namespace kalends
