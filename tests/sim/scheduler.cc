// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scheduler.h"

#include <cstdio>

namespace kalends::sim {

void Scheduler::say(const std::string& what) const {
  if (is_loud)
    std::fprintf(stderr, "%lld.%03lld %s\n", static_cast<long long>(now_ms_ / 1000),
                 static_cast<long long>(now_ms_ % 1000), what.c_str());
}

bool Scheduler::step(int64_t until_ms) {
  while (!queue_.empty() && queue_.top().due_ms <= until_ms) {
    // Moving out of the top is safe: the order does not look at `act`.
    Event event = std::move(const_cast<Event&>(queue_.top()));
    queue_.pop();
    if (event.due_ms > now_ms_) now_ms_ = event.due_ms;
    if (ended_.count(event.owner) > 0) continue;
    ++executed_;
    note(static_cast<uint64_t>(event.due_ms));
    note(event.number * 31 + event.owner);
    event.act();
    return true;
  }
  if (until_ms > now_ms_) now_ms_ = until_ms;
  return false;
}

}  // namespace kalends::sim
