// SPDX-License-Identifier: Apache-2.0
// 128-bit identifiers that do not mix: Id<CardTag> is not Id<BoardTag>. They are made by callers, from
// entropy or by hashing something stable; the core never makes one. Text form: 32 lower-case hexadecimal
// digits.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace kalends {

// Untyped 128 bits, compared as big-endian bytes.
struct Id128 {
  std::array<uint8_t, 16> bytes{};

  friend bool operator==(const Id128& a, const Id128& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) == 0;
  }
  friend std::strong_ordering operator<=>(const Id128& a, const Id128& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) <=> 0;
  }
  bool is_nil() const { return *this == Id128{}; }
};

std::string to_hex(const Id128& id);
// Exactly 32 hexadecimal digits, either case; anything else is nullopt.
std::optional<Id128> id_from_hex(std::string_view text);

template <typename Tag>
struct Id {
  Id128 raw;
  friend bool operator==(const Id&, const Id&) = default;
  friend std::strong_ordering operator<=>(const Id& a, const Id& b) { return a.raw <=> b.raw; }
  bool is_nil() const { return raw.is_nil(); }
};

using WorkspaceId = Id<struct WorkspaceTag>;
using DocumentId =
    Id<struct DocumentTag>;  // a board's or a workspace's document; a board's id is its document's id
using ReplicaId = Id<struct ReplicaTag>;  // one living copy of one document
using MemberId = Id<struct MemberTag>;
using ListId = Id<struct ListTag>;
using CardId = Id<struct CardTag>;
using LabelId = Id<struct LabelTag>;
using LinkId = Id<struct LinkTag>;        // a board's tie to one calendar
using AccountId = Id<struct AccountTag>;  // a connected Google account

template <typename Tag>
std::string to_hex(const Id<Tag>& id) {
  return to_hex(id.raw);
}

}  // namespace kalends
