// SPDX-License-Identifier: Apache-2.0
// What is built on SHA-256. All of it is OpenSSL's; none of these can fail for reasons of the input.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "worker/base/sha256.h"

namespace kalends {

Bytes hmac_sha256(ByteView key, ByteView input);
// RFC 5869 with SHA-256 and an empty salt.
// Requires: size <= 8160.
Bytes hkdf_sha256(ByteView key, std::string_view info, size_t size);
// Takes the same time wherever the two differ. Different lengths are told apart at once: they are no secret.
bool equal_in_constant_time(ByteView a, ByteView b);
// Overwrites memory that held a secret; the compiler may not leave it out.
void wipe(Bytes& secret);

}  // namespace kalends
