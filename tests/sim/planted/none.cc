// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/planted/plant.h"

namespace kalends::sim {

bool plant(uint32_t bug) { return bug == 0; }

}  // namespace kalends::sim
