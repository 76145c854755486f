// SPDX-License-Identifier: Apache-2.0
// What writing and reading columns share.
#pragma once

#include <algorithm>

#include "core/oplog/columns.h"

namespace kalends {

inline constexpr uint32_t kLife = 0xFFFF;  // stands for a field: what deletions and restores are about

inline size_t index_of(Column column) { return static_cast<size_t>(column); }

// A shape that is named again and again must not make much of little: fields cost what their operations' bytes must
// cover, those of large creations more, for what is done with them takes longer. Honest fields have contents; where
// those are too short, the writer fills up.
inline constexpr uint64_t kCostFree = 1024, kCostPerByte = 4;
inline uint64_t cost_of(const Shape& shape) {
  uint64_t count = shape.fields.size();
  return count <= 16 ? count : count * kCostPerByte;
}
// How many bytes fill up columns of `bytes`.
inline uint64_t fill_of(uint64_t cost, uint64_t bytes) {
  uint64_t covered = kCostFree + bytes * kCostPerByte;
  return cost <= covered ? 0 : (cost - covered + kCostPerByte - 1) / kCostPerByte;
}
inline constexpr uint8_t kFillByte = 1;

// How many words tell which fields of a creation are dead. Only archives have them all.
inline size_t dead_words(const ColumnOptions& options, size_t fields) {
  return options.is_image && !options.is_state ? std::max<size_t>(1, (fields + 63) / 64) : 1;
}

// As two's complement does: what was read may be anything.
inline int64_t wrapping_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// A row of a snapshot whose envelope (when, by whom, why) is history: whoever opens it does not know that, and must
// write the same bytes again.
inline bool is_bare(const Record& record, bool is_state) {
  return is_state && (record.is(OpKind::kRun) || record.is(OpKind::kAdd));
}

// A register, by numbers that are the same for writer and reader.
inline uint64_t register_key(uint64_t target, uint64_t child_replica, uint64_t child, uint64_t field, uint64_t key) {
  uint64_t mixed = target * 0x9E3779B97F4A7C15ull + child;
  mixed = (mixed ^ mixed >> 31) * 0xD6E8FEB86659FD93ull + (child_replica << 32) + (field << 48) + key;
  mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9ull;
  mixed ^= mixed >> 32;
  return mixed == 0 ? 1 : mixed;
}

// What the clock is expected to show at `id`, after an operation that it was `last_ms` at.
inline uint64_t expected_ms(const ColumnOptions& options, const OpRef& last_op, const OpRef& id, uint64_t last_ms) {
  bool is_next = id.replica == last_op.replica;
  uint64_t expected = last_ms;
  if (options.clock) {
    // What was made in one go has one time.
    bool is_one_go = is_next && id.counter - last_op.counter <= 1;
    if (is_one_go || options.clock->expects(id, expected)) return expected;
  }
  if (options.slope != 0 && is_next)
    expected += options.slope * static_cast<uint64_t>(int64_t{id.counter} - last_op.counter);
  return expected;
}

}  // namespace kalends
