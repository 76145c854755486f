// SPDX-License-Identifier: Apache-2.0
// The input is a token, a list of keys, and what a key of ours signs: header and claims, a line each. A token
// without that signature is never taken, one with it only when it names somebody.
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/base/encoding.h"
#include "worker/google/id_token.h"

namespace kalends {
namespace {

struct Signer {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  GoogleKeys keys;
  Signer() {
    BIGNUM* modulus = nullptr;
    KALENDS_CHECK(EVP_PKEY_get_bn_param(key, "n", &modulus) == 1);
    Bytes bytes(static_cast<size_t>(BN_num_bytes(modulus)));
    BN_bn2bin(modulus, bytes.data());
    keys["k1"] = {bytes, {1, 0, 1}};
    BN_free(modulus);
  }
  std::string sign(std::string_view header, std::string_view claims) const {
    std::string message = base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(claims));
    Bytes signature(256);
    size_t size = signature.size();
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    KALENDS_CHECK(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1);
    KALENDS_CHECK(
        EVP_DigestSign(context, signature.data(), &size, as_bytes(message).data(), message.size()) == 1);
    EVP_MD_CTX_free(context);
    return message + "." + base64url_encode(signature);
  }
};

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  static const Signer signer;
  const IdTokenExpectation expectation{"client", "nonce", 1'796'000'000'000};
  std::string_view input = as_text({data, size});
  if (auto keys = parse_google_keys(input); keys.ok())
    (void)verify_id_token("e30.e30.AA", *keys, expectation);
  KALENDS_CHECK(!verify_id_token(input, signer.keys, expectation).ok());

  size_t end = std::min(input.find('\n'), input.size());
  std::string token = signer.sign(input.substr(0, end), input.substr(std::min(end + 1, input.size())));
  auto claims = verify_id_token(token, signer.keys, expectation);
  if (!claims.ok()) return 0;
  KALENDS_CHECK(!claims->subject.empty());
  token[token.rfind('.') + 1] ^= 1;
  KALENDS_CHECK(!verify_id_token(token, signer.keys, expectation).ok());
  return 0;
}
