// SPDX-License-Identifier: Apache-2.0
// The machine's clocks.
#pragma once

#include "worker/ports/clock.h"

namespace kalends {

class SystemClock final : public Clock {
 public:
  int64_t now_ms() const override;
  int64_t monotonic_ms() const override;
};

}  // namespace kalends
