// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/health.h"

#include <algorithm>

namespace kalends {
namespace {

constexpr std::string_view kStateNames[kHealthStates] = {"healthy", "starting", "paused", "unhealthy"};
constexpr std::string_view kProblemNames[kHealthProblems] = {
    "token_dead", "calendar_lost", "guard_stopped",  "not_verified",
    "pair_stuck", "channel_lost",  "events_refused", "read_only"};

}  // namespace

std::string_view health_state_name(HealthState state) { return kStateNames[static_cast<size_t>(state)]; }
std::string_view health_problem_name(HealthProblem problem) {
  return kProblemNames[static_cast<size_t>(problem)];
}

LinkHealth health_of(const LinkHealthFacts& facts) {
  LinkHealth health;
  if (facts.waiting_since_ms > 0) health.lag_ms = std::max<int64_t>(0, facts.now_ms - facts.waiting_since_ms);
  if (facts.is_paused) {
    health.state = HealthState::kPaused;
    return health;
  }
  bool is_looking = !facts.is_broken && !facts.is_stopped && !facts.is_token_dead;
  bool has_just_begun = facts.now_ms - facts.watched_since_ms <= kStartingMs;
  // A clock that was set back makes the last look a future one: that proves nothing.
  int64_t unverified_ms = facts.last_verified_ms > facts.now_ms || facts.last_verified_ms == 0
                              ? INT64_MAX
                              : facts.now_ms - facts.last_verified_ms;
  bool is_verified = unverified_ms <= kIntervalsUntilNotVerified * facts.interval_ms;
  auto add = [&](bool is_so, HealthProblem problem) {
    if (is_so) health.problems.push_back(problem);
  };
  add(facts.is_token_dead, HealthProblem::kTokenDead);
  add(facts.is_broken && !facts.is_token_dead, HealthProblem::kCalendarLost);
  add(facts.is_stopped, HealthProblem::kGuardStopped);
  add(is_looking && !is_verified && !has_just_begun, HealthProblem::kNotVerified);
  add(health.lag_ms > kStuckMs, HealthProblem::kPairStuck);
  add(is_looking && facts.wants_push && facts.channel_until_ms <= facts.now_ms && !has_just_begun,
      HealthProblem::kChannelLost);
  add(facts.refused > 0, HealthProblem::kEventsRefused);
  add(facts.is_read_only, HealthProblem::kReadOnly);
  if (!health.problems.empty())
    health.state = HealthState::kUnhealthy;
  else
    health.state = is_verified ? HealthState::kHealthy : HealthState::kStarting;
  return health;
}

HealthAdvice advice_for(HealthProblem problem) {
  switch (problem) {
    case HealthProblem::kTokenDead:
      return {"Google no longer accepts the permission of this account.",
              "Connect the Google account again. Edits are kept and follow then."};
    case HealthProblem::kCalendarLost:
      return {
          "The calendar is gone, or the account may no longer change it.",
          "Ask the calendar's owner for the right to change events, or link the board to another calendar."};
    case HealthProblem::kGuardStopped:
      return {"The link waits for a person to approve what it would do.",
              "Look at the plan, then approve it, or undo what caused it."};
    case HealthProblem::kNotVerified:
      return {
          "The calendar was not compared for more than two intervals.",
          "It is tried again by itself. If it stays so, look at the last error and at Google's status page."};
    case HealthProblem::kPairStuck:
      return {"A change waits for more than 15 minutes.",
              "Look at the last error; `kalends explain CARD` says what a card waits for."};
    case HealthProblem::kChannelLost:
      return {"Google does not tell of changes in this calendar: it is polled, so changes come later.",
              "A new channel is asked for by itself. If it stays so, check that Google can reach the public "
              "address."};
    case HealthProblem::kEventsRefused:
      return {"Google refuses the events of some cards.",
              "Look at them with `kalends explain CARD` and change them, for example their dates."};
    case HealthProblem::kReadOnly:
      return {"The store takes no writes: the disk is full or fails.",
              "Make room on the disk of the data folder. It goes on by itself then."};
  }
  return {};
}

}  // namespace kalends
