// SPDX-License-Identifier: Apache-2.0
// What can go wrong in a simulation. A fault counts when it met something under way, not when it was planned.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/prng.h"

namespace kalends::sim {

enum class FaultClass : uint8_t {
  kRequestLost,       // never reached Google; the caller may or may not know that
  kAnswerLost,        // carried out, then no answer
  kAnswerCut,         // carried out; half of the answer's body arrives as if it were all
  kAnswerSpoilt,      // carried out; the answer is no JSON
  kRequestRepeated,   // a proxy sends the request twice and hands on the second answer
  kAnswerSlow,        // tens of seconds, sometimes longer than the caller waits
  kServerError,       // 5xx, nothing done
  kServerErrorAfter,  // 5xx, but carried out
  kRateLimited,       // 403 or 429 without advice
  kRetryAfter,        // 429 with Retry-After
  kUsageLimits,       // creations refused for hours
  kSyncTokenGone,     // 410 on the next listing
  kAccessTokenGone,   // 401 before its time
  kTokenServerDown,   // the token endpoint answers 503
  kGrantRevoked,      // a person takes the permission back, and gives it again later
  kEmptyListing,      // 200 with no events at all
  kCutListing,        // 200 whose later pages are missing, as if they were all
  kSmallPages,        // a page for every few events
  kEventTouched,      // Google changes an event a little later by itself
  kNoticeLost,
  kNoticeRepeated,
  kNoticeLate,
  kNoticeForged,
  kCrash,              // kill -9 at any time
  kCrashBeforeCommit,  // inside a transaction
  kCrashAfterCommit,   // before anybody was told
  kCrashInCall,        // while Google works on a request
  kStoreBusy,          // a transaction cannot begin
  kStoreFull,          // a commit fails
  kWorkerPaused,       // longer than its lease, then it goes on as if nothing had been
  kClockJump,          // of a worker, an hour back or a day forth
  kSocketCut,
  kFrameLate,
  kBrowserKilled,
  kCount_
};
inline constexpr size_t kFaultClasses = static_cast<size_t>(FaultClass::kCount_);
std::string_view fault_name(FaultClass fault);

// How often each happens, per million occasions; 0: never in this run.
class Faults {
 public:
  explicit Faults(uint64_t seed) : prng_(seed) {}
  void set_rate(FaultClass fault, uint32_t per_million) { rates_[index(fault)] = per_million; }
  uint32_t rate(FaultClass fault) const { return rates_[index(fault)]; }
  void calm(bool is_calm) { is_calm_ = is_calm; }
  // An occasion: does it happen? Counts it if so. The dice roll whether or not the class is on, so that
  // leaving one out changes nothing else.
  bool happens(FaultClass fault) {
    bool is_hit = prng_.below(1'000'000) < rates_[index(fault)];
    if (is_calm_ || !is_hit) return false;
    ++counts_[index(fault)];
    return true;
  }
  Prng& prng() { return prng_; }
  const std::array<uint64_t, kFaultClasses>& counts() const { return counts_; }

 private:
  static size_t index(FaultClass fault) { return static_cast<size_t>(fault); }
  Prng prng_;
  bool is_calm_ = false;
  std::array<uint32_t, kFaultClasses> rates_{};
  std::array<uint64_t, kFaultClasses> counts_{};
};

}  // namespace kalends::sim
