// SPDX-License-Identifier: Apache-2.0
// Generated histories: whatever people do, in whatever order their operations arrive, all copies end in the
// same bytes, and nothing that somebody wrote is gone without a later operation that replaced it.
#include <rapidcheck.h>
#include <algorithm>

#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

constexpr int kPeople = 4;

struct World {
  explicit World(uint64_t seed) : random(seed) {
    for (int i = 0; i < kPeople; ++i)
      people.emplace_back("p" + std::to_string(seed) + "/" + std::to_string(i));
    people[0].edit({create_list("A"), create_list("B"), create_card("c0", "A"), create_card("c1", "A")});
    for (int i = 1; i < kPeople; ++i) people[i].pull(people[0]);
  }

  Id128 some(const Person& person, EntityType type) {
    std::vector<Id128> ids;
    for (const Entity& entity : person.replica.document().all())
      if (entity.type() == type) ids.push_back(entity.id());
    return ids[random.below(ids.size())];
  }

  When some_date() {
    if (random.chance(1, 2)) return When::all_day({static_cast<int32_t>(20000 + random.below(30))});
    return When::timed({static_cast<int64_t>((20000 + random.below(30)) * 86400 + 3600)}, "Europe/Berlin");
  }

  Command some_command(const Person& person) {
    Id128 card = some(person, EntityType::kCard);
    Target target{card, {}};
    switch (random.below(17)) {
      case 0:
        return CreateCommand{EntityType::kCard,
                             random.id(),
                             {{Field::kTitle, {}, std::string("new")}},
                             some(person, EntityType::kList),
                             {}};
      case 1:
        return SetCommand{target, {Field::kTitle, {}, "title " + std::to_string(random.below(50))}};
      case 2:
        return SetCommand{target, {Field::kDue, {}, some_date()}};
      case 3:
        return SetCommand{target, {Field::kDone, {}, random.chance(1, 2)}};
      case 4:
        return MoveCommand{
            target, some(person, EntityType::kList), {}, random.chance(1, 2) ? first() : Placement{}};
      case 5:
        return MoveCommand{target, {}, {}, {Placement::Where::kAfter, some(person, EntityType::kCard), {}}};
      case 6:
        return AddCommand{target, Field::kLabels, named_id("l" + std::to_string(random.below(3)))};
      case 7:
        return RemoveCommand{target, Field::kLabels, named_id("l" + std::to_string(random.below(3)))};
      case 8:
        return DeleteCommand{target};
      case 9:
        return RestoreCommand{target};
      case 10: {
        uint32_t length = code_point_count(person.replica.document().find(card).text());
        uint32_t at = static_cast<uint32_t>(random.below(length + 1));
        return SpliceCommand{
            target,
            {at, static_cast<uint32_t>(random.below(length - at + 1)), random.chance(3, 4) ? "wörd " : ""}};
      }
      case 11:
        return AddChildCommand{
            card, EntityType::kComment, {{Field::kText, {}, std::string("hello")}}, {}, {}};
      case 12:
        return AddChildCommand{
            card, EntityType::kChecklist, {{Field::kTitle, {}, std::string("steps")}}, {}, {}};
      case 13: {
        for (const Entity& child : person.replica.document().find(card).children())
          if (child.type() == EntityType::kChecklist)
            return AddChildCommand{
                card, EntityType::kItem, {{Field::kText, {}, std::string("do")}}, child.child(), {}};
        return SetCommand{target, {Field::kArchived, {}, true}};
      }
      case 14: {
        auto children = person.replica.document().find(card).children();
        if (!children.empty()) return DeleteCommand{{card, children[random.below(children.size())].child()}};
        return SetCommand{target, {Field::kLocation, {}, std::string("here")}};
      }
      case 15: {
        Entity entity = person.replica.document().find(card);
        for (Field field : {Field::kTitle, Field::kPosition, Field::kDue, Field::kDone})
          if (auto values = entity.values(field); values.size() > 1)
            return ResolveCommand{target, field, {}, values.back().op};
        return SetCommand{target, {Field::kColour, {}, std::string("sage")}};
      }
      default:
        return OfferCommand{target,
                            {random.chance(1, 2) ? Field::kTitle : Field::kDescription,
                             {},
                             "offer " + std::to_string(random.below(9))}};
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ms += static_cast<int64_t>(random.below(1000));
      Person& person = people[random.below(kPeople)];
      if (random.chance(1, 4)) {
        person.pull(people[random.below(kPeople)]);
        continue;
      }
      // Now and then somebody closes the page and opens it again.
      if (random.chance(1, 8)) {
        bool is_archive = random.chance(3, 4);
        Digest shown = person.replica.hash();
        Bytes saved = is_archive ? person.replica.save() : person.replica.snapshot();
        // One that is trusted leaves its blocks unread until somebody asks for them.
        bool is_cold = random.chance(1, 2);
        auto reopened = Replica::open(person.replica.options(), saved, {}, is_cold);
        REQUIRE(reopened.ok());
        if (is_archive) {
          if (!is_cold) REQUIRE(reopened->hash() == shown);
          person.replica = std::move(*reopened);
        }
      }
      // Clocks disagree by up to ten seconds. A command may be refused (a deleted card, crossed dates): then
      // nothing changes.
      Digest before = person.replica.hash();
      int64_t skewed = now_ms + static_cast<int64_t>(random.below(20000)) - 10000;
      auto result = person.replica.edit({person.member, Cause::kPerson, skewed},
                                        {some_command(person), some_command(person)});
      if (!result.ok()) REQUIRE(person.replica.hash() == before);
    }
  }

