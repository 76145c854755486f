// SPDX-License-Identifier: Apache-2.0
// A text that several people write at once: a sequence CRDT over Unicode code points.
//
// Every inserted run names where it hangs in a tree: before or after one character of an earlier run (Fugue,
// Weidner and Kleppmann 2023). The text is the walk of that tree, so it depends on the set of operations
// alone, not on their order, and runs typed by two people at one place do not interleave. Deleted characters
// stay as tombstones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/op_id.h"
#include "core/wire/codec.h"

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

class TextSequence {
 public:
  void insert(const OpId& op, const TextInsert& run);
  void remove(const CharRange& range);
  // Erases what the run said; its characters stay as tombstones.
  void redact(const OpId& op);

  const std::string& text() const;
  bool empty() const { return runs_.empty() && removed_.empty(); }

  // Where an insertion before the `position`-th visible code point hangs.
  TextInsert plan_insert(uint32_t position, std::string_view text) const;
  // The characters that `count` visible code points from `position` on are, in text order.
  std::vector<CharRange> plan_remove(uint32_t position, uint32_t count) const;

  void encode(Writer& out) const;
  static TextSequence decode(Reader& in);

 private:
  struct Run {
    TextInsert insert;
    uint32_t length = 0;
  };
  // A stretch of one run in text order, all removed or all visible.
  struct Segment {
    OpId op;  // a value: a copy of the sequence must not point into the original
    uint32_t offset;
    uint32_t length;
    bool is_removed;
  };
  using Intervals = std::map<uint32_t, uint32_t>;  // begin -> end, disjoint and not touching

  const std::vector<Segment>& segments() const;
  bool has_child_after(const CharId& id) const;
  void invalidate() { is_walked_ = false; }

  std::map<OpId, Run> runs_;
  std::map<OpId, Intervals> removed_;  // may name runs not seen yet

  mutable bool is_walked_ = false;
  mutable std::vector<Segment> segments_;
  mutable std::string text_;
};

}  // namespace kalends
