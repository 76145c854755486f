// SPDX-License-Identifier: Apache-2.0
// The values that registers hold.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/id.h"
#include "core/base/result.h"
#include "core/model/op_id.h"
#include "core/model/schema.h"
#include "core/time/wall_time.h"
#include "core/wire/codec.h"

namespace kalends {

// Where something stands: one register, so a concurrent move can never put a card into two lists.
struct Position {
  Id128 list;        // of a card; nil otherwise
  OpId parent;       // checklist of an item; nil otherwise
  std::string rank;  // see rank.h
  friend bool operator==(const Position&, const Position&) = default;
};

// The alternatives stand in the order of ValueKind. A class of its own, since the code that copies, moves and destroys a
// variant is long: it stands in value.cc once.
struct Value
    : std::variant<std::monostate, bool, int64_t, std::string, Id128, When, std::vector<int64_t>, Position> {
  using variant::variant;
  Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
};
bool operator==(const Value& a, const Value& b);

inline ValueKind kind_of(const Value& value) { return static_cast<ValueKind>(value.index()); }

void write_op_id(Writer& out, const OpId& id);
OpId read_op_id(Reader& in);
void write_value(Writer& out, const Value& value);
Value read_value(Reader& in);  // fails the reader on an unknown tag or a value out of bounds

// The value fits the field: kind, lengths, palette, an existing date. The error says what to do.
Status check_value(const FieldSpec& spec, const Value& value);

}  // namespace kalends
