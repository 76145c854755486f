// SPDX-License-Identifier: Apache-2.0
// What is open on an entity: values that lost but were not given up, deletions that an edit overruled, dates
// that two people crossed. Shown until a person decides.
#pragma once

#include <vector>

#include "core/model/document.h"

namespace kalends {

enum class ConflictKind : uint8_t { kValue, kDeletion, kDates, kText };

struct ConflictValue {
  OpId op;  // nil: the shown text of a kText conflict
  Value value;
  MemberId author;
  int64_t at_ms = 0;
  bool is_winner = false;
};

struct Conflict {
  ConflictKind kind = ConflictKind::kValue;
  OpId child;  // nil: the entity itself
  EntityType type = EntityType::kUnknown;
  Field field = Field::kTitle;
  Id128 key;
  std::vector<ConflictValue> values;  // winner first
};

// Open conflicts of a live entity and its live children; empty for a deleted one.
std::vector<Conflict> conflicts_of(const Entity& entity);

// False only when `conflicts_of` is empty: a glance that allocates nothing.
bool may_have_conflicts(const Entity& entity);

}  // namespace kalends
