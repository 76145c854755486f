// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/simulation.h"

#include "core/base/check.h"
#include "tests/emulator/zone_time.h"
#include "tests/sim/planted/plant.h"

namespace kalends::sim {
namespace {

constexpr int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr int64_t kNewYear2026 = 1'767'225'600'000;

int64_t start_of(uint64_t seed) {
  // Anywhere in a year: clocks change in some runs.
  return kNewYear2026 + static_cast<int64_t>(seed * 7919 % 8760) * kHour;
}

// For the message only.
std::string difference(const Replica& browser, const Replica& hub) {
  std::string text;
  Version a = browser.version(), b = hub.version();
  for (const auto& [replica, counter] : b.entries())
    if (a.of(replica) != counter)
      text += " " + to_hex(replica).substr(0, 6) + ": " + std::to_string(a.of(replica)) + " of " +
              std::to_string(counter) + ",";
  for (const auto& [replica, counter] : a.entries())
    if (b.of(replica) == 0)
      text += " " + to_hex(replica).substr(0, 6) + ": " + std::to_string(counter) + " of none,";
  for (const Entity& entity : hub.document().all()) {
    Entity other = browser.document().find(entity.id());
    if (!other || other.is_deleted() != entity.is_deleted() ||
        other.text_value(Field::kTitle) != entity.text_value(Field::kTitle) || other.text() != entity.text())
      text += " entity " + to_hex(entity.id()).substr(0, 6) + " (" +
              std::to_string(static_cast<int>(entity.type())) + ")";
  }
  return text;
}

}  // namespace

RunResult run(const Scenario& scenario, bool is_loud) { return Simulation(scenario, is_loud).run(); }

Simulation::Simulation(const Scenario& scenario, bool is_loud)
    : scenario_(scenario),
      faults_(scenario.seed * 0xda942042e4dd58b5ULL + 3),
      shape_(shape_of(scenario, faults_)),
      scheduler_(start_of(scenario.seed)),
      oracle_(scheduler_, shape_.policy, shape_.has_inbox),
      disk_(scheduler_),
      google_(scheduler_, faults_, oracle_, scenario.seed, {"ada@example.org", "ben@example.org"}),
      start_ms_(scheduler_.now_ms()) {
  scheduler_.is_loud = is_loud;
  if (!plant(scenario.planted))
    oracle_.fail("setup", "no bug is planted in this build: use kalends-sim-planted");
  Prng prng(scenario.seed + 11);
  workspace_.raw = prng.id();
  owner_.raw = prng.id();
  faults_.calm(true);
  google_.control("POST", "/control/switches",
                  {{"tombstones", shape_.tombstones}, {"quota_per_user", shape_.quota_per_minute}});
  for (uint32_t i = 0; i < shape_.boards; ++i)
    boards_.push_back({DocumentId{prng.id()}, prng.id(), prng.id(), prng.id(), prng.id(), "", {}});
  for (uint32_t i = 0; i < shape_.workers; ++i)
    workers_.push_back(std::make_unique<SimWorker>(
        SimWorker::Place{scheduler_, faults_, google_, disk_, oracle_},
        SimWorker::Options{i, shape_.worker_skew_ms[i], shape_.open_boards, shape_.workers > 1,
                           shape_.has_push, shape_.poll_ms, shape_.quota_per_minute}));
  google_.set_crash_in_call([this](Owner owner) {
    for (auto& worker : workers_)
      if (worker->owner() == owner)
        scheduler_.after(static_cast<int64_t>(faults_.prng().below(300)), owner,
                         [&w = *worker] { w.doom(); });
  });
  google_.set_ring([this](const std::string& channel, const std::string& ring_token) {
    SimWorker* worker = any_worker();
    if (!worker) return 0;
    return worker->links().ring(channel, ring_token) ? 200 : 404;
  });
  // What one worker has stored the others hear of.
  oracle_.on_commit = [this] {
    if (workers_.size() < 2) return;
    for (auto& worker : workers_)
      if (worker->is_running())
        scheduler_.after(20, worker->owner(), [&w = *worker] {
          w.hub().look_for_news();
          w.links().look_again();
        });
  };
  set_up();
}

Simulation::~Simulation() {
  browsers_.clear();
  workers_.clear();
}

SimWorker* Simulation::any_worker() {
  std::vector<SimWorker*> running;
  for (auto& worker : workers_)
    if (worker->is_running()) running.push_back(worker.get());
  return running.empty() ? nullptr : running[faults_.prng().below(running.size())];
}

Task<void> Simulation::connect_account() {
  SimWorker& worker = *workers_[0];
  auto url = worker.accounts().connect_url(workspace_, {owner_, mail_, false, "/"});
  if (!url.ok()) {
    set_up_problem_ = url.error().message;
    co_return;
  }
  emulator::Response consent = google_.direct("GET", *url + "&test_consent=all");
  std::string location = consent.headers["location"], path;
  emulator::Query query;
  emulator::split_target(location.substr(location.find("/v1/")), path, query);
  FormFields fields;
  for (const auto& [name, value] : query) fields.emplace_back(name, value);
  auto finishing = worker.accounts().finish(fields);
  auto connected = co_await finishing;
  if (!connected.ok()) {
    set_up_problem_ = connected.error().message;
    co_return;
  }
  account_ = connected->account;
  revoked_until_ms_.reset();
  oracle_.granted();
  for (auto& other : workers_)
    if (other->is_running()) other->links().account_connected(workspace_, account_);
}

Task<void> Simulation::link_board(Board& board) {
  LinkRequest request;
  request.workspace = workspace_;
  request.board = board.id;
  request.account = account_;
  request.calendar_summary = "Board";
  request.policy = shape_.policy;
  if (shape_.has_inbox) request.policy.inbox_list = board.inbox;
  auto creating = workers_[0]->links().create(request);
  auto link = co_await creating;
  if (!link.ok()) {
    set_up_problem_ = link.error().message;
    co_return;
  }
  board.link = link->link;
  board.calendar = link->calendar_id;
  oracle_.link(board.id, board.calendar);
}

void Simulation::set_up() {
  SimWorker& worker = *workers_[0];
  KALENDS_CHECK(worker.start());
  EditContext context{owner_, Cause::kImport, scheduler_.now_ms()};
  Prng prng(scenario_.seed + 12);
  for (Board& board : boards_) {
    DocumentKey key{workspace_, board.id};
    std::vector<Command> commands{SetCommand{{board.id.raw, {}}, {Field::kTitle, {}, std::string("Board")}}};
    for (const Id128& list : {board.list, board.other_list, board.inbox})
      commands.push_back(
          CreateCommand{EntityType::kList, list, {{Field::kTitle, {}, std::string("List")}}, {}, {}});
    for (uint32_t i = 0; i < shape_.cards / shape_.boards; ++i) {
      CreateCommand create{EntityType::kCard, prng.id(), {{Field::kTitle, {}, token(prng)}}, board.list, {}};
      if (prng.chance(3, 4)) create.fields.push_back({Field::kDue, {}, random_when(prng, prng.chance(1, 2))});
      commands.push_back(std::move(create));
    }
    Status created = worker.hub().create(key, DocumentKind::kBoard, context, commands);
    if (!created.ok()) {
      set_up_problem_ = created.error().message;
      return oracle_.fail("setup", set_up_problem_);
    }
  }
  worker.tasks().spawn(connect_account());
  pass(2 * kMinute);
  for (Board& board : boards_) {
    worker.tasks().spawn(link_board(board));
    pass(2 * kMinute);
  }
  if (google_.world().stats.quota_exceeded > 0)
    oracle_.fail("I7", "Google had to refuse calls beyond the quota");
  for (size_t i = 1; i < workers_.size(); ++i) workers_[i]->start();
  for (uint32_t i = 0; i < shape_.browsers; ++i) {
    browsers_.push_back(std::make_unique<SimBrowser>(
        SimBrowser::Place{scheduler_, faults_, workers_},
        SimBrowser::Options{workspace_, boards_[i % boards_.size()].id, MemberId{prng.id()},
                            ReplicaId{prng.id()}, shape_.browser_skew_ms[i]}));
    browsers_.back()->connect();
  }
  pass(2 * kMinute);
  if (!set_up_problem_.empty()) oracle_.fail("setup", set_up_problem_);
}

void Simulation::reap() {
  for (auto& worker : workers_) {
    if (!worker->is_doomed()) continue;
    scheduler_.say("worker " + std::to_string(worker->number()) + " ends");
    worker->end();
    ++crash_points_;
    for (auto& browser : browsers_) browser->notice_ended_worker();
    restart_later(*worker);
  }
}

void Simulation::restart_later(SimWorker& worker) {
  scheduler_.after(kSecond + static_cast<int64_t>(faults_.prng().below(30'000)), kWorld, [this, &worker] {
    if (!worker.is_running() && !worker.start()) restart_later(worker);
  });
}

bool Simulation::pass(int64_t ms) {
  int64_t until_ms = scheduler_.now_ms() + ms;
  while (!oracle_.violation() && scheduler_.step(until_ms)) reap();
  return !oracle_.violation();
}

void Simulation::every_minute() {
  Prng& dice = faults_.prng();
  for (auto& worker : workers_) {
    if (faults_.happens(FaultClass::kCrash) && worker->is_running()) worker->doom();
    if (faults_.happens(FaultClass::kWorkerPaused)) worker->pause(static_cast<int64_t>(dice.below(600'000)));
    if (faults_.happens(FaultClass::kClockJump))
      worker->clock().jump(dice.chance(1, 2) ? -kHour : 24 * kHour);
  }
  for (auto& browser : browsers_) {
    if (faults_.happens(FaultClass::kSocketCut)) {
      browser->set_online(false);
      // Away for a minute, an evening, sometimes days.
      int64_t away = dice.chance(1, 8) ? static_cast<int64_t>(dice.below(48 * kHour))
                                       : static_cast<int64_t>(dice.below(20 * kMinute));
      scheduler_.after(away, kWorld, [&b = *browser] { b.set_online(true); });
    }
    if (faults_.happens(FaultClass::kBrowserKilled)) browser->kill();
  }
  if (faults_.happens(FaultClass::kSyncTokenGone))
    for (Board& board : boards_)
      if (auto* calendar = google_.world().find_calendar(board.calendar))
        google_.world().expire_sync_tokens(*calendar);
  if (faults_.happens(FaultClass::kAccessTokenGone)) google_.stand_in().oauth().expire_access_tokens(mail_);
  if (faults_.happens(FaultClass::kGrantRevoked) && !revoked_until_ms_) {
    google_.revoke(mail_);
    revoked_until_ms_ = scheduler_.now_ms() + static_cast<int64_t>(dice.below(5 * kHour));
  }
  if (faults_.happens(FaultClass::kNoticeForged))
    if (SimWorker* worker = any_worker();
        worker && faults_.rate(FaultClass::kStoreBusy) == 0)  // a busy store cannot tell
      if (worker->links().ring(to_hex(dice.id()),
                               to_hex(workspace_) + "." + to_hex(boards_[0].link) + ".forgedforgedforged"))
        oracle_.fail("B03", "a forged notice was taken for a real one");
}

void Simulation::operate() {
  if (revoked_until_ms_ && scheduler_.now_ms() >= *revoked_until_ms_ && workers_[0]->is_running()) {
    google_.grant_again(mail_);
    revoked_until_ms_ = scheduler_.now_ms() + 5 * kMinute;  // a person tries until it works
    workers_[0]->tasks().spawn(connect_account());
  }
  for (auto& worker : workers_) {
    if (!worker->is_running()) continue;
    for (Board& board : boards_) {
      auto view = worker->links().view(workspace_, board.link);
      if (view.ok() && view->state == LinkState::kStopped)
        (void)worker->links().approve(workspace_, board.link);
      if (worker->is_doomed()) break;
    }
  }
}

// Faults stop; whatever was to come back has come back.
void Simulation::settle() {
  bool was_listing_spoilt = faults_.counts()[static_cast<size_t>(FaultClass::kEmptyListing)] +
                                faults_.counts()[static_cast<size_t>(FaultClass::kCutListing)] !=
                            listings_spoilt_;
  listings_spoilt_ = faults_.counts()[static_cast<size_t>(FaultClass::kEmptyListing)] +
                     faults_.counts()[static_cast<size_t>(FaultClass::kCutListing)];
  faults_.calm(true);
  scheduler_.say("all calm");
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->clock().set_skew(shape_.worker_skew_ms[i]);
  for (auto& browser : browsers_) browser->set_online(true);
  if (revoked_until_ms_) revoked_until_ms_ = scheduler_.now_ms();
  // The bound (I8), and what is known to take longer: creations that Google stopped for hours, events that a
  // listing kept back until the next whole one.
  int64_t bound_ms = 15 * kMinute + 2 * shape_.poll_ms * 5;
  if (faults_.rate(FaultClass::kUsageLimits) > 0) bound_ms += 4 * kHour;
  if (was_listing_spoilt) bound_ms += 25 * kHour;
  for (int64_t left = bound_ms; left > 0 && !oracle_.violation(); left -= kMinute) {
    pass(kMinute);
    operate();
    for (auto& worker : workers_)
      if (worker->is_running()) worker->links().look_again();
  }
}

void Simulation::rest() {
  uint64_t writes = google_.writes();
  size_t operations = oracle_.operations();
  pass(kHour);
  if (google_.writes() != writes)
    oracle_.fail("I21", std::to_string(google_.writes() - writes) + " writes to Google in an hour of rest");
  if (oracle_.operations() != operations) oracle_.fail("I21", "operations were made in an hour of rest");
}

void Simulation::calm_check() {
  ++calms_;
  uint64_t crashes_before = crashes_at_calm_;
  settle();
  crashes_at_calm_ = crash_points_;
  if (oracle_.violation()) return;
  for (auto& worker : workers_)
    if (!worker->is_running()) oracle_.fail("I8", "a worker does not run although nothing hinders it");
  if (oracle_.violation()) return;
  for (auto& browser : browsers_) {
    if (!browser->trouble().empty()) return oracle_.fail("I3", browser->trouble());
    if (!browser->is_synced()) return oracle_.fail("I8", "a browser has not caught up");
    oracle_.acknowledged(browser->options().board, browser->options().replica, browser->acknowledged());
  }
  oracle_.check_acknowledged();
  for (auto& worker : workers_)
    for (Board& board : boards_)
      if (auto view = worker->links().view(workspace_, board.link); view.ok())
        scheduler_.say("link " + board.calendar.substr(0, 6) + " at worker " +
                       std::to_string(worker->number()) + ": state " +
                       std::to_string(static_cast<int>(view->state)) + ", " + std::to_string(view->dirty) +
                       " wait" + (view->is_running ? ", runs" : "") +
                       (view->last_error ? ", " + view->last_error->message : ""));
  for (Board& board : boards_) {
    auto open = workers_[0]->hub().open({workspace_, board.id});
    if (!open.ok()) return oracle_.fail("I11", "a board cannot be opened: " + open.error().message);
    const Replica& replica = (*open)->replica;
    for (auto& browser : browsers_)
      if (browser->options().board == board.id && browser->replica().hash() != replica.hash())
        return oracle_.fail(
            "I1", "a browser and the hub show different boards: " + difference(browser->replica(), replica));
    auto view = workers_[0]->links().view(workspace_, board.link);
    if (view.ok() && view->dirty > 0)
      oracle_.fail("I8", std::to_string(view->dirty) +
                             " pairs wait although nothing hinders them (link state " +
                             std::to_string(static_cast<int>(view->state)) +
                             (view->last_error ? ", " + view->last_error->message : "") +
                             (view->guard ? ", " + view->guard->reason : "") + ")");
    emulator::Calendar* calendar = google_.world().find_calendar(board.calendar);
    if (calendar) oracle_.check_board(replica.document(), *calendar);
  }
  for (Board& board : boards_) {
    auto open = workers_[0]->hub().open({workspace_, board.id});
    if (open.ok()) oracle_.check_stamps((*open)->replica.document());
  }
  // The worker counts before it calls; what it had counted is forgotten with the process, and several workers
  // share no count yet.
  if (workers_.size() == 1 && crash_points_ == crashes_before && google_.world().stats.quota_exceeded > 0)
    oracle_.fail("I7", "Google had to refuse calls beyond the quota");
  google_.world().stats.quota_exceeded = 0;
  if (!oracle_.violation()) rest();
  faults_.calm(false);
}

RunResult Simulation::run() {
  faults_.calm(false);
  int64_t active_ms = 0, end_ms = shape_.hours * kHour;
  size_t next = 0;
  while (active_ms < end_ms && !oracle_.violation()) {
    int64_t segment_ms = std::min(shape_.calm_every_hours * kHour, end_ms - active_ms);
    for (; next < shape_.edits.size() && shape_.edits[next].at_ms < active_ms + segment_ms; ++next)
      scheduler_.after(shape_.edits[next].at_ms - active_ms, kWorld,
                       [this, edit = shape_.edits[next]] { carry_out(edit); });
    for (int64_t left = segment_ms; left > 0; left -= kMinute) {
      if (!pass(kMinute)) break;
      every_minute();
      reap();
      if (left / kMinute % 7 != 0) continue;
      operate();
      for (auto& worker : workers_)
        if (worker->is_running()) worker->links().look_again();
    }
    active_ms += segment_ms;
    if (!oracle_.violation()) calm_check();
  }
  RunResult result;
  result.violation = oracle_.violation();
  result.failed_at_hours = (active_ms + kHour - 1) / kHour;
  result.simulated_ms = scheduler_.now_ms() - start_ms_;
  result.events = scheduler_.executed();
  result.user_edits = user_edits_;
  result.api_calls = google_.calls();
  result.crash_points = crash_points_;
  result.operations = oracle_.operations();
  result.cards = shape_.cards;
  result.calms = calms_;
  result.faults = faults_.counts();
  result.trace = scheduler_.trace();
  return result;
}

}  // namespace kalends::sim
