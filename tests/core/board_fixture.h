// SPDX-License-Identifier: Apache-2.0
// Replicas of one board for tests: people with ids, time that only moves when a test says so.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/replica/conflicts.h"
#include "core/replica/replica.h"

namespace kalends::test {

inline Id128 named_id(std::string_view name) { return derive_id(as_bytes(name)); }

struct Person {
  explicit Person(const std::string& name, DocumentKind kind = DocumentKind::kBoard)
      : member{named_id("member " + name)},
        replica({DocumentId{named_id("board")}, kind, ReplicaId{named_id("replica " + name)}}) {}

  EditResult edit(const std::vector<Command>& commands, int64_t now_ms = 1000) {
    auto result = replica.edit({member, Cause::kPerson, now_ms}, commands);
    INFO((result.ok() ? std::string() : result.error().message));
    REQUIRE(result.ok());
    return *result;
  }
  Error refused(const std::vector<Command>& commands) {
    auto result = replica.edit({member, Cause::kPerson, 1000}, commands);
    REQUIRE_FALSE(result.ok());
    return result.error();
  }
  void pull(const Person& other) {
    auto chunk = other.replica.chunk_since(replica.version());
    REQUIRE(chunk.ok());
    MergeResult merged;
    Status status = replica.merge_chunk(*chunk, 1000, merged);
    INFO((status.ok() ? std::string() : status.error().message));
    REQUIRE(status.ok());
    REQUIRE(merged.held_back == 0);
  }
  Entity card(std::string_view name) const {
    Entity entity = replica.document().find(named_id(name));
    REQUIRE(entity);
    return entity;
  }
  std::vector<Conflict> conflicts(std::string_view name) const {
    return conflicts_of(card(name));
  }

  MemberId member;
  Replica replica;
};

inline void exchange(Person& a, Person& b) {
  a.pull(b);
  b.pull(a);
  REQUIRE(a.replica.hash() == b.replica.hash());
}

inline Command create_list(std::string_view name) {
  return CreateCommand{EntityType::kList, named_id(name), {{Field::kTitle, {}, std::string(name)}}, {}, {}};
}
inline Command create_card(std::string_view name, std::string_view list, Placement placement = {}) {
  return CreateCommand{
      EntityType::kCard, named_id(name), {{Field::kTitle, {}, std::string(name)}}, named_id(list), placement};
}
inline Command set(std::string_view name, Field field, Value value) {
  return SetCommand{{named_id(name), {}}, {field, {}, std::move(value)}};
}
inline Placement after(std::string_view name) { return {Placement::Where::kAfter, named_id(name), {}}; }
inline Placement first() { return {Placement::Where::kFirst, {}, {}}; }

inline std::string order_of(const Person& person, std::string_view list) {
  std::string names;
  for (const Entity& card : person.replica.cards(named_id(list)))
    if (card.is_live()) names += (names.empty() ? "" : " ") + card.text_value(Field::kTitle);
  return names;
}

}  // namespace kalends::test
