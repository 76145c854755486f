// SPDX-License-Identifier: Apache-2.0
// A run is taken back: both sides are as they were, and stay so.
#include "tests/worker/engine/sync_world.h"
#include "worker/engine/left_alone.h"

namespace kalends::test {
namespace {

struct UndoWorld : SyncWorld {
  Json runs() { return ok("GET", "/v1/links/" + link + "/runs")["items"]; }
  uint64_t last_run() { return runs().at(0)["run"]; }
  Json undo(uint64_t run, bool is_dry_run = false) {
    Json report =
        ok("POST", "/v1/links/" + link + "/runs/" + std::to_string(run) + "/undo", {{"dry_run", is_dry_run}});
    settle();
    return report;
  }
  void check_rest() {
    uint64_t before = writes();
    uint64_t run = last_run();
    sync();
    effects.advance(5 * 60'000);
    CHECK(writes() == before);
    CHECK(last_run() == run);
    CHECK(link_now()["status"]["dirty"] == 0);
    CHECK(ok("POST", "/v1/links/" + link + "/sync", {{"dry_run", true}})["writes"] == 0);
  }
  // Both sides without what a reinsertion changes.
  std::string shown() { return both_sides().dump(1); }
};

TEST_CASE("What was left alone comes back from its bytes") {
  LeftAlone left{LeftAlone::Stays::kEvent, {}};
  left.card.start = left.card.end = When::all_day({7});
  PairRow row;
  CHECK_FALSE(left_alone_of(row));
  row.left_alone = encode_left_alone(left);
  CHECK(left_alone_of(row) == left);
  row.left_alone.pop_back();
  CHECK_FALSE(left_alone_of(row));
}

TEST_CASE_METHOD(
    UndoWorld, "A run that edited, unscheduled and removed on both sides is undone: as before, and at rest") {
  link_board(10);
  std::string before = shown();
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  change_event(cards[0], {{"summary", "Renamed there"}, {"description", "Said there"}});
  change_event(cards[1], {{"start", {{"date", "2026-11-01"}}}, {"end", {{"date", "2026-11-02"}}}});
  remove_event(cards[2]);
  edit_card(cards[3], {{"title", "Renamed here"}});
  edit_card(cards[4], {{"due", {{"date", "2026-11-05"}}}});
  edit_card(cards[5], {{"due", nullptr}});
  ok("DELETE", card_path(cards[6]));
  edit_card(cards[7], {{"archived", true}});
  edit_card(cards[8], {{"done", true}});
  size_t runs_before = runs().size();
  ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
  settle();
  REQUIRE(runs().size() == runs_before + 1);
  std::string after = shown();
  REQUIRE(after != before);
  uint64_t run = last_run();

  Json told = undo(run, true);
  CHECK(told["steps"].size() == 9);
  CHECK(told["left"].empty());
  CHECK(shown() == after);
  CHECK(last_run() == run);

  Json report = undo(run);
  CHECK(report["left"].empty());
  CHECK(report["run"] == run + 1);
  CHECK(shown() == before);
  check_rest();
  CHECK(runs().at(0)["undone_run"] == run);
  CHECK(runs().at(1)["undone_by"] == run + 1);

  SECTION("the undo is undone, too") {
    CHECK(undo(run + 1)["left"].empty());
    CHECK(shown() == after);
    check_rest();
  }
  SECTION("undone twice, it has nothing to take back and says why") {
    Json again = undo(run);
    CHECK(again["steps"].empty());
    CHECK(again["left"].size() == 9);
    CHECK(again["left"][0]["why"].get<std::string>().find("run " + std::to_string(run + 1)) == 0);
    CHECK(shown() == before);
  }
}

TEST_CASE_METHOD(UndoWorld,
                 "A first sync is undone: its events go, the cards keep their dates and are left alone") {
  link_board(8);
  uint64_t run = last_run();
  Json before = both_sides();
  REQUIRE(undo(run)["left"].empty());
  CHECK(events().empty());
  for (const std::string& id : cards) CHECK_FALSE(card(id)["due"].is_null());
  check_rest();
  CHECK(link_now()["state"] == "active");

  SECTION("a card that is changed is kept in step again") {
    edit_card(cards[0], {{"due", {{"date", "2026-11-05"}}}});
    settle();
    CHECK(events().size() == 1);
    check_rest();
  }
  SECTION("undone again, the events are back") {
    REQUIRE(undo(last_run())["left"].empty());
    CHECK(both_sides() == before);
    check_rest();
  }
  SECTION("it is the same after a restart") {
    kill_and_restart();
    settle();
    CHECK(events().empty());
    check_rest();
  }
}

TEST_CASE_METHOD(UndoWorld, "A card that was made from a person's event goes, and the event stays") {
  link_board(0);
  Json made =
      control("POST", events_path(),
              {{"summary", "Lunch"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  sync();
  auto all = [&] { return ok("GET", "/v1/boards/" + board + "/cards")["items"]; };
  REQUIRE(all().size() == 1);
  std::string id = all()[0]["id"];
  uint64_t run = last_run();
  REQUIRE(undo(run)["left"].empty());
  CHECK(all().empty());
  REQUIRE(events().size() == 1);
  check_rest();

  SECTION("also after the whole calendar was read again, and after the event was edited") {
    google.model().world().expire_sync_tokens(google.model().world().calendars.at(calendar));
    sync();
    control("PATCH", events_path() + "/" + made["id"].get<std::string>(), {{"summary", "Late lunch"}});
    sync();
    CHECK(all().empty());
    REQUIRE(events().size() == 1);
    CHECK(events()[0]["summary"] == "Late lunch");
    check_rest();
  }
  SECTION("undone again, the card is back and in step") {
    REQUIRE(undo(last_run())["left"].empty());
    REQUIRE(all().size() == 1);
    CHECK(all()[0]["id"] == id);
    check_rest();
    edit_card(id, {{"title", "Dinner"}});
    settle();
    CHECK(events()[0]["summary"] == "Dinner");
  }
}

TEST_CASE_METHOD(UndoWorld, "What somebody has changed since is left as it is, and told") {
  link_board(6);
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  for (size_t i = 0; i < 3; ++i) edit_card(cards[i], {{"title", "Renamed " + std::to_string(i)}});
  remove_event(cards[3]);
  ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
  settle();
  uint64_t run = last_run();
  // Seen by nobody yet, seen by a run, and on the board.
  change_event(cards[0], {{"location", "There"}});
  edit_card(cards[1], {{"title", "Better"}});
  settle();
  edit_card(cards[3], {{"due", {{"date", "2026-11-05"}}}});
  settle();
  Json report = undo(run);
  CHECK(report["steps"].size() == 1);
  CHECK(report["left"].size() == 3);
  CHECK(card(cards[0])["title"] == "Renamed 0");
  CHECK(card(cards[0])["location"] == "There");
  CHECK(card(cards[1])["title"] == "Better");
  CHECK(card(cards[2])["title"] == "Card 2");
  CHECK(event_of(cards[2])["summary"] == "Card 2");
  CHECK(card(cards[3])["due"]["date"] == "2026-11-05");
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "A card that moved to another board since is left there, and told") {
  link_board(2);
  std::string other = ok("POST", "/v1/boards", {{"title", "Other"}, {"time_zone", "Europe/Berlin"}})["id"];
  std::string there = ok("POST", "/v1/boards/" + other + "/lists", {{"title", "There"}})["id"];
  ok("POST", card_path(cards[0]) + "/transfer", {{"board", other}, {"list", there}});
  settle();
  REQUIRE(events().size() == 1);
  Json report = undo(last_run());
  CHECK(report["steps"].empty());
  REQUIRE(report["left"].size() == 1);
  CHECK(report["left"][0]["why"] == "the card is not on this board any more");
  CHECK(events().size() == 1);
}

TEST_CASE_METHOD(UndoWorld, "Cards that the link chooses by a label get it back with their events") {
  std::string label = ok("POST", "/v1/labels", {{"name", "Shown"}, {"colour", "basil"}})["id"];
  board = ok("POST", "/v1/boards", {{"title", "Labelled"}, {"time_zone", "Europe/Berlin"}})["id"];
  list = ok("POST", "/v1/boards/" + board + "/lists", {{"title", "To do"}})["id"];
  std::string id = add_card("Chosen", "2026-12-24");
  edit_card(id, {{"labels", {label}}});
  Json made = ok("POST", "/v1/links",
                 {{"board", board},
                  {"account", account},
                  {"create", {{"summary", "Labelled"}}},
                  {"settings", {{"which", "label"}, {"which_id", label}}}});
  link = made["id"];
  calendar = made["calendar"]["id"];
  settle();
  REQUIRE(events().size() == 1);
  edit_card(id, {{"labels", Json::array()}});
  settle();
  REQUIRE(events().empty());
  CHECK(undo(last_run())["left"].empty());
  CHECK(events().size() == 1);
  CHECK(card(id)["labels"].size() == 1);
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "What a change of the link's settings wrote is left as it is, and told") {
  link_board(2);
  ok("PATCH", "/v1/links/" + link, {{"settings", {{"details", "busy"}}}});
  settle();
  REQUIRE(events()[0]["summary"] == "Busy");
  Json report = undo(last_run());
  CHECK(report["steps"].empty());
  CHECK(report["left"].size() == 2);
  CHECK(card(cards[0])["title"] == "Card 0");
  CHECK(events()[0]["summary"] == "Busy");
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "An event that people have added to is not removed by an undo") {
  link_board(2);
  change_event(cards[0], {{"attendees", {{{"email", "guest@example.org"}}}}});
  Json report = undo(last_run());
  REQUIRE(report["left"].size() == 1);
  CHECK(report["left"][0]["card"] == cards[0]);
  CHECK(events().size() == 1);
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "An edit that races the undo wins: the write is conditional") {
  link_board(1);
  edit_card(cards[0], {{"title", "Renamed"}});
  settle();
  uint64_t run = last_run();
  bool has_raced = false;
  effects.before_fetch = [&](const HttpRequest& request) {
    if (request.method == "PATCH" && !has_raced) {
      has_raced = true;
      change_event(cards[0], {{"summary", "Faster"}});
    }
    return true;
  };
  undo(run);
  CHECK(has_raced);
  // Both edits are there: one is shown, the other stays open on the card.
  Json now = card(cards[0]);
  CHECK(now["title"] == "Card 0");
  CHECK(now["conflicts"].dump().find("Faster") != std::string::npos);
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "A kill in the middle of an undo loses nothing: the next look ends it") {
  link_board(3);
  uint64_t run = last_run();
  int deletes = 0;
  effects.before_fetch = [&](const HttpRequest& request) {
    return request.method != "DELETE" || ++deletes > 3;
  };
  undo(run);
  kill_and_restart();
  effects.before_fetch = nullptr;
  settle();
  sync();
  CHECK(events().empty());
  for (const std::string& id : cards) CHECK_FALSE(card(id)["due"].is_null());
  check_rest();
}

TEST_CASE_METHOD(UndoWorld, "An undo of what is not there, or of a link that waits, says what to do") {
  link_board(1);
  auto answer = [&](const std::string& run) {
    return call("POST", "/v1/links/" + link + "/runs/" + run + "/undo", Json::object());
  };
  CHECK(answer("99").status == 404);
  CHECK(answer("nonsense").status == 400);
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  CHECK(answer("1").status == 409);
}

TEST_CASE_METHOD(UndoWorld, "The history of a card is told newest first, in sentences") {
  link_board(1);
  edit_card(cards[0], {{"title", "Renamed"}});
  settle();
  change_event(cards[0], {{"location", "There"}});
  sync();
  Json told = ok("GET", card_path(cards[0]) + "/explain")["links"][0]["history"];
  REQUIRE(told.size() == 3);
  CHECK(told[0]["text"] ==
        "The card was changed: location none → \"There\". Why: the location was changed in the calendar.");
  CHECK(told[0]["by"] == "calendar");
  CHECK(told[1]["text"] ==
        "The event was changed: title \"Card 0\" → \"Renamed\". Why: the title was changed on the card.");
  CHECK(told[1]["by"] == "member");
  CHECK(told[1]["id"] == "2.1");
  CHECK(told[2]["kind"] == "insert_event");
  Json run = ok("GET", "/v1/links/" + link + "/runs/2");
  CHECK(run["entries"].size() == 1);
  CHECK(run["patches"] == 1);
}

}  // namespace
}  // namespace kalends::test
