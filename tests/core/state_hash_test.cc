// SPDX-License-Identifier: Apache-2.0
// The hash of a document's state covers everything that two copies could differ in: every field of the
// schema, open losers, tombstones, ranks. Each is flipped, and the hash must change.
#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

Hlc stamp(int64_t ms) { return Hlc::from(ms, 0); }
OpId op(uint64_t counter) { return {ReplicaId{named_id("r")}, counter}; }
MemberId member() { return MemberId{named_id("m")}; }

Value sample(ValueKind kind, int which) {
  switch (kind) {
    case ValueKind::kNull:
      return {};
    case ValueKind::kBool:
      return which == 0;
    case ValueKind::kInt:
      return int64_t{which};
    case ValueKind::kText:
      return std::string(which == 0 ? "x" : "y");
    case ValueKind::kId:
      return named_id(which == 0 ? "x" : "y");
    case ValueKind::kWhen:
      return When::all_day({20000 + which});
    case ValueKind::kInts:
      return std::vector<int64_t>{which};
    case ValueKind::kPosition:
      return Position{named_id("list"), {}, which == 0 ? "r" : "s"};
  }
  return {};
}

Document document_with(EntityType type) {
  Document document;
  document.id = DocumentId{named_id("board")};
  document.kind = *document_kind(type);
  document.version.raise(op(1).replica, 9);
  Entity& root = document.entities[named_id("entity")];
  root.type = is_child(type)
                  ? (document.kind == DocumentKind::kBoard ? EntityType::kCard : EntityType::kSequence)
                  : type;
  root.created_by = op(1);
  root.touched.raise(op(1).replica, 1);
  if (is_child(type)) root.children[op(2)].type = type;
  return document;
}

Entity& subject(Document& document, EntityType type) {
  Entity& root = document.entities.begin()->second;
  return is_child(type) ? root.children[op(2)] : root;
}

void put(Entity& entity, const FieldSpec& spec, int which) {
  Id128 key = spec.field == Field::kCustom ? named_id("custom") : Id128{};
  if (spec.merge == Merge::kRegister) {
    entity.registers[{spec.field, key}].values = {
        {op(3), stamp(3), member(), sample(spec.value, which), false, false}};
  } else if (spec.merge == Merge::kSet) {
    entity.sets[spec.field].adds[named_id(which == 0 ? "x" : "y")] = {op(3)};
  } else {
    entity.text = {};
    entity.text.insert(op(3), {{}, Side::kAfter, which == 0 ? "x" : "y"});
  }
}

}  // namespace

TEST_CASE("the state hash changes when any field of the schema changes or is not there") {
  for (const FieldSpec& spec : all_fields()) {
    INFO(entity_name(spec.entity) << "." << spec.name);
    Document absent = document_with(spec.entity), one = absent, other = absent;
    put(subject(one, spec.entity), spec, 0);
    put(subject(other, spec.entity), spec, 1);
    CHECK(state_hash(absent) != state_hash(one));
    CHECK(state_hash(one) != state_hash(other));
    // What is hashed is what is stored: it comes back whole.
    Writer out;
    encode_document(out, one);
    auto back = decode_document(out.view());
    REQUIRE(back.ok());
    CHECK(state_hash(*back) == state_hash(one));
  }
}

TEST_CASE("the state hash changes when a loser, an author, a stamp or an offer's mark changes") {
  const FieldSpec& spec = *find_field(EntityType::kCard, Field::kTitle);
  Document base = document_with(EntityType::kCard);
  put(subject(base, EntityType::kCard), spec, 0);
  auto flipped = [&](auto change) {
    Document document = base;
    change(subject(document, EntityType::kCard));
    return state_hash(document) != state_hash(base);
  };
  RegisterKey title{Field::kTitle, {}};
  RegisterValue loser{op(4), stamp(1), member(), std::string("loser"), false, false};
  CHECK(flipped([&](Entity& card) { card.registers[title].values.push_back(loser); }));
  CHECK(flipped([&](Entity& card) { card.registers[title].values[0].stamp = stamp(4); }));
  CHECK(flipped([&](Entity& card) { card.registers[title].values[0].author = MemberId{named_id("n")}; }));
  CHECK(flipped([&](Entity& card) { card.registers[title].values[0].op = op(5); }));
  CHECK(flipped([&](Entity& card) { card.registers[title].values[0].is_offer = true; }));
  CHECK(flipped([&](Entity& card) { card.registers[title].values[0].is_redacted = true; }));
  CHECK(flipped([&](Entity& card) { card.registers[title].replaced_early.push_back(op(7)); }));
  CHECK(flipped([&](Entity& card) { card.sets[Field::kLabels].removed_early.push_back(op(7)); }));
  CHECK(flipped([&](Entity& card) { card.text_offers.push_back(loser); }));
  CHECK(flipped([&](Entity& card) { card.text_offers_replaced_early.push_back(op(7)); }));
  CHECK(flipped([&](Entity& card) { card.deletions.push_back({op(4), stamp(4), member(), {}}); }));
  CHECK(flipped([&](Entity& card) { card.restored_early.push_back(op(7)); }));
  CHECK(flipped([&](Entity& card) { card.touched.raise(op(1).replica, 8); }));
  CHECK(flipped([&](Entity& card) { card.created_by = op(2); }));
  CHECK(flipped([&](Entity& card) { card.created_at = stamp(2); }));
  CHECK(flipped([&](Entity& card) { card.creator = member(); }));
  CHECK(flipped([&](Entity& card) { card.type = EntityType::kList; }));
  CHECK(flipped([&](Entity& card) { card.children[op(6)].type = EntityType::kComment; }));
  CHECK(flipped([&](Entity& card) { card.text.remove({op(9), 0, 1}); }));
}

TEST_CASE("the state hash changes with the document's own facts") {
  Document base = document_with(EntityType::kCard);
  auto flipped = [&](auto change) {
    Document document = base;
    change(document);
    return state_hash(document) != state_hash(base);
  };
  CHECK(flipped([](Document& d) { d.id = DocumentId{named_id("other")}; }));
  CHECK(flipped([](Document& d) { d.kind = DocumentKind::kWorkspace; }));
  CHECK(flipped([](Document& d) { d.version.raise(op(1).replica, 10); }));
  CHECK(flipped([](Document& d) { d.carried.insert(op(3)); }));
  CHECK(flipped([](Document& d) { d.bounds[op(3)] = stamp(3); }));
  CHECK(flipped([](Document& d) { d.redactions.insert(op(3)); }));
  CHECK(flipped([](Document& d) { d.voids.insert(op(3)); }));
  CHECK(flipped([](Document& d) { d.opaque[op(3)] = {1}; }));
  CHECK(flipped([](Document& d) { d.entities[named_id("another")]; }));
}

TEST_CASE(
    "two people who did the same things apart have different tombstones and ranks, and different hashes") {
  Person anna("anna"), ben("ben");
  anna.edit({create_list("todo"), create_card("X", "todo"), create_card("Y", "todo")});
  ben.pull(anna);
  Digest before = anna.replica.hash();
  anna.edit({MoveCommand{{named_id("X"), {}}, {}, {}, {}}});
  CHECK(anna.replica.hash() != before);
  ben.edit({MoveCommand{{named_id("X"), {}}, {}, {}, {}}});
  CHECK(anna.replica.hash() != ben.replica.hash());
  exchange(anna, ben);
}

}  // namespace kalends::test
