// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/token_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "core/base/check.h"
#include "tests/emulator/prng.h"

namespace kalends::emulator {
namespace {

constexpr unsigned kKeyBits = 2048;

std::string number_bytes(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  KALENDS_CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

}  // namespace

struct TokenSigner::Key {
  EVP_PKEY* pair = nullptr;
  std::string id;
  ~Key() { EVP_PKEY_free(pair); }
};

std::string base64_url(std::string_view bytes) {
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char c : bytes) {
    buffer = (buffer << 8) | c;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(kUrlSafe[(buffer >> bits) & 63]);
    }
    buffer &= (1u << bits) - 1;
  }
  if (bits > 0) text.push_back(kUrlSafe[(buffer << (6 - bits)) & 63]);

  return text;
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length,
             EVP_sha256(), nullptr);
  return digest;
}

TokenSigner::TokenSigner() = default;
TokenSigner::~TokenSigner() = default;

void TokenSigner::rotate() {
  auto key = std::make_unique<Key>();
  key->pair = EVP_RSA_gen(kKeyBits);
  KALENDS_CHECK(key->pair != nullptr);
  key->id = base64_url(sha256(number_bytes(key->pair, OSSL_PKEY_PARAM_RSA_N)).substr(0, 15));
  keys_.push_back(std::move(key));
}

void TokenSigner::ensure_key() {
  // Making a key takes a noticeable moment, and most tests never ask for an id_token.
  if (keys_.empty()) rotate();
}

std::string TokenSigner::sign(const Json& claims) {
  ensure_key();
  const Key& key = *keys_.back();
  Json header = {{"alg", "RS256"}, {"kid", key.id}, {"typ", "JWT"}};
  std::string text = base64_url(header.dump()) + "." + base64_url(claims.dump());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string signature(kKeyBits / 8, '\0');
  size_t length = signature.size();
  bool is_signed = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key.pair) == 1 &&
                   EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length,
                                  reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  KALENDS_CHECK(is_signed);
  return text + "." + base64_url(std::string_view(signature).substr(0, length));
}

Json TokenSigner::published_keys() {
  ensure_key();
  Json keys = Json::array();
  for (const auto& key : keys_) {
    keys.push_back({{"kty", "RSA"},
                    {"alg", "RS256"},
                    {"use", "sig"},
                    {"kid", key->id},
                    {"n", base64_url(number_bytes(key->pair, OSSL_PKEY_PARAM_RSA_N))},
                    {"e", base64_url(number_bytes(key->pair, OSSL_PKEY_PARAM_RSA_E))}});
  }
  return {{"keys", keys}};
}

}  // namespace kalends::emulator
