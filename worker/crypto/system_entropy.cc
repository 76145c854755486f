// SPDX-License-Identifier: Apache-2.0
#include "worker/crypto/system_entropy.h"

#include <openssl/rand.h>

#include "core/base/check.h"

namespace kalends {

void SystemEntropy::fill(std::span<uint8_t> out) {
  // Guessable tokens and nonces would be worse than no process at all.
  KALENDS_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

}  // namespace kalends
