// SPDX-License-Identifier: Apache-2.0
#include "worker/base/encoding.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

TEST_CASE("base64url and base32hex give the published texts") {
  // RFC 4648 section 10, without padding.
  CHECK(base64url_encode(as_bytes("foobar")) == "Zm9vYmFy");
  CHECK(base64url_encode(as_bytes("fooba")) == "Zm9vYmE");
  CHECK(base64url_encode(Bytes{0xfb, 0xff}) == "-_8");
  CHECK(base32hex_encode(as_bytes("foobar")) == "cpnmuoj1e8");
  CHECK(base32hex_encode(as_bytes("f")) == "co");
  CHECK(hex_encode(Bytes{0, 0xab}) == "00ab");
}

TEST_CASE("Every length of bytes survives each encoding") {
  Bytes bytes;
  for (int size = 0; size < 70; ++size) {
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
    CHECK(base32hex_decode(base32hex_encode(bytes)) == bytes);
    CHECK(hex_decode(hex_encode(bytes)) == bytes);
    bytes.push_back(static_cast<uint8_t>(size * 37 + 5));
  }
}

TEST_CASE("Decoders refuse a second spelling of the same bytes") {
  CHECK_FALSE(base64url_decode("Zm9vYmE="));
  CHECK_FALSE(base64url_decode("Zm9v YmFy"));
  CHECK_FALSE(base64url_decode("Zm9vYmF"));  // stray bits
  CHECK_FALSE(base64url_decode("Z"));
  CHECK_FALSE(base64url_decode("+/8"));
  CHECK_FALSE(base32hex_decode("CO"));
  CHECK_FALSE(base32hex_decode("cp1"));  // stray bits
  CHECK_FALSE(hex_decode("abc"));
  CHECK_FALSE(hex_decode("AB"));
}

}  // namespace
}  // namespace kalends
