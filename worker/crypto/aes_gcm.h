// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM with a caller's nonce. Use AesGcmSecretBox unless the nonce is given from outside (test
// vectors).
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace kalends {

inline constexpr size_t kAesKeySize = 32;
inline constexpr size_t kAesNonceSize = 12;
inline constexpr size_t kAesTagSize = 16;

// Ciphertext followed by the tag.
// Requires: the key and the nonce have their sizes; a nonce is never used twice with one key.
Bytes aes_gcm_seal(ByteView key, ByteView nonce, ByteView plain, ByteView associated);
// kCorrupt for every failure alike.
Result<Bytes> aes_gcm_open(ByteView key, ByteView nonce, ByteView sealed, ByteView associated);

}  // namespace kalends
