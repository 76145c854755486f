// SPDX-License-Identifier: Apache-2.0
// UTF-8 helpers. Positions are Unicode code points, never bytes or UTF-16 units.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kalends {

// The parts, one behind the other.
std::string join(std::initializer_list<std::string_view> parts);

// Well-formed UTF-8 without overlong forms, surrogates or NUL (RFC 3629).
bool is_valid_text(std::string_view text);

// Number of code points. Requires: is_valid_text(text).
uint32_t code_point_count(std::string_view text);

// Byte offset of the code point at `index`; text.size() when index is past the end. Requires:
// is_valid_text(text).
size_t byte_offset(std::string_view text, uint32_t index);

// One replacement that turns `before` into `after`: the text between the common prefix and the common suffix.
struct Splice {
  uint32_t position = 0;  // code points
  uint32_t removed = 0;   // code points
  std::string inserted;
  friend bool operator==(const Splice&, const Splice&) = default;
};
Splice difference(std::string_view before, std::string_view after);

}  // namespace kalends
