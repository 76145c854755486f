// SPDX-License-Identifier: Apache-2.0
// The C ABI of core.wasm over core/api: messages as CBOR (wasm/message.h), and the fast calls.
#include "core/api/fast.h"
#include "wasm/message.h"

using kalends::address;
using kalends::at_address;
using kalends::handed_over;

namespace {

kalends::Facade& facade() {
  static kalends::Facade instance;
  return instance;
}

kalends::FastCalls& fast() {
  static kalends::FastCalls instance(facade());
  return instance;
}

}  // namespace

extern "C" {

// Memory grows by a quarter at least. Each growth gives the host a new buffer object that counts as large as all memory
// until it is collected: page by page, the host would collect garbage all the time.
int __real_emscripten_resize_heap(size_t size);
int __wrap_emscripten_resize_heap(size_t size) {
  size_t now = __builtin_wasm_memory_size(0) * 65536;
  size_t wanted = now + now / 4;
  if (wanted > size && __real_emscripten_resize_heap(wanted)) return 1;
  return __real_emscripten_resize_heap(size);
}

__attribute__((export_name("kalends_alloc"))) uint32_t kalends_alloc(uint32_t size) {
  return address(std::malloc(size));
}

__attribute__((export_name("kalends_free"))) void kalends_free(uint32_t pointer, uint32_t) {
  std::free(at_address<void>(pointer));
}

__attribute__((export_name("kalends_call"))) uint32_t kalends_call(uint32_t pointer, uint32_t size) {
  return handed_over(facade().call({at_address(pointer), size}));
}

// The fast calls (core/api/fast.h). Where the room and the answer lie is asked for after each call: both may move.
__attribute__((export_name("kalends_room"))) uint32_t kalends_room(uint32_t numbers, uint32_t text_bytes) {
  return address(fast().room(numbers, text_bytes));
}
__attribute__((export_name("kalends_answer"))) uint32_t kalends_answer() { return address(fast().answer()); }
__attribute__((export_name("kalends_edit"))) uint32_t kalends_edit(uint32_t handle, uint32_t numbers,
                                                                   uint32_t text_bytes) {
  return fast().edit(handle, numbers, text_bytes);
}
__attribute__((export_name("kalends_merge"))) uint32_t kalends_merge(uint32_t handle, uint32_t text_bytes,
                                                                     uint32_t now_low, uint32_t now_high) {
  return fast().merge(handle, text_bytes, now_low, now_high);
}
__attribute__((export_name("kalends_card"))) uint32_t kalends_card(uint32_t handle, uint32_t ref) {
  return fast().card(handle, ref);
}
__attribute__((export_name("kalends_cards"))) uint32_t kalends_cards(uint32_t handle) { return fast().cards(handle); }
__attribute__((export_name("kalends_ref"))) uint32_t kalends_ref(uint32_t handle) { return fast().ref(handle); }
__attribute__((export_name("kalends_id"))) uint32_t kalends_id(uint32_t handle, uint32_t ref) {
  return address(fast().id(handle, ref));
}
__attribute__((export_name("kalends_replica"))) uint32_t kalends_replica(uint32_t handle, uint32_t number) {
  return address(fast().replica(handle, number));
}
// Gives bytes from kalends_alloc away to the next `open` that says "taken".
__attribute__((export_name("kalends_take"))) void kalends_take(uint32_t pointer, uint32_t size) {
  facade().take(std::unique_ptr<uint8_t[]>(at_address<uint8_t>(pointer)), size);
}
// Why the last fast call gave 0: its code and message, as a CBOR answer in the manner of kalends_call.
__attribute__((export_name("kalends_error"))) uint32_t kalends_error() {
  return handed_over(kalends::error_answer(fast().error()));
}
}
