// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/worker/temporary_folder.h"
#include "worker/base/encoding.h"
#include "worker/crypto/aes_gcm.h"
#include "worker/crypto/aes_gcm_secret_box.h"
#include "worker/crypto/hash.h"
#include "worker/crypto/key_file.h"
#include "worker/crypto/system_entropy.h"

namespace kalends {
namespace {

Bytes from_hex(std::string_view text) { return hex_decode(text).value(); }

const Bytes kRow{1, 2, 3};
SecretPlace place() { return {WorkspaceId{}, "accounts", kRow, "sealed", 1}; }

struct BoxFixture {
  SystemEntropy entropy;
  AesGcmSecretBox box{Bytes(32, 7), entropy};
};

TEST_CASE("AES-256-GCM gives the published ciphertext and tag") {
  // Test case 16 of the GCM specification (McGrew and Viega).
  Bytes key = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  Bytes nonce = from_hex("cafebabefacedbaddecaf888");
  Bytes plain = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aed"
      "f5aa0de657"
      "ba637b39");
  Bytes associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  Bytes sealed = aes_gcm_seal(key, nonce, plain, associated);
  CHECK(hex_encode(sealed) ==
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f6"
        "1e6393ba7a0a"
        "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
  CHECK(aes_gcm_open(key, nonce, sealed, associated).value() == plain);
}

TEST_CASE("SHA-256, HMAC and HKDF give the published values") {
  CHECK(hex_encode(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2.
  CHECK(hex_encode(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 5869, test case 3: empty salt and info.
  CHECK(hex_encode(hkdf_sha256(Bytes(22, 0x0b), "", 42)) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE_METHOD(BoxFixture, "A sealed value opens at its own place and shows nothing of the plain text") {
  Bytes plain = to_bytes("refresh token of somebody");
  Bytes sealed = box.seal(plain, place()).value();
  CHECK(box.open(sealed, place()).value() == plain);
  CHECK(as_text(sealed).find("refresh") == std::string_view::npos);
  CHECK(box.seal(plain, place()).value() != sealed);
  CHECK(box.open(box.seal({}, place()).value(), place()).value().empty());
}

TEST_CASE_METHOD(BoxFixture,
                 "A sealed value does not open in another workspace, table, row, column or version") {
  Bytes sealed = box.seal(as_bytes("secret"), place()).value();
  Bytes other_row{1, 2, 4};
  SecretPlace wrong[] = {place(), place(), place(), place(), place()};
  wrong[0].workspace.raw.bytes[15] = 1;
  wrong[1].table = "links";
  wrong[2].row = other_row;
  wrong[3].column = "label";
  wrong[4].version = 2;
  for (const SecretPlace& elsewhere : wrong) {
    CHECK(box.open(sealed, elsewhere).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE_METHOD(BoxFixture, "A sealed value with any byte changed or cut does not open") {
  const Bytes sealed = box.seal(as_bytes("secret"), place()).value();
  for (size_t i = 0; i < sealed.size(); ++i) {
    Bytes damaged = sealed;
    damaged[i] ^= 1;
    CHECK_FALSE(box.open(damaged, place()).ok());
    CHECK_FALSE(box.open(ByteView(sealed).first(i), place()).ok());
  }
}

TEST_CASE_METHOD(BoxFixture, "A value sealed by a newer suite is told apart from a damaged one") {
  Bytes sealed = box.seal(as_bytes("secret"), place()).value();
  sealed[0] = 2;
  CHECK(box.open(sealed, place()).error().code == ErrorCode::kUnsupportedVersion);
}

TEST_CASE_METHOD(BoxFixture, "Another key neither opens a value nor makes the same keyed hash") {
  AesGcmSecretBox other(Bytes(32, 8), entropy);
  Bytes sealed = box.seal(as_bytes("secret"), place()).value();
  CHECK(other.open(sealed, place()).error().code == ErrorCode::kCorrupt);
  CHECK(other.key_id() != box.key_id());
  CHECK(box.keyed_hash("event", as_bytes("a")) == box.keyed_hash("event", as_bytes("a")));
  CHECK(box.keyed_hash("event", as_bytes("a")) != box.keyed_hash("calendar", as_bytes("a")));
  CHECK(box.keyed_hash("event", as_bytes("a")) != other.keyed_hash("event", as_bytes("a")));
  CHECK(box.keyed_hash("ab", as_bytes("c")) != box.keyed_hash("a", as_bytes("bc")));
}

TEST_CASE("Comparison in constant time tells equal from unequal") {
  CHECK(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST_CASE("The key file is made once, for its owner only, and is the same on the next run") {
  TemporaryFolder folder;
  SystemEntropy entropy;
  std::string path = folder.path() + "/kalends.key";
  Bytes key = load_or_make_key(path, entropy).value();
  CHECK(key.size() == 32);
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(load_or_make_key(path, entropy).value() == key);
}

TEST_CASE("A key file that others can read is refused with the command that mends it") {
  TemporaryFolder folder;
  SystemEntropy entropy;
  std::string path = folder.path() + "/kalends.key";
  REQUIRE(load_or_make_key(path, entropy).ok());
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  auto refused = load_or_make_key(path, entropy);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kForbidden);
  CHECK(refused.error().message.find("chmod 600") != std::string::npos);
}

TEST_CASE("A lost, cut or swapped key file is noticed and never replaced in silence") {
  TemporaryFolder folder;
  SystemEntropy entropy;
  std::string path = folder.path() + "/kalends.key";
  REQUIRE(load_or_make_key(path, entropy).ok());
  SECTION("lost") {
    std::filesystem::remove(path);
    CHECK(load_or_make_key(path, entropy).error().code == ErrorCode::kCorrupt);
    CHECK_FALSE(std::filesystem::exists(path));
  }
  SECTION("cut") {
    REQUIRE(::truncate(path.c_str(), 31) == 0);
    CHECK(load_or_make_key(path, entropy).error().code == ErrorCode::kCorrupt);
  }
  SECTION("swapped") {
    std::ofstream(path, std::ios::binary) << std::string(32, 'x');
    CHECK(load_or_make_key(path, entropy).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("A key whose check value was not written yet gets it on the next run") {
  TemporaryFolder folder;
  SystemEntropy entropy;
  std::string path = folder.path() + "/kalends.key";
  Bytes key = load_or_make_key(path, entropy).value();
  std::filesystem::remove(path + ".check");
  CHECK(load_or_make_key(path, entropy).value() == key);
  CHECK(std::filesystem::exists(path + ".check"));
}

}  // namespace
}  // namespace kalends
