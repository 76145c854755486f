// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4): the same digest natively and in WebAssembly, for state hashes and derived ids.
// Secrets are handled by the worker's OpenSSL, not here.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/id.h"

namespace kalends {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  void update(ByteView bytes);
  Digest finish();

 private:
  void block(const uint8_t* data);
  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> buffer_{};
  uint64_t length_ = 0;
};

Digest digest_of(ByteView bytes);
std::string to_hex(const Digest& digest);

// The first 128 bits of the digest: a stable id for something that has a stable name (an imported card, say).
Id128 derive_id(ByteView bytes);

}  // namespace kalends
