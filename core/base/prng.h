// SPDX-License-Identifier: Apache-2.0
// Seeded pseudo-random numbers (xoshiro256** by Blackman and Vigna, seeded by SplitMix64): equal on every
// platform, unlike the distributions of <random>. For tests, simulation and jitter; never for secrets.
#pragma once

#include <cstdint>

#include "core/base/id.h"

namespace kalends {

class Prng {
 public:
  explicit Prng(uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t z = seed;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
      z = (z ^ z >> 27) * 0x94d049bb133111eb;
      word = z ^ z >> 31;
    }
  }
  uint64_t next() {
    uint64_t result = rotate(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound). Requires: bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool chance(uint64_t numerator, uint64_t denominator) { return below(denominator) < numerator; }
  Id128 id() {
    Id128 id;
    for (size_t i = 0; i < 16; i += 8) {
      uint64_t word = next();
      for (size_t k = 0; k < 8; ++k) id.bytes[i + k] = static_cast<uint8_t>(word >> 8 * k);
    }
    return id;
  }

 private:
  static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }
  uint64_t state_[4];
};

}  // namespace kalends
