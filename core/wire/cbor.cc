// SPDX-License-Identifier: Apache-2.0
#include "core/wire/cbor.h"

#include "core/base/text.h"

namespace kalends {
namespace {

constexpr int kDepthMax = 32;
constexpr uint64_t kItemsMax =
    1 << 20;  // of one array or map: a node takes some 100 bytes, its encoding may take 1

enum Major : uint8_t {
  kUnsigned = 0,
  kNegative = 1,
  kByteString = 2,
  kTextString = 3,
  kArrayOf = 4,
  kMapOf = 5,
  kSimple = 7
};

void write_head(Bytes& out, Major major, uint64_t argument) {
  auto lead = static_cast<uint8_t>(major << 5);
  if (argument < 24) {
    out.push_back(static_cast<uint8_t>(lead | argument));
    return;
  }
  int width = argument > 0xFFFFFFFF ? 8 : argument > 0xFFFF ? 4 : argument > 0xFF ? 2 : 1;
  out.push_back(static_cast<uint8_t>(lead | (width == 8 ? 27 : width == 4 ? 26 : width == 2 ? 25 : 24)));
  for (int i = width - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(argument >> 8 * i));
}

void write_string(Bytes& out, Major major, std::string_view text) {
  write_head(out, major, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

void write(Bytes& out, const Cbor& value) {
  switch (value.kind()) {
    case Cbor::Kind::kNull:
      out.push_back(0xF6);
      return;
    case Cbor::Kind::kBool:
      out.push_back(value.as_bool() ? 0xF5 : 0xF4);
      return;
    case Cbor::Kind::kInt:
      if (value.as_int() >= 0)
        write_head(out, kUnsigned, static_cast<uint64_t>(value.as_int()));
      else
        write_head(out, kNegative, ~static_cast<uint64_t>(value.as_int()));
      return;
    case Cbor::Kind::kText:
      write_string(out, kTextString, value.as_text());
      return;
    case Cbor::Kind::kBytes:
      write_string(out, kByteString, kalends::as_text(value.as_byte_view()));
      return;
    case Cbor::Kind::kArray:
      write_head(out, kArrayOf, value.items().size());
      for (const Cbor& item : value.items()) write(out, item);
      return;
    case Cbor::Kind::kMap:
      write_head(out, kMapOf, value.entries().size());
      for (const auto& [key, entry] : value.entries()) {
        write_string(out, kTextString, key);
        write(out, entry);
      }
      return;
  }
}

class Decoder {
 public:
  explicit Decoder(ByteView bytes) : rest_(bytes) {}

  bool value(Cbor& out, int depth) {
    if (rest_.empty() || depth > kDepthMax) return false;
    uint8_t lead = rest_[0];
    auto major = static_cast<Major>(lead >> 5);
    if (major == kSimple) {
      rest_ = rest_.subspan(1);
      if (lead == 0xF4 || lead == 0xF5) return out = Cbor(lead == 0xF5), true;
      return lead == 0xF6;
    }
    uint64_t argument = 0;
    if (!head(argument)) return false;
    switch (major) {
      case kUnsigned:
        if (argument > INT64_MAX) return false;
        out = Cbor(static_cast<int64_t>(argument));
        return true;
      case kNegative:
        if (argument > INT64_MAX) return false;
        out = Cbor(static_cast<int64_t>(~argument));
        return true;
      case kByteString: {
        ByteView bytes;
        if (!take(argument, bytes)) return false;
        out = Cbor::bytes(bytes);
        return true;
      }
      case kTextString: {
        std::string_view text;
        if (!string(argument, text)) return false;
        out = Cbor(text);
        return true;
      }
      case kArrayOf:
        return array(out, argument, depth);
      case kMapOf:
        return map(out, argument, depth);
      default:
        return false;
    }
  }
  bool done() const { return rest_.empty(); }

 private:
  bool head(uint64_t& argument) {
    uint8_t info = rest_[0] & 31;
    rest_ = rest_.subspan(1);
    argument = info;
    if (info < 24) return true;
    if (info > 27) return false;  // reserved or indefinite
    size_t width = size_t{1} << (info - 24);
    if (rest_.size() < width) return false;
    argument = 0;
    for (size_t i = 0; i < width; ++i) argument = argument << 8 | rest_[i];
    rest_ = rest_.subspan(width);
    return true;
  }
  bool take(uint64_t size, ByteView& bytes) {
    if (size > rest_.size()) return false;
    bytes = rest_.first(static_cast<size_t>(size));
    rest_ = rest_.subspan(static_cast<size_t>(size));
    return true;
  }
  bool string(uint64_t size, std::string_view& text) {
    ByteView bytes;
    if (!take(size, bytes)) return false;
    text = as_text(bytes);
    // Messages may carry U+0000 nowhere: is_valid_text refuses it.
    return is_valid_text(text);
  }
  bool array(Cbor& out, uint64_t count, int depth) {
    if (count > rest_.size() || count > kItemsMax) return false;
    Cbor::Array items(static_cast<size_t>(count));
    for (Cbor& item : items)
      if (!value(item, depth + 1)) return false;
    out = Cbor::array(std::move(items));
    return true;
  }
  bool map(Cbor& out, uint64_t count, int depth) {
    if (count > rest_.size() / 2 || count > kItemsMax) return false;
    Cbor::Map entries;
    entries.reserve(static_cast<size_t>(count));
    for (uint64_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_[0] >> 5 != kTextString) return false;
      uint64_t size = 0;
      std::string_view key;
      if (!head(size) || !string(size, key)) return false;
      // Maps of messages are small; views of boards, which are not, are only written here, never read.
      if (entries.size() < 256)
        for (const auto& entry : entries)
          if (entry.first == key) return false;
      Cbor item;
      std::string owned(key);
      if (!value(item, depth + 1)) return false;
      entries.emplace_back(std::move(owned), std::move(item));
    }
    out = Cbor::map(std::move(entries));
    return true;
  }

  ByteView rest_;
};

const Cbor kNullValue;

}  // namespace

Cbor::Cbor() = default;
Cbor::Cbor(bool value) : kind_(Kind::kBool), int_(value) {}
Cbor::Cbor(int value) : kind_(Kind::kInt), int_(value) {}
Cbor::Cbor(unsigned value) : kind_(Kind::kInt), int_(value) {}
Cbor::Cbor(int64_t value) : kind_(Kind::kInt), int_(value) {}
Cbor::Cbor(uint64_t value) : kind_(Kind::kInt), int_(static_cast<int64_t>(value)) {}
Cbor::Cbor(const char* value) : kind_(Kind::kText), text_(value) {}
Cbor::Cbor(std::string_view value) : kind_(Kind::kText), text_(value) {}
Cbor::Cbor(std::string value) : kind_(Kind::kText), text_(std::move(value)) {}
Cbor::Cbor(const Id128& value) : Cbor(to_hex(value)) {}
Cbor::Cbor(const Cbor&) = default;
Cbor::Cbor(Cbor&&) noexcept = default;
Cbor& Cbor::operator=(const Cbor&) = default;
Cbor& Cbor::operator=(Cbor&&) noexcept = default;
Cbor::~Cbor() = default;

Cbor Cbor::bytes(ByteView value) {
  Cbor cbor(kalends::as_text(value));
  cbor.kind_ = Kind::kBytes;
  return cbor;
}

Cbor Cbor::array() { return array({}); }
Cbor Cbor::array(Array items) {
  Cbor cbor;
  cbor.kind_ = Kind::kArray;
  cbor.items_ = std::move(items);
  return cbor;
}

Cbor Cbor::map() { return map({}); }
Cbor Cbor::map(Map entries) {
  Cbor cbor;
  cbor.kind_ = Kind::kMap;
  cbor.entries_ = std::move(entries);
  return cbor;
}

void Cbor::set(const char* key, Cbor value) { set(std::string(key), std::move(value)); }
void Cbor::set(const std::string& key, Cbor value) { entries_.emplace_back(key, std::move(value)); }
void Cbor::push(Cbor value) { items_.push_back(std::move(value)); }

const Cbor* Cbor::find(const char* key) const { return find(std::string_view(key)); }
const Cbor* Cbor::find(std::string_view key) const {
  for (const auto& entry : entries_)
    if (entry.first == key) return &entry.second;
  return nullptr;
}

const Cbor& Cbor::operator[](const char* key) const { return (*this)[std::string_view(key)]; }
const Cbor& Cbor::operator[](std::string_view key) const {
  const Cbor* found = find(key);
  return found ? *found : kNullValue;
}

Bytes encode_cbor(const Cbor& value) {
  Bytes out;
  write(out, value);
  return out;
}

Result<Cbor> decode_cbor(ByteView bytes) {
  Decoder decoder(bytes);
  Cbor value;
  if (!decoder.value(value, 0) || !decoder.done()) return invalid("The message is not valid CBOR.");
  return value;
}

}  // namespace kalends
