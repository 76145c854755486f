// SPDX-License-Identifier: Apache-2.0
// Rules of time zones, from the machine's tz database. The core knows only names; this is where a wall time
// becomes an instant and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time/wall_time.h"

namespace kalends {

bool is_known_zone(std::string_view zone);

struct ZonedInstant {
  int64_t seconds = 0;         // since 1970 UTC
  int32_t offset_seconds = 0;  // east of UTC, in force then
};

// A wall time that clocks skip is read with the offset before the gap, which is the later instant; of one
// that comes twice, `fold` says which. nullopt: the zone is unknown.
std::optional<ZonedInstant> to_instant(WallTime wall, std::string_view zone, Fold fold);

struct WallInZone {
  WallTime wall;
  Fold fold = Fold::kFirst;
};
std::optional<WallInZone> to_wall(int64_t instant_seconds, std::string_view zone);

// A stretch of time in which a zone's clocks keep one distance from UTC.
struct ZonePeriod {
  int64_t begin_seconds = 0;   // since 1970 UTC; the first period may begin long before what was asked for
  int32_t offset_seconds = 0;  // east of UTC
  bool is_daylight = false;
  std::string abbreviation;  // CET, or a number where the zone has no letters
};
// The periods that cover [from, until], in order; nullopt: the zone is unknown, or `until` is before `from`.
std::optional<std::vector<ZonePeriod>> zone_periods(std::string_view zone, int64_t from_seconds,
                                                    int64_t until_seconds);

}  // namespace kalends
