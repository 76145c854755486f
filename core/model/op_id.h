// SPDX-License-Identifier: Apache-2.0
// The identity of an operation: which replica made it, and its how-manieth it was. A replica id belongs to
// one living copy of one document, so an op id is unique across all documents. Also the identity of what the
// operation created inside a card (comment, checklist, item, attachment).
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "core/base/id.h"

namespace kalends {

struct OpId {
  ReplicaId replica;
  uint64_t counter = 0;  // from 1; 0 only in the nil id
  friend bool operator==(const OpId&, const OpId&) = default;
  friend std::strong_ordering operator<=>(const OpId& a, const OpId& b) {
    auto order = a.replica <=> b.replica;
    return order != 0 ? order : a.counter <=> b.counter;
  }
  bool is_nil() const { return counter == 0; }
};

// For each replica, how many of its operations are covered: all with a counter up to the entry.
class Version {
 public:
  uint64_t of(ReplicaId replica) const {
    auto it = counters_.find(replica);
    return it == counters_.end() ? 0 : it->second;
  }
  bool covers(const OpId& op) const { return op.counter <= of(op.replica); }
  bool covers(const Version& other) const {
    for (const auto& [replica, counter] : other.counters_)
      if (of(replica) < counter) return false;
    return true;
  }
  void raise(ReplicaId replica, uint64_t counter) {
    if (counter == 0) return;
    auto& entry = counters_[replica];
    if (entry < counter) entry = counter;
  }
  void join(const Version& other) {
    for (const auto& [replica, counter] : other.counters_) raise(replica, counter);
  }
  const std::map<ReplicaId, uint64_t>& entries() const { return counters_; }
  bool empty() const { return counters_.empty(); }
  friend bool operator==(const Version&, const Version&) = default;

 private:
  std::map<ReplicaId, uint64_t> counters_;
};

}  // namespace kalends
