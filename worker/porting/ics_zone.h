// SPDX-License-Identifier: Apache-2.0
// A VTIMEZONE component (RFC 5545 section 3.6.5) with the changes of the clocks between two instants written
// out, from the machine's tz database: exact for the events of a file, and no rule that a reader could take
// for a promise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kalends {

// Content lines, not yet folded. Requires: the zone is known; from <= until (seconds since 1970).
std::vector<std::string> ics_zone_lines(std::string_view zone, int64_t from_seconds, int64_t until_seconds);

// 20261201T090000, a wall time without its zone.
std::string ics_wall_text(int64_t wall_seconds);

}  // namespace kalends
