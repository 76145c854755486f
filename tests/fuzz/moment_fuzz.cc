// SPDX-License-Identifier: Apache-2.0
// A line with a date or a moment, and a line with the name of a zone: what is read is written the same, and a
// wall time in a known zone is one instant, whose wall time is that one again, outside of gaps.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/google/event.h"
#include "worker/google/zones.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view input = as_text({data, size});
  size_t end = std::min(input.find('\n'), input.size());
  std::string_view text = input.substr(0, end);
  std::string_view zone = input.substr(std::min(end + 1, input.size()));

  if (auto date = parse_google_date(text)) KALENDS_CHECK(google_date_text(*date) == text);
  KALENDS_CHECK(!is_known_zone(zone) || is_valid_zone_name(zone));
  auto moment = parse_google_moment(text);
  if (!moment) return 0;
  KALENDS_CHECK(parse_google_date(google_date_text(moment->date)) == moment->date);
  WallTime wall{int64_t{civil_date({moment->date.year, moment->date.month, moment->date.day}).days} * 86400 +
                moment->hour * 3600 + moment->minute * 60 + moment->second};
  if (moment->offset_minutes)
    KALENDS_CHECK(*moment->instant_ms() == (wall.seconds - *moment->offset_minutes * 60) * 1000);

  for (Fold fold : {Fold::kFirst, Fold::kSecond}) {
    auto instant = to_instant(wall, zone, fold);
    KALENDS_CHECK(instant.has_value() == is_known_zone(zone));
    if (!instant) return 0;
    KALENDS_CHECK(instant->seconds + instant->offset_seconds == wall.seconds);
    auto shown = to_wall(instant->seconds, zone);
    KALENDS_CHECK(shown.has_value());
    auto same = to_instant(shown->wall, zone, shown->fold);
    KALENDS_CHECK(same && same->seconds == instant->seconds);
    auto periods = zone_periods(zone, instant->seconds, instant->seconds + 400 * 86400);
    KALENDS_CHECK(periods && !periods->empty() && periods->front().begin_seconds <= instant->seconds);
    KALENDS_CHECK(periods->front().offset_seconds == shown->wall.seconds - instant->seconds);
  }
  return 0;
}
