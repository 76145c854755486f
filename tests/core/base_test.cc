// SPDX-License-Identifier: Apache-2.0
// Text, clocks, dates, ranks: the small things that everything else stands on.
#include <rapidcheck.h>
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/base/text.h"
#include "core/time/hlc.h"
#include "core/time/wall_time.h"

namespace kalends::test {
namespace {

std::string random_text(Prng& random, size_t length) {
  static const char* const kLetters[] = {"a",
                                         "b",
                                         "\n",
                                         "\xC3\xA4",
                                         "\xC3\xB6",
                                         "\xE2\x9C\x93",
                                         "\xE2\x9C\x94",
                                         "\xF0\x9F\x93\x85",
                                         "\xF0\x9F\x93\x86"};
  std::string result;
  for (size_t i = 0; i < length; ++i) result += kLetters[random.below(9)];
  return result;
}

}  // namespace

TEST_CASE("only well-formed UTF-8 without NUL is text") {
  for (const char* good : {"", "abc", "\xC3\xA4", "\xE2\x9C\x93", "\xF0\x9F\x93\x85", "\xF4\x8F\xBF\xBF"})
    CHECK(is_valid_text(good));
  CHECK_FALSE(is_valid_text(std::string_view("a\0b", 3)));
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x9C"})
    CHECK_FALSE(is_valid_text(bad));
}

TEST_CASE("the difference of two texts turns the one into the other and cuts no character") {
  CHECK(rc::check("difference", [](uint64_t seed) {
    Prng random(seed);
    std::string shared = random_text(random, random.below(4));
    std::string before = shared + random_text(random, random.below(6)) + shared;
    std::string after = shared + random_text(random, random.below(6)) + shared;
    Splice splice = difference(before, after);
    RC_ASSERT(is_valid_text(splice.inserted));
    size_t begin = byte_offset(before, splice.position);
    size_t end = byte_offset(before, splice.position + splice.removed);
    RC_ASSERT(before.substr(0, begin) + splice.inserted + before.substr(end) == after);
    if (before == after) RC_ASSERT(splice.removed == 0 && splice.inserted.empty());
  }));
}

TEST_CASE("a clock's stamps grow whatever the wall clock does") {
  HlcClock clock;
  Hlc first = clock.tick(1000);
  CHECK(first.ms() == 1000);
  Hlc second = clock.tick(1000);
  CHECK(second > first);
  Hlc third = clock.tick(500);
  CHECK(third > second);
  CHECK(clock.tick(2000).ms() == 2000);
  CHECK(clock.tick(-5) > third);
  for (int i = 0; i < 70000; ++i) (void)clock.tick(2000);
  CHECK(clock.last().ms() >= 2001);  // more stamps in a millisecond than its counter holds
}

TEST_CASE("a clock follows others within the limit and nobody into the far future") {
  HlcClock clock;
  CHECK(clock.follow(Hlc::from(1000 + kClockSkewMsMax, 0), 1000));
  CHECK(clock.tick(1000).ms() == 1000 + kClockSkewMsMax);
  Hlc before = clock.last();
  CHECK_FALSE(clock.follow(Hlc::from(1001 + kClockSkewMsMax, 0), 1000));
  CHECK(clock.last() == before);
}

TEST_CASE("days and dates are two names for the same thing, for every day of ten thousand years") {
  CHECK(civil_date({1970, 1, 1}).days == 0);
  CHECK(civil_date({2000, 2, 29}).days == 11016);
  int32_t first = civil_date({1, 1, 1}).days;
  int32_t last = civil_date({9999, 12, 31}).days;
  YearMonthDay before{0, 12, 31};
  size_t wrong = 0;
  for (int32_t days = first; days <= last; ++days) {
    YearMonthDay date = year_month_day({days});
    bool is_next = (date.day == before.day + 1 && date.month == before.month && date.year == before.year) ||
                   (date.day == 1 && date.month == before.month + 1 && date.year == before.year) ||
                   (date.day == 1 && date.month == 1 && date.year == before.year + 1 && before.month == 12 &&
                    before.day == 31);
    wrong +=
        !is_next || civil_date(date).days != days || parse_date(to_text(CivilDate{days})) != CivilDate{days};
    before = date;
  }
  CHECK(wrong == 0);
}

TEST_CASE("dates and wall times are written and read in one form only") {
  CHECK(to_text(WallTime{-1}) == "1969-12-31T23:59:59");
  CHECK(parse_wall_time("2026-11-24T10:00") == parse_wall_time("2026-11-24T10:00:00"));
  CHECK(parse_wall_time("1969-12-31T23:59:59") == WallTime{-1});
  for (const char* bad : {"", "2026-1-1", "2026-02-30", "2026-13-01", "2026-00-10", "2026-01-00",
                          "0000-01-01", "2026/01/01", "2026-01-01 ", "+026-01-01", "2025-02-29"})
    CHECK_FALSE(parse_date(bad).has_value());
  for (const char* bad : {"2026-11-24", "2026-11-24 10:00", "2026-11-24T24:00", "2026-11-24T10:60",
                          "2026-11-24T10:00:60", "2026-11-24T10:00:00Z", "2026-11-24T1a:00"})
    CHECK_FALSE(parse_wall_time(bad).has_value());
}

TEST_CASE("only what is a date by itself is a valid date") {
  CHECK(is_valid_when(When::all_day({20000})));
  CHECK(is_valid_when(When::timed({86400}, "Europe/Berlin")));
  CHECK(is_valid_when(When::timed({86400}, "")));
  When mixed = When::all_day({20000});
  mixed.zone = "UTC";
  CHECK_FALSE(is_valid_when(mixed));
  CHECK_FALSE(is_valid_when(When::all_day({4000000})));
  CHECK_FALSE(is_valid_when(When::timed({INT64_MAX}, "UTC")));
  CHECK_FALSE(is_valid_when(When::timed({INT64_MIN}, "UTC")));
  CHECK_FALSE(is_valid_when(When::timed({0}, "Not a zone!")));
}

TEST_CASE("memory that is given back is used again, and what was taken before stays") {
  Arena arena;
  const char* kept = arena.copy("kept");
  Arena::Mark mark = arena.mark();
  void* first = nullptr;
  for (int round = 0; round < 1000; ++round) {
    void* begin = arena.take(100);
    if (!first) first = begin;
    CHECK(begin == first);
    for (int i = 0; i < 20; ++i) arena.take(500);
    arena.take(1 << 20);
    arena.release(mark);
  }
  CHECK(std::string_view(kept, 4) == "kept");
}

TEST_CASE("SHA-256 is the standard's") {
  CHECK(to_hex(digest_of(as_bytes(""))) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(digest_of(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::string million(1000000, 'a');
  CHECK(to_hex(digest_of(as_bytes(million))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace kalends::test
