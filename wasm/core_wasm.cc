// SPDX-License-Identifier: Apache-2.0
// The C ABI of core.wasm over core/api: u32 arguments only, messages as CBOR. A result is a little-endian u32
// length and then that many bytes; the caller gives it back with kalends_free(result, 4 + length).
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/api/facade.h"

namespace {

kalends::Facade& facade() {
  static kalends::Facade instance;
  return instance;
}

}  // namespace

extern "C" {

__attribute__((export_name("kalends_alloc"))) uint32_t kalends_alloc(uint32_t size) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(std::malloc(size)));
}

__attribute__((export_name("kalends_free"))) void kalends_free(uint32_t pointer, uint32_t) {
  std::free(reinterpret_cast<void*>(static_cast<uintptr_t>(pointer)));
}

__attribute__((export_name("kalends_call"))) uint32_t kalends_call(uint32_t pointer, uint32_t size) {
  const auto* request = reinterpret_cast<const uint8_t*>(static_cast<uintptr_t>(pointer));
  kalends::Bytes answer = facade().call({request, size});
  auto length = static_cast<uint32_t>(answer.size());
  auto* result = static_cast<uint8_t*>(std::malloc(4 + answer.size()));
  if (!result)
    __builtin_trap();  // out of memory: the loader drops the instance and reopens from stored bytes
  std::memcpy(result, &length, 4);
  std::memcpy(result + 4, answer.data(), answer.size());
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(result));
}
}
