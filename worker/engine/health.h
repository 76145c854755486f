// SPDX-License-Identifier: Apache-2.0
// Whether a link does what it promises, told from facts alone: never green and wrong. A link is healthy only
// when it was verified a short while ago, nothing waits for long, and both ways to Google are open; whatever
// else is the case has a name, and says what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kalends {

enum class HealthState : uint8_t {
  kHealthy,
  kStarting,  // the worker has begun a short while ago and has not looked yet
  kPaused,    // by a person: nothing is promised
  kUnhealthy,
};

enum class HealthProblem : uint8_t {
  kTokenDead,      // Google no longer accepts the account's permission
  kCalendarLost,   // the calendar is gone or out of reach
  kGuardStopped,   // waits for a person's approval
  kNotVerified,    // not looked at for more than two intervals
  kPairStuck,      // a change waits for more than a quarter of an hour
  kChannelLost,    // Google does not tell of changes, polling is all there is
  kEventsRefused,  // Google does not take some cards' events
  kReadOnly,       // the store takes no writes
};
inline constexpr size_t kHealthStates = 4;
inline constexpr size_t kHealthProblems = 8;

// The names are part of the API, the metrics and the alerts.
std::string_view health_state_name(HealthState state);
std::string_view health_problem_name(HealthProblem problem);

// Milliseconds since 1970, 0 for never.
struct LinkHealthFacts {
  int64_t now_ms = 0;
  bool is_paused = false;
  bool is_stopped = false;
  bool is_broken = false;
  bool is_token_dead = false;
  int64_t watched_since_ms = 0;  // when this worker took the link up, or a person let it go on
  int64_t last_verified_ms = 0;  // the end of the last whole listing
  int64_t interval_ms = 60'000;  // between two looks that nobody asked for
  int64_t waiting_since_ms = 0;  // the oldest change that waits
  bool wants_push = false;
  int64_t channel_until_ms = 0;
  size_t refused = 0;
  bool is_read_only = false;
};

struct LinkHealth {
  HealthState state = HealthState::kStarting;
  std::vector<HealthProblem> problems;  // in the order of the enumerators; empty unless unhealthy
  int64_t lag_ms = 0;                   // age of the oldest change that waits
  friend bool operator==(const LinkHealth&, const LinkHealth&) = default;
};

LinkHealth health_of(const LinkHealthFacts& facts);

struct HealthAdvice {
  std::string message;
  std::string what_to_do;
};
HealthAdvice advice_for(HealthProblem problem);

// A listing that took place, and its successor being late by its jitter, are no reason to worry.
inline constexpr int64_t kIntervalsUntilNotVerified = 2;
inline constexpr int64_t kStuckMs = 15 * 60 * 1000;
// How long a link may take to look for the first time, and to make its channel.
inline constexpr int64_t kStartingMs = 30'000;

}  // namespace kalends
