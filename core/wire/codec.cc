// SPDX-License-Identifier: Apache-2.0
#include "core/wire/codec.h"

#include <cstring>

#include "core/base/text.h"

namespace kalends {

void Writer::varint(uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<uint8_t>(value));
}

uint8_t Reader::u8() {
  if (rest_.empty()) return fail(), uint8_t{0};
  uint8_t value = rest_[0];
  rest_ = rest_.subspan(1);
  return value;
}

uint64_t Reader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t byte = u8();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;  // beyond 64 bits
    if (shift > 0 && byte == 0) break;   // not the shortest form
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

int64_t Reader::zigzag() {
  uint64_t value = varint();
  return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

uint64_t Reader::fixed64() {
  ByteView bytes = raw(8);
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << 8 * i;
  return value;
}

Id128 Reader::id() {
  Id128 id;
  ByteView bytes = raw(16);
  if (ok_) std::memcpy(id.bytes.data(), bytes.data(), 16);
  return id;
}

ByteView Reader::raw(size_t count) {
  if (count > rest_.size()) return fail(), ByteView{};
  ByteView bytes = rest_.first(count);
  rest_ = rest_.subspan(count);
  return bytes;
}

ByteView Reader::bytes() {
  uint64_t size = varint();
  if (size > rest_.size()) return fail(), ByteView{};
  return raw(static_cast<size_t>(size));
}

std::string_view Reader::text() {
  std::string_view text = as_text(bytes());
  if (!is_valid_text(text)) return fail(), std::string_view{};
  return text;
}

size_t Reader::count(size_t min_bytes) {
  uint64_t count = varint();
  if (min_bytes > 0 && count > rest_.size() / min_bytes) return fail(), size_t{0};
  return static_cast<size_t>(count);
}

bool Reader::boolean() {
  uint8_t value = u8();
  if (value > 1) fail();
  return value == 1;
}

}  // namespace kalends
