// SPDX-License-Identifier: Apache-2.0
// The watch over a link with its clock, timers and answers in the test's hand: what breaks is told to the
// webhook within a minute, once, and so is what heals.
#include "worker/engine/health_watch.h"

#include <catch2/catch.hpp>

#include <map>

#include "tests/worker/api/api_world.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"

namespace kalends::test {
namespace {

constexpr int64_t kSecond = 1000;

// Timers and answers in the order of their time. A request is answered at once, in the next step.
class TimedEffects final : public Effects {
 public:
  explicit TimedEffects(HandClock& clock) : clock_(clock) {}
  void fetch(HttpRequest request, std::function<void(HttpOutcome)> done) override {
    std::optional<HttpOutcome> outcome = answer(request);
    if (!outcome) return;  // never answered
    auto kept = std::make_shared<HttpOutcome>(std::move(*outcome));
    sleep(0, [done = std::move(done), kept] { done(std::move(*kept)); });
  }
  void sleep(int64_t ms, std::function<void()> done) override {
    timers_.emplace(clock_.now_ + ms, std::move(done));
  }
  void advance(int64_t ms) {
    int64_t until = clock_.now_ + ms;
    while (!timers_.empty() && timers_.begin()->first <= until) {
      auto first = timers_.extract(timers_.begin());
      clock_.now_ = std::max(clock_.now_, first.key());
      first.mapped()();
    }
    clock_.now_ = until;
  }
  std::function<std::optional<HttpOutcome>(const HttpRequest&)> answer;

