// SPDX-License-Identifier: Apache-2.0
// Sorting with one copy of the code for every type and order: std::sort is compiled anew for each, 2 KB a piece,
// which counts where the core is downloaded (core.wasm).
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <type_traits>

namespace kalends {

// Whether the item at `a` comes before the one at `b`.
using ComesBefore = bool (*)(const void* order, const void* a, const void* b);
void sort_items(void* items, size_t count, size_t item_size, ComesBefore comes_before, const void* order);

// Sorts a vector or an array of items that can be moved as bytes; equal ones stay in their order.
template <typename Items, typename Order = std::less<>>
void sort(Items& items, const Order& order = {}) {
  using Item = std::remove_reference_t<decltype(*std::data(items))>;
  static_assert(std::is_trivially_copy_constructible_v<Item> && std::is_trivially_destructible_v<Item>);
  sort_items(
      std::data(items), std::size(items), sizeof(Item),
      [](const void* by, const void* a, const void* b) {
        return static_cast<bool>(
            (*static_cast<const Order*>(by))(*static_cast<const Item*>(a), *static_cast<const Item*>(b)));
      },
      &order);
}

}  // namespace kalends