  void settle() {
    for (int round = 0; round < 2; ++round)
      for (Person& a : people)
        for (Person& b : people)
          if (&a != &b) a.pull(b);
  }

  Prng random;
  int64_t now_ms = 1'700'000'000'000;
  std::vector<Person> people;
};

// Keeps each replica's own order, mixes everything else.
std::vector<Op> shuffled(std::vector<Op> ops, Prng& random) {
  std::map<ReplicaId, std::vector<Op>> queues;
  for (auto it = ops.rbegin(); it != ops.rend(); ++it) queues[it->id.replica].push_back(*it);
  std::vector<Op> mixed;
  while (!queues.empty()) {
    auto it = queues.begin();
    std::advance(it, random.below(queues.size()));
    mixed.push_back(it->second.back());
    it->second.pop_back();
    if (it->second.empty()) queues.erase(it);
  }
  return mixed;
}

}  // namespace

TEST_CASE("replicas that have seen the same operations are equal byte for byte") {
  CHECK(rc::check("convergence", [] {
    World world(*rc::gen::arbitrary<uint64_t>());
    world.run(80);
    world.settle();
    for (const Person& person : world.people)
      RC_ASSERT(person.replica.hash() == world.people[0].replica.hash());
  }));
}

TEST_CASE("the order in which operations arrive does not matter, nor how often") {
  CHECK(rc::check("commutativity and idempotence", [] {
    World world(*rc::gen::arbitrary<uint64_t>());
    world.run(80);
    world.settle();
    auto all = world.people[0].replica.ops_since({});
    RC_ASSERT(all.ok());
    for (int i = 0; i < 3; ++i) {
      Person fresh("fresh");
      std::vector<Op> ops = shuffled(*all, world.random);
      RC_ASSERT(fresh.replica.merge(ops, 0).ok());
      RC_ASSERT(fresh.replica.merge(ops, 0)->applied == 0);
      RC_ASSERT(fresh.replica.hash() == world.people[0].replica.hash());
    }
    // Wholly out of order: early operations wait for the ones before them.
    Person fresh("fresh");
    std::vector<Op> ops = *all;
    for (size_t i = ops.size(); i > 1; --i) std::swap(ops[i - 1], ops[world.random.below(i)]);
    for (const Op& op : ops) RC_ASSERT(fresh.replica.merge({op}, 0).ok());
    RC_ASSERT(fresh.replica.hash() == world.people[0].replica.hash());
  }));
}

TEST_CASE("snapshot and tail equal the full log, and compaction changes nothing visible") {
  CHECK(rc::check("snapshot + tail", [] {
    World world(*rc::gen::arbitrary<uint64_t>());
    world.run(40);
    world.settle();
    Person& person = world.people[0];
    Bytes snapshot = person.replica.snapshot();
    Version at = person.replica.version();
    person.replica.compact();
    RC_ASSERT(person.replica.snapshot() == snapshot);
    world.run(40);
    auto tail = person.replica.ops_since(at);
    RC_ASSERT(tail.ok());
    auto chunk = decode_chunk(encode_chunk(*tail));
    RC_ASSERT(chunk.ok());
    RC_ASSERT(*chunk == *tail);
    auto reopened = Replica::open(person.replica.options(), snapshot, *chunk);
    RC_ASSERT(reopened.ok());
    RC_ASSERT(reopened->hash() == person.replica.hash());
  }));
}

TEST_CASE("no value disappears unless a later operation replaced it") {
  CHECK(rc::check("no lost loser", [] {
    World world(*rc::gen::arbitrary<uint64_t>());
    world.run(80);
    world.settle();
    const Replica& replica = world.people[0].replica;
    std::set<OpId> replaced;
    for (const Op& op : replica.log()) replaced.insert(op.replaced.begin(), op.replaced.end());
    for (const Op& op : replica.log()) {
      auto body = decode_body(op.kind, op.body);
      const auto* set_body = std::get_if<SetBody>(&*body);
      if (!set_body || replaced.count(op.id) > 0) continue;
      Entity entity = replica.document().find(op.target, op.child);
      RC_ASSERT(static_cast<bool>(entity));
      auto values = entity.values(set_body->field.field, set_body->field.key);
      RC_ASSERT(
          std::any_of(values.begin(), values.end(), [&](const RegisterValue& v) { return v.op == op.id; }));
    }
  }));
}

TEST_CASE("every card that is alive stands in exactly one list") {
  CHECK(rc::check("one place", [] {
    World world(*rc::gen::arbitrary<uint64_t>());
    world.run(120);
    world.settle();
    const Replica& replica = world.people[0].replica;
    std::map<Id128, int> seen;
    for (const Id128& list : replica.lists_with_cards())
      for (const Entity& card : replica.cards(list)) ++seen[card.id()];
    for (const Entity& entity : replica.document().all())
      if (entity.type() == EntityType::kCard) RC_ASSERT(seen[entity.id()] == 1);
  }));
}

}  // namespace kalends::test
