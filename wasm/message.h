// SPDX-License-Identifier: Apache-2.0
// What the modules share of their C ABI: u32 arguments only; a result is a little-endian u32 length and then
// that many bytes, which the caller gives back with kalends_free(result, 4 + length).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/base/bytes.h"

namespace kalends {

inline uint32_t address(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

template <typename T = const uint8_t>
T* at_address(uint32_t pointer) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(pointer));
}

inline uint32_t handed_over(const Bytes& answer) {
  auto length = static_cast<uint32_t>(answer.size());
  auto* result = static_cast<uint8_t*>(std::malloc(4 + answer.size()));
  if (!result) __builtin_trap();  // out of memory: the loader drops the instance and starts another
  std::memcpy(result, &length, 4);
  std::memcpy(result + 4, answer.data(), answer.size());
  return address(result);
}

}  // namespace kalends
