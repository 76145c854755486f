// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/recurrence.h"

#include <catch2/catch.hpp>

#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

int64_t instant(const std::string& text) {
  auto parsed = parse_date_time(text);
  return parsed->local_ms - *parsed->offset_ms;
}

std::vector<std::string> timed(const std::string& start, const std::string& zone,
                               const std::vector<std::string>& lines,
                               const std::string& until = "2030-01-01T00:00:00Z", size_t limit = 50) {
  Series series;
  series.zone = zone;
  series.start_ms = instant(start);
  std::string reason;
  REQUIRE(parse_recurrence(lines, series, reason));
  std::vector<std::string> texts;
  for (int64_t at : series_starts(series, series.start_ms, instant(until), limit))
    texts.push_back(format_in_zone(at, zone));
  return texts;
}

std::vector<std::string> all_day(const std::string& start, const std::vector<std::string>& lines,
                                 size_t limit = 50) {
  Series series;
  series.is_all_day = true;
  series.start_ms = *parse_date(start) * kDayMs;
  std::string reason;
  REQUIRE(parse_recurrence(lines, series, reason));
  std::vector<std::string> texts;
  for (int64_t at : series_starts(series, series.start_ms, INT64_MAX / 8, limit))
    texts.push_back(format_date(at / kDayMs));
  return texts;
}

using Texts = std::vector<std::string>;

TEST_CASE("a daily meeting keeps its wall time when the clocks change") {
  CHECK(timed("2026-10-24T09:00:00+02:00", "Europe/Zurich", {"RRULE:FREQ=DAILY;COUNT=3"}) ==
        Texts{"2026-10-24T09:00:00+02:00", "2026-10-25T09:00:00+01:00", "2026-10-26T09:00:00+01:00"});
}

TEST_CASE("a start that the spring change skips moves forward by the gap") {
  CHECK(timed("2026-03-28T02:30:00+01:00", "Europe/Zurich", {"RRULE:FREQ=DAILY;COUNT=3"}) ==
        Texts{"2026-03-28T02:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"});
}

TEST_CASE("weekly rules name days and skip weeks") {
  CHECK(timed("2026-12-01T10:00:00Z", "UTC", {"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=5"}) ==
        Texts{"2026-12-01T10:00:00Z", "2026-12-03T10:00:00Z", "2026-12-15T10:00:00Z", "2026-12-17T10:00:00Z",
              "2026-12-29T10:00:00Z"});
}

TEST_CASE("the last Friday and the second Monday of a month are found") {
  CHECK(all_day("2026-11-27", {"RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"}) ==
        Texts{"2026-11-27", "2026-12-25", "2027-01-29"});
  CHECK(all_day("2026-12-14", {"RRULE:FREQ=MONTHLY;BYDAY=2MO;COUNT=2"}) == Texts{"2026-12-14", "2027-01-11"});
}

TEST_CASE("the 31st is skipped in months that have none, the last day is not") {
  CHECK(all_day("2026-01-31", {"RRULE:FREQ=MONTHLY;COUNT=3"}) ==
        Texts{"2026-01-31", "2026-03-31", "2026-05-31"});
  CHECK(all_day("2026-01-31", {"RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3"}) ==
        Texts{"2026-01-31", "2026-02-28", "2026-03-31"});
}

TEST_CASE("a birthday on 29 February comes in leap years only") {
  CHECK(all_day("2024-02-29", {"RRULE:FREQ=YEARLY;COUNT=2"}) == Texts{"2024-02-29", "2028-02-29"});
}

TEST_CASE("yearly rules may name months and days") {
  CHECK(all_day("2026-03-01", {"RRULE:FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1;COUNT=3"}) ==
        Texts{"2026-03-01", "2026-09-01", "2027-03-01"});
}

TEST_CASE("UNTIL is inclusive") {
  CHECK(timed("2026-12-01T10:00:00Z", "UTC", {"RRULE:FREQ=DAILY;UNTIL=20261203T100000Z"}).size() == 3);
  CHECK(all_day("2026-12-01", {"RRULE:FREQ=DAILY;UNTIL=20261203"}).size() == 3);
}

TEST_CASE("RDATE adds a start and EXDATE takes one away") {
  CHECK(all_day("2026-12-01",
                {"RRULE:FREQ=DAILY;COUNT=3", "RDATE;VALUE=DATE:20261224", "EXDATE;VALUE=DATE:20261202"}) ==
        Texts{"2026-12-01", "2026-12-03", "2026-12-24"});
  CHECK(timed("2026-12-01T10:00:00+01:00", "Europe/Zurich",
              {"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Zurich:20261202T100000"})
            .size() == 2);
}

TEST_CASE("BYSETPOS picks from a month's candidates") {
  CHECK(all_day("2026-12-31", {"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2"}) ==
        Texts{"2026-12-31", "2027-01-29"});
}

TEST_CASE("a rule that never matches ends, and one without end is cut by the limit") {
  CHECK(all_day("2026-01-01", {"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}) == Texts{"2026-01-01"});
  CHECK(all_day("2026-01-01", {"RRULE:FREQ=DAILY"}, 7).size() == 7);
}

TEST_CASE("a window far from the start finds the same starts as counting from the beginning") {
  Series series;
  series.is_all_day = true;
  series.start_ms = *parse_date("2001-01-31") * kDayMs;
  std::string reason;
  REQUIRE(parse_recurrence({"RRULE:FREQ=MONTHLY;INTERVAL=5"}, series, reason));
  int64_t from = *parse_date("2026-01-01") * kDayMs, until = *parse_date("2031-01-01") * kDayMs;
  std::vector<int64_t> all = series_starts(series, series.start_ms, until, 5000);
  std::erase_if(all, [&](int64_t at) { return at < from; });
  CHECK(series_starts(series, from, until, 5000) == all);
  CHECK_FALSE(all.empty());
}

TEST_CASE("lines that Google refuses are refused") {
  for (const char* line :
       {"RRULE:FREQ=HOURLY", "RRULE:COUNT=3", "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20261201", "DTSTART:20261201",
        "RRULE:FREQ=WEEKLY;BYDAY=XX", "RRULE:FREQ=DAILY;INTERVAL=0", "EXDATE:20261201", "nonsense"}) {
    Series series;
    series.zone = "UTC";
    std::string reason;
    INFO(line);
    CHECK_FALSE(parse_recurrence({line}, series, reason));
    CHECK_FALSE(reason.empty());
  }
}

}  // namespace
}  // namespace kalends::emulator
