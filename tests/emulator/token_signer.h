// SPDX-License-Identifier: Apache-2.0
// Signs id_tokens (RS256) and publishes the public halves. The keys are made anew in every process and
// protect nothing; they are the one part of the stand-in that the seed does not fix.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/emulator/message.h"

namespace kalends::emulator {

std::string base64_url(std::string_view bytes);
std::string sha256(std::string_view bytes);

class TokenSigner {
 public:
  TokenSigner();
  ~TokenSigner();
  TokenSigner(const TokenSigner&) = delete;
  TokenSigner& operator=(const TokenSigner&) = delete;

  // A compact JWT with these claims.
  std::string sign(const Json& claims);
  // A new key signs from now on; the old one stays published.
  void rotate();
  // {"keys":[…]}
  Json published_keys();

 private:
  struct Key;
  void ensure_key();
  std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace kalends::emulator