 private:
  HandClock& clock_;
  std::multimap<int64_t, std::function<void()>> timers_;
};

std::optional<HttpOutcome> json_outcome(int status, const Json& body) {
  return HttpOutcome{HttpResponse{status, {}, body.dump()}, false};
}

struct Alert {
  int64_t at_ms;
  Json body;
  std::string health() const { return body["health"]; }
  std::vector<std::string> problems() const {
    std::vector<std::string> codes;
    for (const Json& problem : body["problems"]) codes.push_back(problem["code"]);
    return codes;
  }
};

// One link to a calendar with one event, a Google that is whatever the test says, and a webhook.
class WatchedWorld {
 public:
  explicit WatchedWorld(bool wants_push = false)
      : effects(clock),
        secrets(Bytes(32, 7), entropy),
        store(*SqliteStore::open({folder.path() + "/kalends.db"})),
        ports{*store, effects, clock, entropy, secrets, log},
        hub(ports, 8),
        accounts(ports, {{"id", "secret", "https://g/auth", "https://g/token", "https://g/revoke",
                          "https://k/back", 1000},
                         "https://g/certs",
                         true}) {
    effects.answer = [this](const HttpRequest& request) { return answer(request); };
    if (wants_push) options.webhook_url = "https://k/hook";
    options.google_api_url = "https://g";
    options.probe_ms = 30 * kSecond;
    options.holder = ReplicaId{entropy.new_id()};
    workspace = WorkspaceId{entropy.new_id()};
    board = DocumentId{entropy.new_id()};
    account = AccountId{entropy.new_id()};
    MemberId member{entropy.new_id()};
    REQUIRE(hub.create({workspace, board}, DocumentKind::kBoard, {member, Cause::kHub, clock.now_}, {}).ok());
    auto txn = store->begin();
    Json tokens = {{"refresh_token", "r"},
                   {"access_token", "a"},
                   {"email", "a@b.c"},
                   {"access_until_ms", clock.now_ + 1'000'000'000},
                   {"scopes", ""}};
    AccountRow row{account, member, to_bytes("s"), {}, 0, clock.now_};
    row.sealed =
        *secrets.seal(as_bytes(tokens.dump()), {workspace, "accounts", account.raw.bytes, "sealed", 1});
    REQUIRE((*txn)->put_account(workspace, row).ok());
    LinkRow link;
    link.link = link_id = LinkId{entropy.new_id()};
    link.board = board;
    link.account = account;
    link.calendar_hash = to_bytes("c");
    link.sealed_calendar = *seal_calendar(secrets, workspace, link.link, {"calendar", "Calendar"});
    LinkPolicy policy;
    policy.inbox_list = entropy.new_id();
    link.settings = encode_policy(policy);
    REQUIRE((*txn)->create_link(workspace, link).ok());
    REQUIRE((*txn)->commit().ok());
    begin();
  }
  // A worker's start.
  void begin() {
    watch.reset();
    links.reset();
    links = std::make_unique<LinkEngine>(ports, hub, accounts, options);
    REQUIRE(links->start().ok());
    watch = std::make_unique<HealthWatch>(ports, *links, HealthWatchOptions{"https://ops/hook", "https://k"});
    REQUIRE(watch->start().ok());
  }

  std::optional<HttpOutcome> answer(const HttpRequest& request) {
    auto has = [&](const char* part) { return request.url.find(part) != std::string::npos; };
    if (has("https://ops/hook")) {
      auto body = parse_json(request.body);
      alerts.push_back({clock.now_, *body});
      return json_outcome(is_webhook_down ? 500 : 200, Json::object());
    }
    if (is_google_silent) return std::nullopt;
    if (has("/token")) return json_outcome(400, {{"error", "invalid_grant"}});
    if (is_permission_dead)
      return json_outcome(401, {{"error", {{"code", 401}, {"errors", {{{"reason", "authError"}}}}}}});
    if (has("/watch")) {
      auto channel = parse_json(request.body);
      if (!is_way_blocked && !is_watch_refused)
        effects.sleep(1, [this, id = (*channel)["id"].get<std::string>(),
                          token = (*channel)["token"].get<std::string>()] { links->ring(id, token); });
      if (is_watch_refused)
        return json_outcome(
            400, {{"error", {{"code", 400}, {"errors", {{{"reason", "push.webhookUrlNotHttps"}}}}}}});
      return json_outcome(
          200,
          {{"id", "x"}, {"resourceId", "r"}, {"expiration", std::to_string(clock.now_ + channel_life_ms)}});
    }
    if (has("/channels/stop")) return json_outcome(204, nullptr);
    if (has("/events/")) {
      ++gets;
      return json_outcome(200, event(etag));
    }
    if (has("/events")) {
      bool is_full = request.url.find("syncToken") == std::string::npos;
      full_listings += is_full;
      Json items = Json::array();
      if (is_full || !is_listing_blind) items.push_back(event(etag));
      return json_outcome(
          200, {{"items", items}, {"nextSyncToken", "t"}, {"timeZone", "UTC"}, {"accessRole", "owner"}});
    }
    return json_outcome(200, {{"id", "calendar"}, {"summary", "Calendar"}, {"timeZone", "UTC"}});
  }
  static Json event(const std::string& etag) {
    return {{"id", "e1"},
            {"etag", etag},
            {"status", "confirmed"},
            {"summary", "By hand"},
            {"start", {{"date", "2026-12-01"}}},
            {"end", {{"date", "2026-12-02"}}}};
  }
  LinkView view() { return *links->view(workspace, link_id); }
  HealthState health() { return view().health.state; }

  TemporaryFolder folder;
  HandClock clock;
  SeededEntropy entropy;
  SilentLog log;
  TimedEffects effects;
  AesGcmSecretBox secrets;
  std::unique_ptr<SqliteStore> store;
  Ports ports;
  ReplicaHub hub;
  Accounts accounts;
  EngineOptions options;
  std::unique_ptr<LinkEngine> links;
  std::unique_ptr<HealthWatch> watch;
  WorkspaceId workspace;
  DocumentId board;
  AccountId account;
  LinkId link_id;
  std::vector<Alert> alerts;
  bool is_webhook_down = false, is_permission_dead = false, is_google_silent = false,
       is_watch_refused = false, is_listing_blind = false, is_way_blocked = false;
  int64_t channel_life_ms = 7 * 24 * 3600 * kSecond;
  std::string etag = "\"1\"";
  int gets = 0, full_listings = 0;
};

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a link that works is healthy, and nobody is told") {
  WatchedWorld world;
  CHECK(world.health() == HealthState::kStarting);
  world.effects.advance(60 * kSecond);
  CHECK(world.health() == HealthState::kHealthy);
  world.effects.advance(3600 * kSecond);
  CHECK(world.health() == HealthState::kHealthy);
  CHECK(world.alerts.empty());
}

TEST_CASE("a link that another worker has is as healthy as that worker's looks, and no failure is counted") {
  WatchedWorld world(true);
  world.effects.advance(100 * kSecond);
  REQUIRE(world.health() == HealthState::kHealthy);
  world.links.reset();
  LinkLease theirs;
  {
    auto txn = world.store->begin();
    REQUIRE((*txn)->end_leases(world.workspace).ok());
    theirs = *(*txn)->acquire_lease(world.workspace, world.link_id,
                                    {ReplicaId{world.entropy.new_id()}, 3600 * kSecond});
    REQUIRE((*txn)->commit().ok());
  }
  world.begin();
  auto they_look = [&] {
    auto txn = world.store->begin();
    REQUIRE((*txn)->put_cursor(theirs, {to_bytes("t"), false, world.clock.now_}).ok());
    REQUIRE((*txn)->commit().ok());
  };
  for (int i = 0; i < 12; ++i) {
    they_look();
    world.effects.advance(100 * kSecond);
  }
  CHECK(world.health() == HealthState::kHealthy);
  CHECK_FALSE(world.view().last_error);
  CHECK(world.links->counters().failed_runs == 0);
  CHECK(world.links->counters().probes == 0);
  CHECK(world.alerts.empty());

  // Neither of them looks any more: never green and wrong.
  world.effects.advance(700 * kSecond);
  CHECK(world.view().health.problems == std::vector{HealthProblem::kNotVerified});
}

TEST_CASE("a dead permission is told within a minute, once, and its renewal too") {
  WatchedWorld world(true);
  world.effects.advance(100 * kSecond);
  REQUIRE(world.health() == HealthState::kHealthy);
  int64_t died_ms = world.clock.now_;
  world.is_permission_dead = true;
  world.effects.advance(60 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  CHECK(world.alerts[0].at_ms <= died_ms + 60 * kSecond);
  CHECK(world.alerts[0].health() == "unhealthy");
  CHECK(world.alerts[0].problems() == Codes{"token_dead"});
  world.effects.advance(3600 * kSecond);
  CHECK(world.alerts.size() == 1);

  world.is_permission_dead = false;
  {
    auto txn = world.store->begin();
    auto row = (*txn)->account(world.workspace, world.account);
    (*row)->state = 0;
    REQUIRE((*txn)->put_account(world.workspace, **row).ok());
    REQUIRE((*txn)->commit().ok());
  }
  world.links->account_connected(world.workspace, world.account);
  world.effects.advance(60 * kSecond);
  REQUIRE(world.alerts.size() == 2);
  CHECK(world.alerts[1].health() == "healthy");
  CHECK(world.alerts[1].problems().empty());
}

TEST_CASE("a channel that runs out and cannot be renewed is told within a minute") {
  WatchedWorld world(true);
  world.channel_life_ms = 600 * kSecond;
  world.effects.advance(100 * kSecond);
  REQUIRE(world.health() == HealthState::kHealthy);
  world.is_watch_refused = true;
  int64_t lost_ms = world.view().channel_until_ms;
  world.effects.advance(lost_ms - world.clock.now_ + 60 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  CHECK(world.alerts[0].problems() == Codes{"channel_lost"});
  CHECK(world.alerts[0].at_ms <= lost_ms + 60 * kSecond);
}

TEST_CASE(
    "a calendar that cannot be watched is not shown as watched, and is polled as often as without push") {
  WatchedWorld world(true);
  world.is_watch_refused = true;
  world.begin();
  world.effects.advance(100 * kSecond);
  CHECK_FALSE(world.view().has_push);
  CHECK(world.view().health.problems == std::vector{HealthProblem::kChannelLost});
  world.effects.advance(600 * kSecond);
  CHECK(world.clock.now_ - world.view().last_verified_ms <= 75 * kSecond);
}

TEST_CASE("a channel that never rings is lost though Google has made it, and is well again when it rings") {
  WatchedWorld world(true);
  world.is_way_blocked = true;
  world.begin();
  int64_t begun_ms = world.clock.now_;
  world.effects.advance(120 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  CHECK(world.alerts[0].problems() == Codes{"channel_lost"});
  CHECK(world.alerts[0].at_ms <= begun_ms + 120 * kSecond);
  CHECK_FALSE(world.view().has_push);
  // Meanwhile it is polled as often as without push.
  world.effects.advance(300 * kSecond);
  CHECK(world.clock.now_ - world.view().last_verified_ms <= 75 * kSecond);
  world.is_way_blocked = false;
  world.effects.advance(700 * kSecond);
  CHECK(world.health() == HealthState::kHealthy);
  CHECK(world.view().has_push);
  CHECK(world.alerts.back().health() == "healthy");
}

TEST_CASE("a channel that has fallen silent is noticed when a poll finds news, and is replaced") {
  WatchedWorld world(true);
  world.options.probe_ms = 0;
  world.begin();
  world.effects.advance(100 * kSecond);
  REQUIRE(world.health() == HealthState::kHealthy);
  world.etag = "\"2\"";
  world.effects.advance(800 * kSecond);
  CHECK(world.links->counters().deaf_channels == 1);
  CHECK(world.health() == HealthState::kHealthy);  // the new one has rung
}

TEST_CASE("a poll that stalls is told within a minute of the second interval") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  REQUIRE(world.health() == HealthState::kHealthy);
  world.is_google_silent = true;
  int64_t late_ms = world.view().last_verified_ms + 2 * 60 * kSecond;
  world.effects.advance(late_ms - world.clock.now_ + 60 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  CHECK(world.alerts[0].problems() == Codes{"not_verified"});
  CHECK(world.alerts[0].at_ms <= late_ms + 60 * kSecond);
}

TEST_CASE("an alert that the webhook does not take comes again, later and later, until it is taken") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  world.is_permission_dead = world.is_webhook_down = true;
  world.effects.advance(600 * kSecond);
  size_t tries = world.alerts.size();
  CHECK(tries >= 4);
  CHECK(tries <= 10);
  world.is_webhook_down = false;
  world.effects.advance(330 * kSecond);
  CHECK(world.alerts.size() == tries + 1);
  world.effects.advance(3600 * kSecond);
  CHECK(world.alerts.size() == tries + 1);
}

TEST_CASE("what was told before the worker's restart is not told again, its end is") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  world.is_google_silent = true;
  world.effects.advance(300 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  world.begin();
  world.effects.advance(300 * kSecond);
  CHECK(world.alerts.size() == 1);
  world.is_google_silent = false;
  world.begin();
  world.effects.advance(60 * kSecond);
  REQUIRE(world.alerts.size() == 2);
  CHECK(world.alerts[1].health() == "healthy");
}

TEST_CASE("an alert names nobody and says nothing that people wrote") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  world.is_permission_dead = true;
  world.effects.advance(100 * kSecond);
  REQUIRE(world.alerts.size() == 1);
  std::string text = world.alerts[0].body.dump();
  for (const char* secret : {"a@b.c", "Calendar", "calendar\"", "By hand", "e1"})
    CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("a change that no listing tells is found by a probe, and the calendar is read whole") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  REQUIRE(world.full_listings == 1);
  REQUIRE(world.gets > 0);
  world.is_listing_blind = true;
  world.etag = "\"2\"";
  world.effects.advance(120 * kSecond);
  CHECK(world.links->counters().probe_differences == 1);
  CHECK(world.links->counters().listings_distrusted == 1);
  CHECK(world.full_listings == 2);
  world.effects.advance(600 * kSecond);
  CHECK(world.full_listings == 2);
}

TEST_CASE("a change that the next listing tells is no reason to distrust it") {
  WatchedWorld world;
  world.effects.advance(100 * kSecond);
  world.etag = "\"2\"";
  world.effects.advance(600 * kSecond);
  CHECK(world.links->counters().listings_distrusted == 0);
  CHECK(world.full_listings == 1);
}

TEST_CASE("probes take at most a hundredth of the quota, of each account and of all") {
  ProbeBudget budget({600, 10'000});
  std::map<int, int> by_account;
  int all = 0;
  for (int64_t now_ms = 0; now_ms < 600 * kSecond; now_ms += 10 * kSecond)
    for (int account = 0; account < 1000; ++account) {
      AccountId id;
      id.raw.bytes[0] = static_cast<uint8_t>(account);
      id.raw.bytes[1] = static_cast<uint8_t>(account >> 8);
      if (!budget.take(id, now_ms)) continue;
      ++by_account[account];
      ++all;
    }
  CHECK(all <= 1000 + 17);
  CHECK(all >= 900);
  for (const auto& [account, count] : by_account) CHECK(count <= 60);
}

TEST_CASE("an account alone has a probe every ten seconds at most") {
  ProbeBudget budget({600, 10'000});
  int taken = 0;
  for (int64_t now_ms = 0; now_ms < 60 * kSecond; now_ms += kSecond)
    taken += budget.take(AccountId{}, now_ms);
  CHECK(taken == 6);
}

}  // namespace kalends::test
