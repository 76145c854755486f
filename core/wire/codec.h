// SPDX-License-Identifier: Apache-2.0
// The canonical binary encoding: one value has exactly one encoding, and a reader refuses any other. Integers
// are LEB128 varints in shortest form; lengths come before contents; a reader never allocates more than its
// input holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"

namespace kalends {

class Writer {
 public:
  void u8(uint8_t value) { out_.push_back(value); }
  void varint(uint64_t value);
  void zigzag(int64_t value) {
    varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void id(const Id128& value) { raw(value.bytes); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // Little-endian.
  void fixed64(uint64_t value) {
    for (int i = 0; i < 8; ++i) u8(static_cast<uint8_t>(value >> 8 * i));
  }
  void bytes(ByteView bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  void text(std::string_view text) { bytes(as_bytes(text)); }
  void reserve(size_t size) { out_.reserve(size); }
  size_t size() const { return out_.size(); }
  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads what Writer wrote. After the first failure every read gives an empty value and ok() stays false.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }
  size_t remaining() const { return rest_.size(); }
  const uint8_t* position() const { return rest_.data(); }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  uint8_t u8();
  uint64_t varint();
  int64_t zigzag();
  uint64_t fixed64();
  Id128 id();
  ByteView raw(size_t count);
  ByteView bytes();
  std::string_view text();  // refuses what is_valid_text refuses
  // A count of elements that each take at least `min_bytes`: refuses counts that the rest cannot hold.
  size_t count(size_t min_bytes);
  bool boolean();

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace kalends
