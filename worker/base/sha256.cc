// SPDX-License-Identifier: Apache-2.0
#include "worker/base/sha256.h"

#include <openssl/evp.h>

#include "core/base/check.h"

namespace kalends {

Bytes sha256(ByteView input) {
  Bytes digest(32);
  KALENDS_CHECK(EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace kalends
