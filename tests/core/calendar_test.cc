// SPDX-License-Identifier: Apache-2.0
// The mapping between a card's dates and an event's, the marks that show "done", merged texts, the guard.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "core/base/prng.h"
#include "core/base/text.h"
#include "core/calendar/project.h"
#include "core/reconcile/guard.h"
#include "core/reconcile/merge_text.h"

namespace kalends::test {
namespace {

When day(int32_t days) { return When::all_day({days}); }
When at(int64_t minutes, const char* zone = "Europe/Berlin") {
  return When::timed({int64_t{20000} * 86400 + minutes * 60}, zone);
}

// Every shape a card's dates can have: none, one or both; all-day, timed, mixed; in order and crossed.
std::vector<CardDates> all_card_dates() {
  std::vector<std::optional<When>> choices = {std::nullopt, day(20000), day(20001), day(20002),
                                              at(60),       at(90),     at(1500),   at(60, "Asia/Tokyo"),
                                              at(60, "")};
  std::vector<CardDates> all;
  for (const auto& start : choices)
    for (const auto& due : choices) all.push_back({start, due});
  return all;
}

std::vector<std::pair<When, When>> all_event_dates() {
  std::vector<std::pair<When, When>> all;
  for (int32_t first : {20000, 20005})
    for (int32_t length : {1, 2, 7}) all.emplace_back(day(first), day(first + length));
  for (int64_t start : {0, 60, 1430})
    for (int64_t length : {0, 30, 60, 61, 2000}) all.emplace_back(at(start), at(start + length));
  return all;
}

}  // namespace

TEST_CASE(
    "the dates that an event gives to a card give the event back exactly, whatever the card had before") {
  for (int64_t duration : {30, 60}) {
    LinkPolicy policy;
    policy.duration_minutes = duration;
    for (const auto& [start, end] : all_event_dates())
      for (const CardDates& before : all_card_dates()) {
        auto back = event_dates(card_dates(start, end, before, policy), policy);
        REQUIRE(back.has_value());
        CHECK(back->first == start);
        CHECK(back->second == end);
      }
  }
}

TEST_CASE("a card whose event was not moved keeps the shape of its dates") {
  LinkPolicy policy;
  for (const CardDates& dates : all_card_dates()) {
    bool is_crossed = dates.start && dates.due && event_dates(dates, policy)->first != *dates.start &&
                      !dates.start->is_all_day;
    bool is_mixed = dates.start && dates.due && dates.start->is_all_day != dates.due->is_all_day;
    bool is_crossed_day = dates.start && dates.due && dates.start->first_day() > dates.due->first_day();
    auto event = event_dates(dates, policy);
    if (!event || is_crossed || is_mixed || is_crossed_day) continue;
    CHECK(card_dates(event->first, event->second, dates, policy) == dates);
  }
}

TEST_CASE("an event never ends before it starts, and an undated card has none") {
  LinkPolicy policy;
  CHECK_FALSE(event_dates({}, policy).has_value());
  for (const CardDates& dates : all_card_dates()) {
    auto event = event_dates(dates, policy);
    if (!event) continue;
    CHECK(event->first.is_all_day == event->second.is_all_day);
    if (event->first.is_all_day)
      CHECK(event->first.date < event->second.date);
    else if (event->first.zone == event->second.zone)
      CHECK(event->first.wall <= event->second.wall);
  }
}

TEST_CASE("a card has no event whose dates would be before the first or after the last of all days") {
  LinkPolicy policy;
  When last = When::all_day(*parse_date("9999-12-31"));
  CHECK_FALSE(event_dates({std::nullopt, last}, policy));
  CHECK_FALSE(event_dates({last, std::nullopt}, policy));
  CHECK(event_dates({std::nullopt, When::all_day({last.date.days - 1})}, policy));
  When first = When::timed(*parse_wall_time("0001-01-01T00:30:00"), "UTC");
  CHECK_FALSE(event_dates({std::nullopt, first}, policy));
  CHECK(event_dates({first, std::nullopt}, policy));
}

TEST_CASE("a card that only has a due date keeps having only that when its event is moved") {
  LinkPolicy policy;
  CardDates due_only{std::nullopt, at(120)};
  CHECK(card_dates(at(180), at(240), due_only, policy) == CardDates{std::nullopt, at(240)});
  CHECK(card_dates(at(180), at(270), due_only, policy) == CardDates{at(180), at(270)});
  CHECK(card_dates(day(20003), day(20004), {std::nullopt, day(20001)}, policy) ==
        CardDates{std::nullopt, day(20003)});
}

TEST_CASE("marks are read back as they were rendered, under every policy") {
  for (DoneMark mark : {DoneMark::kTitle, DoneMark::kColour, DoneMark::kBoth, DoneMark::kNone})
    for (Details details : {Details::kFull, Details::kTitle, Details::kBusy})
      for (bool is_done : {false, true})
        for (const char* title : {"Ship it", "\xE2\x9C\x93", ""})
          for (const char* colour : {"", "sage", "graphite"}) {
            LinkPolicy policy;
            policy.done_mark = mark;
            policy.details = details;
            bool marks_colour = mark == DoneMark::kColour || mark == DoneMark::kBoth;
            // What project() makes: a card's own graphite gives way where graphite means done.
            EventFacet facet;
            facet.is_done = mark != DoneMark::kNone && is_done;
            facet.title = details == Details::kBusy ? "" : title;
            facet.colour =
                marks_colour && (facet.is_done || std::string(colour) == kDoneColour) ? "" : colour;
            EventText text = render_marks(facet, policy);
            EventFacet read;
            read.title = text.summary;
            read.colour = text.colour;
            parse_marks(read, policy);
            FacetMask mask = policy.mask();
            if (mask.has(FacetField::kTitle)) CHECK(read.title == facet.title);
            if (mask.has(FacetField::kDone)) CHECK(read.is_done == facet.is_done);
            CHECK(read.colour == facet.colour);
          }
}

TEST_CASE("a person marks done in the calendar by the mark that shows it") {
  LinkPolicy policy;
  EventFacet facet;
  facet.title = "\xE2\x9C\x93 Ship it";
  parse_marks(facet, policy);
  CHECK(facet.is_done);
  CHECK(facet.title == "Ship it");
  policy.done_mark = DoneMark::kColour;
  facet = {};
  facet.title = "\xE2\x9C\x93 Ship it";
  facet.colour = "graphite";
  parse_marks(facet, policy);
  CHECK(facet.is_done);
  CHECK(facet.title == "\xE2\x9C\x93 Ship it");
  CHECK(facet.colour.empty());
}

TEST_CASE("a link's settings are read back as they were stored, and nothing else is taken for settings") {
  LinkPolicy policy;
  policy.which = WhichCards::kWithLabel;
  policy.which_id.bytes[3] = 7;
  policy.done = DoneMeans::kList;
  policy.done_list.bytes[0] = 9;
  policy.done_mark = DoneMark::kBoth;
  policy.duration_minutes = 45;
  policy.details = Details::kTitle;
  policy.time_zone = "Europe/Berlin";
  policy.on_event_deleted = OnEventDeleted::kPutBack;
  policy.fields[2] = FieldPolicy::kLaterWins;
  Bytes bytes = encode_policy(policy);
  auto back = decode_policy(bytes);
  REQUIRE(back.ok());
  CHECK(encode_policy(*back) == bytes);
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_policy(ByteView(bytes).first(size)).ok());
  bytes.push_back(0);
  CHECK_FALSE(decode_policy(bytes).ok());
}

