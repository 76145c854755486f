// SPDX-License-Identifier: Apache-2.0
#include "core/replica/conflicts.h"

namespace kalends {
namespace {

// Two places differ to a person when the list differs; an order within one list is not worth a question.
bool is_same_to_a_person(const Value& a, const Value& b) {
  const auto* p = std::get_if<Position>(&a);
  const auto* q = std::get_if<Position>(&b);
  if (p && q) return p->list == q->list && p->parent == q->parent;
  return a == b;
}

ConflictValue shown(const RegisterValue& value, bool is_winner) {
  return {value.op, value.value, value.author, value.stamp.ms(), is_winner};
}

void collect(const Entity& entity, const OpId& child, std::vector<Conflict>& conflicts) {
  if (!entity.is_live()) return;
  auto open = [&](ConflictKind kind, Field field, Id128 key = {}) -> Conflict& {
    return conflicts.emplace_back(Conflict{kind, child, entity.type, field, key, {}});
  };
  for (const auto& [key, reg] : entity.registers) {
    if (key.field == Field::kHome) continue;  // the hub decides it
    Conflict conflict{ConflictKind::kValue, child, entity.type, key.field, key.key, {}};
    for (const RegisterValue& value : reg.values) {
      bool is_new = true;
      for (const ConflictValue& kept : conflict.values)
        is_new = is_new && !is_same_to_a_person(kept.value, value.value);
      if (is_new) conflict.values.push_back(shown(value, conflict.values.empty()));
    }
    if (conflict.values.size() > 1) conflicts.push_back(std::move(conflict));
  }
  if (!entity.text_offers.empty()) {
    Conflict& conflict =
        open(ConflictKind::kText, entity.type == EntityType::kItem ? Field::kText : Field::kDescription);
    conflict.values.push_back({OpId{}, entity.text.text(), entity.creator, entity.created_at.ms(), true});
    for (const RegisterValue& value : entity.text_offers) conflict.values.push_back(shown(value, false));
  }
  if (entity.has_open_deletion()) {
    Conflict& conflict = open(ConflictKind::kDeletion, Field::kTitle);
    for (const Deletion& deletion : entity.deletions)
      conflict.values.push_back({deletion.op, std::monostate{}, deletion.author, deletion.stamp.ms(), false});
  }
  const RegisterValue* start = entity.winner(Field::kStart);
  const RegisterValue* due = entity.winner(Field::kDue);
  const When* start_when = start ? std::get_if<When>(&start->value) : nullptr;
  const When* due_when = due ? std::get_if<When>(&due->value) : nullptr;
  if (start_when && due_when && is_start_after_due(*start_when, *due_when)) {
    Conflict& conflict = open(ConflictKind::kDates, Field::kDue);
    conflict.values.push_back(shown(*start, true));
    conflict.values.push_back(shown(*due, true));
  }
}

}  // namespace

std::vector<Conflict> conflicts_of(const Entity& entity) {
  std::vector<Conflict> conflicts;
  if (!entity.is_live()) return conflicts;
  collect(entity, {}, conflicts);
  for (const auto& [id, child] : entity.children) collect(child, id, conflicts);
  return conflicts;
}

}  // namespace kalends
