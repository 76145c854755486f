// SPDX-License-Identifier: Apache-2.0
// A growing run of numbers for code that appends thousands of them: one comparison and one store each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "core/base/check.h"

namespace kalends {

// The same block, larger: at least `needed` bytes.
void* grown_block(void* block, size_t& capacity_bytes, size_t needed);

template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(items_); }

  void clear() { size_ = 0; }
  void push(T item) {
    if ((size_ + 1) * sizeof(T) > capacity_bytes_) reserve(size_ + 1);
    items_[size_++] = item;
  }
  void append(const T* items, size_t count) {
    if (count == 0) return;
    if ((size_ + count) * sizeof(T) > capacity_bytes_) reserve(size_ + count);
    std::memcpy(items_ + size_, items, count * sizeof(T));
    size_ += count;
  }
  // What is new is uninitialised.
  void resize(size_t size) {
    if (size * sizeof(T) > capacity_bytes_) reserve(size);
    size_ = size;
  }
  void reserve(size_t size) {
    if (size * sizeof(T) > capacity_bytes_)
      items_ = static_cast<T*>(grown_block(items_, capacity_bytes_, size * sizeof(T)));
  }

  T* data() { return items_; }
  const T* data() const { return items_; }
  size_t size() const { return size_; }
  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }

 private:
  T* items_ = nullptr;
  size_t size_ = 0;
  size_t capacity_bytes_ = 0;
};

}  // namespace kalends
