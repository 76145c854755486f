// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/sync_token.h"

#include "tests/emulator/prng.h"

namespace kalends::emulator {
namespace {

std::string hex(uint64_t number) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, number >>= 4) text[static_cast<size_t>(i)] = kDigits[number & 15];
  return text;
}

std::string to_base64(const std::string& bytes) {
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char c : bytes) {
    buffer = (buffer << 8) | c;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(kUrlSafe[(buffer >> bits) & 63]);
    }
    buffer &= (1u << bits) - 1;
  }
  if (bits > 0) text.push_back(kUrlSafe[(buffer << (6 - bits)) & 63]);
  return text;
}

std::optional<std::string> from_base64(const std::string& text) {
  std::string bytes;
  unsigned buffer = 0;
  int bits = 0;
  for (char c : text) {
    size_t value = kUrlSafe.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 6) | static_cast<unsigned>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>((buffer >> bits) & 255));
      buffer &= (1u << bits) - 1;
    }
  }
  return bytes;
}

std::string seal(const Json& content, uint64_t key) {
  std::string text = content.dump();
  return to_base64(hex(fingerprint(text, key | 1)) + text);
}

std::optional<Json> open(const std::string& sealed, uint64_t key, const char* kind) {
  auto bytes = from_base64(sealed);
  if (!bytes || bytes->size() < 17) return std::nullopt;
  std::string text = bytes->substr(16);
  if (bytes->substr(0, 16) != hex(fingerprint(text, key | 1))) return std::nullopt;
  Json content = Json::parse(text, nullptr, false);
  if (!content.is_array() || content.empty() || content[0] != kind) return std::nullopt;
  return content;
}

Json optional_number(const std::optional<int64_t>& number) { return number ? Json(*number) : Json(); }

std::optional<int64_t> read_optional(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<int64_t>(value.get<int64_t>());
}

}  // namespace

std::string write_token(const SyncToken& token, uint64_t key) {
  return seal(Json::array({"s", token.mail, token.collection, token.query_hash, token.change, token.epoch,
                           token.made_ms, optional_number(token.time_min), optional_number(token.time_max)}),
              key);
}

std::string write_token(const PageToken& token, uint64_t key) {
  return seal(
      Json::array({"p", token.collection, token.query_hash, token.after, token.snapshot, token.was_empty}),
      key);
}

std::optional<SyncToken> read_sync_token(const std::string& text, uint64_t key) {
  auto content = open(text, key, "s");
  if (!content) return std::nullopt;
  const Json& parts = *content;
  return SyncToken{parts[1],
                   parts[2],
                   parts[3],
                   parts[4],
                   parts[5],
                   parts[6],
                   read_optional(parts[7]),
                   read_optional(parts[8])};
}

std::optional<PageToken> read_page_token(const std::string& text, uint64_t key) {
  auto content = open(text, key, "p");
  if (!content) return std::nullopt;
  const Json& parts = *content;
  return PageToken{parts[1], parts[2], parts[3], parts[4], parts[5]};
}

}  // namespace kalends::emulator
