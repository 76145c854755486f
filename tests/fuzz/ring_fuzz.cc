// SPDX-License-Identifier: Apache-2.0
// The headers of a push message, channel and token, a line each: what rings is named by the token as it would
// be written.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/engine/doorbell.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view input = as_text({data, size});
  size_t end = std::min(input.find('\n'), input.size());
  std::string_view token = input.substr(std::min(end + 1, input.size()));
  auto ring = read_ring(input.substr(0, end), token);
  if (!ring) return 0;
  std::string written = channel_token(ring->workspace, ring->link, ByteView(data, size));
  KALENDS_CHECK(written.size() >= 66 && token.size() > 66);
  auto again = read_ring(to_hex(ring->channel), written);
  KALENDS_CHECK(again && again->workspace == ring->workspace && again->link == ring->link &&
                again->channel == ring->channel);
  return 0;
}
