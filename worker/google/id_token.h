// SPDX-License-Identifier: Apache-2.0
// Verification of Google's id tokens: RS256 over Google's published keys, then issuer, audience, time and
// nonce.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace kalends {

struct RsaPublicKey {
  Bytes modulus;
  Bytes exponent;
  friend bool operator==(const RsaPublicKey&, const RsaPublicKey&) = default;
};

// By key id.
using GoogleKeys = std::map<std::string, RsaPublicKey, std::less<>>;

// Keys of other kinds and uses are skipped. kCorrupt: no JSON, or no key at all.
Result<GoogleKeys> parse_google_keys(std::string_view body);

struct IdTokenExpectation {
  std::string client_id;
  std::string nonce;
  int64_t now_ms = 0;
};

struct IdTokenClaims {
  std::string subject;  // the only stable name of the account
  std::string email;    // may change: to show, never to find somebody by
  bool is_email_verified = false;
};

// kNotFound: signed with a key that is not among `keys`: fetch them again, once. kUnauthenticated: anything
// else that is wrong with it.
Result<IdTokenClaims> verify_id_token(std::string_view token, const GoogleKeys& keys,
                                      const IdTokenExpectation& expectation);

}  // namespace kalends
