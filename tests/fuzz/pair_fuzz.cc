// SPDX-License-Identifier: Apache-2.0
// What is stored of a pair and of a link: read, written, and read again it is the same, to the byte where an
// encoding is canonical.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/calendar/link_policy.h"
#include "core/calendar/shadow.h"
#include "worker/engine/left_alone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  ByteView bytes(data, size);
  auto check_same = [&](const Bytes& again) {
    KALENDS_CHECK(std::equal(again.begin(), again.end(), data, data + size));
  };
  if (auto observation = decode_observation(bytes); observation.ok())
    check_same(encode_observation(*observation));
  if (auto shadow = decode_shadow(bytes); shadow.ok()) {
    check_same(encode_shadow(*shadow));
    (void)differing(shadow->ours, shadow->theirs, FacetMask{0x3f});
  }
  PairRow row;
  row.left_alone.assign(data, data + size);
  if (auto left = left_alone_of(row)) {
    row.left_alone = encode_left_alone(*left);
    KALENDS_CHECK(left_alone_of(row) == left);
  }
  if (auto policy = decode_policy(bytes); policy.ok()) {
    check_same(encode_policy(*policy));
    EventFacet facet;
    facet.title = as_text(bytes);
    EventText shown = render_marks(facet, *policy);
    facet.title = shown.summary;
    facet.colour = shown.colour;
    parse_marks(facet, *policy);
  }
  return 0;
}
