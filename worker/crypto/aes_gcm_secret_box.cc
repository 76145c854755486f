// SPDX-License-Identifier: Apache-2.0
#include "worker/crypto/aes_gcm_secret_box.h"

#include "worker/base/encoding.h"
#include "worker/crypto/aes_gcm.h"
#include "worker/crypto/hash.h"

namespace kalends {
namespace {

// Do not renumber: stored in every sealed value.
constexpr uint8_t kSuite = 1;
constexpr size_t kKeyIdSize = 8;
constexpr size_t kHeaderSize = 1 + kKeyIdSize + kAesNonceSize;

void append_counted(Bytes& out, ByteView part) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(part.size() >> shift));
  out.insert(out.end(), part.begin(), part.end());
}

// Counted parts: no two places share their bytes ("ab"+"c" and "a"+"bc").
Bytes associated_bytes(uint8_t suite, const SecretPlace& place) {
  Bytes out{suite};
  append_counted(out, place.workspace.raw.bytes);
  append_counted(out, as_bytes(place.table));
  append_counted(out, place.row);
  append_counted(out, as_bytes(place.column));
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(place.version >> shift));
  return out;
}

}  // namespace

AesGcmSecretBox::AesGcmSecretBox(ByteView master_key, Entropy& entropy)
    : entropy_(entropy),
      seal_key_(hkdf_sha256(master_key, "kalends seal v1", kAesKeySize)),
      hash_key_(hkdf_sha256(master_key, "kalends keyed hash v1", 32)),
      key_id_(hkdf_sha256(master_key, "kalends key id v1", kKeyIdSize)) {
  KALENDS_CHECK(master_key.size() == 32);
}

AesGcmSecretBox::~AesGcmSecretBox() {
  wipe(seal_key_);
  wipe(hash_key_);
}

Result<Bytes> AesGcmSecretBox::seal(ByteView plain, const SecretPlace& place) {
  Bytes nonce = entropy_.bytes(kAesNonceSize);
  Bytes body = aes_gcm_seal(seal_key_, nonce, plain, associated_bytes(kSuite, place));
  Bytes sealed{kSuite};
  sealed.insert(sealed.end(), key_id_.begin(), key_id_.end());
  sealed.insert(sealed.end(), nonce.begin(), nonce.end());
  sealed.insert(sealed.end(), body.begin(), body.end());
  return sealed;
}

Result<Bytes> AesGcmSecretBox::open(ByteView sealed, const SecretPlace& place) const {
  if (sealed.empty()) return corrupt("a sealed value is empty");
  if (sealed[0] != kSuite) {
    return Error{ErrorCode::kUnsupportedVersion, "a value was sealed by a newer version of Kalends", 0};
  }
  if (sealed.size() < kHeaderSize + kAesTagSize) return corrupt("a sealed value is cut short");
  if (!equal_in_constant_time(sealed.subspan(1, kKeyIdSize), key_id_)) {
    return corrupt("a sealed value was made with another key file");
  }
  return aes_gcm_open(seal_key_, sealed.subspan(1 + kKeyIdSize, kAesNonceSize), sealed.subspan(kHeaderSize),
                      associated_bytes(kSuite, place));
}

Bytes AesGcmSecretBox::keyed_hash(std::string_view purpose, ByteView input) const {
  Bytes message;
  append_counted(message, as_bytes(purpose));
  message.insert(message.end(), input.begin(), input.end());
  return hmac_sha256(hash_key_, message);
}

std::string AesGcmSecretBox::key_id() const { return hex_encode(key_id_); }

}  // namespace kalends
