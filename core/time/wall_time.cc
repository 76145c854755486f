// SPDX-License-Identifier: Apache-2.0
#include "core/time/wall_time.h"

#include "core/base/text.h"

namespace kalends {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::string padded(int32_t number, size_t width) {
  std::string text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::optional<int32_t> digits(std::string_view text, size_t from, size_t count) {
  int32_t number = 0;
  for (size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

}  // namespace

// Both directions after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public description).
CivilDate civil_date(YearMonthDay ymd) {
  int32_t y = ymd.year - (ymd.month <= 2);
  int32_t era = static_cast<int32_t>(floor_divide(y, 400));
  int32_t year_of_era = y - era * 400;
  int32_t day_of_year = (153 * (ymd.month + (ymd.month > 2 ? -3 : 9)) + 2) / 5 + ymd.day - 1;
  int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return {era * 146097 + day_of_era - 719468};
}

YearMonthDay year_month_day(CivilDate date) {
  int32_t z = date.days + 719468;
  int32_t era = static_cast<int32_t>(floor_divide(z, 146097));
  int32_t day_of_era = z - era * 146097;
  int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int32_t month_index = (5 * day_of_year + 2) / 153;
  int32_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  int32_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  return {year_of_era + era * 400 + (month <= 2), month, day};
}

CivilDate WallTime::date() const { return {static_cast<int32_t>(floor_divide(seconds, kSecondsPerDay))}; }

bool is_valid_date(CivilDate date) {
  return date >= civil_date({1, 1, 1}) && date <= civil_date({9999, 12, 31});
}

bool is_valid_zone_name(std::string_view zone) {
  if (zone.size() > 64) return false;
  for (char c : zone) {
    bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '-' || c == '+' || c == '/';
    if (!ok) return false;
  }
  return true;
}

bool is_valid_when(const When& when) {
  if (when.is_all_day)
    return is_valid_date(when.date) && when.wall == WallTime{} && when.zone.empty() &&
           when.fold == Fold::kFirst;
  constexpr int64_t kFarthest = int64_t{4000000} * kSecondsPerDay;  // so that date() cannot overflow
  return when.date == CivilDate{} && when.wall.seconds > -kFarthest && when.wall.seconds < kFarthest &&
         is_valid_date(when.wall.date()) && is_valid_zone_name(when.zone);
}

bool is_start_after_due(const When& start, const When& due) {
  if (start.is_all_day || due.is_all_day) return start.first_day() > due.first_day();
  if (start.zone == due.zone) return start.wall > due.wall;
  return start.first_day().days > due.first_day().days + 1;
}

std::string to_text(CivilDate date) {
  auto [year, month, day] = year_month_day(date);
  return join({padded(year, 4), "-", padded(month, 2), "-", padded(day, 2)});
}

std::string to_text(WallTime wall) {
  auto seconds = static_cast<int32_t>(wall.seconds - wall.date().days * kSecondsPerDay);
  return join({to_text(wall.date()), "T", padded(seconds / 3600, 2), ":", padded(seconds / 60 % 60, 2), ":",
               padded(seconds % 60, 2)});
}

std::optional<CivilDate> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = digits(text, 0, 4);
  auto month = digits(text, 5, 2);
  auto day = digits(text, 8, 2);
  if (!year || !month || !day || *year < 1 || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  CivilDate date = civil_date({*year, *month, *day});
  auto back = year_month_day(date);
  if (back.month != *month || back.day != *day) return std::nullopt;  // 31 February
  return date;
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
  if ((text.size() != 16 && text.size() != 19) || text[10] != 'T' || text[13] != ':') return std::nullopt;
  auto date = parse_date(text.substr(0, 10));
  auto hour = digits(text, 11, 2);
  auto minute = digits(text, 14, 2);
  std::optional<int32_t> second = 0;
  if (text.size() == 19) {
    if (text[16] != ':') return std::nullopt;
    second = digits(text, 17, 2);
  }
  if (!date || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return WallTime{date->days * kSecondsPerDay + *hour * 3600 + *minute * 60 + *second};
}

}  // namespace kalends
