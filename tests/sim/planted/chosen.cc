// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/planted/plant.h"
#include "tests/sim/planted/planted.h"

namespace kalends {

uint32_t planted_bug = 0;

namespace sim {

bool plant(uint32_t bug) {
  planted_bug = bug;
  return true;
}

}  // namespace sim
}  // namespace kalends
