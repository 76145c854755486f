// SPDX-License-Identifier: Apache-2.0
// The real store on a disk that fails: whatever happens it opens again, is whole, and holds what was
// acknowledged, in its order, and at most the one transaction beyond that was under way.
#include <catch2/catch.hpp>

#include "tests/worker/store/fault_disk.h"
#include "worker/store/store.h"

namespace kalends::test {
namespace {

constexpr uint64_t kTransactions = 40;
const WorkspaceId kWorkspace{Id128{{1}}};
const DocumentId kDocument{Id128{{2}}};

Bytes op_of(uint64_t number) { return Bytes(200 + number * 97 % 6000, static_cast<uint8_t>(number)); }

// One transaction: an operation, what counts it, and now and then a large snapshot.
Status store_one(Store& store, uint64_t number) {
  KALENDS_TRY(auto txn, store.begin());
  if (number == 1) {
    KALENDS_TRY_VOID(txn->ensure_workspace(kWorkspace, 1));
    KALENDS_TRY_VOID(txn->create_document(kWorkspace, kDocument, 1, 1));
  }
  KALENDS_TRY(AppendedOp appended,
              txn->append_op(kWorkspace, kDocument, {ReplicaId{Id128{{3}}}, number, op_of(number)}, 1));
  (void)appended;
  KALENDS_TRY_VOID(txn->set_meta("count", Bytes(1, static_cast<uint8_t>(number))));
  if (number % 7 == 0)
    KALENDS_TRY_VOID(txn->save_snapshot(kWorkspace, kDocument,
                                        {Bytes(20'000, static_cast<uint8_t>(number)), number, {}}, 1));
  return txn->commit();
}

struct Run {
  SqliteOptions options;
  uint64_t acknowledged = 0;
  std::vector<std::unique_ptr<SqliteStore>> killed;  // which close nothing any more

  explicit Run(const FaultDisk& disk, std::string synchronous = "FULL") {
    options.path = "/kalends.db";
    options.vfs = disk.name();
    options.synchronous = std::move(synchronous);
    options.checkpoint_pages = 20;  // so that the log begins anew many times
    options.heal_gap_ms = 0;
  }
  // Until the end, or the power goes. With `dies`, the process is killed after a flush that failed, and
  // another one goes on.
  void work(FaultDisk& disk, bool dies = false) {
    auto store = SqliteStore::open(options);
    if (!store.ok()) return;
    for (uint64_t number = 1; number <= kTransactions; ++number) {
      Status stored = store_one(**store, number);
      if (!stored.ok() && dies && disk.has_failed_flush()) {
        disk.leave_files();
        killed.push_back(std::move(*store));
        store = SqliteStore::open(options);
        if (!store.ok()) return;
        dies = false;
      }
      // A disk that heals is tried again, as people do.
      for (int tries = 0; !stored.ok() && disk.has_failed_flush() && tries < 5; ++tries) {
        auto txn = (*store)->begin();
        if (txn.ok()) {
          auto counted = (*txn)->meta("count");
          if (counted.ok() && *counted && **counted == Bytes(1, static_cast<uint8_t>(number))) {
            stored = Status{};
            break;
          }
          txn->reset();
        }
        stored = store_one(**store, number);
      }
      if (!stored.ok()) return;
      acknowledged = number;
    }
  }
  // Empty: all is well.
  std::string judge() const {
    auto store = SqliteStore::open(options);
    if (!store.ok()) return "does not open: " + store.error().message;
    auto whole = (*store)->integrity();
    if (!whole.ok() || *whole != "ok") return "is damaged";
    auto txn = (*store)->begin();
    if (!txn.ok()) return "takes no transaction";
    auto rows = (*txn)->ops_after(kWorkspace, kDocument, 0, 1000);
    if (!rows.ok()) return "cannot be read";
    uint64_t count = rows->size();
    for (uint64_t i = 0; i < count; ++i)
      if ((*rows)[i].seq != i + 1 || (*rows)[i].op != op_of(i + 1))
        return "holds other bytes than were stored";
    auto counted = (*txn)->meta("count");
    uint64_t told = counted.ok() && *counted ? (**counted)[0] : 0;
    if (told != count) return "holds half a transaction";
    if (count < acknowledged)
      return "has lost " + std::to_string(acknowledged - count) + " of " + std::to_string(acknowledged);
    if (count > acknowledged + 1) return "holds what was never stored";
    return "";
  }
};

uint64_t events_of_a_run() {
  FaultDisk disk;
  Run run(disk);
  run.work(disk);
  REQUIRE(run.acknowledged == kTransactions);
  REQUIRE(run.judge().empty());
  return disk.events();
}

// The power goes at every write and every flush; gives what was wrong, and how often.
std::map<std::string, int> cut_everywhere(const std::string& synchronous, bool lies = false) {
  std::map<std::string, int> wrong;
  uint64_t last = events_of_a_run();
  for (uint64_t event = 1; event <= last; ++event) {
    FaultDisk disk;
    disk.lies = lies;
    disk.cut_power_at(event);
    Run run(disk, synchronous);
    run.work(disk);
    Prng random(event);
    disk.power_on(random);
    disk.lies = false;
    if (std::string reason = run.judge(); !reason.empty()) ++wrong[reason.substr(0, 20)];
  }
  return wrong;
}

}  // namespace

TEST_CASE("when the power goes at any write or flush, what was acknowledged is there and nothing is half") {
  CHECK(cut_everywhere("FULL") == std::map<std::string, int>{});
}

TEST_CASE("the test of power cuts finds a store that does not flush, and a disk that lies") {
  CHECK_FALSE(cut_everywhere("OFF").empty());
  CHECK_FALSE(cut_everywhere("FULL", true).empty());
}

TEST_CASE(
    "a flush that fails, at any time, refuses its transaction, and nothing acknowledged is lost at a later "
    "power cut") {
  uint64_t flushes = [] {
    FaultDisk disk;
    Run run(disk);
    run.work(disk);
    return disk.flushes();
  }();
  REQUIRE(flushes > kTransactions);
  for (uint64_t flush = 1; flush <= flushes; ++flush) {
    // The power goes at the end, or a while after the failure.
    for (uint64_t later : {uint64_t{0}, uint64_t{5}, uint64_t{23}}) {
      FaultDisk disk;
      disk.fail_flush_at = flush;
      Run run(disk);
      if (later > 0) {
        FaultDisk probe;
        probe.fail_flush_at = flush;
        Run first(probe);
        first.work(probe);
        disk.cut_power_at(std::max<uint64_t>(1, probe.events() * later / 30));
      }
      run.work(disk);
      disk.cut_power();
      Prng random(flush * 31 + later);
      disk.power_on(random);
      disk.fail_flush_at.reset();
      INFO("flush " << flush << ", later " << later);
      CHECK(run.judge() == "");
    }
  }
}

TEST_CASE(
    "a worker that is killed after a flush that failed loses nothing acknowledged by its successor, should "
    "the power go") {
  uint64_t flushes = [] {
    FaultDisk disk;
    Run run(disk);
    run.work(disk);
    return disk.flushes();
  }();
  for (uint64_t flush = 1; flush <= flushes; ++flush)
    for (uint64_t later : {uint64_t{0}, uint64_t{8}, uint64_t{15}, uint64_t{22}, uint64_t{27}}) {
      FaultDisk disk;
      disk.fail_flush_at = flush;
      Run run(disk);
      if (later > 0) {
        FaultDisk probe;
        probe.fail_flush_at = flush;
        Run first(probe);
        first.work(probe, true);
        disk.cut_power_at(std::max<uint64_t>(1, probe.events() * later / 30));
      }
      run.work(disk, true);
      disk.cut_power();
      run.killed.clear();
      Prng random(flush * 31 + later);
      disk.power_on(random);
      disk.fail_flush_at.reset();
      INFO("flush " << flush << ", later " << later);
      CHECK(run.judge() == "");
    }
}

TEST_CASE("a full disk refuses writes, not reads, and writing goes on by itself when there is room") {
  FaultDisk disk;
  Run run(disk);
  auto store = *SqliteStore::open(run.options);
  for (uint64_t number = 1; number <= 10; ++number) REQUIRE(store_one(*store, number).ok());
  CHECK(store->read_only_reason().empty());
  disk.space = 0;
  uint64_t number = 11;
  Status refused;
  // A log that begins anew has some room left.
  while ((refused = store_one(*store, number)).ok()) ++number;
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(refused.error().message.find("disk is full") != std::string::npos);
  CHECK(refused.error().retry_after_ms > 0);
  CHECK(store->read_only_reason().find("make room") != std::string::npos);
  for (int round = 0; round < 3; ++round) {
    {
      auto txn = store->begin();
      REQUIRE(txn.ok());
      CHECK((*txn)->ops_after(kWorkspace, kDocument, 0, 100)->size() == number - 1);
    }
    Status again = store_one(*store, number);
    REQUIRE_FALSE(again.ok());
    CHECK(again.error().code == ErrorCode::kUnavailable);
    CHECK(again.error().retry_after_ms > 0);
  }
  disk.space.reset();
  CHECK(store_one(*store, number).ok());
  CHECK(store->read_only_reason().empty());
  store.reset();
  run.acknowledged = number;
  disk.cut_power();
  Prng random(1);
  disk.power_on(random);
  CHECK(run.judge() == "");
}

TEST_CASE(
    "a disk that fails every flush leaves what was committed readable, and is trusted again when it works") {
  FaultDisk disk;
  Run run(disk);
  auto store = *SqliteStore::open(run.options);
  for (uint64_t number = 1; number <= 10; ++number) REQUIRE(store_one(*store, number).ok());
  disk.fails_all_flushes = true;
  for (int round = 0; round < 4; ++round) REQUIRE_FALSE(store_one(*store, 11).ok());
  CHECK(store->read_only_reason().find("disk of the data folder fails") != std::string::npos);
  CHECK((*store->begin())->ops_after(kWorkspace, kDocument, 0, 100)->size() == 10);
  disk.fails_all_flushes = false;
  REQUIRE(store_one(*store, 11).ok());
  CHECK(store->read_only_reason().empty());
  run.acknowledged = 11;
  store.reset();
  disk.cut_power();
  Prng random(3);
  disk.power_on(random);
  CHECK(run.judge() == "");
}

}  // namespace kalends::test
