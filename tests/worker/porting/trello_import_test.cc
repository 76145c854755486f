// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/trello_import.h"

#include <catch2/catch.hpp>
#include <functional>

#include "core/api/view.h"
#include "tests/worker/porting/demo_board.h"
#include "worker/google/json.h"
#include "worker/porting/json_file.h"

namespace kalends::test {
namespace {

// The demo board after a change to its JSON.
std::string changed(const std::function<void(Json&)>& change) {
  Json json = Json::parse(demo_file());
  change(json);
  return json.dump();
}

std::string refusal(const std::string& file) {
  auto result = parse_trello(file, demo_options());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalid);
  return result.error().message;
}

Cbor card_titled(const Cbor& board, std::string_view title) {
  for (const auto& [id, card] : board["cards"].entries())
    if (card["title"].as_text() == title) return card;
  return {};
}

const FidelityReport::Loss& found(const std::vector<FidelityReport::Loss>& losses, std::string_view what) {
  for (const auto& loss : losses)
    if (loss.what == what) return loss;
  FAIL("the report does not name " << what);
  return losses.front();
}

}  // namespace

TEST_CASE("The demo board comes over in full") {
  TrelloImport import = imported(demo_file());

  const FidelityReport& report = import.report;
  CHECK(report.carried_count("lists") == 4);
  CHECK(report.carried_count("cards") == 24);
  CHECK(report.carried_count("cards with a date") == 19);
  CHECK(report.carried_count("cards done") == 5);
  CHECK(report.carried_count("archived cards") == 2);
  CHECK(report.carried_count("labels made") == 6);
  CHECK(report.carried_count("members") == 3);
  CHECK(report.carried_count("assignments") == 27);
  CHECK(report.carried_count("labels on cards") == 28);
  CHECK(report.carried_count("checklists") == 6);
  CHECK(report.carried_count("checklist items") == 15);
  CHECK(report.carried_count("comments") == 5);
  CHECK(report.carried_count("attachments") == 3);
  CHECK(report.carried_count("custom fields") == 2);
  CHECK(report.carried_count("values of custom fields") == 7);

  Cbor board = view_board(board_of(import));
  CHECK(board["title"].as_text() == "Product launch");
  CHECK(board["time_zone"].as_text() == "Europe/Berlin");
  CHECK(board["lists"].items().size() == 4);
  CHECK(board["cards"].entries().size() == 24);
  Cbor workspace = view_workspace(workspace_of(import));
  CHECK(workspace["labels"].items().size() == 6);
  CHECK(workspace["members"].items().size() == 3);
  CHECK(workspace["boards"].items().size() == 1);
  CHECK(workspace["boards"].items()[0]["id"].as_text() == to_hex(import.board));
}

TEST_CASE("A card comes over with its dates in the board's zone, checklist, comments and links") {
  TrelloImport import = imported(demo_file());
  Cbor board = view_board(board_of(import));

  Cbor card = card_titled(board, "Announcement text");
  CHECK(card["due"]["at"].as_text() == "2026-12-03T16:00:00");  // 15:00 UTC
  CHECK(card["due"]["zone"].as_text() == "Europe/Berlin");
  CHECK(card["start"].is_null());
  CHECK(card["description"].as_text() == "One page, plain words. The first sentence says what it is for.");
  CHECK(card["reminders"].items().at(0).as_int() == 1440);
  REQUIRE(card["checklists"].items().size() == 1);
  const auto& items = card["checklists"].items()[0]["items"].items();
  REQUIRE(items.size() == 3);
  CHECK(items[0]["text"].as_text() == "Draft");
  CHECK(items[0]["done"].as_bool());
  CHECK_FALSE(items[2]["done"].as_bool());
  REQUIRE(card["comments"].items().size() == 2);
  CHECK(card["comments"].items()[0]["text"].as_text() ==
        "[Member B, 2026-11-20 11:12] The draft reads well. The third paragraph repeats the second.");
  CHECK(card["comments"].items()[1]["text"].as_text() == "[Member A, 2026-11-20 14:40] Cut it.");
  REQUIRE(card["custom"].entries().size() == 1);
  CHECK(card["custom"].entries()[0].second.as_text() == "Website");

  Cbor proof = card_titled(board, "Packaging proof from the printer");
  CHECK(proof["attachments"].items().at(0)["title"].as_text() == "proof.pdf");
  CHECK(card_titled(board, "Photos for the website")["location"].as_text() == "Studio, Example Street 1");
  CHECK(card_titled(board, "Compare three printers")["archived"].as_bool());
}

