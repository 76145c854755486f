// SPDX-License-Identifier: Apache-2.0
// The stand-in's only source of chance: splitmix64 from a seed, the same numbers on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kalends::emulator {

class Prng {
 public:
  explicit Prng(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
  }

  // Uniform enough for tests. Requires: bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }

  // True with a chance of per_million in a million.
  bool chance(uint64_t per_million) { return per_million >= 1'000'000 || below(1'000'000) < per_million; }

  std::string text(size_t length, std::string_view alphabet) {
    std::string result;
    for (size_t i = 0; i < length; ++i) result.push_back(alphabet[below(alphabet.size())]);
    return result;
  }

 private:
  uint64_t state_;
};

inline constexpr std::string_view kBase32Hex = "0123456789abcdefghijklmnopqrstuv";
inline constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// FNV-1a: names things (resource ids, parameter hashes), protects nothing.
inline uint64_t fingerprint(std::string_view text, uint64_t basis = 14695981039346656037ULL) {
  for (unsigned char c : text) basis = (basis ^ c) * 1099511628211ULL;
  return basis;
}

}  // namespace kalends::emulator
