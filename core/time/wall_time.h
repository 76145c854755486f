// SPDX-License-Identifier: Apache-2.0
// Dates as people write them. A card's date is a civil date (all-day) or a wall time with the name of an IANA
// zone; it is never an instant, so no change of zone rules can move it. The core knows names of zones, not
// their rules: the worker resolves them (tz database) at the border to Google.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kalends {

// Days since 1970-01-01 in the proleptic Gregorian calendar.
struct CivilDate {
  int32_t days = 0;
  friend bool operator==(const CivilDate&, const CivilDate&) = default;
  friend std::strong_ordering operator<=>(const CivilDate& a, const CivilDate& b) {
    return a.days <=> b.days;
  }
};

struct YearMonthDay {
  int32_t year;
  int32_t month;
  int32_t day;
};
CivilDate civil_date(YearMonthDay ymd);
YearMonthDay year_month_day(CivilDate date);

// Seconds since 1970-01-01T00:00 of the wall clock.
struct WallTime {
  int64_t seconds = 0;
  CivilDate date() const;
  friend bool operator==(const WallTime&, const WallTime&) = default;
  friend std::strong_ordering operator<=>(const WallTime& a, const WallTime& b) {
    return a.seconds <=> b.seconds;
  }
};

enum class Fold : uint8_t {
  kFirst = 0,
  kSecond = 1
};  // which of the two equal wall times when clocks go back

// All-day or timed. `zone` is an IANA name; empty means floating (the same wall time wherever the reader is).
struct When {
  bool is_all_day = true;
  CivilDate date;    // all-day
  WallTime wall;     // timed
  std::string zone;  // timed
  Fold fold = Fold::kFirst;
  friend bool operator==(const When&, const When&) = default;

  static When all_day(CivilDate date) {
    When when;
    when.date = date;
    return when;
  }
  static When timed(WallTime wall, std::string zone, Fold fold = Fold::kFirst) {
    When when;
    when.is_all_day = false;
    when.wall = wall;
    when.zone = std::move(zone);
    when.fold = fold;
    return when;
  }
  CivilDate first_day() const { return is_all_day ? date : wall.date(); }
};

// Years 0001 to 9999, as Google and ISO 8601 allow.
bool is_valid_date(CivilDate date);
// "" or 1 to 64 characters of letters, digits, '_', '-', '+', '/'. Whether the zone exists is the worker's to
// say.
bool is_valid_zone_name(std::string_view zone);
bool is_valid_when(const When& when);

// Dates compare by day when one of them is all-day, by wall time in one zone otherwise; across zones only the
// days can be compared without the rules of the zones, and a difference of one day is possible.
bool is_start_after_due(const When& start, const When& due);

std::string to_text(CivilDate date);                             // 2026-11-24
std::string to_text(WallTime wall);                              // 2026-11-24T10:00:00
std::optional<CivilDate> parse_date(std::string_view text);      // exactly yyyy-mm-dd, an existing day
std::optional<WallTime> parse_wall_time(std::string_view text);  // yyyy-mm-ddThh:mm[:ss]

}  // namespace kalends
