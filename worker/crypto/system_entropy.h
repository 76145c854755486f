// SPDX-License-Identifier: Apache-2.0
// The operating system's randomness through OpenSSL's generator.
#pragma once

#include "worker/ports/entropy.h"

namespace kalends {

class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<uint8_t> out) override;
};

}  // namespace kalends
