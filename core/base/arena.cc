// SPDX-License-Identifier: Apache-2.0
#include "core/base/arena.h"

#include <algorithm>

namespace kalends {

void* Arena::take_anew(size_t size) {
  constexpr size_t kBlockMax = 256 * 1024;
  if (size > block_size_ / 2) {  // a block of its own; the rest of the current one stays in use
    blocks_.emplace_back(new uint8_t[size]);
    return blocks_.back().get();
  }
  block_size_ = std::min(block_size_ * 2, kBlockMax);
  blocks_.emplace_back(new uint8_t[block_size_]);
  next_ = blocks_.back().get() + size;
  left_ = block_size_ - size;
  return blocks_.back().get();
}

}  // namespace kalends
