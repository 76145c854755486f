// SPDX-License-Identifier: Apache-2.0
// What an operation is made of, without its contents: its kind, which fields it sets, what kind of value each holds.
// Operations have few shapes, so each is written once and named by a number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/u64_map.h"
#include "core/oplog/record.h"
#include "core/wire/codec.h"

namespace kalends {

// The kind of value that a field usually holds, and that is not written; null for fields that came after format 2.
ValueKind usual_kind(Field field);

struct FieldShape {
  Field field{};
  bool has_key = false;
  ValueKind kind = ValueKind::kNull;
  uint8_t detail = 0;  // of a date its form; of a position 1: it names a list, 2: a parent
};

struct Shape {
  uint16_t kind = 0;
  bool is_opaque = false;
  bool is_implicit = false;  // of an image: makes the next entity of the directory, which says what else there is to say
  bool is_same = false;      // of an image: more of the operation before, on the same entity
  uint8_t child = 0;         // 0: none, 1: itself, 2: the one before, 3: named
  uint32_t replaced = 0;     // 0: nothing, 1: what was written there last, 2: what made the entity or child, else a list
  uint8_t type = 0;          // kCreate: the EntityType
  uint8_t run = 0;           // of text: 1: at the beginning, 2: behind its parent, 4: with removed ranges
  std::vector<FieldShape> fields;

  bool is(OpKind other) const { return kind == static_cast<uint16_t>(other) && !is_opaque; }
};

// As numbers. Requires: `numbers` is empty.
void spell(const Shape& shape, std::vector<uint64_t>& numbers);

// Reads one that `spell` wrote; what it cannot have written fails `in`. `is_state`: of a snapshot.
void read_shape(Reader& in, bool is_state, Shape& shape);

// Shapes to numbers, in the order of first use.
class ShapeTable {
 public:
  void clear();
  uint32_t of(const Shape& shape);
  size_t size() const { return begins_.size(); }
  // The numbers in which they are written: what is used most comes first. `uses`: by the numbers of `of`.
  static std::vector<uint32_t> order(const std::vector<uint32_t>& uses);
  std::span<const uint64_t> spelled(uint32_t number) const;

 private:
  std::vector<uint64_t> spelled_;
  std::vector<size_t> begins_;
  std::vector<uint64_t> scratch_;
  U64Map<uint32_t> places_;  // mixed numbers -> number plus one
};

}  // namespace kalends
