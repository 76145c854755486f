// SPDX-License-Identifier: Apache-2.0
#include "core/base/sort.h"

#include <cstdint>
#include <cstring>
#include <memory>

namespace kalends {
namespace {

struct Sorting {
  size_t size;
  ComesBefore comes_before;
  const void* order;
  uint8_t* spare;  // room for half of the items

  // Merges the halves from the left; the left one stands aside meanwhile.
  void merge(uint8_t* left, uint8_t* right, uint8_t* end) {
    size_t left_bytes = static_cast<size_t>(right - left);
    std::memcpy(spare, left, left_bytes);
    const uint8_t* from = spare;
    const uint8_t* from_end = spare + left_bytes;
    for (uint8_t* out = left; from != from_end; out += size) {
      if (right != end && comes_before(order, right, from)) {
        std::memmove(out, right, size);
        right += size;
      } else {
        std::memcpy(out, from, size);
        from += size;
      }
    }
  }

  void sort(uint8_t* items, size_t count) {
    if (count < 2) return;
    uint8_t* middle = items + count / 2 * size;
    sort(items, count / 2);
    sort(middle, count - count / 2);
    if (comes_before(order, middle, middle - size)) merge(items, middle, items + count * size);
  }
};

}  // namespace

void sort_items(void* items, size_t count, size_t item_size, ComesBefore comes_before, const void* order) {
  if (count < 2) return;
  std::unique_ptr<uint8_t[]> spare(new uint8_t[count / 2 * item_size]);
  Sorting{item_size, comes_before, order, spare.get()}.sort(static_cast<uint8_t*>(items), count);
}

}  // namespace kalends
