// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/quota.h"

namespace kalends::emulator {

void Quota::Window::forget_before(int64_t time_ms) {
  while (!uses.empty() && uses.front().first <= time_ms) {
    total -= uses.front().second;
    uses.pop_front();
  }
}

void Quota::Window::add(int64_t time_ms, int units) {
  uses.emplace_back(time_ms, units);
  total += units;
}

Quota::Verdict Quota::charge(const Use& use, const Switches& switches, int64_t now_ms) {
  Window& project = windows_["project " + use.client_id];
  Window& user = windows_["user " + use.client_id + " " + use.user];
  project.forget_before(now_ms - switches.quota_window_ms);
  user.forget_before(now_ms - switches.quota_window_ms);
  if (switches.quota_per_user > 0 && user.total + use.units > switches.quota_per_user)
    return Verdict::kUserExceeded;
  if (switches.quota_per_project > 0 && project.total + use.units > switches.quota_per_project) {
    return Verdict::kProjectExceeded;
  }
  if (switches.burst_per_calendar > 0 && !use.calendar.empty()) {
    Window& calendar = windows_["calendar " + use.calendar];
    calendar.forget_before(now_ms - 1000);
    if (calendar.total + 1 > switches.burst_per_calendar) return Verdict::kCalendarBurst;
    calendar.add(now_ms, 1);
  }
  project.add(now_ms, use.units);
  user.add(now_ms, use.units);
  return Verdict::kFine;
}

}  // namespace kalends::emulator
