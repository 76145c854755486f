// SPDX-License-Identifier: Apache-2.0
// Generated histories: people edit both sides, sync brings it over, a run is taken back. Taken back at once,
// both sides are as before; whatever came between, both agree, nothing is lost that was edited since, and it
// rests.
#include <cstdlib>

#include "tests/worker/engine/sync_world.h"

namespace kalends::test {
namespace {

struct HistoryWorld : SyncWorld {
  explicit HistoryWorld(uint64_t seed) : dice(seed) {}

  uint64_t below(uint64_t bound) { return dice.next() % bound; }
  std::string day() {
    std::string number = std::to_string(1 + below(28));
    return "2026-11-" + std::string(number.size() == 1 ? "0" : "") + number;
  }
  // One edit of a card or of an event, as it comes.
  void edit() {
    const std::string id = cards[below(cards.size())];
    Answer now = call("GET", card_path(id));
    std::string text = "Text " + std::to_string(++edits);
    bool is_there = now.status == 200;
    switch (below(11)) {
      case 0:
        if (is_there) edit_card(id, {{"title", text}});
        return;
      case 1:
        if (is_there) edit_card(id, {{"due", {{"date", day()}}}, {"start", nullptr}});
        return;
      case 2:
        if (is_there) edit_card(id, {{"due", nullptr}, {"start", nullptr}});
        return;
      case 3:
        if (is_there) edit_card(id, {{"archived", !now.json["archived"].get<bool>()}});
        return;
      case 4:
        if (is_there) ok("DELETE", card_path(id));
        return;
      case 5:
        if (is_there) edit_card(id, {{"done", !now.json["done"].get<bool>()}});
        return;
      case 6:
        add_card(text, day());
        return;
      case 7:
        if (event_of(id).is_object()) change_event(id, {{"summary", text}});
        return;
      case 8:
        if (event_of(id).is_object()) change_event(id, {{"description", text}});
        return;
      case 9: {
        std::string first = day();
        if (event_of(id).is_object())
          change_event(id, {{"start", {{"date", first}}}, {"end", {{"date", "2026-12-01"}}}});
        return;
      }
      default:
        if (event_of(id).is_object()) remove_event(id);
    }
  }
  // Edits that one run brings over; gives its number, 0 when there was nothing to bring.
  uint64_t run_of_edits(uint64_t count) {
    ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
    for (uint64_t i = 0; i < count; ++i) edit();
    uint64_t before = last_run();
    ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
    settle();
    go_on();
    return last_run() > before ? last_run() : 0;
  }
  // The guard is not what is tested here.
  void go_on() {
    for (int i = 0; i < 5 && link_now()["state"] == "stopped"; ++i) {
      ok("POST", "/v1/links/" + link + "/approve", Json::object());
      settle();
    }
    REQUIRE(link_now()["state"] == "active");
  }
  uint64_t last_run() {
    Json runs = ok("GET", "/v1/links/" + link + "/runs")["items"];
    return runs.empty() ? 0 : runs[0]["run"].get<uint64_t>();
  }
  Json undo(uint64_t run) {
    Json report = ok("POST", "/v1/links/" + link + "/runs/" + std::to_string(run) + "/undo", Json::object());
    settle();
    go_on();
    return report;
  }
  void check_rest() {
    sync();
    uint64_t before = writes();
    uint64_t run = last_run();
    sync();
    CHECK(writes() == before);
    CHECK(last_run() == run);
  }
  // Cards with a live event show what it shows.
  std::string disagreement() {
    for (const std::string& id : cards) {
      Json event = event_of(id);
      Answer now = call("GET", card_path(id));
      if (!event.is_object() || now.status != 200) continue;
      std::string wanted = (now.json["done"].get<bool>() ? "✓ " : "") + now.json["title"].get<std::string>();
      if (event["summary"] != wanted) return event["summary"].dump() + " is not " + wanted;
      if (event.value("description", "") != now.json["description"]) return "descriptions of " + wanted;
    }
    return "";
  }

  Prng dice;
  int edits = 0;
};

// KALENDS_PROPERTY_SCALE=10 for ten times as many histories.
uint64_t histories() {
  const char* scale = std::getenv("KALENDS_PROPERTY_SCALE");
  return 20 * (scale ? std::max<uint64_t>(1, std::strtoull(scale, nullptr, 10)) : 1);
}

TEST_CASE("A run taken back at once gives what was before, and the undo taken back what was after") {
  int undone = 0;
  for (uint64_t seed = 1; seed <= histories(); ++seed) {
    HistoryWorld world(seed);
    world.link_board(6);
    for (uint64_t round = 0; round < world.below(3); ++round) world.run_of_edits(2);
    // Only what sync brings over is taken back: the edits themselves stand where they have no other side.
    Json before = world.both_sides();
    std::set<std::string> known(world.cards.begin(), world.cards.end());
    uint64_t run = world.run_of_edits(1 + world.below(5));
    if (run == 0) continue;
    Json after = world.both_sides();
    Json report = world.undo(run);
    INFO("seed " << seed << " " << report.dump());
    CHECK(world.disagreement() == "");
    world.check_rest();
    Json now = world.both_sides();
    std::set<std::string> touched, left;
    for (const Json& step : report["steps"]) touched.insert(step["card"]);
    for (const Json& step : report["left"]) left.insert(step["card"]);
    for (const std::string& id : known) {
      if (touched.count(id) == 0 || left.count(id) > 0) continue;
      INFO(id << "\nbefore " << before[id].dump() << "\nafter " << after[id].dump() << "\nnow "
              << now[id].dump());
      bool was_in_step = before[id][1].is_object();
      // A card that had no event keeps what people did to it; its event goes.
      if (was_in_step)
        CHECK(now[id] == before[id]);
      else
        CHECK(now[id][1] == nullptr);
    }
    ++undone;
    uint64_t undo_run = world.last_run();
    if (report["steps"].empty() || undo_run == run) continue;
    Json again = world.undo(undo_run);
    INFO(again.dump());
    CHECK(world.disagreement() == "");
    world.check_rest();
    now = world.both_sides();
    for (const std::string& id : touched)
      if (after.contains(id)) {
        INFO(id << "\nafter " << after[id].dump() << "\nnow " << now[id].dump());
        CHECK(now[id] == after[id]);
      }
  }
  CHECK(undone > 10);
}

TEST_CASE("Whatever people do between a run and its undo, both sides agree in the end and rest") {
  for (uint64_t seed = 1; seed <= histories(); ++seed) {
    HistoryWorld world(1000 + seed);
    world.link_board(5);
    std::vector<uint64_t> runs;
    for (uint64_t round = 0; round < 5; ++round) {
      if (uint64_t run = world.run_of_edits(1 + world.below(4))) runs.push_back(run);
      // Edits that no run has seen when the undo begins.
      for (uint64_t i = world.below(3); i > 0; --i) world.edit();
      if (!runs.empty() && world.below(2) == 0) {
        world.undo(runs[world.below(runs.size())]);
        runs.push_back(world.last_run());
      }
    }
    INFO("seed " << 1000 + seed);
    world.sync();
    world.go_on();
    CHECK(world.disagreement() == "");
    world.check_rest();
  }
}

}  // namespace
}  // namespace kalends::test
