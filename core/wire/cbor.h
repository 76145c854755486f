// SPDX-License-Identifier: Apache-2.0
// The part of CBOR (RFC 8949) that messages at the border of the core use: integers of up to 64 bits, byte
// strings, text, arrays, maps with text keys, true, false, null; definite lengths only; no tags, no floats.
// JavaScript and nlohmann/json read the same bytes, so one rendering serves the browser and the REST API.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/result.h"

namespace kalends {

// A decoded or to-be-encoded value. Maps keep the order in which they were written.
class Cbor {
 public:
  enum class Kind : uint8_t { kNull, kBool, kInt, kText, kBytes, kArray, kMap };
  using Array = std::vector<Cbor>;
  using Map = std::vector<std::pair<std::string, Cbor>>;

  // Out of line, since messages are built in many places and seldom.
  Cbor();
  Cbor(bool value);
  Cbor(int value);
  Cbor(unsigned value);
  Cbor(int64_t value);
  Cbor(uint64_t value);
  Cbor(const char* value);
  Cbor(std::string_view value);
  Cbor(std::string value);
  Cbor(const Id128& value);  // 32 hexadecimal digits
  template <typename Tag>
  Cbor(const Id<Tag>& value) : Cbor(value.raw) {}
  Cbor(const Cbor&);
  Cbor(Cbor&&) noexcept;
  Cbor& operator=(const Cbor&);
  Cbor& operator=(Cbor&&) noexcept;
  ~Cbor();
  static Cbor bytes(ByteView value);
  static Cbor array();
  static Cbor array(Array items);
  static Cbor map();
  static Cbor map(Map entries);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_int() const { return kind_ == Kind::kInt; }
  bool is_text() const { return kind_ == Kind::kText; }
  bool is_bytes() const { return kind_ == Kind::kBytes; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_map() const { return kind_ == Kind::kMap; }

  // Each of these gives an empty value when the kind is another: look at the kind first where it matters.
  bool as_bool() const { return is_bool() && int_ != 0; }
  int64_t as_int() const { return is_int() ? int_ : 0; }
  const std::string& as_text() const { return text_; }
  ByteView as_byte_view() const { return kalends::as_bytes(text_); }
  const Array& items() const { return items_; }
  const Map& entries() const { return entries_; }

  // The entry of a map, or a null value. `find` tells a missing entry (nullptr) from a null one.
  const Cbor& operator[](const char* key) const;
  const Cbor& operator[](std::string_view key) const;
  const Cbor* find(const char* key) const;
  const Cbor* find(std::string_view key) const;

  void set(const char* key, Cbor value);
  void set(const std::string& key, Cbor value);
  void push(Cbor value);

 private:
  Kind kind_ = Kind::kNull;
  int64_t int_ = 0;
  std::string text_;  // text and bytes
  Array items_;
  Map entries_;
};

Bytes encode_cbor(const Cbor& value);

// Refuses: trailing bytes, depth over 32, duplicate keys, invalid UTF-8, integers beyond int64, and whatever
// is not in the part above.
Result<Cbor> decode_cbor(ByteView bytes);

}  // namespace kalends
