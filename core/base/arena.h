// SPDX-License-Identifier: Apache-2.0
// Memory that grows and is given back all at once: the records of an open document live in it, so making one
// costs a few instructions and a pointer to one stays good as long as the document is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace kalends {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Uninitialised memory, aligned to 8 bytes.
  void* take(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size > left_) return take_anew(size);
    uint8_t* memory = next_;
    next_ += size;
    left_ -= size;
    return memory;
  }
  template <typename T>
  T* array(size_t count) {
    return static_cast<T*>(take(count * sizeof(T)));
  }
  const char* copy(std::string_view text) {
    if (text.empty()) return nullptr;
    char* memory = static_cast<char*>(take(text.size()));
    std::memcpy(memory, text.data(), text.size());
    return memory;
  }
  // Where it stands now. release() takes everything back that was taken since: nobody may point to it any
  // more.
  struct Mark {
    size_t blocks;
    uint8_t* next;
    size_t left;
  };
  Mark mark() const { return {blocks_.size(), next_, left_}; }
  void release(const Mark& mark) {
    blocks_.resize(mark.blocks);
    next_ = mark.next;
    left_ = mark.left;
  }
  // Keeps `block` as long as the arena: records may point into it.
  void adopt(std::unique_ptr<uint8_t[]> block) { blocks_.push_back(std::move(block)); }

 private:
  void* take_anew(size_t size);

  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
  uint8_t* next_ = nullptr;
  size_t left_ = 0;
  size_t block_size_ = 1024;
};

}  // namespace kalends
