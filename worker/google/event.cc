// SPDX-License-Identifier: Apache-2.0
#include "worker/google/event.h"

#include <chrono>
#include <cstdio>

namespace kalends {
namespace {

// Takes exactly `count` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::chrono::year_month_day civil(const GoogleDate& date) {
  return std::chrono::year(date.year) / std::chrono::month(static_cast<unsigned>(date.month)) /
         std::chrono::day(static_cast<unsigned>(date.day));
}

std::optional<GoogleDate> take_date(std::string_view& text) {
  auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  GoogleDate date{*year, *month, *day};
  if (!civil(date).ok()) return std::nullopt;
  return date;
}

// "Z", "z", "+01:00"; nothing at all is no offset. False: something else.
bool take_offset(std::string_view& text, std::optional<int>& offset_minutes) {
  if (text.empty()) return true;
  if (take(text, 'Z') || take(text, 'z')) {
    offset_minutes = 0;
    return true;
  }
  int sign = text[0] == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return false;
  auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return false;
  auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return false;
  offset_minutes = sign * (*hours * 60 + *minutes);
  return true;
}

}  // namespace

std::optional<int64_t> GoogleMoment::instant_ms() const {
  if (!offset_minutes) return std::nullopt;
  int64_t days = std::chrono::sys_days(civil(date)).time_since_epoch().count();
  int64_t seconds = days * 86'400 + hour * 3'600 + minute * 60 + second - *offset_minutes * 60;
  return seconds * 1'000;
}

std::optional<GoogleDate> parse_google_date(std::string_view text) {
  auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  return date;
}

std::optional<GoogleMoment> parse_google_moment(std::string_view text) {
  auto date = take_date(text);
  if (!date || (!take(text, 'T') && !take(text, 't'))) return std::nullopt;
  auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if (take(text, '.')) {
    if (!take_digits(text, 1)) return std::nullopt;
    while (take_digits(text, 1)) {
    }
  }
  // A leap second is shown as the last ordinary one: calendars have no room for it.
  GoogleMoment moment{*date, *hour, *minute, *second == 60 ? 59 : *second, std::nullopt};
  if (!take_offset(text, moment.offset_minutes) || !text.empty()) return std::nullopt;
  return moment;
}

std::string google_date_text(const GoogleDate& date) {
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day);
  return text;
}

GoogleTime GoogleTime::all_day(std::string date) {
  GoogleTime time;
  time.day = parse_google_date(date);
  time.date = std::move(date);
  return time;
}

GoogleTime GoogleTime::timed(std::string date_time, std::string time_zone) {
  GoogleTime time;
  time.moment = parse_google_moment(date_time);
  time.date_time = std::move(date_time);
  time.time_zone = std::move(time_zone);
  return time;
}

}  // namespace kalends
