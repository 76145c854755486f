// SPDX-License-Identifier: Apache-2.0
#include "worker/app/system_clock.h"

#include <chrono>

namespace kalends {
namespace {

template <typename SourceClock>
int64_t milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SourceClock::now().time_since_epoch()).count();
}

}  // namespace

int64_t SystemClock::now_ms() const { return milliseconds<std::chrono::system_clock>(); }
int64_t SystemClock::monotonic_ms() const { return milliseconds<std::chrono::steady_clock>(); }

}  // namespace kalends
