// SPDX-License-Identifier: Apache-2.0
#include "tests/worker/api/api_world.h"

namespace kalends::test {
namespace {

struct BoardWorld : ApiWorld {
  std::string board = make_board();
  std::string at = "/v1/boards/" + board;
  std::string todo = make_list(board, "To do");
  std::string done = make_list(board, "Done");

  Json titles(const std::string& list) {
    Json titles = Json::array();
    Answer page = call("GET", at + "/cards?list=" + list);
    for (const Json& card : page.json["items"]) titles.push_back(card["title"]);
    return titles;
  }
};

}  // namespace

TEST_CASE("a board is made with its lists, read, renamed, taken out of the directory and put back") {
  ApiWorld world;
  Answer made =
      world.call("POST", "/v1/boards",
                 {{"title", "Launch"}, {"time_zone", "Europe/Berlin"}, {"lists", {"To do", "Done"}}});
  REQUIRE(made.status == 201);
  std::string board = "/v1/boards/" + made.id();
  CHECK(made.json["lists"].size() == 2);
  CHECK(made.json["lists"][0]["title"] == "To do");
  CHECK(world.call("GET", "/v1/boards").json["items"][0]["title"] == "Launch");

  Answer renamed = world.call("PATCH", board, {{"title", "Launch 2"}, {"time_zone", "UTC"}});
  CHECK(renamed.status == 200);
  CHECK(renamed.json["time_zone"] == "UTC");
  CHECK(world.call("GET", "/v1/boards").json["items"][0]["title"] == "Launch 2");
  CHECK(world.call("PATCH", board, {{"archived", true}}).status == 200);
  CHECK(world.call("GET", "/v1/boards").json["items"][0]["archived"] == true);

  CHECK(world.call("DELETE", board).status == 204);
  CHECK(world.call("GET", "/v1/boards").json["items"].empty());
  CHECK(world.call("GET", board).status == 404);
  CHECK(world.call("GET", board + "/cards").status == 404);
  CHECK(world.call("DELETE", board).status == 404);
  CHECK(world.call("POST", board + "/restore").status == 200);
  CHECK(world.call("GET", board).status == 200);
  CHECK(world.call("GET", "/v1/boards").json["items"].size() == 1);
}

TEST_CASE("a board that cannot be made leaves nothing behind") {
  ApiWorld world;
  Answer refused =
      world.call("POST", "/v1/boards", {{"title", "Launch"}, {"lists", {std::string(5000, 'x')}}});
  CHECK(refused.status == 400);
  CHECK(world.call("GET", "/v1/boards").json["items"].empty());
  auto txn = world.store->begin();
  CHECK((*txn)->documents(world.workspace)->size() == 1);
}

TEST_CASE("lists are made at a place, renamed, moved and deleted") {
  BoardWorld world;
  Answer first = world.call("POST", world.at + "/lists", {{"title", "Ideas"}, {"after", nullptr}});
  REQUIRE(first.status == 201);
  CHECK(world.call("GET", world.at + "/lists").json["items"][0]["title"] == "Ideas");
  std::string list = world.at + "/lists/" + first.id();
  CHECK(world.call("PATCH", list, {{"title", "Later"}, {"after", world.done}}).json["title"] == "Later");
  CHECK(world.call("GET", world.at + "/lists").json["items"][2]["title"] == "Later");
  CHECK(world.call("GET", list).status == 200);
  CHECK(world.call("DELETE", list).status == 204);
  CHECK(world.call("GET", list).status == 404);
}

TEST_CASE("a card carries every field over the API and back") {
  BoardWorld world;
  std::string label = world.call("POST", "/v1/labels", {{"name", "Urgent"}, {"colour", "red"}}).id();
  std::string field_id(32, 'a');
  REQUIRE(world
              .call("POST", world.at + "/edit",
                    {{"commands",
                      {{{"do", "create"},
                        {"type", "custom_field"},
                        {"id", field_id},
                        {"fields", {{"title", "Cost"}}}}}}})
              .status == 200);
  Json fields = {{"title", "Ship it"},
                 {"description", "gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x93\x85"},
                 {"start", {{"date", "2026-12-01"}}},
                 {"due", {{"date", "2026-12-03"}}},
                 {"done", true},
                 {"location", "Room 1"},
                 {"colour", "sage"},
                 {"reminders", {10, 60}},
                 {"estimate", 90},
                 {"archived", false},
                 {"labels", {label}},
                 {"assignees", {to_hex(world.owner)}},
                 {"custom", {{field_id, "12"}}}};
  Json body = fields;
  body["list"] = world.todo;
  Answer made = world.call("POST", world.at + "/cards", body);
  INFO(made.response.body);
  REQUIRE(made.status == 201);
  Answer read = world.call("GET", world.at + "/cards/" + made.id());
  for (const auto& [name, value] : fields.items()) {
    INFO(name);
    CHECK(read.json[name] == value);
  }
  CHECK(read.json["list"] == world.todo);

  Json change = {{"title", "Shipped"},
                 {"description", "short"},
                 {"start", nullptr},
                 {"due", {{"at", "2026-12-03T10:00:00"}, {"zone", "Europe/Berlin"}, {"fold", 0}}},
                 {"labels", Json::array()},
                 {"assignees", Json::array()},
                 {"reminders", Json::array()},
                 {"estimate", nullptr},
                 {"custom", {{field_id, "13"}}},
                 {"list", world.done}};
  Answer changed = world.call("PATCH", world.at + "/cards/" + made.id(), change);
  INFO(changed.response.body);
  REQUIRE(changed.status == 200);
  for (const auto& [name, value] : change.items()) {
    INFO(name);
    CHECK(changed.json[name] == value);
  }
  CHECK(changed.json["done"] == true);
}

TEST_CASE("cards are put where `after` says, moved in a list and between lists") {
  BoardWorld world;
  std::string a = world.make_card(world.board, world.todo, "a");
  std::string b = world.make_card(world.board, world.todo, "b");
  Answer c = world.call("POST", world.at + "/cards", {{"title", "c"}, {"list", world.todo}, {"after", a}});
  CHECK(world.titles(world.todo) == Json({"a", "c", "b"}));
  CHECK(world.call("PATCH", world.at + "/cards/" + b, {{"after", nullptr}}).status == 200);
  CHECK(world.titles(world.todo) == Json({"b", "a", "c"}));
  CHECK(world.call("PATCH", world.at + "/cards/" + a, {{"list", world.done}, {"after", nullptr}})
            .json["list"] == world.done);
  CHECK(world.titles(world.todo) == Json({"b", "c"}));
  CHECK(world.titles(world.done) == Json({"a"}));
}

TEST_CASE("a deleted card is gone until it is restored, and a repeated creation is told") {
  BoardWorld world;
  std::string id(32, 'c');
  Json body = {{"id", id}, {"title", "once"}, {"list", world.todo}};
  REQUIRE(world.call("POST", world.at + "/cards", body).status == 201);
  CHECK(world.call("POST", world.at + "/cards", body).status == 409);
  std::string card = world.at + "/cards/" + id;
  CHECK(world.call("DELETE", card).status == 204);
  CHECK(world.call("GET", card).status == 404);
  CHECK(world.call("PATCH", card, {{"title", "late"}}).status == 404);
  CHECK(world.call("POST", card + "/restore").json["title"] == "once");
  CHECK(world.call("GET", card).status == 200);
}

TEST_CASE("what is inside a card is made, changed, moved and deleted") {
  BoardWorld world;
  std::string card = world.at + "/cards/" + world.make_card(world.board, world.todo, "card");
  std::string comment = world.call("POST", card + "/comments", {{"text", "hello"}}).id();
  std::string list = world.call("POST", card + "/checklists", {{"title", "steps"}}).id();
  std::string other = world.call("POST", card + "/checklists", {{"title", "later"}}).id();
  std::string first = world.call("POST", card + "/items", {{"text", "one"}, {"checklist", list}}).id();
  std::string second =
      world.call("POST", card + "/items", {{"text", "two"}, {"checklist", list}, {"after", nullptr}}).id();
  std::string link =
      world.call("POST", card + "/attachments", {{"title", "Plan"}, {"url", "https://example.org/plan"}})
          .id();
  Json view = world.call("GET", card).json;
  CHECK(view["comments"][0]["text"] == "hello");
  CHECK(view["comments"][0]["author"] == to_hex(world.owner));
  CHECK(view["checklists"][0]["items"][0]["text"] == "two");
  CHECK(view["attachments"][0]["url"] == "https://example.org/plan");

  CHECK(world.call("PATCH", card + "/comments/" + comment, {{"text", "hello all"}})
            .json["comments"][0]["text"] == "hello all");
  Answer item = world.call("PATCH", card + "/items/" + first, {{"text", "one and a half"}, {"done", true}});
  INFO(item.response.body);
  CHECK(item.json["checklists"][0]["items"][1]["text"] == "one and a half");
  CHECK(item.json["checklists"][0]["items"][1]["done"] == true);
  CHECK(world.call("PATCH", card + "/items/" + first, {{"after", nullptr}})
            .json["checklists"][0]["items"][0]["text"] == "one and a half");
  CHECK(world.call("PATCH", card + "/items/" + first, {{"checklist", other}})
            .json["checklists"][1]["items"][0]["text"] == "one and a half");
  CHECK(world.call("DELETE", card + "/items/" + second).status == 204);
  CHECK(world.call("DELETE", card + "/attachments/" + link).status == 204);
  CHECK(world.call("DELETE", card + "/comments/" + comment).status == 204);
  view = world.call("GET", card).json;
  CHECK(view["checklists"][0]["items"].empty());
  CHECK(view["attachments"].empty());
  CHECK(view["comments"].empty());
  CHECK(world.call("POST", card + "/votes", {{"text", "x"}}).status == 404);
  CHECK(world.call("PATCH", card + "/checklists/" + comment, {{"title", "x"}}).status == 404);
  CHECK(world.call("DELETE", card + "/checklists/" + comment).status == 404);
}

TEST_CASE("several commands are one transaction, all or nothing") {
  BoardWorld world;
  std::string id(32, 'd');
  Json create = {
      {"do", "create"}, {"type", "card"}, {"id", id}, {"fields", {{"title", "x"}, {"list", world.todo}}}};
  Json set = {{"do", "set"}, {"entity", id}, {"field", "done"}, {"value", true}};
  Json wrong = {{"do", "set"}, {"entity", id}, {"field", "colour"}, {"value", "mauve"}};
  Answer refused = world.call("POST", world.at + "/edit", {{"commands", {create, set, wrong}}});
  CHECK(refused.status == 400);
  CHECK(refused.json["detail"].get<std::string>().find("Command 3 of 3") == 0);
  CHECK(world.call("GET", world.at + "/cards/" + id).status == 404);
  Answer taken = world.call("POST", world.at + "/edit", {{"commands", {create, set}}});
  CHECK(taken.status == 200);
  CHECK(taken.json["operations"] == 2);
}

TEST_CASE("a card moves to another board with what it holds") {
  BoardWorld world;
  std::string other = world.make_board("Second");
  std::string list = world.make_list(other, "Inbox");
  std::string card = world.make_card(world.board, world.todo, "traveller");
  world.call("POST", world.at + "/cards/" + card + "/comments", {{"text", "from home"}});
  Answer moved =
      world.call("POST", world.at + "/cards/" + card + "/transfer", {{"board", other}, {"list", list}});
  INFO(moved.response.body);
  CHECK(moved.status == 200);
  CHECK(world.call("GET", world.at + "/cards/" + card).status == 404);
  Answer there = world.call("GET", "/v1/boards/" + other + "/cards/" + card);
  CHECK(there.json["comments"][0]["text"] == "from home");
  CHECK(there.json["list"] == list);
}

TEST_CASE("pages end, and together they are the whole") {
  BoardWorld world;
  for (int i = 0; i < 7; ++i) world.make_card(world.board, world.todo, std::to_string(i));
  Json all = Json::array();
  std::string cursor;
  int pages = 0;
  do {
    Answer page =
        world.call("GET", world.at + "/cards?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(page.status == 200);
    for (const Json& card : page.json["items"]) all.push_back(card["title"]);
    cursor = page.json["next_cursor"].is_null() ? "" : page.json["next_cursor"].get<std::string>();
  } while (!cursor.empty() && ++pages < 10);
  CHECK(all == Json({"0", "1", "2", "3", "4", "5", "6"}));
  CHECK(pages == 2);
  for (const char* limit : {"0", "501", "-1", "x", "99999999999"})
    CHECK(world.call("GET", world.at + "/cards?limit=" + limit).status == 400);
  CHECK(world.call("GET", world.at + "/cards?cursor=nowhere").status == 400);
}

TEST_CASE("bad input is answered with a problem that says what is wrong") {
  BoardWorld world;
  std::string card = world.at + "/cards/" + world.make_card(world.board, world.todo, "card");
  struct Case {
    std::string method, target, body;
  };
  std::vector<Case> cases = {
      {"POST", "/v1/boards", "{"},
      {"POST", "/v1/boards", "[]"},
      {"POST", "/v1/boards", "{}"},
      {"POST", "/v1/boards", R"({"title":5})"},
      {"POST", "/v1/boards", R"({"title":"x","time_zone":"Mars/Base"})"},
      {"POST", "/v1/boards", R"({"title":"x","lists":[1]})"},
      {"PATCH", world.at, "{}"},
      {"PATCH", world.at, R"({"time_zone":"Mars/Base"})"},
      {"PATCH", world.at, R"({"nothing":1})"},
      {"POST", world.at + "/lists", R"({"title":"x","after":"y"})"},
      {"POST", world.at + "/cards", R"({"title":"x"})"},
      {"POST", world.at + "/cards", R"({"title":"x","list":"y"})"},
      {"POST", world.at + "/cards", R"({"title":"x","id":7})"},
      {"PATCH", card, R"({"title":true})"},
      {"PATCH", card, R"({"title":1.5})"},
      {"PATCH", card, R"({"colour":"mauve"})"},
      {"PATCH", card, R"({"due":{"date":"2026-02-30"}})"},
      {"PATCH", card, R"({"due":{"at":"2026-02-03T10:00:00","zone":7}})"},
      {"PATCH", card, R"({"start":{"date":"2026-02-03"},"due":{"date":"2026-02-01"}})"},
      {"PATCH", card, R"({"labels":"x"})"},
      {"PATCH", card, R"({"labels":["x"]})"},
      {"PATCH", card, R"({"custom":[]})"},
      {"PATCH", card, R"({"custom":{"x":"y"}})"},
      {"PATCH", card, R"({"reminders":[-1]})"},
      {"PATCH", card, R"({"estimate":-1})"},
      {"PATCH", card, R"({"estimate":525601})"},
      {"PATCH", card, R"({"estimate":"90"})"},
      {"PATCH", card, R"({"description":7})"},
      {"POST", card + "/comments", R"({"nothing":"x"})"},
      {"POST", card + "/transfer", "{}"},
      {"POST", world.at + "/edit", "{}"},
      {"POST", world.at + "/edit", R"({"commands":[]})"},
      {"POST", world.at + "/edit", R"({"commands":[7]})"},
      {"POST", world.at + "/conflicts/resolve", "{}"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.method << " " << wrong.target << " " << wrong.body);
    Answer answer = world.call_as(world.owner_token, wrong.method, wrong.target, wrong.body);
    CHECK(answer.status == 400);
    CHECK(answer.response.headers.get("Content-Type") == "application/problem+json");
    CHECK(answer.code() == "invalid");
    CHECK_FALSE(answer.json.value("detail", "").empty());
    CHECK(answer.json.value("status", 0) == answer.status);
  }
}

TEST_CASE("what is not there is a 404, also with an id that is none") {
  BoardWorld world;
  std::string nobody(32, '0'), card = world.make_card(world.board, world.todo, "card");
  std::vector<std::string> targets = {"/v1/boards/" + nobody,
                                      "/v1/boards/x",
                                      "/v1/boards/" + nobody + "/cards",
                                      world.at + "/cards/" + nobody,
                                      world.at + "/cards/x",
                                      world.at + "/lists/" + nobody,
                                      world.at + "/lists/" + card,
                                      world.at + "/cards/" + world.todo,
                                      "/v1/labels/" + nobody,
                                      "/v1/sequences/" + nobody,
                                      "/v1/links/" + nobody,
                                      world.at + "/cards/" + nobody + "/explain"};
  for (const std::string& target : targets) {
    INFO(target);
    CHECK(world.call("GET", target).status == 404);
  }
  CHECK(world.call("PATCH", world.at + "/cards/" + nobody, {{"title", "x"}}).status == 404);
  CHECK(world.call("DELETE", world.at + "/cards/" + nobody).status == 404);
  CHECK(world.call("DELETE", world.at + "/lists/" + nobody).status == 404);
  CHECK(world.call("POST", world.at + "/cards", {{"title", "x"}, {"list", nobody}}).status == 404);
  CHECK(
      world
          .call("POST", world.at + "/cards/" + card + "/items", {{"text", "x"}, {"checklist", nobody + ":1"}})
          .status == 404);
  CHECK(world.call("PATCH", world.at + "/cards/" + card, {{"after", nobody}}).status == 404);
}

TEST_CASE("an address of one kind of thing does not change another") {
  BoardWorld world;
  std::string card = world.make_card(world.board, world.todo, "card");
  std::string label = world.call("POST", "/v1/labels", {{"name", "Urgent"}}).id();
  CHECK(world.call("PATCH", world.at + "/lists/" + card, {{"title", "x"}}).status == 404);
  CHECK(world.call("DELETE", world.at + "/lists/" + card).status == 404);
  CHECK(world.call("DELETE", world.at + "/cards/" + world.todo).status == 404);
  CHECK(world.call("POST", world.at + "/cards/" + world.todo + "/restore").status == 404);
  CHECK(world.call("DELETE", "/v1/labels/" + to_hex(world.owner)).status == 404);
  CHECK(world.call("DELETE", "/v1/sequences/" + label).status == 404);
  CHECK(world.call("PATCH", "/v1/labels/" + world.board, {{"title", "x"}}).status == 404);
  CHECK(world.call("DELETE", "/v1/boards/" + label).status == 404);
  CHECK(world.call("GET", "/v1/boards/" + to_hex(world.workspace)).status == 404);
  CHECK(world
            .call("POST", "/v1/boards/" + to_hex(world.workspace) + "/edit",
                  {{"commands", {{{"do", "delete"}, {"entity", label}}}}})
            .status == 404);
  CHECK(world.call("GET", world.at + "/cards/" + card).status == 200);
  CHECK(world.call("GET", world.at + "/lists/" + world.todo).status == 200);
  CHECK(world.call("GET", "/v1/labels/" + label).status == 200);
}

TEST_CASE("open conflicts are listed and one of the values is chosen") {
  BoardWorld world;
  std::string card = world.make_card(world.board, world.todo, "card");
  DocumentKey key{world.workspace, DocumentId{*id_from_hex(world.board)}};
  Target target{*id_from_hex(card), {}};
  REQUIRE(world.hub
              .edit(key, {world.owner, Cause::kBridge, world.clock.now_},
                    {OfferCommand{target, {Field::kTitle, {}, std::string("offered")}}})
              .ok());
  Json conflicts = world.call("GET", world.at + "/conflicts").json["items"];
  REQUIRE(conflicts.size() == 1);
  CHECK(conflicts[0]["entity"] == card);
  CHECK(conflicts[0]["field"] == "title");
  REQUIRE(conflicts[0]["values"].size() == 2);
  CHECK(conflicts[0]["values"][0]["winner"] == true);
  CHECK(conflicts[0]["values"][1]["value"] == "offered");
  Answer resolved =
      world.call("POST", world.at + "/conflicts/resolve",
                 {{"entity", card}, {"field", "title"}, {"op", conflicts[0]["values"][1]["op"]}});
  INFO(resolved.response.body);
  CHECK(resolved.status == 204);
  CHECK(world.call("GET", world.at + "/conflicts").json["items"].empty());
  CHECK(world.call("GET", world.at + "/cards/" + card).json["title"] == "offered");
}

TEST_CASE(
    "everything is there again when the boards are opened anew, and no more of them are open than allowed") {
  ApiWorld world(2);
  std::vector<std::string> boards;
  for (int i = 0; i < 5; ++i) {
    boards.push_back(world.make_board("board " + std::to_string(i)));
    world.make_card(boards.back(), world.make_list(boards.back(), "list"), "card " + std::to_string(i));
    CHECK(world.hub.open_count() <= 2);
  }
  world.hub.close_all();
  CHECK(world.hub.open_count() == 0);
  for (int i = 0; i < 5; ++i)
    CHECK(world.call("GET", "/v1/boards/" + boards[i] + "/cards").json["items"][0]["title"] ==
          "card " + std::to_string(i));
}

}  // namespace kalends::test
