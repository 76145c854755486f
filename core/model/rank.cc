// SPDX-License-Identifier: Apache-2.0
#include "core/model/rank.h"

#include <algorithm>

namespace kalends {
namespace {

constexpr char kMark = '\xFF';
constexpr size_t kTagBytes = 3;
constexpr size_t kHeadBytes = 1 + kTagBytes;
constexpr size_t kNumberDigits = 3;
constexpr size_t kRunDigits = 2;
constexpr int kLow = 0x01;   // the least digit; no fraction ends in it
constexpr int kHigh = 0xFE;  // the greatest digit
constexpr char kMiddle = '\x80';

int digit_at(std::string_view digits, size_t i) {
  return i < digits.size() ? static_cast<uint8_t>(digits[i]) : 0;
}

// The digits at the start of `text`, up to the next stretch.
std::string_view digits_of(std::string_view text) { return text.substr(0, std::min(text.find(kMark), text.size())); }

std::string_view tag_of(const ReplicaId& maker) {
  return {reinterpret_cast<const char*>(maker.raw.bytes.data()), kTagBytes};
}

std::string stretch(std::string_view anchor, ReplicaId maker) {
  std::string rank;
  rank.reserve(anchor.size() + kHeadBytes + kNumberDigits);
  rank.append(anchor).append(1, kMark).append(tag_of(maker)).append(kNumberDigits, kMiddle);
  return rank;
}

// The number at the start of the digits one up or down; empty when it has no neighbour on that side.
std::string counted(std::string_view digits, size_t places, int step) {
  if (digits.size() < places) return {};
  std::string number(digits.substr(0, places));
  for (size_t i = places; i-- > 0;) {
    int digit = digit_at(number, i) + step;
    if (digit >= kLow && digit <= kHigh) {
      number[i] = static_cast<char>(digit);
      return number;
    }
    number[i] = static_cast<char>(step > 0 ? kLow : kHigh);
  }
  return {};
}

// Digits strictly between `low` and `high` (empty: no bound on that side), as few as possible; empty when there are
// none. A mark at the end of `low`: what stands behind its digits counts too.
std::string middle(std::string_view low, std::string_view high) {
  std::string out;
  bool is_bounded = !high.empty();
  for (size_t i = 0; i < 4096; ++i) {
    int a = digit_at(low, i);
    int b = is_bounded ? digit_at(high, i) : kHigh + 1;
    if (b <= a) {
      if (b < a || a == 0 || a > kHigh) return {};
    } else if (int digit = a + (b - a) / 2; b - a > 1 && digit > kLow) {
      out += static_cast<char>(digit);
      return out;
    }
    if (a == 0) {
      // `low` has ended. Below `high` there is nothing but the least digit, or `high` goes on with it.
      out += static_cast<char>(kLow);
      if (b > kLow) {
        low = {};
        is_bounded = false;
      }
      continue;
    }
    out += static_cast<char>(a);
    if (a < b) is_bounded = false;
  }
  return {};
}

bool fits(std::string_view left, std::string_view rank, std::string_view right) {
  return !rank.empty() && (left.empty() || left < rank) && (right.empty() || rank < right);
}

// A key of the stretch that begins with `prefix` (up to its tag) between the two; empty when it has none there.
std::string in_stretch(std::string_view prefix, std::string_view left, std::string_view right) {
  bool has_left = left.substr(0, prefix.size()) == prefix;
  bool has_right = right.substr(0, prefix.size()) == prefix;
  std::string_view behind = has_left ? left.substr(prefix.size()) : std::string_view();
  std::string_view low = digits_of(behind);
  if (low.size() < behind.size()) low = behind.substr(0, low.size() + 1);  // with the mark
  std::string_view high = has_right ? digits_of(right.substr(prefix.size())) : std::string_view();
  if (has_right && high.empty()) return {};
  auto whole = [&](const std::string& digits) {
    std::string rank;
    if (digits.empty()) return rank;
    rank.reserve(prefix.size() + digits.size());
    rank.append(prefix).append(digits);
    if (!fits(left, rank, right)) rank.clear();
    return rank;
  };
  if (has_left && !has_right)
    if (std::string rank = whole(counted(low, kNumberDigits, 1)); !rank.empty()) return rank;
  if (has_right && !has_left)
    if (std::string rank = whole(counted(high, kNumberDigits, -1)); !rank.empty()) return rank;
  return whole(middle(low, high));
}

// Calls visit(prefix) for each stretch that one of the two stands in, the outermost first, until it answers true.
template <typename Visit>
bool for_each_stretch(std::string_view left, std::string_view right, Visit visit) {
  size_t at[2] = {0, 0};
  std::string_view sides[2] = {left, right};
  auto next = [&](int i) { at[i] = at[i] >= sides[i].size() ? sides[i].size() : sides[i].find(kMark, at[i]); };
  auto is_open = [&](int i) { return at[i] != std::string_view::npos && at[i] + kHeadBytes <= sides[i].size(); };
  next(0);
  next(1);
  while (is_open(0) || is_open(1)) {
    int i = !is_open(1) || (is_open(0) && at[0] <= at[1]) ? 0 : 1;
    std::string_view prefix = sides[i].substr(0, at[i] + kHeadBytes);
    int other = 1 - i;
    bool is_shared = sides[other].substr(0, prefix.size()) == prefix;
    if (visit(prefix)) return true;
    at[i] += kHeadBytes;
    next(i);
    if (is_shared && is_open(other) && at[other] < prefix.size()) {
      at[other] = prefix.size();
      next(other);
    }
  }
  return false;
}

std::string new_rank(std::string_view left, std::string_view right, ReplicaId maker) {
  std::string rank;
  // In a stretch of its own …
  auto is_own = [&](std::string_view prefix) { return prefix.substr(prefix.size() - kTagBytes) == tag_of(maker); };
  bool is_found = for_each_stretch(left, right, [&](std::string_view prefix) {
    if (!is_own(prefix)) return false;
    rank = in_stretch(prefix, left, right);
    return !rank.empty();
  });
  if (is_found) return rank;
  // … or a new one where the owner of another would insert …
  is_found = for_each_stretch(left, right, [&](std::string_view prefix) {
    std::string place = in_stretch(prefix, left, right);
    if (place.empty()) return false;
    rank = stretch(place, maker);
    return fits(left, rank, right);
  });
  if (is_found) return rank;
  // … or behind the left.
  rank = stretch(left, maker);
  if (fits(left, rank, right)) return rank;
  // Ranks that no honest copy makes: any bytes between will do, if there are any.
  rank = stretch(std::string(left) + '\0', maker);
  return fits(left, rank, right) ? rank : stretch(left, maker);
}

}  // namespace

std::string rank_between(std::string_view left, std::string_view right, ReplicaId maker, RankRun* run) {
  if (left == right) right = {};
  std::string rank;
  if (run && !run->last.empty() && left == run->last) {
    // Goes on below what it inserted last: under the same base, so that nobody's run comes between.
    std::string_view behind = std::string_view(run->last).substr(run->base.size());
    rank = run->base + (behind.empty() ? std::string(kRunDigits, kMiddle) : counted(behind, kRunDigits, 1));
    if (!fits(left, rank, right)) rank.clear();
  }
  if (rank.empty()) {
    rank = new_rank(left, right, maker);
    if (run) run->base = rank;
  }
  if (run) run->last = rank;
  return rank;
}

}  // namespace kalends
