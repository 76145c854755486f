// SPDX-License-Identifier: Apache-2.0
// The tables of one open document: every 128-bit id once, named by a small number, and the memory in which its
// records live.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/arena.h"
#include "core/base/id.h"
#include "core/model/op_id.h"
#include "core/model/op_ref.h"

namespace kalends {

using IdRef = uint32_t;  // place in the table of ids; 0 is the nil id

class IdTable {
 public:
  IdTable() : ids_(1) {}
  IdRef intern(const Id128& id);
  IdRef find(const Id128& id) const;  // 0 when it is not there
  const Id128& operator[](IdRef ref) const { return ids_[ref]; }
  uint32_t size() const { return static_cast<uint32_t>(ids_.size()); }
  void reserve(size_t count);

 private:
  void grow(size_t count);

  std::vector<Id128> ids_;
  std::vector<IdRef> places_;  // open addressing; 0 is free
  uint32_t mask_ = 0;
};

struct Interner {
  Interner() : replica_ids(1), replica_refs(1) {}

  uint32_t replica(IdRef id) {
    if (id < replica_of.size() && replica_of[id] != 0) return replica_of[id];
    return add_replica(id);
  }
  uint32_t replica(ReplicaId id) { return id.is_nil() ? 0 : replica(ids.intern(id.raw)); }
  uint32_t find_replica(ReplicaId id) const {
    IdRef ref = ids.find(id.raw);
    return ref < replica_of.size() ? replica_of[ref] : 0;
  }
  // Requires: the counter fits 32 bits (the decoders see to it).
  OpRef op(const OpId& id) { return {replica(id.replica), static_cast<uint32_t>(id.counter)}; }
  // Nil when no operation of that replica was ever named.
  OpRef find_op(const OpId& id) const {
    uint32_t number = id.counter > UINT32_MAX ? 0 : find_replica(id.replica);
    return number == 0 ? OpRef{} : OpRef{number, static_cast<uint32_t>(id.counter)};
  }
  OpId op_id(const OpRef& op) const { return {ReplicaId{replica_ids[op.replica]}, op.counter}; }
  ReplicaOrder order() const { return ReplicaOrder(replica_ids); }

  // Which ids were seen since start_marks(). False for the nil id and for one that was marked before.
  void start_marks() { ++marking_; }
  bool mark(IdRef id) {
    if (marks_.size() <= id) marks_.resize(ids.size());
    if (id == 0 || marks_[id] == marking_) return false;
    marks_[id] = marking_;
    return true;
  }

  IdTable ids;
  std::vector<Id128> replica_ids;     // by replica number, from 1
  std::vector<IdRef> replica_refs;    // the same, as references
  std::vector<uint32_t> replica_of;   // id -> replica number
  Arena arena;

 private:
  uint32_t add_replica(IdRef id);

  std::vector<uint32_t> marks_;
  uint32_t marking_ = 0;
};

}  // namespace kalends
