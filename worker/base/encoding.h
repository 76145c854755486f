// SPDX-License-Identifier: Apache-2.0
// Text forms of bytes. Decoders are strict: one spelling per value, no padding, no white space, no stray
// bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace kalends {

// RFC 4648 section 5, without padding.
std::string base64url_encode(ByteView bytes);
std::optional<Bytes> base64url_decode(std::string_view text);

// RFC 4648 section 7 in lower case and without padding: the alphabet of Google's event ids.
std::string base32hex_encode(ByteView bytes);
std::optional<Bytes> base32hex_decode(std::string_view text);

// Lower-case hexadecimal.
std::string hex_encode(ByteView bytes);
std::optional<Bytes> hex_decode(std::string_view text);

}  // namespace kalends