TEST_CASE("Cards stand in the order of Trello's positions, not of the file") {
  std::string file = changed([](Json& json) {
    std::string list = json["lists"][1]["id"];
    double pos = 1e6;
    for (Json& card : json["cards"])
      if (card["idList"] == list) card["pos"] = pos -= 1.5;
  });

  Cbor board = view_board(board_of(imported(file)));
  const auto& order = board["lists"].items()[1]["cards"].items();
  REQUIRE(order.size() == 10);
  CHECK(board["cards"][order.front().as_text()]["title"].as_text() ==
        "Look back: what went well, what did not");
  CHECK(board["cards"][order.back().as_text()]["title"].as_text() == "Announcement text");
}

TEST_CASE("What Kalends has no place for is counted in the report") {
  std::string file = changed([](Json& json) {
    json["cards"][0]["stickers"] = Json::array({{{"id", "s"}}});
    json["cards"][1]["start"] = "2026-12-09T00:00:00.000Z";
    json["cards"][1]["due"] = "2026-12-08T00:00:00.000Z";
    json["cards"][2]["hologram"] = {{"depth", 3}};
    json["cards"][3]["attachments"] =
        Json::array({{{"id", "x"}, {"name", "x"}, {"url", "javascript:alert(1)"}}});
    json["cards"][4]["badges"]["comments"] = 12;
    json["checklists"][0]["checkItems"][0]["due"] = "2026-12-02T09:00:00.000Z";
    json["checklists"][0]["checkItems"][0]["idMember"] = json["members"][0]["id"];
    json["members"][0]["avatarUrl"] = "https://example.com/a.png";
  });
  TrelloImport import = imported(file);

  const FidelityReport& report = import.report;
  CHECK(report.lost_count("votes") == 2);
  CHECK(report.lost_count("stickers") == 1);
  CHECK(report.lost_count("covers") == 1);
  CHECK(report.lost_count("pictures of members") == 1);
  CHECK(report.lost_count("entries of the activity log") == 4);
  CHECK(report.lost_count("start dates after the due date") == 1);
  CHECK(report.lost_count("`hologram` of a card") == 1);
  CHECK(report.lost_count("attachments") == 1);
  CHECK(report.lost_count("comments that Trello counts but did not export") == 10);
  CHECK(report.changed_count("uploaded files") == 1);
  Cbor card = card_titled(view_board(board_of(import)), "Announcement text");
  CHECK(card["checklists"].items().at(0)["items"].items()[0]["text"].as_text() ==
        "Draft (Member A, due 2026-12-02 10:00)");

  std::string text = report_text(report);
  CHECK(text.find("      2  votes\n") != std::string::npos);
  CHECK(text.find("Board: Product launch\n") == 0);
  Json json = report_json(report);
  CHECK(json["carried"]["cards"] == 24);
  CHECK(json["lost"].size() == report.lost.size());
  CHECK(found(report.lost, "votes").why == "cards have no votes");
}

TEST_CASE("A repeated import of one import id is the same board, another id makes another one") {
  TrelloImport first = imported(demo_file());
  TrelloImport again = imported(demo_file());
  TrelloOptions options = demo_options();
  options.import_id = "second";
  TrelloImport other = imported(demo_file(), options);

  CHECK(again.board == first.board);
  CHECK(board_of(again).hash() == board_of(first).hash());
  CHECK_FALSE(other.board == first.board);
  CHECK(other.members == first.members);
}

TEST_CASE("Labels and members that the workspace has are used again") {
  TrelloImport first = imported(demo_file());
  Replica workspace = workspace_of(first);
  TrelloOptions options = demo_options();
  options.import_id = "second";
  take_existing(options, workspace.document());

  TrelloImport second = imported(demo_file(), options);

  CHECK(second.workspace_commands.size() == 1);  // the entry in the list of boards
  CHECK(second.report.carried_count("labels of the workspace used again") == 6);
  CHECK(second.report.carried_count("labels made") == 0);
  auto added = workspace.edit({MemberId{id_named("importer")}, Cause::kImport, 1796000001000},
                              second.workspace_commands);
  REQUIRE(added.ok());
  Cbor view = view_workspace(workspace);
  CHECK(view["labels"].items().size() == 6);
  Cbor card = card_titled(view_board(board_of(second)), "Announcement text");
  std::set<std::string> known;
  for (const Cbor& label : view["labels"].items()) known.insert(label["id"].as_text());
  CHECK(known.count(card["labels"].items().at(0).as_text()) == 1);
}

TEST_CASE("An archived list comes over as one, with its cards in it") {
  TrelloImport import = imported(changed([](Json& json) { json["lists"][3]["closed"] = true; }));

  CHECK(import.report.carried_count("archived lists") == 1);
  Cbor board = view_board(board_of(import));
  CHECK(board["lists"].items()[3]["archived"].as_bool());
  CHECK(board["lists"].items()[3]["cards"].items().size() == 5);
}

