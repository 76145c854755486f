// SPDX-License-Identifier: Apache-2.0
#include "worker/google/id_token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "worker/base/encoding.h"

namespace kalends {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNowSeconds = 1'796'000'000;
const IdTokenExpectation kExpectation{"client-1", "nonce-1", kNowSeconds * 1000};

// Somebody who signs, as Google does.
class Signer {
 public:
  explicit Signer(unsigned bits = 2048) : key_(EVP_RSA_gen(bits)) {}
  ~Signer() { EVP_PKEY_free(key_); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  Bytes number(const char* name) const {
    BIGNUM* value = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key_, name, &value) == 1);
    Bytes bytes(static_cast<size_t>(BN_num_bytes(value)));
    BN_bn2bin(value, bytes.data());
    BN_free(value);
    return bytes;
  }
  std::string keys_body(const std::string& id) const {
    return Json{{"keys",
                 {{{"kty", "RSA"},
                   {"use", "sig"},
                   {"alg", "RS256"},
                   {"kid", id},
                   {"n", base64url_encode(number(OSSL_PKEY_PARAM_RSA_N))},
                   {"e", base64url_encode(number(OSSL_PKEY_PARAM_RSA_E))}},
                  {{"kty", "EC"}, {"kid", "other"}}}}}
        .dump();
  }
  std::string sign(const Json& header, const Json& claims) const {
    std::string message =
        base64url_encode(as_bytes(header.dump())) + "." + base64url_encode(as_bytes(claims.dump()));
    Bytes signature(1024);
    size_t size = signature.size();
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    REQUIRE(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_) == 1);
    REQUIRE(EVP_DigestSign(context, signature.data(), &size, reinterpret_cast<const uint8_t*>(message.data()),
                           message.size()) == 1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return message + "." + base64url_encode(signature);
  }

 private:
  EVP_PKEY* key_;
};

const Signer& google() {
  static const Signer signer;
  return signer;
}
const GoogleKeys& keys() {
  static const GoogleKeys parsed = parse_google_keys(google().keys_body("k1")).value();
  return parsed;
}
Json header() { return {{"alg", "RS256"}, {"kid", "k1"}, {"typ", "JWT"}}; }
Json claims() {
  return {{"iss", "https://accounts.google.com"},
          {"aud", "client-1"},
          {"sub", "1234567890"},
          {"email", "a@b.c"},
          {"email_verified", true},
          {"nonce", "nonce-1"},
          {"iat", kNowSeconds - 10},
          {"exp", kNowSeconds + 3600}};
}
ErrorCode code_of(const std::string& token) {
  return verify_id_token(token, keys(), kExpectation).error().code;
}

TEST_CASE("A token that Google signed for us now is accepted, in both spellings of the issuer") {
  auto accepted = verify_id_token(google().sign(header(), claims()), keys(), kExpectation).value();
  CHECK(accepted.subject == "1234567890");
  CHECK(accepted.email == "a@b.c");
  CHECK(accepted.is_email_verified);
  Json short_issuer = claims();
  short_issuer["iss"] = "accounts.google.com";
  short_issuer["email_verified"] = "true";
  CHECK(
      verify_id_token(google().sign(header(), short_issuer), keys(), kExpectation).value().is_email_verified);
}

TEST_CASE("A token with one wrong claim is refused") {
  struct Case {
    const char* claim;
    Json value;
  };
  auto row = GENERATE(Case{"iss", "https://evil.example"}, Case{"iss", nullptr}, Case{"aud", "client-2"},
                      Case{"aud", Json::array({"client-1", "client-2"})}, Case{"exp", kNowSeconds - 301},
                      Case{"exp", nullptr}, Case{"iat", kNowSeconds + 301}, Case{"nonce", "other"},
                      Case{"nonce", nullptr}, Case{"sub", ""}, Case{"sub", std::string(256, '1')});
  Json wrong = claims();
  wrong[row.claim] = row.value;
  CAPTURE(row.claim, row.value.dump());
  CHECK(code_of(google().sign(header(), wrong)) == ErrorCode::kUnauthenticated);
}

TEST_CASE("The classic forgeries are refused") {
  std::string good = google().sign(header(), claims());
  std::string message = good.substr(0, good.rfind('.'));
  SECTION("no algorithm, no signature") {
    Json none = header();
    none["alg"] = "none";
    std::string token =
        base64url_encode(as_bytes(none.dump())) + "." + base64url_encode(as_bytes(claims().dump())) + ".";
    CHECK(code_of(token) == ErrorCode::kUnauthenticated);
  }
  SECTION("HS256 with the public key as its secret") {
    Json symmetric = header();
    symmetric["alg"] = "HS256";
    std::string text =
        base64url_encode(as_bytes(symmetric.dump())) + "." + base64url_encode(as_bytes(claims().dump()));
    Bytes modulus = google().number(OSSL_PKEY_PARAM_RSA_N);
    Bytes digest(32);
    HMAC(EVP_sha256(), modulus.data(), static_cast<int>(modulus.size()),
         reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data(), nullptr);
    CHECK(code_of(text + "." + base64url_encode(digest)) == ErrorCode::kUnauthenticated);
  }
  SECTION("signed by somebody else") {
    Signer stranger;
    CHECK(code_of(stranger.sign(header(), claims())) == ErrorCode::kUnauthenticated);
  }
  SECTION("claims changed after signing") {
    Json changed = claims();
    changed["sub"] = "999";
    std::string token = good.substr(0, good.find('.') + 1) + base64url_encode(as_bytes(changed.dump())) +
                        good.substr(good.rfind('.'));
    CHECK(code_of(token) == ErrorCode::kUnauthenticated);
  }
  SECTION("signature cut, gone or with another letter") {
    CHECK(code_of(good.substr(0, good.size() - 4)) == ErrorCode::kUnauthenticated);
    CHECK(code_of(message + ".") == ErrorCode::kUnauthenticated);
    good[message.size() + 9] = good[message.size() + 9] == 'A' ? 'B' : 'A';
    CHECK(code_of(good) == ErrorCode::kUnauthenticated);
  }
  SECTION("parts missing, too many or too long") {
    CHECK(code_of("") == ErrorCode::kUnauthenticated);
    CHECK(code_of("a.b") == ErrorCode::kUnauthenticated);
    CHECK(code_of(good + ".x") == ErrorCode::kUnauthenticated);
    CHECK(code_of(std::string(20'000, 'a')) == ErrorCode::kUnauthenticated);
  }
  SECTION("a critical extension") {
    Json critical = header();
    critical["crit"] = Json::array({"exp"});
    CHECK(code_of(google().sign(critical, claims())) == ErrorCode::kUnauthenticated);
  }
}

TEST_CASE("An unknown key is told apart, so that the keys are fetched again") {
  Json unknown = header();
  unknown["kid"] = "k2";
  CHECK(code_of(google().sign(unknown, claims())) == ErrorCode::kNotFound);
}

TEST_CASE("Only usable RSA keys are taken from Google's list") {
  CHECK(keys().size() == 1);
  Signer weak(1024);
  CHECK(parse_google_keys(weak.keys_body("k")).error().code == ErrorCode::kCorrupt);
  CHECK(parse_google_keys("{}").error().code == ErrorCode::kCorrupt);
  CHECK(parse_google_keys("<html>").error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace kalends
