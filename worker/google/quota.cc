// SPDX-License-Identifier: Apache-2.0
#include "worker/google/quota.h"

#include <algorithm>

namespace kalends {
namespace {

// A slot is counted as a whole until its last millisecond is out of the window: we err by one slot, to the
// safe side.
constexpr int64_t kSlotMs = 100;
// Google's minute, plus a second because calls do not arrive as evenly as they leave.
constexpr int64_t kWindowMs = 61'000;

int64_t slot_end_ms(int64_t number) { return (number + 1) * kSlotMs + kWindowMs; }

}  // namespace

void QuotaGate::Window::forget_old(int64_t now_ms) {
  while (!slots.empty() && slot_end_ms(slots.front().number) <= now_ms) {
    used -= slots.front().cost;
    slots.pop_front();
  }
}

int64_t QuotaGate::Window::wait_ms(int64_t cost, int64_t limit, int64_t now_ms) const {
  int64_t wait = std::max<int64_t>(0, held_until_ms - now_ms);
  int64_t left = used;
  for (const Slot& slot : slots) {
    if (left + cost <= limit) break;
    left -= slot.cost;
    wait = std::max(wait, slot_end_ms(slot.number) - now_ms);
  }
  return wait;
}

void QuotaGate::Window::count(int64_t cost, int64_t now_ms) {
  int64_t number = now_ms / kSlotMs;
  if (slots.empty() || slots.back().number != number) slots.push_back({number, 0});
  slots.back().cost += cost;
  used += cost;
}

int64_t QuotaGate::take(const QuotaRequest& request, int64_t now_ms) {
  Window& user = users_[request.account];
  user.forget_old(now_ms);
  project_.forget_old(now_ms);
  int64_t user_limit = std::max<int64_t>(1, limits_.user_per_minute - request.leave_free);
  int64_t wait = std::max(user.wait_ms(request.cost, user_limit, now_ms),
                          project_.wait_ms(request.cost, limits_.project_per_minute, now_ms));
  if (wait > 0) return wait;
  user.count(request.cost, now_ms);
  project_.count(request.cost, now_ms);
  return 0;
}

void QuotaGate::hold(AccountId account, int64_t until_ms) {
  Window& user = users_[account];
  user.held_until_ms = std::max(user.held_until_ms, until_ms);
}

int64_t QuotaGate::held_ms(AccountId account, int64_t now_ms) const {
  auto user = users_.find(account);
  return user == users_.end() ? 0 : std::max<int64_t>(0, user->second.held_until_ms - now_ms);
}

size_t QuotaGate::tracked(int64_t now_ms) {
  for (auto user = users_.begin(); user != users_.end();) {
    user->second.forget_old(now_ms);
    bool is_idle = user->second.slots.empty() && user->second.held_until_ms <= now_ms;
    user = is_idle ? users_.erase(user) : std::next(user);
  }
  return users_.size();
}

}  // namespace kalends