TEST_CASE("Titles that are too long are cut between characters and kept whole in the description") {
  std::string name;
  for (int i = 0; i < 3000; ++i) name += "ä";
  TrelloImport import = imported(changed([&](Json& json) { json["cards"][0]["name"] = name; }));

  Cbor board = view_board(board_of(import));
  Cbor card = card_titled(board, name.substr(0, kTitleBytesMax));
  CHECK(card["description"].as_text() == name);
  CHECK(import.report.lost_count("ends of titles") == 1);
}

TEST_CASE("A file that is cut off is refused with the line where it ends") {
  std::string file = demo_file();
  std::string message = refusal(file.substr(0, file.size() / 2));
  CHECK(message.find("ends in the middle") != std::string::npos);
  CHECK(message.find("line ") != std::string::npos);
}

TEST_CASE("A file with a stray character is refused with its line and column") {
  CHECK(refusal("{\n  \"name\": \"x\",\n  \"lists\": [}\n}").find("line 3, column 13") != std::string::npos);
}

TEST_CASE("Files that are no board are refused with what to do") {
  CHECK(refusal("").find("empty") != std::string::npos);
  CHECK(refusal("[]").find("one JSON object") != std::string::npos);
  CHECK(refusal("{\"a\": 1}").find("Export as JSON") != std::string::npos);
}

TEST_CASE("A member of the wrong type is refused with its place") {
  struct Case {
    const char* place;
    std::function<void(Json&)> change;
  };
  std::vector<Case> cases = {
      {"/name", [](Json& json) { json["name"] = 7; }},
      {"/cards", [](Json& json) { json["cards"] = "none"; }},
      {"/cards/3", [](Json& json) { json["cards"][3] = 5; }},
      {"/cards/0/name", [](Json& json) { json["cards"][0].erase("name"); }},
      {"/cards/1/closed", [](Json& json) { json["cards"][1]["closed"] = "no"; }},
      {"/cards/2/pos", [](Json& json) { json["cards"][2]["pos"] = "bottom"; }},
      {"/cards/4/due", [](Json& json) { json["cards"][4]["due"] = "tomorrow"; }},
      {"/cards/4/due", [](Json& json) { json["cards"][4]["due"] = "2026-02-30T10:00:00.000Z"; }},
      {"/cards/5/idLabels/0", [](Json& json) { json["cards"][5]["idLabels"] = Json::array({1}); }},
      {"/checklists/0/checkItems/1/state",
       [](Json& json) { json["checklists"][0]["checkItems"][1]["state"] = "half"; }},
      {"/labels/2/id", [](Json& json) { json["labels"][2]["id"] = ""; }},
      {"/lists/0/name", [](Json& json) { json["lists"][0]["name"] = nullptr; }},
  };
  for (const Case& broken : cases) {
    std::string message = refusal(changed(broken.change));
    INFO(message);
    CHECK(message.find(std::string("at ") + broken.place + ":") != std::string::npos);
  }
}

TEST_CASE("An id that stands in the file twice is refused") {
  std::string twice = "stands in the file twice";
  CHECK(refusal(changed([](Json& json) {
          json["cards"][5]["id"] = json["cards"][2]["id"];
        })).find("/cards/5/id: this id " + twice) != std::string::npos);
  CHECK(refusal(changed([](Json& json) {
          json["lists"][1]["id"] = json["lists"][0]["id"];
        })).find("/lists/1/id") != std::string::npos);
  CHECK(refusal(changed([](Json& json) {
          json["labels"][1]["id"] = json["labels"][0]["id"];
        })).find("/labels/1/id") != std::string::npos);
  CHECK(refusal(changed([](Json& json) {
          json["checklists"][1]["id"] = json["checklists"][0]["id"];
        })).find("/checklists/1/id") != std::string::npos);
}

TEST_CASE("A card in a list that the file does not hold is refused") {
  std::string message = refusal(changed([](Json& json) { json["cards"][7]["idList"] = "elsewhere"; }));
  CHECK(message.find("/cards/7/idList") != std::string::npos);
  CHECK(message.find("elsewhere") == std::string::npos);
}

TEST_CASE("A file beyond 100 MB is refused before it is read") {
  CHECK(refusal(std::string(kFileBytesMax + 1, ' ')).find("larger than 100 MB") != std::string::npos);
}

TEST_CASE("A file that is nested too deep is refused with the place") {
  std::string deep =
      "{\"name\":\"x\",\n\"cards\":" + std::string(200000, '[') + std::string(200000, ']') + "}";
  CHECK(refusal(deep).find("nested too deep at line 2") != std::string::npos);
}

TEST_CASE("An unknown time zone is refused") {
  TrelloOptions options = demo_options();
  options.time_zone = "Europe/Atlantis";
  auto result = parse_trello(demo_file(), options);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalid);
}

}  // namespace kalends::test
