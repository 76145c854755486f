// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/recurrence.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

// A rule that matches nothing (30 February) must end: no calendar shows more than this many empty periods.
constexpr int kPeriodsMax = 60'000;
constexpr size_t kOccurrencesMax = 20'000;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (true) {
    size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end == std::string::npos ? end : end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

std::optional<int> parse_number(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<int>> parse_numbers(const std::string& text, int lowest, int highest,
                                              bool may_be_negative) {
  std::vector<int> numbers;
  for (const std::string& part : split(text, ',')) {
    auto number = parse_number(part);
    if (!number || *number == 0) return std::nullopt;
    int size = *number < 0 ? -*number : *number;
    if (size < lowest || size > highest || (*number < 0 && !may_be_negative)) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<int> parse_weekday(std::string_view text) {
  static constexpr std::string_view kNames[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
  for (int i = 0; i < 7; ++i) {
    if (text == kNames[i]) return i;
  }
  return std::nullopt;
}

// "20261124", "20261124T090000" or "20261124T090000Z".
struct BasicTime {
  bool has_time = false;
  bool is_utc = false;
  int64_t local_ms = 0;
};

std::optional<BasicTime> parse_basic(const std::string& text) {
  if (text.size() != 8 && text.size() != 15 && text.size() != 16) return std::nullopt;
  auto day = parse_date(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2));
  if (!day) return std::nullopt;
  BasicTime parsed;
  parsed.local_ms = *day * kDayMs;
  if (text.size() == 8) return parsed;
  if (text[8] != 'T' || (text.size() == 16 && text[15] != 'Z')) return std::nullopt;
  auto time = parse_date_time("1970-01-01T" + text.substr(9, 2) + ":" + text.substr(11, 2) + ":" +
                              text.substr(13, 2));
  if (!time) return std::nullopt;
  parsed.has_time = true;
  parsed.is_utc = text.size() == 16;
  parsed.local_ms += time->local_ms;
  return parsed;
}

bool parse_rule(const std::string& text, Rule& rule) {
  bool has_frequency = false;
  for (const std::string& part : split(text, ';')) {
    size_t equals = part.find('=');
    if (equals == std::string::npos) return false;
    std::string name = part.substr(0, equals), value = part.substr(equals + 1);
    if (name == "FREQ") {
      static const std::map<std::string, Frequency> kNames = {{"DAILY", Frequency::kDaily},
                                                              {"WEEKLY", Frequency::kWeekly},
                                                              {"MONTHLY", Frequency::kMonthly},
                                                              {"YEARLY", Frequency::kYearly}};
      auto found = kNames.find(value);
      if (found == kNames.end()) return false;
      rule.frequency = found->second;
      has_frequency = true;
    } else if (name == "INTERVAL") {
      auto number = parse_number(value);
      if (!number || *number < 1 || *number > 10'000) return false;
      rule.interval = *number;
    } else if (name == "COUNT") {
      rule.count = parse_number(value);
      if (!rule.count || *rule.count < 1) return false;
    } else if (name == "UNTIL") {
      auto until = parse_basic(value);
      if (!until) return false;
      if (until->is_utc) {
        rule.until_ms = until->local_ms;
      } else {
        // Without a zone only the day is meant.
        rule.until_day = until->local_ms / kDayMs;
      }
    } else if (name == "BYDAY") {
      for (const std::string& day : split(value, ',')) {
        if (day.size() < 2) return false;
        auto weekday = parse_weekday(std::string_view(day).substr(day.size() - 2));
        int ordinal = 0;
        if (day.size() > 2) {
          auto number = parse_number(std::string_view(day).substr(0, day.size() - 2));
          if (!number || *number == 0 || *number < -53 || *number > 53) return false;
          ordinal = *number;
        }
        if (!weekday) return false;
        rule.by_day.push_back({ordinal, *weekday});
      }
    } else if (name == "BYMONTHDAY") {
      auto numbers = parse_numbers(value, 1, 31, true);
      if (!numbers) return false;
      rule.by_month_day = *numbers;
    } else if (name == "BYMONTH") {
      auto numbers = parse_numbers(value, 1, 12, false);
      if (!numbers) return false;
      rule.by_month = *numbers;
    } else if (name == "BYSETPOS") {
      auto numbers = parse_numbers(value, 1, 366, true);
      if (!numbers) return false;
      rule.by_set_position = *numbers;
    } else if (name == "WKST") {
      auto weekday = parse_weekday(value);
      if (!weekday) return false;
      rule.week_start = *weekday;
    } else {
      return false;
    }
  }
  return has_frequency && !(rule.count && (rule.until_ms || rule.until_day));
}

template <typename T>
bool contains(const std::vector<T>& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool month_day_matches(const Rule& rule, const CivilDate& date) {
  if (rule.by_month_day.empty()) return true;
  int length = days_in_month(date.year, date.month);
  return contains(rule.by_month_day, date.day) || contains(rule.by_month_day, date.day - length - 1);
}

// Days of [first, last] whose weekday fits; ordinals count inside this span.
bool weekday_matches(const Rule& rule, int64_t day, int64_t first, int64_t last) {
  if (rule.by_day.empty()) return true;
  int weekday = weekday_from_days(day);
  for (const WeekdayRule& wanted : rule.by_day) {
    if (wanted.weekday != weekday) continue;
    if (wanted.ordinal == 0) return true;
    int64_t from_start = (day - first) / 7 + 1, from_end = (last - day) / 7 + 1;
    if (wanted.ordinal > 0 ? from_start == wanted.ordinal : from_end == -wanted.ordinal) return true;
  }
  return false;
}

void add_month(const Rule& rule, int year, int month, const CivilDate& start, std::vector<int64_t>& days) {
  int length = days_in_month(year, month);
  int64_t first = days_from_civil({year, month, 1});
  bool is_free = rule.by_month_day.empty() && rule.by_day.empty();
  for (int day = 1; day <= length; ++day) {
    if (is_free && day != start.day) continue;
    CivilDate date{year, month, day};
    int64_t number = first + day - 1;
    if (month_day_matches(rule, date) && weekday_matches(rule, number, first, first + length - 1)) {
      days.push_back(number);
    }
  }
}

void add_year(const Rule& rule, int year, const CivilDate& start, std::vector<int64_t>& days) {
  if (!rule.by_month.empty()) {
    std::vector<int> months = rule.by_month;
    std::sort(months.begin(), months.end());
    for (int month : months) add_month(rule, year, month, start, days);
  } else if (!rule.by_month_day.empty()) {
    for (int month = 1; month <= 12; ++month) add_month(rule, year, month, start, days);
  } else if (!rule.by_day.empty()) {
    int64_t first = days_from_civil({year, 1, 1}), last = days_from_civil({year, 12, 31});
    for (int64_t day = first; day <= last; ++day) {
      if (weekday_matches(rule, day, first, last)) days.push_back(day);
    }
  } else if (start.day <= days_in_month(year, start.month)) {
    days.push_back(days_from_civil({year, start.month, start.day}));
  }
}

// The candidate days of the period `index` intervals after the start's, ascending.
std::vector<int64_t> period_days(const Rule& rule, int64_t start_day, int64_t index) {
  std::vector<int64_t> days;
  CivilDate start = civil_from_days(start_day);
  int64_t steps = index * rule.interval;
  if (rule.frequency == Frequency::kDaily) {
    int64_t day = start_day + steps;
    CivilDate date = civil_from_days(day);
    bool fits = (rule.by_month.empty() || contains(rule.by_month, date.month)) &&
                month_day_matches(rule, date) && weekday_matches(rule, day, day, day);
    if (fits) days.push_back(day);
  } else if (rule.frequency == Frequency::kWeekly) {
    int64_t week = start_day - (weekday_from_days(start_day) - rule.week_start + 7) % 7 + steps * 7;
    for (int64_t day = week; day < week + 7; ++day) {
      bool fits = rule.by_day.empty() ? weekday_from_days(day) == weekday_from_days(start_day)
                                      : weekday_matches(rule, day, day, day);
      if (fits && (rule.by_month.empty() || contains(rule.by_month, civil_from_days(day).month)))
        days.push_back(day);
    }
  } else if (rule.frequency == Frequency::kMonthly) {
    int64_t month_number = start.year * 12LL + start.month - 1 + steps;
    int month = static_cast<int>(month_number % 12) + 1;
    if (rule.by_month.empty() || contains(rule.by_month, month)) {
      add_month(rule, static_cast<int>(month_number / 12), month, start, days);
    }
  } else {
    add_year(rule, static_cast<int>(start.year + steps), start, days);
  }
  if (rule.by_set_position.empty()) return days;
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < days.size(); ++i) {
    int from_start = static_cast<int>(i) + 1;
    int from_end = from_start - static_cast<int>(days.size()) - 1;
    if (contains(rule.by_set_position, from_start) || contains(rule.by_set_position, from_end)) {
      chosen.push_back(days[i]);
    }
  }
  return chosen;
}

int64_t longest_period_days(Frequency frequency) {
  switch (frequency) {
    case Frequency::kDaily:
      return 1;
    case Frequency::kWeekly:
      return 7;
    case Frequency::kMonthly:
      return 31;
    case Frequency::kYearly:
      return 366;
  }
  return 1;
}

void add_rule_starts(const Series& series, const Rule& rule, int64_t from_ms, int64_t until_ms, size_t limit,
                     std::set<int64_t>& starts) {
  int64_t start_local = series.is_all_day ? series.start_ms : instant_to_local(series.zone, series.start_ms);
  int64_t time_of_day = ((start_local % kDayMs) + kDayMs) % kDayMs;
  int64_t start_day = (start_local - time_of_day) / kDayMs;
  int64_t index = 0;
  if (!rule.count && from_ms > series.start_ms) {
    // Nothing is counted, so the periods before the window can be jumped over.
    int64_t days_before = (from_ms - series.start_ms) / kDayMs;
    index = std::max<int64_t>(0, days_before / (longest_period_days(rule.frequency) * rule.interval) - 1);
  }
  int counted = 0;
  size_t found = 0;
  for (int period = 0; period < kPeriodsMax; ++period, ++index) {
    for (int64_t day : period_days(rule, start_day, index)) {
      int64_t local = day * kDayMs + time_of_day;
      if (local < start_local) continue;
      int64_t start = series.is_all_day ? local : local_to_instant(series.zone, local);
      if (rule.until_ms && start > *rule.until_ms) return;
      if (rule.until_day && day > *rule.until_day) return;
      if (rule.count && counted >= *rule.count) return;
      ++counted;
      if (start >= until_ms || found >= limit) return;
      if (start >= from_ms && starts.insert(start).second) ++found;
    }
    // A period without a match must not run past the window for ever.
    int64_t reached = (start_day + index * rule.interval *
                                       (rule.frequency == Frequency::kDaily     ? 1
                                        : rule.frequency == Frequency::kWeekly  ? 7
                                        : rule.frequency == Frequency::kMonthly ? 28
                                                                                : 365)) *
                      kDayMs;
    if (reached > until_ms + 8 * kDayMs) return;
  }
}

}  // namespace

bool parse_recurrence(const std::vector<std::string>& lines, Series& series, std::string& reason) {
  for (const std::string& line : lines) {
    size_t colon = line.find(':');
    if (colon == std::string::npos) {
      reason = "Invalid recurrence rule.";
      return false;
    }
    std::vector<std::string> head = split(line.substr(0, colon), ';');
    std::string value = line.substr(colon + 1);
    if (head[0] == "RRULE" || head[0] == "EXRULE") {
      Rule rule;
      if (!parse_rule(value, rule)) {
        reason = "Invalid recurrence rule.";
        return false;
      }
      (head[0] == "RRULE" ? series.rules : series.excluded_rules).push_back(rule);
    } else if (head[0] == "RDATE" || head[0] == "EXDATE") {
      std::string zone = series.zone;
      for (size_t i = 1; i < head.size(); ++i) {
        if (head[i].rfind("TZID=", 0) == 0) zone = head[i].substr(5);
      }
      for (const std::string& text : split(value, ',')) {
        auto time = parse_basic(text);
        bool fits = time && time->has_time != series.is_all_day;
        if (!fits || (!series.is_all_day && !is_known_zone(zone))) {
          reason = "Invalid recurrence rule.";
          return false;
        }
        int64_t at = time->local_ms;
        if (!series.is_all_day && !time->is_utc) at = local_to_instant(zone, at);
        (head[0] == "RDATE" ? series.dates : series.excluded_dates).push_back(at);
      }
    } else {
      reason = "Invalid recurrence rule.";
      return false;
    }
  }
  return true;
}

std::vector<int64_t> series_starts(const Series& series, int64_t from_ms, int64_t until_ms, size_t limit) {
  limit = std::min(limit, kOccurrencesMax);
  // Room for what exclusions take away again.
  size_t wanted = std::min(limit + series.excluded_dates.size(), kOccurrencesMax);
  std::set<int64_t> starts;
  for (const Rule& rule : series.rules) add_rule_starts(series, rule, from_ms, until_ms, wanted, starts);
  // The first start belongs to the series even where the rule does not name it.
  if (series.start_ms >= from_ms && series.start_ms < until_ms) starts.insert(series.start_ms);
  for (int64_t date : series.dates) {
    if (date >= from_ms && date < until_ms) starts.insert(date);
  }
  for (const Rule& rule : series.excluded_rules) {
    std::set<int64_t> excluded;
    add_rule_starts(series, rule, from_ms, until_ms, kOccurrencesMax, excluded);
    for (int64_t start : excluded) starts.erase(start);
  }
  for (int64_t date : series.excluded_dates) starts.erase(date);
  std::vector<int64_t> result(starts.begin(), starts.end());
  if (result.size() > limit) result.resize(limit);
  return result;
}

bool series_has_start(const Series& series, int64_t start_ms) {
  return !series_starts(series, start_ms, start_ms + 1, 1).empty();
}

}  // namespace kalends::emulator
