// SPDX-License-Identifier: Apache-2.0
// Whatever is asked of the facade, it answers with a map of ok or error.
#include <cstddef>
#include <cstdint>

#include "core/api/facade.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  static const Bytes kOpen = encode_cbor(Cbor::map({{"call", "open"},
                                                    {"document", "000102030405060708090a0b0c0d0e0f"},
                                                    {"kind", "board"},
                                                    {"replica", "100102030405060708090a0b0c0d0e0f"},
                                                    {"author", "200102030405060708090a0b0c0d0e0f"}}));
  Facade facade;
  facade.call(kOpen);
  // The input is a series of requests, each behind a length of two bytes.
  for (size_t at = 0; at + 2 <= size;) {
    size_t length = size_t{data[at]} | size_t{data[at + 1]} << 8;
    at += 2;
    length = length < size - at ? length : size - at;
    auto answer = decode_cbor(facade.call({data + at, length}));
    KALENDS_CHECK(answer.ok() && (answer->find("ok") || answer->find("error")));
    at += length;
  }
  return 0;
}
