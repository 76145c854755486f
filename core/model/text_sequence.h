// SPDX-License-Identifier: Apache-2.0
// A text that several people write at once: a sequence CRDT over Unicode code points.
//
// Every inserted run names where it hangs in a tree: before or after one character of an earlier run (Fugue,
// Weidner and Kleppmann 2023). The text is the walk of that tree, so it depends on the set of operations
// alone, not on their order, and runs typed by two people at one place do not interleave. Deleted characters
// stay as tombstones. The walk is kept as a list of segments, into which each run is put when it arrives.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/u64_map.h"
#include "core/model/op_ref.h"
#include "core/model/text_ops.h"

namespace kalends {

// A character, by the operation that inserted it and its place in that run; the nil operation is the start of the text.
struct CharRef {
  OpRef op;
  uint32_t offset = 0;
  friend bool operator==(const CharRef&, const CharRef&) = default;
};

struct RefRange {
  OpRef op;
  uint32_t offset = 0;
  uint32_t length = 0;
};

class TextSequence {
 public:
  // The bytes of `text` are not copied: they must stay where they are as long as the sequence.
  struct Run {
    OpRef op;
    CharRef parent;
    Side side = Side::kAfter;
    uint32_t length = 0;    // code points
    std::string_view text;  // what is kept of its words: all but the gaps; empty when none are, then all of it is removed
    const RefRange* gaps = nullptr;  // characters whose words are not kept, rising; they are removed
    uint32_t gap_count = 0;
  };
  struct Place {
    CharRef parent;
    Side side = Side::kAfter;
  };
  using Intervals = std::vector<std::pair<uint32_t, uint32_t>>;  // [begin, end), rising, not touching

  TextSequence() = default;
  TextSequence(TextSequence&&) = default;
  TextSequence& operator=(TextSequence&&) = default;
  TextSequence(const TextSequence& other);
  TextSequence& operator=(const TextSequence& other);

  // Each run is taken once. A run whose parent is not there waits for it, unseen.
  void insert(OpRef op, CharRef parent, Side side, std::string_view text, const ReplicaOrder& order);
  // A run of which some words are not kept. `gaps` must stay where they are as long as the sequence.
  void insert_gapped(OpRef op, CharRef parent, Side side, std::string_view text, uint32_t length,
                     std::span<const RefRange> gaps, const ReplicaOrder& order);
  // A run whose words are not kept.
  void insert_blank(OpRef op, CharRef parent, Side side, uint32_t length, const ReplicaOrder& order);
  // May come before its run.
  void remove(OpRef op, uint32_t offset, uint32_t length);
  // Erases what the run said; its characters stay as tombstones.
  void redact(OpRef op);

  uint32_t length() const;  // visible code points
  void append_to(std::string& out) const;
  std::string text() const;
  // The visible text when it is one piece of kept bytes, as most texts are; nullptr data otherwise.
  std::string_view plain() const { return !body_ && one_.length > 0 ? one_.text : std::string_view(); }
  bool is_plain() const { return !body_; }

  // Where an insertion before the `position`-th visible code point hangs.
  Place plan_insert(uint32_t position) const;
  // The characters that `count` visible code points from `position` on are, in text order; appended.
  void plan_remove(uint32_t position, uint32_t count, std::vector<RefRange>& out) const;

  // What is kept of the words of some characters of a run.
  static std::string_view words_of(const Run& run, uint32_t offset, uint32_t length);
  // Every run, in the order of arrival.
  std::vector<Run> runs() const;
  uint32_t run_length(const OpRef& op) const;  // 0 when the run was not seen
  Intervals removed_of(const OpRef& op) const;
  // The same for every run, in the order of runs().
  std::vector<Intervals> removed() const;
  // Calls visit(op, begin, end) for removals that no run has taken up: of runs not seen, or beyond their end.
  template <typename Visit>
  void for_each_removed(Visit visit) const {
    if (!body_) return;
    for (const Early& early : body_->early) visit(early.op, early.begin, early.end);
  }

 private:
  struct Segment {
    uint32_t run;
    uint32_t offset;
    uint32_t length;
    bool is_removed;
  };
  struct Early {
    OpRef op;
    uint32_t begin;
    uint32_t end;
  };
  struct Body {
    std::vector<Run> runs;
    std::vector<uint8_t> is_placed;
    std::vector<Segment> segments;
    std::vector<Early> early;  // removals of characters that are not in a segment
    U64Map<uint32_t> index;    // op -> run + 1, once there are many
    U64Map<uint32_t> brothers;  // how many placed runs hang on one side of a character (or of several: a hash)
    uint32_t waiting = 0;      // runs without a place
    uint32_t visible = 0;      // code points that were placed and not removed
    size_t last_at = 0;        // segment that was put in last: the next one is likely to hang on it
  };
  static constexpr uint32_t kNoRun = UINT32_MAX;

  Body& body();
  void take(const Run& run, const ReplicaOrder& order);
  bool try_place(uint32_t run, const ReplicaOrder& order);
  uint32_t find(const OpRef& op) const;
  size_t segment_of(uint32_t run, uint32_t offset) const;
  size_t split(size_t segment, uint32_t offset);
  uint32_t branch(uint32_t run, const CharRef& parent, Side side) const;
  void mark_removed(uint32_t run, uint32_t begin, uint32_t end);
  void remember(const OpRef& op, uint32_t begin, uint32_t end);
  bool has_child_after(const CharRef& id) const;

  Run one_;  // the only run, all of it visible, as long as there is no body; length 0: none
  std::unique_ptr<Body> body_;
};

}  // namespace kalends
