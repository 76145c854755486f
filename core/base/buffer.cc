// SPDX-License-Identifier: Apache-2.0
#include "core/base/buffer.h"

namespace kalends {

void* grown_block(void* block, size_t& capacity_bytes, size_t needed) {
  size_t wanted = capacity_bytes + capacity_bytes / 2 + 64;
  if (wanted < needed) wanted = needed;
  void* moved = std::realloc(block, wanted);
  KALENDS_CHECK(moved);
  capacity_bytes = wanted;
  return moved;
}

}  // namespace kalends
