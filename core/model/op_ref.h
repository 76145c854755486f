// SPDX-License-Identifier: Apache-2.0
// Identities inside one open document: 128-bit ids are kept once, in a table, and everything else names them by
// a small number. Such numbers mean something in one open document only; bytes that leave it carry the ids.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/id.h"

namespace kalends {

// An operation: the place of its replica in the document's table of replicas (0: none), and its counter.
struct OpRef {
  uint32_t replica = 0;
  uint32_t counter = 0;  // from 1; 0 only in the nil reference
  friend bool operator==(const OpRef&, const OpRef&) = default;
  bool is_nil() const { return counter == 0; }
  // Groups by replica; not the canonical order of ids.
  uint64_t packed() const { return static_cast<uint64_t>(replica) << 32 | counter; }
};

// The order of operation ids, which is the same in every copy: by the bytes of the replica's id, then by
// counter.
class ReplicaOrder {
 public:
  // `ids[i]` is the id of replica number i.
  explicit ReplicaOrder(const std::vector<Id128>& ids) : ids_(&ids) {}
  bool less(const OpRef& a, const OpRef& b) const {
    if (a.replica == b.replica) return a.counter < b.counter;
    return (*ids_)[a.replica] < (*ids_)[b.replica];
  }

 private:
  const std::vector<Id128>* ids_;
};

}  // namespace kalends
