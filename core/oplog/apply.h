// SPDX-License-Identifier: Apache-2.0
// Folding one operation into a document. Idempotent by the document's version; the result is the same in
// every order that keeps each replica's own operations in sequence (docs/algebra.md decides every pair).
#pragma once

#include <vector>

#include "core/oplog/record.h"

namespace kalends {

// What operations may have changed: fields of entities (what happens to a child is told as a change of its
// entity). In the order of the changes, with repetitions; `of` sorts them out.
class Changes {
 public:
  struct Entry {
    IdRef entity;
    Field field;  // Field{}: something that is no field
  };
  void touch(IdRef entity, Field field = {}) {
    if (!entries_.empty() && entries_.back().entity == entity && entries_.back().field == field) return;
    entries_.push_back({entity, field});
  }
  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }
  void clear() { entries_.clear(); }
  void add(const Changes& other) { entries_.insert(entries_.end(), other.entries_.begin(), other.entries_.end()); }
  bool has(IdRef entity, Field field) const;
  // Each entity once, in the order of ids.
  std::vector<Id128> entities(const Document& document) const;
  // Each field of an entity once, in the order of their numbers.
  std::vector<Field> fields(IdRef entity) const;

 private:
  std::vector<Entry> entries_;
};

enum class Applied : uint8_t {
  kNew,    // folded in
  kKnown,  // was folded in before
  kEarly,  // an earlier operation of the same replica is missing: hold it back and fetch that one
};

Applied apply(Document& document, const Record& record, Changes& changes);

// Puts back what a snapshot says of one operation's lasting effect: nothing is replaced, nothing is counted.
// `dead_fields`: which of a create's fields do not hold any more, a bit each; none where it ends.
void put_back(Document& document, const Record& record, std::span<const uint64_t> dead_fields = {});

}  // namespace kalends
