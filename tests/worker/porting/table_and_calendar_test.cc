// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/base/text.h"
#include "tests/worker/porting/demo_board.h"
#include "worker/google/zones.h"
#include "worker/porting/csv_export.h"
#include "worker/porting/ics_export.h"
#include "worker/porting/ics_zone.h"

namespace kalends::test {
namespace {

constexpr int64_t kNow = 1796000000000;  // 20261130T005320Z

// A board with one list and one card of these fields.
Replica board_with(std::vector<FieldValue> fields) {
  Id128 list = id_named("list");
  return replica_of(
      DocumentId{id_named("board")}, DocumentKind::kBoard,
      {SetCommand{{id_named("board"), {}}, {Field::kTitle, {}, std::string("Board; one")}},
       CreateCommand{EntityType::kList, list, {{Field::kTitle, {}, std::string("To do")}}, {}, {}},
       CreateCommand{EntityType::kCard, id_named("card"), std::move(fields), list, {}}});
}

WallTime wall(const char* text) { return *parse_wall_time(text); }

std::string ics(const Replica& board) {
  IcsOptions options;
  options.now_ms = kNow;
  return export_ics(board, options);
}

bool has_line(const std::string& file, const std::string& line) {
  return file.find("\r\n" + line + "\r\n") != std::string::npos;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string unfolded(std::string file) {
  for (size_t at; (at = file.find("\r\n ")) != std::string::npos;) file.erase(at, 3);
  return file;
}

}  // namespace

TEST_CASE("Every open dated card of the demo board is one event") {
  TrelloImport import = imported(demo_file());
  Replica board = board_of(import);
  IcsOptions options;
  options.now_ms = kNow;
  options.labels = label_names(workspace_of(import).document());

  std::string file = unfolded(export_ics(board, options));

  CHECK(count_of(file, "BEGIN:VEVENT\r\n") == 18);
  CHECK(count_of(file, "BEGIN:VTIMEZONE\r\n") == 1);
  CHECK(has_line(file, "SUMMARY:Photos for the website"));
  CHECK(has_line(file, "DTSTART;TZID=Europe/Berlin:20261207T100000"));
  CHECK(has_line(file, "LOCATION:Studio\\, Example Street 1"));
  CHECK(has_line(file, "SUMMARY:✓ Choose the launch date"));
  CHECK(has_line(file, "TRIGGER:-PT1440M"));
  CHECK(count_of(file, "\r\nCATEGORIES:Launch day\r\n") >= 1);
  CHECK(file.rfind("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", 0) == 0);
  CHECK(has_line(file, "DTSTAMP:20261130T005320Z"));
}

TEST_CASE("The same card keeps its UID and an export of the same state is the same file") {
  Replica board = board_with(
      {{Field::kTitle, {}, std::string("x")}, {Field::kDue, {}, When::all_day(*parse_date("2026-12-01"))}});

  CHECK(ics(board) == ics(board));
  CHECK(has_line(ics(board), "UID:" + to_hex(id_named("card")) + "@kalends"));
}

TEST_CASE("An all-day card is an event of whole days that ends the day after") {
  std::string file = ics(board_with({{Field::kStart, {}, When::all_day(*parse_date("2026-12-30"))},
                                     {Field::kDue, {}, When::all_day(*parse_date("2026-12-31"))}}));

  CHECK(has_line(file, "DTSTART;VALUE=DATE:20261230"));
  CHECK(has_line(file, "DTEND;VALUE=DATE:20270101"));
  CHECK(file.find("VTIMEZONE") == std::string::npos);
}

TEST_CASE("A time in UTC, a floating time and the second of two equal hours need no zone") {
  CHECK(has_line(ics(board_with({{Field::kStart, {}, When::timed(wall("2026-12-01T09:00:00"), "UTC")}})),
                 "DTSTART:20261201T090000Z"));
  CHECK(has_line(ics(board_with({{Field::kStart, {}, When::timed(wall("2026-12-01T09:00:00"), "")}})),
                 "DTSTART:20261201T090000"));
  // In Berlin 02:30 comes twice on 25 October 2026; the second time it is 01:30 in UTC.
  When second = When::timed(wall("2026-10-25T02:30:00"), "Europe/Berlin", Fold::kSecond);
  CHECK(has_line(ics(board_with({{Field::kStart, {}, second}})), "DTSTART:20261025T013000Z"));
}

TEST_CASE("An event that takes no time has no end") {
  When at = When::timed(wall("2026-12-01T09:00:00"), "Europe/Berlin");
  std::string file = ics(board_with({{Field::kStart, {}, at}, {Field::kDue, {}, at}}));

  CHECK(has_line(file, "DTSTART;TZID=Europe/Berlin:20261201T090000"));
  CHECK(file.find("DTEND") == std::string::npos);
}

TEST_CASE("A zone's changes of the clocks are written out") {
  int64_t from = to_instant(wall("2026-06-01T00:00:00"), "Europe/Berlin", Fold::kFirst)->seconds;
  int64_t until = to_instant(wall("2026-12-01T00:00:00"), "Europe/Berlin", Fold::kFirst)->seconds;

  CHECK(ics_zone_lines("Europe/Berlin", from, until) ==
        std::vector<std::string>{"BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:DAYLIGHT",
                                 "DTSTART:20260329T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0200",
                                 "TZNAME:CEST", "END:DAYLIGHT", "BEGIN:STANDARD", "DTSTART:20261025T030000",
                                 "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET", "END:STANDARD",
                                 "END:VTIMEZONE"});
}

TEST_CASE("A zone whose clocks never change has one period") {
  auto lines = ics_zone_lines("Asia/Kolkata", kNow / 1000, kNow / 1000 + 86400);

  CHECK(std::count(lines.begin(), lines.end(), "BEGIN:STANDARD") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "TZOFFSETTO:+0530") == 1);
}

TEST_CASE("Lines are folded at 75 octets, between characters, and unfold to what they were") {
  std::string line = "SUMMARY:";
  for (int i = 0; i < 60; ++i) line += "ä€";
  std::string folded = folded_ics_line(line);

  size_t begin = 0;
  for (size_t end; (end = folded.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
    CHECK(end - begin <= 75);
    CHECK(is_valid_text(std::string_view(folded).substr(begin, end - begin)));
  }
  CHECK(begin == folded.size());
  CHECK(unfolded(folded) == line + "\r\n");
  CHECK(folded_ics_line(std::string(75, 'x')) == std::string(75, 'x') + "\r\n");
  CHECK(folded_ics_line(std::string(76, 'x')) == std::string(75, 'x') + "\r\n x\r\n");
}

TEST_CASE("Special characters of a text are escaped and no line can be smuggled in") {
  CHECK(escaped_ics_text("a;b,c\\d") == "a\\;b\\,c\\\\d");
  CHECK(escaped_ics_text("one\r\ntwo\nthree\rfour") == "one\\ntwo\\nthree\\nfour");
  CHECK(escaped_ics_text(std::string("a\x01"
                                     "b\x7f"
                                     "c\td")) == "abc\td");

  std::string file = ics(board_with({{Field::kTitle, {}, std::string("x\r\nEND:VEVENT\r\nBEGIN:VEVENT")},
                                     {Field::kDue, {}, When::all_day(*parse_date("2026-12-01"))}}));
  CHECK(count_of(file, "\r\nBEGIN:VEVENT") == 1);
  CHECK(has_line(file, "SUMMARY:x\\nEND:VEVENT\\nBEGIN:VEVENT"));
  CHECK(has_line(file, "NAME:Board\\; one"));
}

TEST_CASE("A table has one row per card, archived ones too, and one column per custom field") {
  TrelloImport import = imported(demo_file());
  CsvOptions options;
  options.labels = label_names(workspace_of(import).document());
  for (const ImportedMember& member : import.members) options.members[member.id.raw] = member.name;

  std::string table = export_csv(board_of(import), options);

  CHECK(table.rfind(
            "id,list,title,description,start,due,time_zone,done,archived,labels,assignees,location,colour,"
            "estimate,checklists,comments,attachments,Effort in days,Channel\r\n",
            0) == 0);
  CHECK(table.find(",To do,Newsletter to existing customers,,2026-12-09 10:00,2026-12-09 "
                   "11:00,Europe/Berlin,no,no,Marketing,"
                   "Member A,,,,,,,,Newsletter\r\n") != std::string::npos);
  CHECK(table.find("Compare three printers,,,2026-11-10 10:00,Europe/Berlin,yes,yes,") != std::string::npos);
  CHECK(table.find("[x] Draft; [ ] Read by Legal; [ ] Read by somebody") != std::string::npos);
}

TEST_CASE("A table says an estimate in minutes, and nothing where there is none") {
  std::string table = export_csv(board_with({{Field::kEstimate, {}, int64_t{90}}}), {});
  CHECK(table.find(",colour,estimate,checklists,") != std::string::npos);
  CHECK(table.find(",no,no,,,,,90,,,\r\n") != std::string::npos);
  CHECK(export_csv(board_with({{Field::kEstimate, {}, int64_t{0}}}), {}).find(",no,no,,,,,0,,,\r\n") != std::string::npos);
  CHECK(export_csv(board_with({}), {}).find(",no,no,,,,,,,,\r\n") != std::string::npos);
}

TEST_CASE("Cells that a spreadsheet would take for a formula are defused") {
  CHECK(csv_cell("=1+1") == "'=1+1");
  CHECK(csv_cell("+49 30 1") == "'+49 30 1");
  CHECK(csv_cell("-5") == "'-5");
  CHECK(csv_cell("@sum") == "'@sum");
  CHECK(csv_cell("\tx") == "'\tx");
  CHECK(csv_cell("\rx") == "\"'\rx\"");
  CHECK(csv_cell("=A1,\"x\"") == "\"'=A1,\"\"x\"\"\"");
  CHECK(csv_cell("a = b") == "a = b");
}

TEST_CASE("Cells with separators, quotes or line ends are quoted") {
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"x\"") == "\"say \"\"x\"\"\"");
  CHECK(csv_cell("a\nb") == "\"a\nb\"");
  CHECK(csv_cell("") == "");
}

}  // namespace kalends::test
