// SPDX-License-Identifier: Apache-2.0
// What writing and reading images share.
#pragma once

#include <cstring>

#include "core/base/bytes.h"

namespace kalends {

// Tells damage by accident (a torn write, a bit that flipped); no protection against forgery.
inline uint64_t image_checksum(ByteView bytes) {
  uint64_t sum = 0x9E3779B97F4A7C15ull ^ bytes.size();
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
    sum ^= sum >> 32;
  }
  for (; i < bytes.size(); ++i) sum = (sum ^ bytes[i]) * 0xD6E8FEB86659FD93ull;
  return sum ^ sum >> 29;
}

inline bool sums_agree([[maybe_unused]] uint64_t stored, [[maybe_unused]] uint64_t found) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return true;  // what stands behind the sums must be contained without them: anybody can make them fit
#else
  return stored == found;
#endif
}

}  // namespace kalends
