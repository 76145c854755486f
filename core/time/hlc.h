// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clock (Kulkarni et al. 2014): 48 bits of milliseconds since 1970, 16 bits of counter. Orders
// concurrent edits; what replaced what is known from the operations themselves, never guessed from stamps.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

namespace kalends {

struct Hlc {
  uint64_t raw = 0;
  static Hlc from(int64_t ms, uint16_t counter) { return {static_cast<uint64_t>(ms) << 16 | counter}; }
  int64_t ms() const { return static_cast<int64_t>(raw >> 16); }
  friend bool operator==(const Hlc&, const Hlc&) = default;
  friend std::strong_ordering operator<=>(const Hlc& a, const Hlc& b) { return a.raw <=> b.raw; }
};

// A stamp further ahead of the reader's clock than this is not followed by its clock, and is capped for
// ordering by the hub with a bound operation.
inline constexpr int64_t kClockSkewMsMax = 5 * 60 * 1000;
inline constexpr int64_t kHlcMsMax = (int64_t{1} << 48) - 1;

class HlcClock {
 public:
  // A stamp greater than every stamp it made or followed; the last one that there is, once that was reached.
  // `now_ms`: the caller's wall clock, clamped to what fits.
  Hlc tick(int64_t now_ms) {
    now_ms = std::clamp<int64_t>(now_ms, 0, kHlcMsMax);
    Hlc wall = Hlc::from(now_ms, 0);
    last_ = wall > last_ ? wall : Hlc{last_.raw + (last_.raw != UINT64_MAX)};
    return last_;
  }
  // Follows a stamp of another replica unless it is too far ahead of `now_ms`; false when it was not
  // followed.
  bool follow(Hlc seen, int64_t now_ms) {
    if (seen.ms() > now_ms + kClockSkewMsMax) return false;
    last_ = std::max(last_, seen);
    return true;
  }
  Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace kalends
