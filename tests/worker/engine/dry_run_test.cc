// SPDX-License-Identifier: Apache-2.0
// A dry run says what the next look does, and does nothing.
#include <fstream>
#include <sstream>

#include "tests/worker/engine/sync_world.h"

namespace kalends::test {
namespace {

struct DryWorld : SyncWorld {
  Json dry_run() { return ok("POST", "/v1/links/" + link + "/sync", {{"dry_run", true}}); }
  static std::vector<Json> of_kind(const Json& report, const std::string& kind) {
    std::vector<Json> found;
    for (const Json& step : report["steps"])
      if (step["kind"] == kind) found.push_back(step);
    return found;
  }
  // Everything that a look writes: rows of the link, and the board.
  std::string stored() {
    std::ostringstream out;
    auto txn = worker->store->begin();
    LinkId id{*id_from_hex(link)};
    auto pairs = (*txn)->pairs(workspace, id, {}, 1000).value();
    for (const PairRow& row : pairs)
      out << to_hex(row.card) << row.generation << as_text(row.shadow) << as_text(row.observation)
          << row.is_dirty << row.updated_ms << as_text(row.explain);
    auto cursor = (*txn)->cursor(workspace, id).value();
    out << as_text(cursor->sync_token) << cursor->updated_ms << (*txn)->runs(workspace, id, 99).value().size()
        << (*txn)->attempts(workspace, id).value().size();
    auto head = (*txn)->document_head(workspace, DocumentId{*id_from_hex(board)}).value();
    out << head->next_seq;
    return out.str();
  }
};

TEST_CASE_METHOD(DryWorld,
                 "A dry run sees what is new in the calendar, tells it by kind, and writes nothing") {
  link_board(8);
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  change_event(cards[0], {{"summary", "Renamed there"}});
  remove_event(cards[1]);
  control("POST", events_path(),
          {{"summary", "Lunch"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  control("POST", events_path(),
          {{"summary", "Every week"},
           {"start", {{"date", "2026-12-01"}}},
           {"end", {{"date", "2026-12-02"}}},
           {"recurrence", {"RRULE:FREQ=WEEKLY"}}});
  edit_card(cards[2], {{"title", "Renamed here"}});
  edit_card(cards[3], {{"due", nullptr}});
  std::string fresh = add_card("New", "2026-12-24");
  settle();
  std::string before = stored();
  uint64_t writes_before = writes();

  Json report = dry_run();
  CHECK(stored() == before);
  CHECK(writes() == writes_before);
  CHECK(report["writes"] == 3);
  CHECK_FALSE(report.contains("guard"));

  auto new_events = of_kind(report, "new_event");
  REQUIRE(new_events.size() == 1);
  CHECK(new_events[0]["card"] == fresh);
  CHECK(new_events[0]["changes"][0]["after"] == "2026-12-24");
  auto changed_events = of_kind(report, "changed_event");
  REQUIRE(changed_events.size() == 1);
  CHECK(changed_events[0]["changes"] ==
        Json::parse(R"([{"field":"title","before":"\"Card 2\"","after":"\"Renamed here\""}])"));
  auto deleted_events = of_kind(report, "deleted_event");
  REQUIRE(deleted_events.size() == 1);
  CHECK(deleted_events[0]["card"] == cards[3]);
  CHECK(of_kind(report, "changed_card").size() == 2);
  auto new_cards = of_kind(report, "new_card");
  REQUIRE(new_cards.size() == 1);
  CHECK(new_cards[0]["title"] == "Lunch");
  auto left = of_kind(report, "left_alone");
  REQUIRE(left.size() == 1);
  CHECK(left[0]["title"] == "Every week");
  CHECK(left[0]["why"] == "it repeats");

  // It told the truth.
  ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
  settle();
  CHECK(writes() == writes_before + 3);
  CHECK(dry_run()["writes"] == 0);
}

TEST_CASE_METHOD(DryWorld, "A dry run says what the guard would say") {
  link_board(30);
  for (size_t i = 0; i < 10; ++i) remove_event(cards[i]);
  Json report = dry_run();
  CHECK(report["guard"]["cards_losing_date"] == 10);
  CHECK(report["guard"]["plan"] == report["deletions"]);
  CHECK(link_now()["state"] == "active");
}

TEST_CASE_METHOD(DryWorld,
                 "A dry run before the first sync of a Trello board shows every event that it will make") {
  std::ifstream file(std::string(KALENDS_FIXTURES) + "/trello/demo-board.json");
  std::stringstream text;
  text << file.rdbuf();
  board = ok("POST", "/v1/import/trello?time_zone=Europe/Berlin", text.str())["board"];
  Json made =
      ok("POST", "/v1/links", {{"board", board}, {"account", account}, {"create", {{"summary", "Demo"}}}});
  link = made["id"];
  calendar = made["calendar"]["id"];
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  size_t already = events().size();
  Json report = dry_run();
  size_t dated = 0;
  Json all = ok("GET", "/v1/boards/" + board + "/cards?limit=500")["items"];
  for (const Json& card : all)
    dated += !card["archived"].get<bool>() && (!card["due"].is_null() || !card["start"].is_null());
  CHECK(dated > 10);
  CHECK(already + of_kind(report, "new_event").size() == dated);
  CHECK(events().size() == already);
}

TEST_CASE_METHOD(DryWorld, "A dry run that Google refuses says so and changes nothing of the link") {
  link_board(1);
  effects.after_fetch = [](const HttpRequest&, HttpOutcome& outcome) {
    outcome = {HttpResponse{404, {}, R"({"error":{"code":404,"errors":[{"reason":"notFound"}]}})"}, false};
  };
  CHECK(call("POST", "/v1/links/" + link + "/sync", {{"dry_run", true}}).status >= 400);
  CHECK(link_now()["state"] == "active");
}

}  // namespace
}  // namespace kalends::test
