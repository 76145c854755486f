// SPDX-License-Identifier: Apache-2.0
// Time comes in through this port only, so that tests and the simulator can own it.
#pragma once

#include <cstdint>

namespace kalends {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: milliseconds since 1970-01-01 UTC. May jump when the machine's clock is set.
  virtual int64_t now_ms() const = 0;
  // Never goes back; only differences mean something. For time-outs and back-off.
  virtual int64_t monotonic_ms() const = 0;
};

}  // namespace kalends
