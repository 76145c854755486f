// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include "tests/worker/api/api_world.h"
#include "worker/engine/live_session.h"

namespace kalends::test {
namespace {

const char* const kTrelloBoard = R"({
  "id": "5f0000000000000000000001", "name": "Launch", "closed": false,
  "labels": [{"id": "5f0000000000000000000002", "idBoard": "5f0000000000000000000001", "name": "Urgent", "color": "red"}],
  "members": [{"id": "5f0000000000000000000003", "fullName": "Member A", "username": "membera"}],
  "lists": [{"id": "5f0000000000000000000004", "name": "To do", "closed": false, "pos": 1}],
  "cards": [{"id": "5f0000000000000000000005", "name": "Ship it", "desc": "soon", "idList": "5f0000000000000000000004", "closed": false, "pos": 1,
             "due": "2026-12-03T09:00:00.000Z", "dueComplete": false, "idLabels": ["5f0000000000000000000002"], "idMembers": ["5f0000000000000000000003"]}],
  "checklists": [], "actions": []
})";

size_t documents(ApiWorld& world) {
  auto txn = world.store->begin();
  return (*txn)->documents(world.workspace)->size();
}

std::string hash_of(ApiWorld& world, const std::string& board) {
  return to_hex((*world.hub.open({world.workspace, DocumentId{*id_from_hex(board)}}))->replica.hash());
}

}  // namespace

TEST_CASE("a Trello export becomes a board, in the time zone that was asked for") {
  ApiWorld world;
  Answer imported =
      world.call_as(world.owner_token, "POST", "/v1/import/trello?time_zone=Europe/Berlin", kTrelloBoard);
  INFO(imported.response.body);
  REQUIRE(imported.status == 201);
  CHECK(imported.json["title"] == "Launch");
  CHECK_FALSE(imported.json["report_text"].get<std::string>().empty());
  std::string board = imported.json["board"];
  Answer cards = world.call("GET", "/v1/boards/" + board + "/cards");
  REQUIRE(cards.json["items"].size() == 1);
  const Json& card = cards.json["items"][0];
  CHECK(card["title"] == "Ship it");
  CHECK(card["due"]["at"] == "2026-12-03T10:00:00");
  CHECK(card["due"]["zone"] == "Europe/Berlin");
  CHECK(world.call("GET", "/v1/labels").json["items"][0]["id"] == card["labels"][0]);
  CHECK(world.call("GET", "/v1/members").json["items"].size() == 2);
  CHECK(world.call("GET", "/v1/boards").json["items"][0]["title"] == "Launch");
}

TEST_CASE("the same file again is told, and the board stands once") {
  ApiWorld world;
  std::string board =
      world.call_as(world.owner_token, "POST", "/v1/import/trello", kTrelloBoard).json["board"];
  Answer again = world.call_as(world.owner_token, "POST", "/v1/import/trello", kTrelloBoard);
  CHECK(again.status == 409);
  CHECK(again.json["detail"].get<std::string>().find(board) != std::string::npos);
  CHECK(world.call("GET", "/v1/boards").json["items"].size() == 1);
  CHECK(world.call("GET", "/v1/labels").json["items"].size() == 1);
}

TEST_CASE("a broken file is refused with the place, and nothing of it stays") {
  ApiWorld world;
  std::string whole = kTrelloBoard;
  std::vector<std::string> broken = {"", "{", "[]", "null", "{}", whole.substr(0, whole.size() / 2)};
  std::string unknown_list = whole;
  unknown_list.replace(unknown_list.find("\"idList\": \"5f0000000000000000000004\""), 36,
                       "\"idList\": \"5f0000000000000000000009\"");
  broken.push_back(unknown_list);
  for (const std::string& file : broken) {
    Answer refused = world.call_as(world.owner_token, "POST", "/v1/import/trello", file);
    INFO(file.substr(0, 40) << " " << refused.response.body);
    CHECK(refused.status == 400);
  }
  CHECK(world.call_as(world.owner_token, "POST", "/v1/import/trello?time_zone=Mars/Base", kTrelloBoard)
            .status == 400);
  CHECK(documents(world) == 1);
  CHECK(world.call("GET", "/v1/labels").json["items"].empty());
}

