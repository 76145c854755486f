// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/ics_zone.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"
#include "worker/google/zones.h"

namespace kalends {
namespace {

// Before the first change that matters; readers have trouble with years before 1601.
constexpr int64_t kBeginMin = -11644473600;

std::string two_digits(int64_t number) {
  std::string text = std::to_string(number);
  return text.size() < 2 ? "0" + text : text;
}

std::string offset_text(int32_t seconds) {
  int64_t rest = std::abs(int64_t{seconds});
  std::string text = (seconds < 0 ? "-" : "+") + two_digits(rest / 3600) + two_digits(rest / 60 % 60);
  return rest % 60 == 0 ? text : text + two_digits(rest % 60);
}

}  // namespace

std::string ics_wall_text(int64_t wall_seconds) {
  std::string text = to_text(WallTime{wall_seconds});
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '-' || c == ':'; }),
             text.end());
  return text;
}

std::vector<std::string> ics_zone_lines(std::string_view zone, int64_t from_seconds, int64_t until_seconds) {
  std::vector<std::string> lines{"BEGIN:VTIMEZONE", "TZID:" + std::string(zone)};
  auto periods = zone_periods(zone, from_seconds, until_seconds);
  KALENDS_CHECK(periods.has_value() && !periods->empty());
  int32_t offset_before =
      periods->front().offset_seconds;  // what was before the first period concerns no event
  for (const ZonePeriod& period : *periods) {
    const char* kind = period.is_daylight ? "DAYLIGHT" : "STANDARD";
    int64_t begin = std::max(period.begin_seconds + offset_before, kBeginMin);
    lines.push_back(std::string("BEGIN:") + kind);
    lines.push_back("DTSTART:" + ics_wall_text(begin));
    lines.push_back("TZOFFSETFROM:" + offset_text(offset_before));
    lines.push_back("TZOFFSETTO:" + offset_text(period.offset_seconds));
    if (!period.abbreviation.empty()) lines.push_back("TZNAME:" + period.abbreviation);
    lines.push_back(std::string("END:") + kind);
    offset_before = period.offset_seconds;
  }
  lines.push_back("END:VTIMEZONE");
  return lines;
}

}  // namespace kalends
