// SPDX-License-Identifier: Apache-2.0
// Folding one operation into a document. Idempotent by the document's version; the result is the same in
// every order that keeps each replica's own operations in sequence (docs/algebra.md decides every pair).
#pragma once

#include <set>
#include <utility>

#include "core/oplog/op.h"

namespace kalends {

// What an operation may have changed: entities by id (children are told as their card).
struct Changes {
  std::set<Id128> entities;
  std::set<std::pair<Id128, Field>> fields;
  void touch(const Id128& entity) { entities.insert(entity); }
  void touch(const Id128& entity, Field field) {
    entities.insert(entity);
    fields.insert({entity, field});
  }
};

enum class Applied : uint8_t {
  kNew,    // folded in
  kKnown,  // was folded in before
  kEarly,  // an earlier operation of the same replica is missing: hold it back and fetch that one
};

// Requires: `body` is what decode_body gave for `op`.
Applied apply(Document& document, const Op& op, const OpBody& body, Changes& changes);

}  // namespace kalends
