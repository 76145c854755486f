// SPDX-License-Identifier: Apache-2.0
// Calls to Google for one account: waits for the quota, adds the token, refreshes it once when Google refuses
// it, and backs off when Google asks for that. What it cannot settle it hands to the caller as a verdict.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>

#include "worker/engine/accounts.h"
#include "worker/google/calendar_requests.h"
#include "worker/google/calendar_responses.h"
#include "worker/google/errors.h"
#include "worker/google/quota.h"

namespace kalends {

struct GoogleAnswer {
  GoogleVerdict verdict;
  std::string body;
  bool is_unknown = false;  // no answer came: a write may have happened
  std::string token_error;  // verdict kAuth: why there is no token
};

// Since the start. For metrics: no account and no calendar is named.
struct GoogleCounters {
  uint64_t calls = 0;
  std::array<uint64_t, kGoogleMoves> answers{};  // by GoogleMove
  uint64_t unanswered = 0;                       // no response came at all
  uint64_t quota_waits = 0;                      // calls that waited for the quota
  int64_t quota_wait_ms = 0;
};

struct GoogleClientOptions {
  std::string api_url;
  int64_t timeout_ms = 20'000;
  int64_t backoff_min_ms = 500;
  int64_t backoff_max_ms = 64'000;
  QuotaLimits quota;
};

class GoogleClient {
 public:
  GoogleClient(const Ports& ports, Accounts& accounts, GoogleClientOptions options)
      : ports_(ports), accounts_(accounts), options_(std::move(options)), gate_(options_.quota) {}

  using Make = std::function<HttpRequest(const GoogleApi&)>;
  struct Call {
    WorkspaceId workspace;
    AccountId account;
    int64_t cost = 1;
    GoogleCallFacts facts;
    int retries_max = 4;  // of rate limits; an unknown outcome is the caller's to judge
  };
  Task<GoogleAnswer> call(Call call, Make make);
  uint64_t calls() const { return counters_.calls; }
  const GoogleCounters& counters() const { return counters_; }

 private:
  int64_t backoff_ms(int attempt);

  Ports ports_;
  Accounts& accounts_;
  GoogleClientOptions options_;
  QuotaGate gate_;
  GoogleCounters counters_;
};

}  // namespace kalends
