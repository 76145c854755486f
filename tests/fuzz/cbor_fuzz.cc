// SPDX-License-Identifier: Apache-2.0
// What is read can be written and read again to the same bytes.
#include <cstddef>
#include <cstdint>

#include "core/wire/cbor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto value = decode_cbor({data, size});
  if (!value.ok()) return 0;
  Bytes bytes = encode_cbor(*value);
  auto again = decode_cbor(bytes);
  KALENDS_CHECK(again.ok() && encode_cbor(*again) == bytes);
  return 0;
}
