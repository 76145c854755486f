// SPDX-License-Identifier: Apache-2.0
// Plants a bug into the rest of this process; false where the build holds none.
#pragma once

#include <cstdint>

namespace kalends::sim {

bool plant(uint32_t bug);

}  // namespace kalends::sim
