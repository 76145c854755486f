// SPDX-License-Identifier: Apache-2.0
// Which bug is planted in this run. Only copies of sources that plant.mjs makes include this.
#pragma once

#include <cstdint>

namespace kalends {

extern uint32_t planted_bug;  // 0: none
inline bool planted(uint32_t number) { return planted_bug == number; }

}  // namespace kalends
