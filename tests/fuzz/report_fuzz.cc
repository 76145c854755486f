// SPDX-License-Identifier: Apache-2.0
// The report of a run, stored: whatever the bytes are it is one, and written it is read again as the same.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/mutate_json.h"
#include "worker/engine/run_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  RunReport report = decode_report({data, size});
  if (report.error) KALENDS_CHECK(error_code_name(report.error->code) != "unknown");
  Bytes bytes = encode_report(report);
  KALENDS_CHECK(encode_report(decode_report(bytes)) == bytes);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_json(data, size, max_size, random);
}
