// SPDX-License-Identifier: Apache-2.0
// Two documents that differ in anything that matters have different hashes, and what is hashed is what is stored.
#include <catch2/catch.hpp>

#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

ReplicaId writer() { return ReplicaId{named_id("writer")}; }
OpId op(uint64_t counter) { return {writer(), counter}; }
MemberId member() { return MemberId{named_id("member")}; }

Value sample(ValueKind kind, int which) {
  switch (kind) {
    case ValueKind::kNull:
      return std::monostate{};
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

// A history of one replica, to be changed here and there.
struct History {
  std::vector<Op> ops;
  DocumentKind kind = DocumentKind::kBoard;

  Op& add(OpBody body, OpId child = {}, std::vector<OpId> replaced = {}) {
    Op made;
    made.id = op(ops.size() + 1);
    made.stamp = Hlc::from(static_cast<int64_t>(1000 * made.id.counter), 0);
    made.author = member();
    made.transaction = made.id.counter;
    made.target = named_id("entity");
    made.child = child;
    made.replaced = std::move(replaced);
    made.kind = static_cast<uint16_t>(kind_of(body));
    made.body = encode_body(body);
    ops.push_back(made);
    return ops.back();
  }

  Digest hash() const {
    ReplicaOptions options{DocumentId{named_id("board")}, kind, ReplicaId{named_id("reader")}};
    Replica replica(options);
    auto merged = replica.merge(ops, 1);
    REQUIRE(merged.ok());
    REQUIRE(merged->held_back == 0);
    // What is hashed is what is stored: it comes back whole, without and with history.
    auto from_snapshot = Replica::open(options, replica.snapshot(), {});
    REQUIRE(from_snapshot.ok());
    REQUIRE(from_snapshot->hash() == replica.hash());
    auto from_archive = Replica::open(options, replica.save(), {});
    REQUIRE(from_archive.ok());
    REQUIRE(from_archive->hash() == replica.hash());
    REQUIRE(*from_archive->ops_since({}) == *replica.ops_since({}));
    return replica.hash();
  }
};

History with_entity(EntityType type) {
  History history;
  history.kind = *document_kind(type);
  EntityType around = history.kind == DocumentKind::kBoard ? EntityType::kCard : EntityType::kSequence;
  history.add(CreateBody{is_child(type) ? around : type, {}});
  if (is_child(type)) history.add(CreateBody{type, {}});
  return history;
}

void put(History& history, const FieldSpec& spec, int which) {
  OpId child = is_child(spec.entity) ? op(2) : OpId{};
  Id128 key = spec.is_keyed ? named_id("key") : Id128{};
  if (spec.merge == Merge::kRegister)
    history.add(SetBody{{spec.field, key, sample(spec.value, which)}}, child);
  else if (spec.merge == Merge::kSet)
    history.add(AddBody{spec.field, named_id(which == 0 ? "x" : "y")}, child);
  else
    history.add(TextInsertBody{{{}, Side::kAfter, which == 0 ? "x" : "y"}}, child);
}

}  // namespace

TEST_CASE("the state hash changes when any field of the schema changes or is not there") {
  for (const FieldSpec& spec : all_fields()) {
    INFO(entity_name(spec.entity) << "." << spec.name);
    History absent = with_entity(spec.entity), one = absent, other = absent;
    put(one, spec, 0);
    put(other, spec, 1);
    CHECK(absent.hash() != one.hash());
    CHECK(one.hash() != other.hash());
  }
}

TEST_CASE("the state hash changes when a loser, an author, a stamp or an offer's mark changes") {
  const FieldSpec& spec = *find_field(EntityType::kCard, Field::kTitle);
  History base = with_entity(EntityType::kCard);
  put(base, spec, 0);
  base.add(SetBody{{Field::kTitle, {}, std::string("loser")}});
  base.add(AddBody{Field::kLabels, named_id("x")});
  base.add(TextInsertBody{{{}, Side::kAfter, "words"}});
  base.add(TextRemoveBody{{{op(5), 1, 2}}});
  base.add(DeleteBody{});
  auto flipped = [&](auto change) {
    History history = base;
    change(history);
    return history.hash() != base.hash();
  };
  CHECK(flipped([](History& h) { h.ops[2].stamp = Hlc::from(3500, 0); }));
  CHECK(flipped([](History& h) { h.ops[2].author = MemberId{named_id("n")}; }));
  CHECK(flipped([](History& h) { h.ops[2].kind = static_cast<uint16_t>(OpKind::kOffer); }));
  CHECK(flipped([](History& h) { h.ops[2].replaced = {op(2)}; }));
  CHECK(flipped([](History& h) { h.ops[0].stamp = Hlc::from(10, 0); }));
  CHECK(flipped([](History& h) { h.ops[0].author = MemberId{named_id("n")}; }));
  CHECK(flipped([](History& h) { h.ops[0].body = encode_body(CreateBody{EntityType::kList, {}}); }));
  CHECK(flipped([](History& h) { h.ops[5].body = encode_body(TextRemoveBody{{{op(5), 1, 3}}}); }));
  CHECK(flipped([](History& h) {
    Version seen;
    seen.raise(writer(), 6);
    h.ops[6].body = encode_body(DeleteBody{seen});
  }));
  // Replaced before they were seen: remembered.
  OpId unseen{ReplicaId{named_id("other")}, 7};
  CHECK(flipped([&](History& h) { h.ops[2].replaced = {unseen}; }));
  CHECK(flipped([&](History& h) {
    h.add(RemoveBody{Field::kLabels, named_id("x")}, {}, {unseen});
  }));
  CHECK(flipped([&](History& h) { h.add(RestoreBody{}, {}, {unseen}); }));
  CHECK(flipped([&](History& h) { h.add(TextRemoveBody{{{unseen, 0, 1}}}); }));
}

TEST_CASE("the state hash changes with the document's own facts") {
  History base = with_entity(EntityType::kCard);
  base.add(SetBody{{Field::kTitle, {}, std::string("title")}});
  auto flipped = [&](OpBody body) {
    History with = base, without = base;
    with.add(std::move(body));
    without.add(RestoreBody{});
    return with.hash() != without.hash();
  };
  CHECK(flipped(BoundBody{op(2), Hlc::from(5, 0)}));
  CHECK(flipped(RedactBody{op(2)}));
  CHECK(flipped(VoidBody{ErrorCode::kForbidden}));
  History carried = base, empty = base;
  Op inner = base.ops[1];
  inner.id = {ReplicaId{named_id("elsewhere")}, 3};
  inner.transaction = 3;
  carried.add(CarryBody{{inner}});
  empty.add(CarryBody{});
  CHECK(carried.hash() != empty.hash());
  History opaque = base, known = base;
  opaque.add(RestoreBody{}).kind = 99;
  known.add(RestoreBody{});
  CHECK(opaque.hash() != known.hash());
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

TEST_CASE("the hash is the same after opening the snapshot, whatever one person did first and last") {
  // What is left of an addition or of a text has no stamp in a snapshot.
  auto by_one = [](const Command& last, size_t cards) {
    Person anna("anna");
    anna.edit({create_list("todo"), create_card("X", "todo")});
    for (size_t i = 0; i < cards; ++i) anna.edit({create_card("card " + std::to_string(i), "todo")}, 2000 + 1000 * static_cast<int64_t>(i));
    anna.edit({last}, 1'000'000);
    auto opened = Replica::open(anna.replica.options(), anna.replica.snapshot(), {});
    REQUIRE(opened.ok());
    CHECK(opened->hash() == anna.replica.hash());
    auto archived = Replica::open(anna.replica.options(), anna.replica.save(), {});
    REQUIRE(archived.ok());
    CHECK(archived->hash() == anna.replica.hash());
  };
  for (size_t i = 0; i < 60; ++i) {
    // Each card is once the last one by its id.
    Target card{named_id("card " + std::to_string(i)), {}};
    by_one(AddCommand{card, Field::kLabels, named_id("label")}, 60);
    by_one(SetTextCommand{card, "text"}, 60);
  }
}

}  // namespace kalends::test
