// SPDX-License-Identifier: Apache-2.0
#include "core/model/rank.h"

namespace kalends {
namespace {

constexpr size_t kTagBytes = 8;
constexpr char kLeftSide = 0x40;    // children before the node share its path with this side …
constexpr char kNodeSide = '\x80';  // … the node itself and its children after it with this one

enum class Direction { kAscending, kDescending };

// 63 bits of the replica's id and the direction in the lowest bit.
std::string tag_of(ReplicaId replica, Direction direction) {
  std::string tag(reinterpret_cast<const char*>(replica.raw.bytes.data()), kTagBytes);
  tag[kTagBytes - 1] = static_cast<char>((tag[kTagBytes - 1] & ~1) | (direction == Direction::kDescending));
  return tag;
}

// Order-preserving and self-delimiting: a length byte, then that many big-endian bytes; complemented for a
// run that grows towards the top.
std::string encode_value(uint64_t counter, Direction direction) {
  int width = 1;
  while (width < 8 && counter >> 8 * width) ++width;
  bool flipped = direction == Direction::kDescending;
  std::string text(1, static_cast<char>(flipped ? 0x20 - width : 0x20 + width));
  for (int i = width - 1; i >= 0; --i) {
    auto byte = static_cast<uint8_t>(counter >> 8 * i);
    text.push_back(static_cast<char>(flipped ? static_cast<uint8_t>(~byte) : byte));
  }
  return text;
}

std::string component(RankMaker maker, Direction direction) {
  return tag_of(maker.replica, direction) + encode_value(maker.counter, direction) + kNodeSide;
}

// Length of `rank` without its last value and side, when its last component is a run of this replica in this
// direction; npos otherwise. Walks the components from the front, so that bytes inside a value cannot be
// mistaken.
size_t run_prefix(std::string_view rank, ReplicaId replica, Direction direction) {
  size_t start = 0;
  size_t prefix = std::string_view::npos;
  while (start < rank.size()) {
    size_t value_at = start + kTagBytes;
    if (value_at >= rank.size()) return std::string_view::npos;
    int length = static_cast<uint8_t>(rank[value_at]);
    int width = length > 0x20 ? length - 0x20 : 0x20 - length;
    size_t end = value_at + 1 + static_cast<size_t>(width) + 1;
    if (width < 1 || width > 8 || end > rank.size()) return std::string_view::npos;
    bool is_run = rank.substr(start, kTagBytes) == tag_of(replica, direction) && rank[end - 1] == kNodeSide;
    prefix = end == rank.size() && is_run ? value_at : std::string_view::npos;
    start = end;
  }
  return prefix;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

std::string rank_between(std::string_view left, std::string_view right, RankMaker maker) {
  bool under_left = !right.empty() && (left.empty() || (starts_with(right, left) && right != left));
  if (under_left) {
    // `right` is the top of the list or stands inside left's subtree: go to the left of `right`.
    size_t prefix = run_prefix(right, maker.replica, Direction::kDescending);
    if (prefix != std::string_view::npos && !starts_with(left, right.substr(0, prefix))) {
      std::string grown = std::string(right.substr(0, prefix)) +
                          encode_value(maker.counter, Direction::kDescending) + kNodeSide;
      if (grown < right && grown > left) return grown;
    }
    std::string path(right);
    path.back() = kLeftSide;
    return path + component(maker, Direction::kDescending);
  }
  size_t prefix = run_prefix(left, maker.replica, Direction::kAscending);
  if (prefix != std::string_view::npos && !starts_with(right, left.substr(0, prefix))) {
    std::string grown =
        std::string(left.substr(0, prefix)) + encode_value(maker.counter, Direction::kAscending) + kNodeSide;
    if (grown > left && (right.empty() || grown < right)) return grown;
  }
  return std::string(left) + component(maker, Direction::kAscending);
}

}  // namespace kalends
