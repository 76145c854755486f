// SPDX-License-Identifier: Apache-2.0
// The first run after a restore: seen before it happens, and what was not seen waits.
#include <filesystem>

#include "tests/worker/engine/sync_world.h"
#include "worker/engine/restored.h"
#include "worker/store/backup.h"

namespace kalends::test {
namespace {

struct RestoredWorld : SyncWorld {
  std::string database() const { return folder.path() + "/kalends.db"; }
  void back_up() { REQUIRE(copy_database(database(), folder.path() + "/backup.db").ok()); }
  void restore() {
    worker.reset();
    effects.drop_all();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(database() + end);
    REQUIRE(copy_database(folder.path() + "/backup.db", database()).ok());
    REQUIRE(mark_restored(**SqliteStore::open({database()}), clock.now_).ok());
    begin_worker();
    settle();
  }
  std::string state() { return link_now()["state"]; }
  Json guard() { return link_now()["status"]["guard"]; }
  std::string reason() { return guard()["reason"]; }
  bool says_restored() { return reason().find("restored from a backup") != std::string::npos; }
  Answer approve(const std::string& plan) {
    Answer answer = call("POST", "/v1/links/" + link + "/approve", Json{{"plan", plan}});
    settle();
    return answer;
  }
  size_t dated_cards() {
    size_t count = 0;
    for (const std::string& id : cards) count += !card(id)["due"].is_null() || !card(id)["start"].is_null();
    return count;
  }
};

TEST_CASE_METHOD(RestoredWorld, "After a restore even two deletions wait until they were shown and approved") {
  link_board(30);
  back_up();
  restore();
  REQUIRE(state() == "stopped");
  CHECK(guard()["cards_losing_date"] == 0);
  remove_event(cards[0]);
  remove_event(cards[1]);
  uint64_t before = writes();
  kill_and_restart();  // the calendar is read again, and only then is it told
  settle();
  CHECK(state() == "stopped");
  CHECK(says_restored());
  CHECK(guard()["cards_losing_date"] == 2);
  CHECK(guard()["pairs"] == 30);
  CHECK(writes() == before);
  CHECK(dated_cards() == 30);
  CHECK(ok("POST", "/v1/links/" + link + "/sync", {{"dry_run", true}})["deletions"] == guard()["plan"]);

  CHECK(approve(guard()["plan"]).status == 200);
  CHECK(state() == "active");
  CHECK(guard().is_null());
  CHECK(dated_cards() == 28);
}

TEST_CASE_METHOD(RestoredWorld,
                 "After a restore a deletion that came after what was shown waits for its own approval") {
  link_board(30);
  back_up();
  restore();
  std::string shown = guard()["plan"];
  edit_card(cards[5], {{"due", nullptr}});
  settle();
  CHECK(approve("0123456789abcdef").status == 409);
  CHECK(approve(shown).status == 200);
  CHECK(state() == "stopped");
  CHECK(says_restored());
  CHECK(guard()["deletes"] == 1);
  CHECK(events().size() == 30);
  kill_and_restart();
  settle();
  CHECK(state() == "stopped");
  CHECK(guard()["deletes"] == 1);

  CHECK(approve(guard()["plan"]).status == 200);
  CHECK(state() == "active");
  CHECK(events().size() == 29);

  // That run is over: from now on a few deletions are ordinary again.
  edit_card(cards[6], {{"due", nullptr}});
  settle();
  CHECK(state() == "active");
  CHECK(events().size() == 28);
}

TEST_CASE_METHOD(RestoredWorld, "After a restore a doubted listing is read again before there is anything to approve") {
  link_board(30);
  back_up();
  effects.after_fetch = [](const HttpRequest& request, HttpOutcome& outcome) {
    bool is_listing = request.method == "GET" && request.url.find("/events?") != std::string::npos;
    if (!is_listing || !outcome.response.ok()) return;
    Json body = Json::parse(outcome.response->body);
    if (body.contains("items")) body["items"] = Json::array();
    outcome.response->body = body.dump();
  };
  uint64_t before = writes();
  restore();
  REQUIRE(state() == "stopped");
  CHECK(guard()["listing_doubted"] == true);
  CHECK(approve(guard()["plan"]).status == 200);
  CHECK(state() == "stopped");
  CHECK(guard()["listing_doubted"] == false);
  CHECK(says_restored());
  CHECK(guard()["cards_losing_date"] == 0);

  CHECK(approve(guard()["plan"]).status == 200);
  CHECK(state() == "active");
  CHECK(dated_cards() == 30);
  CHECK(writes() == before);
}

TEST_CASE_METHOD(RestoredWorld, "A pause after a restore is no approval, and what was older is not shown for it") {
  link_board(30);
  for (size_t i = 0; i < 20; ++i) remove_event(cards[i]);
  sync();
  REQUIRE(state() == "stopped");
  back_up();
  restore();
  CHECK(says_restored());
  CHECK(guard()["cards_losing_date"] == 20);
  ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
  kill_and_restart();
  settle();
  CHECK(state() == "paused");
  ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
  settle();
  CHECK(state() == "stopped");
  CHECK(says_restored());
  CHECK(dated_cards() == 30);
}

}  // namespace
}  // namespace kalends::test
