// SPDX-License-Identifier: Apache-2.0
// Rules of time zones, from the machine's tz database. The core knows only names; this is where a wall time becomes
// an instant and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time/wall_time.h"

namespace kalends {

bool is_known_zone(std::string_view zone);

struct ZonedInstant {
  int64_t seconds = 0;         // since 1970 UTC
  int32_t offset_seconds = 0;  // east of UTC, in force then
};

// A wall time that clocks skip is read with the offset before the gap, which is the later instant; of one that comes
// twice, `fold` says which. nullopt: the zone is unknown.
std::optional<ZonedInstant> to_instant(WallTime wall, std::string_view zone, Fold fold);

struct WallInZone {
  WallTime wall;
  Fold fold = Fold::kFirst;
};
std::optional<WallInZone> to_wall(int64_t instant_seconds, std::string_view zone);

}  // namespace kalends