TEST_CASE(
    "an export comes back with the same hash in another workspace, and a client that has the board goes on") {
  ApiWorld world, other;
  std::string board =
      world.call_as(world.owner_token, "POST", "/v1/import/trello", kTrelloBoard).json["board"];
  std::string at = "/v1/boards/" + board;
  Answer cards = world.call("GET", at + "/cards");
  world.call("PATCH", at + "/cards/" + cards.json["items"][0]["id"].get<std::string>(),
             {{"title", "Ship it now"}});
  Answer file = world.call("GET", at + "/export?format=json");
  REQUIRE(file.status == 200);
  CHECK(file.response.headers.get("Content-Type") == "application/json");
  CHECK(file.response.headers.get("Content-Disposition").find("attachment; filename=\"") == 0);
  Answer taken = other.call_as(other.owner_token, "POST", "/v1/import/export", file.response.body);
  INFO(taken.response.body.substr(0, 300));
  REQUIRE(taken.status == 201);
  CHECK(taken.json["board"] == board);
  CHECK(taken.json["state_hash"] == hash_of(world, board));
  CHECK(hash_of(other, board) == hash_of(world, board));
  CHECK(other.call("GET", at + "/cards").json["items"][0]["title"] == "Ship it now");
  CHECK(other.call("GET", "/v1/labels").json == world.call("GET", "/v1/labels").json);
  CHECK(other.call("GET", "/v1/boards").json["items"].size() == 1);
  other.hub.close_all();
  CHECK(hash_of(other, board) == hash_of(world, board));
  CHECK(other.call("PATCH", at, {{"title", "Goes on"}}).status == 200);
}

TEST_CASE("an export whose board is there already changes nothing") {
  ApiWorld world;
  std::string board = world.make_board();
  std::string file = world.call("GET", "/v1/boards/" + board + "/export").response.body;
  std::string before = hash_of(world, board);
  CHECK(world.call_as(world.owner_token, "POST", "/v1/import/export", file).status == 409);
  CHECK(hash_of(world, board) == before);
  CHECK(documents(world) == 2);
}

TEST_CASE("a damaged export is refused, and so is whoever may not vouch for it") {
  ApiWorld world, other;
  std::string board = world.make_board();
  std::string file = world.call("GET", "/v1/boards/" + board + "/export").response.body;
  for (const std::string& broken : {std::string("{}"), std::string("x"), file.substr(0, file.size() - 20)})
    CHECK(other.call_as(other.owner_token, "POST", "/v1/import/export", broken).status == 400);
  std::string forged = file;
  size_t hash = forged.find(hash_of(world, board));
  REQUIRE(hash != std::string::npos);
  forged[hash] = forged[hash] == '0' ? '1' : '0';
  CHECK(other.call_as(other.owner_token, "POST", "/v1/import/export", forged).status == 400);
  CHECK(other.call_as(other.token_of(other.owner, Role::kMember), "POST", "/v1/import/export", file).status ==
        403);
  CHECK(documents(other) == 1);
}

TEST_CASE("calendars and tables are handed out with their own types") {
  ApiWorld world;
  std::string board =
      world.call_as(world.owner_token, "POST", "/v1/import/trello", kTrelloBoard).json["board"];
  Answer ics = world.call("GET", "/v1/boards/" + board + "/export?format=ics");
  CHECK(ics.response.headers.get("Content-Type") == "text/calendar; charset=utf-8");
  CHECK(ics.response.headers.get("Content-Disposition").find(".ics") != std::string::npos);
  CHECK(ics.response.body.find("SUMMARY:Ship it") != std::string::npos);
  Answer csv = world.call("GET", "/v1/boards/" + board + "/export?format=csv");
  CHECK(csv.response.headers.get("Content-Type") == "text/csv; charset=utf-8");
  CHECK(csv.response.body.find("Ship it") != std::string::npos);
  CHECK(world.call("GET", "/v1/boards/" + board + "/export?format=pdf").status == 400);
}

}  // namespace kalends::test
