// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/health.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

constexpr int64_t kNow = 1'790'000'000'000;
constexpr int64_t kMinute = 60'000;

LinkHealthFacts good() {
  LinkHealthFacts facts;
  facts.now_ms = kNow;
  facts.watched_since_ms = kNow - 60 * kMinute;
  facts.last_verified_ms = kNow - kMinute / 2;
  facts.interval_ms = kMinute;
  facts.wants_push = true;
  facts.channel_until_ms = kNow + 60 * kMinute;
  return facts;
}
template <typename Change>
LinkHealth after(Change change) {
  LinkHealthFacts facts = good();
  change(facts);
  return health_of(facts);
}
using Problems = std::vector<HealthProblem>;

}  // namespace

TEST_CASE("a link that was verified a moment ago and waits for nothing is healthy") {
  CHECK(health_of(good()) == LinkHealth{HealthState::kHealthy, {}, 0});
}

TEST_CASE("a link that was not verified for more than two intervals is unhealthy") {
  CHECK(after([](auto& f) { f.last_verified_ms = kNow - 2 * kMinute; }).state == HealthState::kHealthy);
  LinkHealth late = after([](auto& f) { f.last_verified_ms = kNow - 2 * kMinute - 1; });
  CHECK(late.state == HealthState::kUnhealthy);
  CHECK(late.problems == Problems{HealthProblem::kNotVerified});
}

TEST_CASE("a link that was never verified, or in a future, is not healthy") {
  CHECK(after([](auto& f) { f.last_verified_ms = 0; }).problems == Problems{HealthProblem::kNotVerified});
  CHECK(after([](auto& f) { f.last_verified_ms = kNow + 1; }).problems ==
        Problems{HealthProblem::kNotVerified});
}

TEST_CASE("a worker that has just begun has half a minute to look, and is not healthy before") {
  auto begun = [](int64_t ago_ms) {
    return after([ago_ms](auto& f) {
      f.watched_since_ms = kNow - ago_ms;
      f.last_verified_ms = kNow - 60 * kMinute;
      f.channel_until_ms = 0;
    });
  };
  CHECK(begun(30'000).state == HealthState::kStarting);
  CHECK(begun(30'001).problems == Problems{HealthProblem::kNotVerified, HealthProblem::kChannelLost});
}

TEST_CASE("a change that waits for more than a quarter of an hour is stuck") {
  LinkHealth waiting = after([](auto& f) { f.waiting_since_ms = kNow - 15 * kMinute; });
  CHECK(waiting.state == HealthState::kHealthy);
  CHECK(waiting.lag_ms == 15 * kMinute);
  CHECK(after([](auto& f) { f.waiting_since_ms = kNow - 15 * kMinute - 1; }).problems ==
        Problems{HealthProblem::kPairStuck});
}

TEST_CASE("a dead permission is told, and nothing else that follows from it") {
  LinkHealth dead = after([](auto& f) {
    f.is_token_dead = f.is_broken = true;
    f.last_verified_ms = f.channel_until_ms = 0;
  });
  CHECK(dead.problems == Problems{HealthProblem::kTokenDead});
}

TEST_CASE("a dead permission is told before a look has met it") {
  CHECK(after([](auto& f) { f.is_token_dead = true; }).problems == Problems{HealthProblem::kTokenDead});
}

TEST_CASE("a lost calendar, a stop of the guard, refused events and a full disk each have their name") {
  CHECK(after([](auto& f) { f.is_broken = true; }).problems == Problems{HealthProblem::kCalendarLost});
  CHECK(after([](auto& f) { f.is_stopped = true; }).problems == Problems{HealthProblem::kGuardStopped});
  CHECK(after([](auto& f) { f.refused = 1; }).problems == Problems{HealthProblem::kEventsRefused});
  CHECK(after([](auto& f) { f.is_read_only = true; }).problems == Problems{HealthProblem::kReadOnly});
}

TEST_CASE("a channel that has run out is lost, unless push was never wanted") {
  CHECK(after([](auto& f) { f.channel_until_ms = kNow; }).problems == Problems{HealthProblem::kChannelLost});
  CHECK(after([](auto& f) {
          f.channel_until_ms = 0;
          f.wants_push = false;
        }).state == HealthState::kHealthy);
}

TEST_CASE("a link that a person has paused promises nothing and says so") {
  LinkHealth paused = after([](auto& f) {
    f.is_paused = true;
    f.last_verified_ms = 0;
    f.waiting_since_ms = kNow - 60 * kMinute;
  });
  CHECK(paused == LinkHealth{HealthState::kPaused, {}, 60 * kMinute});
}

TEST_CASE("every problem has a name of its own, a message and something to do") {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < kHealthProblems; ++i) {
    auto problem = static_cast<HealthProblem>(i);
    CHECK(std::count(names.begin(), names.end(), health_problem_name(problem)) == 0);
    names.push_back(health_problem_name(problem));
    CHECK_FALSE(advice_for(problem).message.empty());
    CHECK_FALSE(advice_for(problem).what_to_do.empty());
  }
}

}  // namespace kalends
