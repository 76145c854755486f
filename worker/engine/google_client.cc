// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/google_client.h"

#include <algorithm>

namespace kalends {

// Full jitter between half and the whole of the doubled wait: workers that failed together do not return
// together.
int64_t GoogleClient::backoff_ms(int attempt) {
  int64_t ceiling = options_.backoff_max_ms;
  int64_t wait = options_.backoff_min_ms;
  for (int i = 0; i < attempt && wait < ceiling; ++i) wait *= 2;
  wait = std::min(wait, ceiling);
  uint8_t dice[2];
  ports_.entropy.fill(dice);
  return wait / 2 + wait / 2 * (dice[0] << 8 | dice[1]) / 65536;
}

Task<GoogleAnswer> GoogleClient::call(Call call, Make make) {
  std::string stale;
  for (int attempt = 0;; ++attempt) {
    bool has_waited = false;
    while (true) {
      int64_t wait = gate_.take({call.account, call.cost, 0}, ports_.clock.monotonic_ms());
      if (wait == 0) break;
      if (!has_waited) ++counters_.quota_waits;
      has_waited = true;
      counters_.quota_wait_ms += wait;
      auto sleeping = ports_.effects.slept(wait);
      co_await sleeping;
    }
    auto getting = accounts_.access_token(call.workspace, call.account, stale);
    Result<std::string> token = co_await getting;
    GoogleAnswer answer;
    if (!token.ok()) {
      bool is_dead =
          token.error().code == ErrorCode::kUnauthenticated || token.error().code == ErrorCode::kNotFound;
      answer.verdict = {is_dead ? GoogleMove::kAuth : GoogleMove::kUnavailable, token.error().retry_after_ms,
                        ""};
      answer.token_error = token.error().message;
      co_return answer;
    }
    // Getting the token may have taken a while: Google may have asked another call of this account to wait.
    while (int64_t wait = gate_.held_ms(call.account, ports_.clock.monotonic_ms())) {
      auto sleeping = ports_.effects.slept(wait);
      co_await sleeping;
    }
    GoogleApi api{options_.api_url, *token, options_.timeout_ms};
    ++counters_.calls;
    auto fetching = ports_.effects.fetched(make(api));
    HttpOutcome outcome = co_await fetching;
    if (!outcome.response.ok()) {
      ++counters_.unanswered;
      answer.verdict = {GoogleMove::kUnavailable, 0, ""};
      answer.is_unknown = !outcome.certainly_not_sent;
      co_return answer;
    }
    answer.verdict = judge_response(*outcome.response, call.facts);
    ++counters_.answers[static_cast<size_t>(answer.verdict.move)];
    answer.body = std::move(outcome.response->body);
    if (answer.verdict.move == GoogleMove::kAuth && stale.empty()) {
      stale = *token;  // refused before its time: one refresh, then the person is asked
      continue;
    }
    if (answer.verdict.move == GoogleMove::kRateLimited) {
      // Also after the last try: the next call of this account waits as well.
      int64_t wait = std::max(answer.verdict.retry_after_ms, backoff_ms(attempt));
      gate_.hold(call.account, ports_.clock.monotonic_ms() + wait);
      if (attempt >= call.retries_max) co_return answer;
      auto sleeping = ports_.effects.slept(wait);
      co_await sleeping;
      continue;
    }
    // Refused again although the permission lives: tokens end early sometimes. Not a matter for a person.
    if (answer.verdict.move == GoogleMove::kAuth) answer.verdict.move = GoogleMove::kUnavailable;
    answer.is_unknown = answer.verdict.move == GoogleMove::kUnavailable;
    co_return answer;
  }
}

}  // namespace kalends
