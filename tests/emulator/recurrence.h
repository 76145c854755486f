// SPDX-License-Identifier: Apache-2.0
// Recurring events: RRULE, EXRULE, RDATE and EXDATE lines, and the starts they give. DAILY, WEEKLY, MONTHLY
// and YEARLY with INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS and WKST; anything else is
// refused. Rules run on the wall clock of the event's zone: a 9 o'clock meeting stays at 9 o'clock over clock
// changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kalends::emulator {

enum class Frequency { kDaily, kWeekly, kMonthly, kYearly };

struct WeekdayRule {
  int ordinal = 0;  // 0: every one; 2: the second; -1: the last
  int weekday = 0;  // 0 = Monday
};

struct Rule {
  Frequency frequency = Frequency::kDaily;
  int interval = 1;
  std::optional<int> count;
  // Inclusive. As an instant when the text was one, else as the last day (days since 1970).
  std::optional<int64_t> until_ms;
  std::optional<int64_t> until_day;
  std::vector<WeekdayRule> by_day;
  std::vector<int> by_month_day;
  std::vector<int> by_month;
  std::vector<int> by_set_position;
  int week_start = 0;
};

struct Series {
  bool is_all_day = false;
  std::string zone;      // of timed series
  int64_t start_ms = 0;  // instant of the first start; for all-day: midnight UTC of the first day
  std::vector<Rule> rules;
  std::vector<Rule> excluded_rules;
  std::vector<int64_t> dates;           // RDATE, same unit as start_ms
  std::vector<int64_t> excluded_dates;  // EXDATE
};

// Adds the lines to a series whose other members are set. False with `reason` for a line that Google refuses.
bool parse_recurrence(const std::vector<std::string>& lines, Series& series, std::string& reason);

// Starts in [from_ms, until_ms), ascending, without doubles, at most `limit`.
std::vector<int64_t> series_starts(const Series& series, int64_t from_ms, int64_t until_ms, size_t limit);

bool series_has_start(const Series& series, int64_t start_ms);

}  // namespace kalends::emulator
