// SPDX-License-Identifier: Apache-2.0
// A map from numbers (not 0) to small values: open addressing, nothing is ever taken out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kalends {

template <typename T>
class U64Map {
 public:
  // The value at `key`; a fresh one when it was not there.
  T& at(uint64_t key) {
    if (used_ * 2 >= entries_.size()) grow();
    size_t place = place_of(key);
    if (entries_[place].key == 0) {
      entries_[place].key = key;
      ++used_;
    }
    return entries_[place].value;
  }
  const T* find(uint64_t key) const {
    if (entries_.empty()) return nullptr;
    size_t place = place_of(key);
    return entries_[place].key == 0 ? nullptr : &entries_[place].value;
  }
  size_t size() const { return used_; }
  void clear() {
    if (used_ == 0) return;
    if (entries_.size() > 256)
      entries_ = {};
    else
      entries_.assign(entries_.size(), {});
    used_ = 0;
  }

 private:
  struct Entry {
    uint64_t key = 0;
    T value{};
  };
  size_t place_of(uint64_t key) const {
    uint64_t mixed = (key ^ key >> 32) * 0x9E3779B97F4A7C15ull;
    size_t mask = entries_.size() - 1;
    auto place = static_cast<size_t>(mixed >> 32) & mask;
    while (entries_[place].key != 0 && entries_[place].key != key) place = (place + 1) & mask;
    return place;
  }
  void grow() {
    std::vector<Entry> old(entries_.empty() ? 8 : entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old)
      if (entry.key != 0) entries_[place_of(entry.key)] = entry;
  }

  std::vector<Entry> entries_;
  size_t used_ = 0;
};

}  // namespace kalends