TEST_CASE("texts that were changed in different places are merged, others are not") {
  CHECK(merge_text("one two three", "ONE two three", "one two THREE") == "ONE two THREE");
  CHECK(merge_text("one two three", "one two THREE", "ONE two three") == "ONE two THREE");
  CHECK(merge_text("same", "new", "new") == "new");
  CHECK(merge_text("base", "base", "theirs") == "theirs");
  CHECK(merge_text("base", "ours", "base") == "ours");
  CHECK_FALSE(merge_text("one", "two", "three").has_value());
  CHECK_FALSE(merge_text("ab", "aXb", "aYb").has_value());
  CHECK(merge_text("gr\xC3\xBC\xC3\x9F dich", "gr\xC3\xBC\xC3\x9F euch", "Gr\xC3\xBC\xC3\x9F dich") ==
        "Gr\xC3\xBC\xC3\x9F euch");
}

TEST_CASE("a merge holds both changes, and does not depend on who is asked first") {
  CHECK(rc::check("merge_text", [](uint64_t seed) {
    Prng random(seed);
    auto text = [&](size_t length) {
      static const char* const kLetters[] = {"a", "b", " ", "\xC3\xA4", "\xE2\x9C\x93", "\xF0\x9F\x93\x85"};
      std::string result;
      for (size_t i = 0; i < length; ++i) result += kLetters[random.below(6)];
      return result;
    };
    std::string left = text(5), middle = text(4), right = text(5);
    std::string base = left + middle + right, ours = text(random.below(6)) + middle + right,
                theirs = left + middle + text(random.below(6));
    auto merged = merge_text(base, ours, theirs);
    auto swapped = merge_text(base, theirs, ours);
    RC_ASSERT(merged == swapped);
    if (merged) {
      RC_ASSERT(is_valid_text(*merged));
      bool is_one_sided = ours == base || theirs == base || ours == theirs;
      if (!is_one_sided) RC_ASSERT(merge_text(base, *merged, *merged) == *merged);
    }
  }));
}

