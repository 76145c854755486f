// SPDX-License-Identifier: Apache-2.0
// The power goes at every place between two waits of a look: the ledger ends with exactly one done entry for
// everything that Google was made to do, and none that waits.
#include "tests/worker/engine/sync_world.h"
#include "worker/engine/run_ledger.h"

namespace kalends::test {
namespace {

struct KillWorld : SyncWorld {
  LinkId link_id() const { return LinkId{*id_from_hex(link)}; }
  std::vector<EntryRow> entries() {
    std::vector<EntryRow> all;
    auto txn = worker->store->begin();
    auto runs = (*txn)->runs(workspace, link_id(), 1000).value();
    for (const RunRow& run : runs) {
      auto rows = (*txn)->entries(workspace, link_id(), run.run, 0, 10'000).value();
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
  }
  // What is wrong with the ledger, by what Google has done at our asking; empty: nothing.
  std::string fault() {
    std::map<std::string, int> done, entered;
    for (const emulator::ChangeEntry& change : google.model().world().change_log)
      if (change.calendar == calendar && change.by == "api" && !change.event_id.empty()) ++done[change.kind];
    for (const EntryRow& row : entries()) {
      if (row.outcome == static_cast<int64_t>(EntryOutcome::kUnknown)) return "an entry waits for its answer";
      if (row.outcome != static_cast<int64_t>(EntryOutcome::kDone)) continue;
      auto kind = static_cast<EntryKind>(row.kind);
      if (kind == EntryKind::kInsertEvent) ++entered["insert"];
      if (kind == EntryKind::kPatchEvent) ++entered["update"];
      if (kind == EntryKind::kDeleteEvent) ++entered["delete"];
    }
    std::string text;
    for (const char* kind : {"insert", "update", "delete"})
      if (done[kind] != entered[kind])
        text += std::string(kind) + ": " + std::to_string(done[kind]) + " done, " +
                std::to_string(entered[kind]) + " entered. ";
    return text;
  }
  // Edits on both sides that make a look write, patch, delete, edit and create.
  void edit_both_sides() {
    ok("PATCH", "/v1/links/" + link, {{"state", "paused"}});
    add_card("New", "2026-12-24");
    edit_card(cards[0], {{"title", "Renamed here"}});
    edit_card(cards[1], {{"due", nullptr}});
    change_event(cards[2], {{"summary", "Renamed there"}});
    remove_event(cards[3]);
    edit_card(cards[4], {{"due", {{"date", "2026-11-05"}}}});
    change_event(cards[4], {{"location", "There"}});
    control("POST", events_path(),
            {{"summary", "Lunch"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
    ok("PATCH", "/v1/links/" + link, {{"state", "active"}});
  }
};

// A request is carried out by Google when it is made, and its answer is the next effect: a kill between two
// effects is before the one or after the other.
TEST_CASE("A kill between any two waits of a look loses no entry and doubles none") {
  int places = 0;
  for (bool has_more = true; has_more; ++places) {
    KillWorld world;
    world.link_board(6);
    world.edit_both_sides();
    // Somebody is faster than one of the writes.
    world.effects.before_fetch = [&](const HttpRequest& request) {
      if (request.method == "PATCH" && world.event_of(world.cards[0]).value("colorId", "") != "5")
        world.change_event(world.cards[0], {{"colorId", "5"}});
      return true;
    };
    for (int effect = 0; effect < places && has_more; ++effect) has_more = world.effects.run_one();
    world.kill_and_restart();
    world.settle();
    world.sync();
    INFO("after effect " << places);
    CHECK(world.fault() == "");
    uint64_t writes = world.writes();
    world.sync();
    CHECK(world.writes() == writes);
    CHECK(world.event_of(world.cards[0])["summary"] == "Renamed here");
  }
  CHECK(places > 8);
}

TEST_CASE_METHOD(KillWorld,
                 "The oracle of the ledger sees an entry too few, one too many, and one that waits") {
  link_board(3);
  CHECK(fault() == "");
  auto txn = worker->store->begin();
  LinkLease lease =
      (*txn)
          ->acquire_lease(workspace, link_id(), {ReplicaId{Id128{{9}}}, 1})
          .value();
  EntryRow row = (*txn)->entries(workspace, link_id(), 1, 0, 1).value().at(0);
  SECTION("too many") { REQUIRE((*txn)->append_entry(lease, row).ok()); }
  SECTION("too few") {
    row.outcome = static_cast<int64_t>(EntryOutcome::kRefused);
    REQUIRE((*txn)->update_entry(lease, row).ok());
  }
  SECTION("waiting") {
    row.outcome = static_cast<int64_t>(EntryOutcome::kUnknown);
    REQUIRE((*txn)->update_entry(lease, row).ok());
  }
  REQUIRE((*txn)->commit().ok());
  txn->reset();
  CHECK(fault() != "");
}

}  // namespace
}  // namespace kalends::test
