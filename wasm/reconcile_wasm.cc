// SPDX-License-Identifier: Apache-2.0
// reconcile.wasm: the plan for a card and its event, for pages that show it before the server acts. Keeps
// nothing between two calls (docs/design/0008-a-second-module-for-plans.md).
#include "core/api/preview.h"
#include "wasm/message.h"

using kalends::address;
using kalends::at_address;

extern "C" {

__attribute__((export_name("kalends_alloc"))) uint32_t kalends_alloc(uint32_t size) {
  return address(std::malloc(size));
}

__attribute__((export_name("kalends_free"))) void kalends_free(uint32_t pointer, uint32_t) {
  std::free(at_address<void>(pointer));
}

__attribute__((export_name("kalends_call"))) uint32_t kalends_call(uint32_t pointer, uint32_t size) {
  return kalends::handed_over(kalends::preview({at_address(pointer), size}));
}
}
