// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"

#include <algorithm>
#include <cstring>

namespace kalends {
namespace {

bool is_continuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

uint64_t word_at(std::string_view text, size_t i) {
  uint64_t word;
  std::memcpy(&word, text.data() + i, 8);
  return word;
}

// Length of the well-formed sequence that starts at `i`, 0 when there is none.
size_t sequence_length(std::string_view text, size_t i) {
  auto byte = [&](size_t k) { return static_cast<uint8_t>(text[k]); };
  uint8_t lead = byte(i);
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k)
    if (!is_continuation(text[i + k])) return 0;
  uint8_t second = byte(i + 1);
  if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
  if (lead == 0xED && second > 0x9F) return 0;  // surrogate
  if (lead == 0xF0 && second < 0x90) return 0;  // overlong
  if (lead == 0xF4 && second > 0x8F) return 0;  // beyond U+10FFFF
  return length;
}

}  // namespace

std::string join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts) text += part;
  return text;
}

bool is_valid_text(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    // Eight bytes of ASCII at once; the subtraction borrows where a byte is NUL.
    while (i + 8 <= text.size()) {
      uint64_t word = word_at(text, i);
      if (((word | (word - kOnes)) & kHighs) != 0) break;
      i += 8;
    }
    if (i == text.size()) break;
    size_t length = sequence_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

uint32_t code_point_count(std::string_view text) {
  size_t count = text.size();
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = word_at(text, i);
    if ((word & kHighs) == 0) continue;
    uint64_t continuations = word >> 7 & ~(word >> 6) & kOnes;
    count -= static_cast<size_t>(continuations * kOnes >> 56);
  }
  for (; i < text.size(); ++i) count -= is_continuation(text[i]);
  return static_cast<uint32_t>(count);
}

size_t byte_offset(std::string_view text, uint32_t index) {
  size_t i = 0;
  while (i < text.size() && index > 0) {
    ++i;
    while (i < text.size() && is_continuation(text[i])) ++i;
    --index;
  }
  return i;
}

Splice difference(std::string_view before, std::string_view after) {
  size_t prefix = 0;
  size_t shorter = std::min(before.size(), after.size());
  while (prefix < shorter && before[prefix] == after[prefix]) ++prefix;
  // Never cut inside a code point.
  while (prefix > 0 && ((prefix < before.size() && is_continuation(before[prefix])) ||
                        (prefix < after.size() && is_continuation(after[prefix]))))
    --prefix;
  size_t suffix = 0;
  while (suffix < shorter - prefix && before[before.size() - 1 - suffix] == after[after.size() - 1 - suffix])
    ++suffix;
  while (suffix > 0 && is_continuation(before[before.size() - suffix])) --suffix;
  Splice splice;
  splice.position = code_point_count(before.substr(0, prefix));
  splice.removed = code_point_count(before.substr(prefix, before.size() - prefix - suffix));
  splice.inserted = std::string(after.substr(prefix, after.size() - prefix - suffix));
  return splice;
}

}  // namespace kalends
