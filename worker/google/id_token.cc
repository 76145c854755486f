// SPDX-License-Identifier: Apache-2.0
#include "worker/google/id_token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

#include "worker/base/encoding.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

constexpr size_t kTokenSizeMax = 16 * 1024;
constexpr size_t kKeysMax = 32;
constexpr size_t kModulusBytesMin = 256;
constexpr size_t kModulusBytesMax = 1024;
// Two machines' clocks may differ by so much.
constexpr int64_t kClockLeewaySeconds = 300;
constexpr size_t kSubjectSizeMax = 255;

template <auto free_function>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;

Error refused(std::string why) {
  return {ErrorCode::kUnauthenticated, "the id token is refused: " + std::move(why), 0};
}

// nullptr: OpenSSL does not take it.
Key make_key(const RsaPublicKey& source) {
  BigNumber modulus(BN_bin2bn(source.modulus.data(), static_cast<int>(source.modulus.size()), nullptr));
  BigNumber exponent(BN_bin2bn(source.exponent.data(), static_cast<int>(source.exponent.size()), nullptr));
  ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder) return nullptr;
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

bool is_signature_good(const RsaPublicKey& source, std::string_view message, ByteView signature) {
  Key key = make_key(source);
  DigestContext context(EVP_MD_CTX_new());
  return key && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          reinterpret_cast<const uint8_t*>(message.data()), message.size()) == 1;
}

Result<Json> decode_part(std::string_view part) {
  auto bytes = base64url_decode(part);
  if (!bytes) return refused("a part is not base64url");
  auto value = parse_json(as_text(*bytes), kTokenSizeMax);
  if (!value.ok() || !value->is_object()) return refused("a part is not a JSON object");
  return std::move(*value);
}

Status check_claims(const Json& claims, const IdTokenExpectation& expectation) {
  std::string issuer = json_text_or_empty(claims, "iss");
  if (issuer != "https://accounts.google.com" && issuer != "accounts.google.com")
    return refused("wrong issuer");
  // One audience, as text: a list would need rules about who else may use it.
  if (expectation.client_id.empty() || json_text_or_empty(claims, "aud") != expectation.client_id) {
    return refused("made for another application");
  }
  int64_t now_seconds = expectation.now_ms / 1000;
  auto expires = json_integer(claims, "exp");
  auto issued = json_integer(claims, "iat");
  if (!expires || *expires <= now_seconds - kClockLeewaySeconds) return refused("too old");
  if (!issued || *issued > now_seconds + kClockLeewaySeconds) return refused("from the future");
  if (expectation.nonce.empty() || json_text_or_empty(claims, "nonce") != expectation.nonce) {
    return refused("not the answer to our question");
  }
  std::string subject = json_text_or_empty(claims, "sub");
  if (subject.empty() || subject.size() > kSubjectSizeMax) return refused("no subject");
  return {};
}

}  // namespace

Result<GoogleKeys> parse_google_keys(std::string_view body) {
  KALENDS_TRY(Json value, parse_json(body, 256 * 1024));
  const Json& list = json_member(value, "keys");
  GoogleKeys keys;
  if (list.is_array()) {
    for (const Json& item : list) {
      std::string use = json_text(item, "use").value_or("sig");
      std::string algorithm = json_text(item, "alg").value_or("RS256");
      std::string id = json_text_or_empty(item, "kid");
      auto modulus = base64url_decode(json_text_or_empty(item, "n"));
      auto exponent = base64url_decode(json_text_or_empty(item, "e"));
      bool is_usable = json_text_or_empty(item, "kty") == "RSA" && use == "sig" && algorithm == "RS256" &&
                       !id.empty() && modulus && modulus->size() >= kModulusBytesMin &&
                       modulus->size() <= kModulusBytesMax && exponent && !exponent->empty() &&
                       exponent->size() <= 8;
      if (is_usable && keys.size() < kKeysMax) keys[id] = {std::move(*modulus), std::move(*exponent)};
    }
  }
  if (keys.empty()) return corrupt("Google's list of keys holds no usable key");
  return keys;
}

Result<IdTokenClaims> verify_id_token(std::string_view token, const GoogleKeys& keys,
                                      const IdTokenExpectation& expectation) {
  if (token.size() > kTokenSizeMax) return refused("too long");
  size_t first_dot = token.find('.');
  size_t last_dot = token.rfind('.');
  if (first_dot == std::string_view::npos || first_dot == last_dot) return refused("not three parts");
  std::string_view payload_part = token.substr(first_dot + 1, last_dot - first_dot - 1);
  if (payload_part.find('.') != std::string_view::npos) return refused("not three parts");

  KALENDS_TRY(Json header, decode_part(token.substr(0, first_dot)));
  // The one algorithm, whatever the token would like: "none" and HS256 with a public key are the classic
  // forgeries.
  if (json_text_or_empty(header, "alg") != "RS256") return refused("wrong algorithm");
  if (header.contains("crit")) return refused("it demands what we do not know");
  auto key = keys.find(json_text_or_empty(header, "kid"));
  if (key == keys.end()) return not_found("the id token is signed with a key that is not known yet");
  auto signature = base64url_decode(token.substr(last_dot + 1));
  if (!signature || !is_signature_good(key->second, token.substr(0, last_dot), *signature)) {
    return refused("wrong signature");
  }
  KALENDS_TRY(Json claims, decode_part(payload_part));
  KALENDS_TRY_VOID(check_claims(claims, expectation));
  return IdTokenClaims{json_text_or_empty(claims, "sub"), json_text_or_empty(claims, "email"),
                       json_is_true(claims, "email_verified")};
}

}  // namespace kalends
