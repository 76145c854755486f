// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/clock_table.h"

#include "core/base/sort.h"

namespace kalends {

void ClockTable::build(std::vector<std::pair<OpRef, uint64_t>> stamps, const std::vector<uint32_t>& rank) {
  auto key = [&](const OpRef& op) { return uint64_t{rank[op.replica]} << 32 | op.counter; };
  kalends::sort(stamps, [&](const auto& a, const auto& b) { return key(a.first) < key(b.first); });
  for (size_t begin = 0; begin < stamps.size();) {
    size_t end = begin;
    while (end < stamps.size() && stamps[end].first.replica == stamps[begin].first.replica) ++end;
    uint32_t first = stamps[begin].first.counter;
    size_t steps = (stamps[end - 1].first.counter - first) / kStep + size_t{1};
    if (steps >= 2 && steps <= (end - begin) / 4) {
      Row row{stamps[begin].first.replica, first, {}};
      row.ms.reserve(steps);
      for (size_t i = begin; i < end; ++i)
        while (row.ms.size() < steps && stamps[i].first.counter - first >= row.ms.size() * kStep)
          row.ms.push_back(stamps[i].second);
      add(std::move(row));
    }
    begin = end;
  }
}

void ClockTable::add(Row row) {
  places_.at(row.replica) = static_cast<uint32_t>(rows_.size() + 1);
  rows_.push_back(std::move(row));
}

bool ClockTable::expects(const OpRef& op, uint64_t& ms) const {
  const uint32_t* place = places_.find(op.replica);
  if (!place) return false;
  const Row& row = rows_[*place - 1];
  uint32_t distance = op.counter < row.first ? 0 : op.counter - row.first;
  size_t step = distance / kStep;
  if (step + 1 >= row.ms.size()) {
    ms = row.ms.back();
  } else {
    auto span = static_cast<int64_t>(row.ms[step + 1] - row.ms[step]);
    ms = row.ms[step] + static_cast<uint64_t>(span * (distance % kStep) / kStep);
  }
  return true;
}

}  // namespace kalends
