// SPDX-License-Identifier: Apache-2.0
// Instants, zones and the texts Google writes for them. Instants are milliseconds since 1970 UTC; a local
// time is milliseconds since 1970 on the zone's own wall clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kalends::emulator {

inline constexpr int64_t kSecondMs = 1000;
inline constexpr int64_t kMinuteMs = 60 * kSecondMs;
inline constexpr int64_t kHourMs = 60 * kMinuteMs;
inline constexpr int64_t kDayMs = 24 * kHourMs;

struct CivilDate {
  int year = 1970;
  int month = 1;
  int day = 1;
  bool operator==(const CivilDate&) const = default;
};

int64_t days_from_civil(const CivilDate& date);  // days since 1970-01-01
CivilDate civil_from_days(int64_t days);
int days_in_month(int year, int month);
int weekday_from_days(int64_t days);  // 0 = Monday … 6 = Sunday

// "2026-11-24"; nullopt unless it is a real date in exactly this form.
std::optional<int64_t> parse_date(std::string_view text);
std::string format_date(int64_t days);

// RFC 3339, the offset optional. Fractions of a second are read and dropped, as Google does.
struct ParsedDateTime {
  int64_t local_ms = 0;
  std::optional<int64_t> offset_ms;  // absent: the text had no offset
};
std::optional<ParsedDateTime> parse_date_time(std::string_view text);

bool is_known_zone(const std::string& zone);
// Requires: is_known_zone(zone). A wall time skipped by a clock change moves forward; a doubled one is the
// first.
int64_t local_to_instant(const std::string& zone, int64_t local_ms);
int64_t instant_to_local(const std::string& zone, int64_t instant_ms);

// "2026-11-24T10:00:00+01:00", or with "Z" where the offset is zero.
std::string format_in_zone(int64_t instant_ms, const std::string& zone);
// "2026-11-24T09:00:00.123Z": created and updated.
std::string format_utc_ms(int64_t instant_ms);
// "20261124T090000Z": instance ids.
std::string format_basic_utc(int64_t instant_ms);
std::string format_basic_date(int64_t days);
// "Tue, 24 Nov 2026 09:00:00 GMT": headers.
std::string format_http_date(int64_t instant_ms);

}  // namespace kalends::emulator
