// SPDX-License-Identifier: Apache-2.0
// SecretBox by AES-256-GCM. Layout of a sealed value (do not change; raise kSuite instead):
//   1 byte suite · 8 bytes key id · 12 bytes random nonce · ciphertext · 16 bytes tag
// Random nonces are safe for 2^32 values of one key, which a database of refresh tokens and calendar ids
// never sees.
#pragma once

#include "worker/ports/entropy.h"
#include "worker/ports/secret_box.h"

namespace kalends {

class AesGcmSecretBox final : public SecretBox {
 public:
  // Requires: `master_key` has 32 bytes (key_file.h). Sealing and hashing use keys derived from it.
  AesGcmSecretBox(ByteView master_key, Entropy& entropy);
  ~AesGcmSecretBox() override;
  AesGcmSecretBox(const AesGcmSecretBox&) = delete;
  AesGcmSecretBox& operator=(const AesGcmSecretBox&) = delete;

  Result<Bytes> seal(ByteView plain, const SecretPlace& place) override;
  Result<Bytes> open(ByteView sealed, const SecretPlace& place) const override;
  Bytes keyed_hash(std::string_view purpose, ByteView input) const override;
  std::string key_id() const override;

 private:
  Entropy& entropy_;
  Bytes seal_key_;
  Bytes hash_key_;
  Bytes key_id_;
};

}  // namespace kalends
