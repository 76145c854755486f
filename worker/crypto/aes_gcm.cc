// SPDX-License-Identifier: Apache-2.0
#include "worker/crypto/aes_gcm.h"

#include <openssl/evp.h>

#include <memory>

namespace kalends {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// EVP counts in int; nothing that we seal comes near.
constexpr size_t kPlainSizeMax = 64 * 1024 * 1024;

}  // namespace

Bytes aes_gcm_seal(ByteView key, ByteView nonce, ByteView plain, ByteView associated) {
  KALENDS_CHECK(key.size() == kAesKeySize && nonce.size() == kAesNonceSize);
  KALENDS_CHECK(plain.size() <= kPlainSizeMax && associated.size() <= kPlainSizeMax);
  Context context(EVP_CIPHER_CTX_new());
  Bytes sealed(plain.size() + kAesTagSize);
  int size = 0;
  KALENDS_CHECK(context &&
                EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1);
  KALENDS_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &size, associated.data(),
                                  static_cast<int>(associated.size())) == 1);
  if (!plain.empty()) {
    KALENDS_CHECK(EVP_EncryptUpdate(context.get(), sealed.data(), &size, plain.data(),
                                    static_cast<int>(plain.size())) == 1);
  }
  KALENDS_CHECK(EVP_EncryptFinal_ex(context.get(), sealed.data() + plain.size(), &size) == 1);
  KALENDS_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kAesTagSize,
                                    sealed.data() + plain.size()) == 1);
  return sealed;
}

Result<Bytes> aes_gcm_open(ByteView key, ByteView nonce, ByteView sealed, ByteView associated) {
  KALENDS_CHECK(key.size() == kAesKeySize && nonce.size() == kAesNonceSize);
  const Error failure = corrupt("a sealed value does not open with this key at this place");
  if (sealed.size() < kAesTagSize || sealed.size() > kPlainSizeMax) return failure;
  Context context(EVP_CIPHER_CTX_new());
  Bytes plain(sealed.size() - kAesTagSize);
  Bytes tag(sealed.end() - kAesTagSize, sealed.end());
  int size = 0;
  bool opened =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, associated.data(),
                        static_cast<int>(associated.size())) == 1 &&
      (plain.empty() || EVP_DecryptUpdate(context.get(), plain.data(), &size, sealed.data(),
                                          static_cast<int>(plain.size())) == 1) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kAesTagSize, tag.data()) == 1;
  uint8_t nothing[kAesTagSize];
  if (!opened || EVP_DecryptFinal_ex(context.get(), nothing, &size) != 1) return failure;
  return plain;
}

}  // namespace kalends
