// SPDX-License-Identifier: Apache-2.0
// When a replica's operations were made, roughly: of every few operations one time, so that a stamp is written as its
// small distance from what is expected between two of them.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/u64_map.h"
#include "core/oplog/record.h"

namespace kalends {

class ClockTable {
 public:
  // For one replica: the time at `first`, and after every kStep counters from there.
  struct Row {
    uint32_t replica = 0;
    uint32_t first = 0;
    std::vector<uint64_t> ms;
  };
  static constexpr uint32_t kStep = 64;

  // Of operations in any order; replicas with few of them, or with wide gaps, get no row. `rank`: order of replica numbers.
  void build(std::vector<std::pair<OpRef, uint64_t>> stamps, const std::vector<uint32_t>& rank);
  void add(Row row);
  const std::vector<Row>& rows() const { return rows_; }

  // False when nothing is known of its replica.
  bool expects(const OpRef& op, uint64_t& ms) const;

 private:
  std::vector<Row> rows_;
  U64Map<uint32_t> places_;  // replica -> place in rows_, plus one
};

}  // namespace kalends
