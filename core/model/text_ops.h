// SPDX-License-Identifier: Apache-2.0
// What operations say about a text that several people write at once; text_sequence.h merges it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/model/op_id.h"

namespace kalends {

enum class Side : uint8_t { kBefore = 0, kAfter = 1 };

// One character, by the operation that inserted it and its place in that run. The nil op is the start of the
// text.
struct CharId {
  OpId op;
  uint32_t offset = 0;
  friend bool operator==(const CharId&, const CharId&) = default;
  friend auto operator<=>(const CharId&, const CharId&) = default;
};

struct TextInsert {
  CharId parent;
  Side side = Side::kAfter;
  std::string text;  // at least one code point
  friend bool operator==(const TextInsert&, const TextInsert&) = default;
};

struct CharRange {
  OpId op;
  uint32_t offset = 0;
  uint32_t length = 0;  // at least 1
  friend bool operator==(const CharRange&, const CharRange&) = default;
};

}  // namespace kalends
