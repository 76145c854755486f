// SPDX-License-Identifier: Apache-2.0
#include "worker/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/check.h"

namespace kalends {

Bytes hmac_sha256(ByteView key, ByteView input) {
  // OpenSSL takes a null key for "the key of the last call".
  static constexpr uint8_t kEmpty = 0;
  Bytes digest(32);
  unsigned size = 0;
  const uint8_t* key_bytes = key.empty() ? &kEmpty : key.data();
  KALENDS_CHECK(HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), input.data(), input.size(),
                     digest.data(), &size) != nullptr);
  KALENDS_CHECK(size == digest.size());
  return digest;
}

Bytes hkdf_sha256(ByteView key, std::string_view info, size_t size) {
  KALENDS_CHECK(size <= 255 * 32);
  Bytes pseudo_random_key = hmac_sha256(Bytes(32, 0), key);
  Bytes out;
  Bytes block;
  for (uint8_t counter = 1; out.size() < size; ++counter) {
    block.insert(block.end(), info.begin(), info.end());
    block.push_back(counter);
    block = hmac_sha256(pseudo_random_key, block);
    out.insert(out.end(), block.begin(), block.end());
  }
  out.resize(size);
  wipe(pseudo_random_key);
  return out;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(Bytes& secret) {
  if (!secret.empty()) OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace kalends
