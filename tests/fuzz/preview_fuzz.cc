// SPDX-License-Identifier: Apache-2.0
// Whatever is asked of the planner, it answers with a map of ok or error.
#include <cstddef>
#include <cstdint>

#include "core/api/preview.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto answer = decode_cbor(preview({data, size}));
  KALENDS_CHECK(answer.ok() && (answer->find("ok") || answer->find("error")));
  return 0;
}
