// SPDX-License-Identifier: Apache-2.0
#include "worker/base/encoding.h"

namespace kalends {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32Hex = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kHex = "0123456789abcdef";

// Every alphabet here has 2^width letters, so that one loop serves all three.
std::string encode(ByteView bytes, std::string_view alphabet, int width) {
  std::string text;
  text.reserve((bytes.size() * 8 + width - 1) / width);
  const uint32_t mask = (1u << width) - 1;
  uint32_t held = 0;
  int held_bits = 0;
  for (uint8_t byte : bytes) {
    held = held << 8 | byte;
    held_bits += 8;
    while (held_bits >= width) {
      held_bits -= width;
      text.push_back(alphabet[held >> held_bits & mask]);
    }
    held &= (1u << held_bits) - 1;
  }
  if (held_bits > 0) text.push_back(alphabet[held << (width - held_bits) & mask]);
  return text;
}

std::optional<Bytes> decode(std::string_view text, std::string_view alphabet, int width) {
  Bytes bytes;
  bytes.reserve(text.size() * width / 8);
  uint32_t held = 0;
  int held_bits = 0;
  for (char letter : text) {
    size_t value = alphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    held = held << width | static_cast<uint32_t>(value);
    held_bits += width;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes.push_back(static_cast<uint8_t>(held >> held_bits));
      held &= (1u << held_bits) - 1;
    }
  }
  // A whole letter too many, or bits that no encoder sets: a second spelling of the same bytes.
  if (held_bits >= width || held != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string base64url_encode(ByteView bytes) { return encode(bytes, kBase64Url, 6); }
std::optional<Bytes> base64url_decode(std::string_view text) { return decode(text, kBase64Url, 6); }
std::string base32hex_encode(ByteView bytes) { return encode(bytes, kBase32Hex, 5); }
std::optional<Bytes> base32hex_decode(std::string_view text) { return decode(text, kBase32Hex, 5); }
std::string hex_encode(ByteView bytes) { return encode(bytes, kHex, 4); }
std::optional<Bytes> hex_decode(std::string_view text) { return decode(text, kHex, 4); }

}  // namespace kalends