TEST_CASE("the guard lets a person's sitting pass and stops what is more") {
  CHECK(deletions_allowed(0) == 5);
  CHECK(deletions_allowed(25) == 5);
  CHECK(deletions_allowed(30) == 6);
  RunShape shape;
  shape.pairs = 100;
  shape.event_deletions = 20;
  CHECK(judge(shape) == GuardVerdict::kGo);
  shape.event_deletions = 21;
  CHECK(judge(shape) == GuardVerdict::kTooManyDeletions);
  shape.event_deletions = 0;
  shape.card_deletions = 21;
  CHECK(judge(shape) == GuardVerdict::kTooManyDeletions);
  shape.card_deletions = 1;
  shape.is_listing_complete = false;
  CHECK(judge(shape) == GuardVerdict::kImplausibleListing);
  shape.is_listing_complete = true;
  shape.is_listing_plausible = false;
  CHECK(judge(shape) == GuardVerdict::kImplausibleListing);
  shape.card_deletions = 0;
  CHECK(judge(shape) == GuardVerdict::kGo);
}

TEST_CASE("the guard counts what went a short while ago with what would go now, for each side by itself") {
  RunShape shape;
  shape.pairs = 60;
  shape.card_deletions = 1;
  shape.recent_card_deletions = 29;  // of 89 in step at first: a third is 29
  CHECK(judge(shape) == GuardVerdict::kTooManyDeletions);
  shape.recent_card_deletions = 28;
  CHECK(judge(shape) == GuardVerdict::kGo);
  shape.recent_event_deletions = 40;
  CHECK(judge(shape) == GuardVerdict::kGo);
  shape.card_deletions = 0;
  shape.recent_card_deletions = 80;  // what is over is no reason to stop what deletes nothing
  CHECK(judge(shape) == GuardVerdict::kGo);
  shape = {};
  shape.pairs = 3;
  shape.event_deletions = 1;
  shape.recent_event_deletions = 11;
  CHECK(judge(shape) == GuardVerdict::kGo);
  shape.recent_event_deletions = 12;
  CHECK(judge(shape) == GuardVerdict::kTooManyDeletions);
}

TEST_CASE("a listing that lacks more than half of what was known is implausible") {
  CHECK_FALSE(is_listing_implausible(0, 0));
  CHECK_FALSE(is_listing_implausible(12, 6));
  CHECK(is_listing_implausible(11, 6));
  CHECK_FALSE(is_listing_implausible(5, 5));
}

}  // namespace kalends::test
