// SPDX-License-Identifier: Apache-2.0
// What the guard stops, what it tells, and what an approval covers.
#include "tests/worker/engine/sync_world.h"

namespace kalends::test {
namespace {

struct GuardWorld : SyncWorld {
  std::string state() { return link_now()["state"]; }
  Json guard() { return link_now()["status"]["guard"]; }
  size_t dated_cards() {
    size_t count = 0;
    for (const std::string& id : cards) {
      Answer now = call("GET", card_path(id));
      count += now.status == 200 && (!now.json["due"].is_null() || !now.json["start"].is_null());
    }
    return count;
  }
  Answer approve(const std::string& plan = "") {
    Json body = Json::object();
    if (!plan.empty()) body["plan"] = plan;
    Answer answer = call("POST", "/v1/links/" + link + "/approve", body);
    settle();
    return answer;
  }
  Json dry_run() { return ok("POST", "/v1/links/" + link + "/sync", {{"dry_run", true}}); }
  // Google forgets where the worker was: the next look lists everything.
  void expire_sync_token() {
    google.model().world().expire_sync_tokens(google.model().world().calendars.at(calendar));
  }
  // The answers to whole listings keep only so many of their events.
  void cut_listings(size_t kept, bool has_end = true) {
    effects.after_fetch = [=](const HttpRequest& request, HttpOutcome& outcome) {
      bool is_listing = request.method == "GET" && request.url.find("/events?") != std::string::npos;
      if (!is_listing || request.url.find("syncToken") != std::string::npos || !outcome.response.ok()) return;
      Json body = Json::parse(outcome.response->body);
      if (body.contains("items"))
        while (body["items"].size() > kept) body["items"].erase(body["items"].size() - 1);
      if (!has_end) body.erase("nextSyncToken");
      outcome.response->body = body.dump();
    };
  }
};

TEST_CASE_METHOD(GuardWorld,
                 "Events deleted one by one within minutes are stopped like events deleted together") {
  link_board(30);
  size_t removed = 0;
  for (; removed < 24 && state() == "active"; ++removed) {
    remove_event(cards[removed]);
    effects.advance(500);
    sync();
  }
  // Twelve of thirty are allowed; the thirteenth stops.
  CHECK(removed == 13);
  CHECK(state() == "stopped");
  CHECK(dated_cards() == 18);
  CHECK(guard()["recent_cards_losing_date"] == 12);
  CHECK(guard()["cards_losing_date"] == 1);
  CHECK(guard()["reason"].get<std::string>().find("in the last 10 minutes") != std::string::npos);
}

TEST_CASE_METHOD(GuardWorld, "The same deletions over a day are a person's work and go through") {
  link_board(30);
  for (size_t i = 0; i < 24; ++i) {
    remove_event(cards[i]);
    sync();
    effects.advance(11 * 60'000);
  }
  CHECK(state() == "active");
  CHECK(dated_cards() == 6);
}

TEST_CASE_METHOD(GuardWorld, "One card that is dated and undated again and again is one deletion") {
  link_board(10);
  for (int i = 0; i < 20; ++i) {
    edit_card(cards[0], {{"due", nullptr}});
    settle();
    edit_card(cards[0], {{"due", {{"date", "2026-12-24"}}}});
    settle();
  }
  CHECK(state() == "active");
}

TEST_CASE_METHOD(GuardWorld, "Cards undated one by one on the board are stopped too") {
  link_board(30);
  for (size_t i = 0; i < 24 && state() == "active"; ++i) {
    edit_card(cards[i], {{"due", nullptr}});
    settle();
  }
  CHECK(state() == "stopped");
  CHECK(events().size() == 18);
}

TEST_CASE_METHOD(GuardWorld, "An approval lets go what was shown, and nothing that came after it") {
  link_board(30);
  for (size_t i = 0; i < 10; ++i) remove_event(cards[i]);
  sync();
  REQUIRE(state() == "stopped");
  std::string shown = guard()["plan"];
  Json plan = dry_run();
  CHECK(plan["deletions"] == shown);
  CHECK(plan["steps"].size() == 10);
  // Nobody has seen these.
  for (size_t i = 10; i < 20; ++i) edit_card(cards[i], {{"due", nullptr}});
  settle();
  CHECK(approve("0123456789abcdef").status == 409);
  CHECK(approve(shown).status == 200);
  CHECK(state() == "stopped");
  CHECK(dated_cards() == 20 - 0);
  CHECK(events().size() == 20);

  CHECK(approve(dry_run()["deletions"]).status == 200);
  CHECK(state() == "active");
  CHECK(events().size() == 10);
  CHECK(dated_cards() == 10);
}

TEST_CASE_METHOD(GuardWorld, "What was approved does not count against what follows") {
  link_board(30);
  for (size_t i = 0; i < 10; ++i) remove_event(cards[i]);
  sync();
  REQUIRE(approve(guard()["plan"]).status == 200);
  REQUIRE(state() == "active");
  remove_event(cards[10]);
  sync();
  CHECK(state() == "active");
  CHECK(dated_cards() == 19);
}

TEST_CASE_METHOD(GuardWorld,
                 "A stopped link is stopped after a restart, says why, and takes the same approval") {
  link_board(30);
  for (size_t i = 0; i < 10; ++i) remove_event(cards[i]);
  sync();
  Json before = guard();
  kill_and_restart();
  settle();
  CHECK(state() == "stopped");
  CHECK(guard() == before);
  CHECK(approve().status == 200);
  CHECK(dated_cards() == 20);
}

TEST_CASE_METHOD(GuardWorld, "An empty or cut listing is not believed while the events are there") {
  size_t kept = GENERATE(0u, 14u);
  link_board(30);
  expire_sync_token();
  cut_listings(kept);
  uint64_t before = writes();
  sync();
  CHECK(state() == "stopped");
  CHECK(guard()["listing_doubted"] == true);
  CHECK(guard()["reason"].get<std::string>().find("is not believed") != std::string::npos);
  CHECK(writes() == before);
  CHECK(dated_cards() == 30);
  CHECK(dry_run()["guard"]["listing_doubted"] == true);

  SECTION("approved, each event is asked for, and nothing is lost") {
    CHECK(approve(guard()["plan"]).status == 200);
    CHECK(state() == "active");
    CHECK(dated_cards() == 30);
    CHECK(writes() == before);
  }
  SECTION("approved when the listing is whole again, it goes on as ever") {
    effects.after_fetch = nullptr;
    CHECK(approve(guard()["plan"]).status == 200);
    CHECK(state() == "active");
    edit_card(cards[0], {{"title", "Renamed"}});
    settle();
    CHECK(event_of(cards[0])["summary"] == "Renamed");
  }
}

TEST_CASE_METHOD(GuardWorld, "A listing that lacks less than half is made good by asking for each event") {
  link_board(30);
  expire_sync_token();
  cut_listings(16);
  sync();
  CHECK(state() == "active");
  CHECK(dated_cards() == 30);
}

TEST_CASE_METHOD(GuardWorld, "A small calendar's empty listing is made good event by event, without a stop") {
  link_board(4);
  expire_sync_token();
  cut_listings(0);
  uint64_t before = writes();
  sync();
  CHECK(state() == "active");
  CHECK(dated_cards() == 4);
  CHECK(writes() == before);
}

TEST_CASE_METHOD(GuardWorld, "Events that are truly gone stop as deletions, not as a wrong listing") {
  link_board(30);
  for (size_t i = 0; i < 28; ++i) remove_event(cards[i]);
  expire_sync_token();
  // A whole listing tells no deletions.
  sync();
  CHECK(state() == "stopped");
  CHECK(guard()["listing_doubted"] == false);
  CHECK(guard()["cards_losing_date"] == 28);
  CHECK(dated_cards() == 30);
}

TEST_CASE_METHOD(GuardWorld, "Deletions after a listing without its proper end wait, however few they are") {
  link_board(30);
  remove_event(cards[0]);
  expire_sync_token();
  cut_listings(1000, false);
  sync();
  CHECK(state() == "stopped");
  CHECK(dated_cards() == 30);
  effects.after_fetch = nullptr;
  CHECK(approve(guard()["plan"]).status == 200);
  CHECK(state() == "active");
  CHECK(dated_cards() == 29);
}

}  // namespace
}  // namespace kalends::test
