// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/zone_time.h"

#include <date/date.h>
#include <date/tz.h>

#include <array>
#include <cstdio>
#include <map>

namespace kalends::emulator {
namespace {

// Whole days and the rest, also before 1970.
int64_t floor_days(int64_t ms) { return ms >= 0 ? ms / kDayMs : -((-ms + kDayMs - 1) / kDayMs); }

std::optional<int> digits(std::string_view text, size_t position, size_t count) {
  if (position + count > text.size()) return std::nullopt;
  int value = 0;
  for (size_t i = position; i < position + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// locate_zone throws for unknown names and searches each time; calendars use few zones.
const date::time_zone* find_zone(const std::string& name) {
  static std::map<std::string, const date::time_zone*> known;
  auto found = known.find(name);
  if (found != known.end()) return found->second;
  const date::time_zone* zone = nullptr;
  try {
    zone = date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
  known[name] = zone;
  return zone;
}

struct Clock {
  CivilDate date;
  int hour, minute, second, millisecond;
};

Clock split(int64_t ms) {
  int64_t days = floor_days(ms);
  int64_t rest = ms - days * kDayMs;
  return {civil_from_days(days), static_cast<int>(rest / kHourMs), static_cast<int>(rest / kMinuteMs % 60),
          static_cast<int>(rest / kSecondMs % 60), static_cast<int>(rest % 1000)};
}

template <typename... Parts>
std::string print(const char* format, Parts... parts) {
  std::array<char, 96> buffer;
  int length = std::snprintf(buffer.data(), buffer.size(), format, parts...);
  return std::string(buffer.data(), static_cast<size_t>(length));
}

}  // namespace

int64_t days_from_civil(const CivilDate& date) {
  auto ymd = date::year{date.year} / date::month{static_cast<unsigned>(date.month)} /
             date::day{static_cast<unsigned>(date.day)};
  return date::sys_days{ymd}.time_since_epoch().count();
}

CivilDate civil_from_days(int64_t days) {
  date::year_month_day ymd{date::sys_days{date::days{days}}};
  return {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day()))};
}

int days_in_month(int year, int month) {
  date::year_month_day_last last{date::year{year},
                                 date::month_day_last{date::month{static_cast<unsigned>(month)}}};
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

int weekday_from_days(int64_t days) {
  int64_t monday_based = (days + 3) % 7;  // 1970-01-01 was a Thursday
  return static_cast<int>(monday_based < 0 ? monday_based + 7 : monday_based);
}

std::optional<int64_t> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day || *year < 1 || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  if (*day > days_in_month(*year, *month)) return std::nullopt;
  return days_from_civil({*year, *month, *day});
}

std::string format_date(int64_t days) {
  CivilDate date = civil_from_days(days);
  return print("%04d-%02d-%02d", date.year, date.month, date.day);
}

std::optional<ParsedDateTime> parse_date_time(std::string_view text) {
  if (text.size() < 16 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  auto days = parse_date(text.substr(0, 10));
  auto hour = digits(text, 11, 2), minute = digits(text, 14, 2);
  if (!days || !hour || !minute || text[13] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
  size_t position = 16;
  int second = 0;
  if (position < text.size() && text[position] == ':') {
    auto parsed = digits(text, 17, 2);
    if (!parsed || *parsed > 60) return std::nullopt;
    second = std::min(*parsed, 59);
    position = 19;
    if (position < text.size() && text[position] == '.') {
      size_t start = ++position;
      while (position < text.size() && text[position] >= '0' && text[position] <= '9') ++position;
      if (position == start) return std::nullopt;
    }
  }
  ParsedDateTime parsed;
  parsed.local_ms = *days * kDayMs + *hour * kHourMs + *minute * kMinuteMs + second * kSecondMs;
  std::string_view offset = text.substr(position);
  if (offset.empty()) return parsed;
  if (offset == "Z" || offset == "z") {
    parsed.offset_ms = 0;
    return parsed;
  }
  if (offset.size() != 6 || (offset[0] != '+' && offset[0] != '-') || offset[3] != ':') return std::nullopt;
  auto hours = digits(offset, 1, 2), minutes = digits(offset, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  parsed.offset_ms = (*hours * kHourMs + *minutes * kMinuteMs) * (offset[0] == '-' ? -1 : 1);
  return parsed;
}

bool is_known_zone(const std::string& zone) { return !zone.empty() && find_zone(zone) != nullptr; }

int64_t local_to_instant(const std::string& zone, int64_t local_ms) {
  date::local_time<std::chrono::milliseconds> local{std::chrono::milliseconds{local_ms}};
  auto info = find_zone(zone)->get_info(local);
  // For a skipped wall time the offset from before the gap moves it forward by the gap's length.
  return local_ms - std::chrono::milliseconds(info.first.offset).count();
}

int64_t instant_to_local(const std::string& zone, int64_t instant_ms) {
  date::sys_time<std::chrono::milliseconds> instant{std::chrono::milliseconds{instant_ms}};
  return instant_ms + std::chrono::milliseconds(find_zone(zone)->get_info(instant).offset).count();
}

std::string format_in_zone(int64_t instant_ms, const std::string& zone) {
  int64_t local_ms = instant_to_local(zone, instant_ms);
  Clock clock = split(local_ms);
  std::string text = print("%04d-%02d-%02dT%02d:%02d:%02d", clock.date.year, clock.date.month, clock.date.day,
                           clock.hour, clock.minute, clock.second);
  int64_t offset_minutes = (local_ms - instant_ms) / kMinuteMs;
  if (offset_minutes == 0) return text + "Z";
  int64_t size = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  return text + print("%c%02d:%02d", offset_minutes < 0 ? '-' : '+', static_cast<int>(size / 60),
                      static_cast<int>(size % 60));
}

std::string format_utc_ms(int64_t instant_ms) {
  Clock clock = split(instant_ms);
  return print("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", clock.date.year, clock.date.month, clock.date.day,
               clock.hour, clock.minute, clock.second, clock.millisecond);
}

std::string format_basic_utc(int64_t instant_ms) {
  Clock clock = split(instant_ms);
  return print("%04d%02d%02dT%02d%02d%02dZ", clock.date.year, clock.date.month, clock.date.day, clock.hour,
               clock.minute, clock.second);
}

std::string format_basic_date(int64_t days) {
  CivilDate date = civil_from_days(days);
  return print("%04d%02d%02d", date.year, date.month, date.day);
}

std::string format_http_date(int64_t instant_ms) {
  static constexpr const char* kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Clock clock = split(instant_ms);
  return print("%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[weekday_from_days(floor_days(instant_ms))],
               clock.date.day, kMonths[clock.date.month - 1], clock.date.year, clock.hour, clock.minute,
               clock.second);
}

}  // namespace kalends::emulator
