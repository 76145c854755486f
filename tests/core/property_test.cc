// SPDX-License-Identifier: Apache-2.0
// Laws that hold for every history (docs/algebra.md), on generated ones: by a fast seeded generator, and by
// RapidCheck, which shrinks what fails. KALENDS_PROPERTY_SCALE=10 runs ten times as many.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "core/model/rank.h"
#include "tests/core/history.h"

namespace rc {
template <>
struct Arbitrary<kalends::test::Step> {
  static Gen<kalends::test::Step> arbitrary() {
    using kalends::test::Step;
    return gen::build<Step>(gen::set(&Step::who, gen::inRange<uint32_t>(0, 60)),
                            gen::set(&Step::what, gen::inRange<uint32_t>(0, 1000)),
                            gen::set(&Step::seed, gen::arbitrary<uint32_t>()));
  }
};
}  // namespace rc

namespace kalends::test {
namespace {

// `law` returns what is wrong, or "". Boards mostly; workspaces, too.
using Law = std::function<std::string(History& history, Prng& random)>;

void for_all_histories(const char* name, int count, size_t steps, const Law& law) {
  for (int i = 0; i < count * property_scale(); ++i) {
    uint64_t seed = 7919 * static_cast<uint64_t>(i) + 1;
    Prng random(seed);
    DocumentKind kind = i % 6 == 5 ? DocumentKind::kWorkspace : DocumentKind::kBoard;
    History history(seed, 2 + random.below(4), kind);
    history.run(some_steps(random, steps));
    std::string fault = law(history, random);
    INFO(name << ", seed " << seed << ": " << fault);
    REQUIRE(fault.empty());
  }
  rc::check(name, [&] {
    auto seed = *rc::gen::inRange<uint64_t>(0, 1000);
    auto some = *rc::gen::resize(60, rc::gen::arbitrary<std::vector<Step>>());
    Prng random(seed);
    History history(seed, 2 + random.below(4));
    history.run(some);
    std::string fault = law(history, random);
    if (!fault.empty()) RC_FAIL(fault);
  });
}

}  // namespace

TEST_CASE("property: every order of delivery ends in the same bytes") {
  for_all_histories("convergence", 900, 120, [](History& history, Prng& random) -> std::string {
    history.settle();
    std::vector<Op> all = history.all_ops();
    auto entities = entities_in(all);
    Sight expected = sight_of(history.replica(0), entities);
    for (size_t i = 1; i < history.size(); ++i)
      if (auto fault = unequal(expected, sight_of(history.replica(i), entities)); !fault.empty())
        return fault;
    for (int round = 0; round < 3; ++round) {
      Replica reader = history.fresh();
      std::vector<Op> ops = mixed(all, random);
      if (round > 0)  // some of them again, later
        for (int i = 0; i < 20; ++i)
          ops.insert(ops.begin() + static_cast<long>(ops.size() - random.below(ops.size() / 2 + 1)),
                     ops[random.below(ops.size() / 2 + 1)]);
      for (size_t at = 0; at < ops.size();) {
        size_t end = std::min(ops.size(), at + 1 + random.below(12));
        if (!reader.merge({ops.begin() + static_cast<long>(at), ops.begin() + static_cast<long>(end)}, 0)
                 .ok())
          return "merge refused";
        at = end;
      }
      if (auto fault = unequal(expected, sight_of(reader, entities)); !fault.empty()) return fault;
    }
    // Wholly out of order: early operations wait.
    Replica reader = history.fresh();
    std::vector<Op> ops = all;
    for (size_t i = ops.size(); i > 1; --i) std::swap(ops[i - 1], ops[random.below(i)]);
    for (const Op& op : ops)
      if (!reader.merge({op}, 0).ok()) return "merge refused";
    return unequal(expected, sight_of(reader, entities));
  });
}

TEST_CASE("property: what is known already changes nothing") {
  for_all_histories("idempotence", 450, 100, [](History& history, Prng& random) -> std::string {
    std::vector<Op> all = history.all_ops();
    auto entities = entities_in(all);
    Sight before = sight_of(history.replica(0), entities);
    for (int i = 0; i < 3; ++i) {
      auto merged = history.replica(0).merge(mixed(all, random), 0);
      if (!merged.ok() || merged->applied != 0 || merged->held_back != 0)
        return "something was applied again";
    }
    auto tail = history.replica(0).ops_since(history.replica(0).version());
    if (!tail.ok() || !tail->empty()) return "something lacks to itself";
    return unequal(before, sight_of(history.replica(0), entities));
  });
}

TEST_CASE("property: a with b is b with a, and grouping does not matter") {
  for_all_histories("commutativity, associativity", 600, 100, [](History& history, Prng&) -> std::string {
    // The histories of three copies as they are, not settled.
    std::vector<std::vector<Op>> parts;
    for (size_t i = 0; i < 3; ++i) parts.push_back(*history.replica(i % history.size()).ops_since({}));
    std::vector<Op> everything;
    for (const auto& part : parts) everything.insert(everything.end(), part.begin(), part.end());
    auto entities = entities_in(everything);
    auto join = [&](const std::vector<Op>& a, const std::vector<Op>& b) {
      Replica reader = history.fresh();
      KALENDS_CHECK(reader.merge(a, 0).ok() && reader.merge(b, 0).ok());
      return reader;
    };
    auto log = [](const Replica& replica) { return *replica.ops_since({}); };
    Replica ab = join(parts[0], parts[1]), ba = join(parts[1], parts[0]);
    if (auto fault = unequal(sight_of(ab, entities), sight_of(ba, entities)); !fault.empty()) return fault;
    Replica left = join(log(ab), parts[2]);
    Replica right = join(parts[0], log(join(parts[1], parts[2])));
    Replica other = join(log(join(parts[2], parts[0])), parts[1]);
    if (auto fault = unequal(sight_of(left, entities), sight_of(right, entities)); !fault.empty())
      return fault;
    return unequal(sight_of(left, entities), sight_of(other, entities));
  });
}

TEST_CASE("property: a replica shows what the reference model shows") {
  for_all_histories("model", 1800, 110, [](History& history, Prng&) -> std::string {
    DocumentKind kind = history.options(0).kind;
    // Before everybody agrees, too: each shows the sum of what it has.
    for (size_t i = 0; i < history.size(); ++i)
      if (auto fault = against_model(history.replica(i), kind, *history.replica(i).ops_since({}));
          !fault.empty())
        return fault;
    history.settle();
    return against_model(history.replica(0), kind, history.all_ops());
  });
}

TEST_CASE("property: no value is lost unless an operation replaced it") {
  for_all_histories("no lost loser", 900, 120, [](History& history, Prng&) -> std::string {
    history.settle();
    std::vector<Op> all = history.all_ops();
    Sight sight = sight_of(history.replica(0), entities_in(all));
    return lost_loser(all, sight.view, sight.conflicts);
  });
}

TEST_CASE("property: stamps rise, however the clocks disagree") {
  size_t edits = 0, refused = 0, cards = 0, open = 0, deleted = 0;
  std::map<uint16_t, size_t> kinds;
  for_all_histories("stamps", 900, 120, [&](History& history, Prng&) -> std::string {
    edits += history.edits();
    refused += history.refused();
    for (const auto& [kind, count] : history.kinds()) kinds[kind] += count;
    for (size_t i = 0; i < history.size(); ++i) {
      std::vector<Op> own;
      for (const Op& op : history.replica(i).log())
        if (op.id.replica == history.options(i).replica) own.push_back(op);
      if (auto fault = stamps_not_rising(own); !fault.empty()) return fault;
    }
    if (history.options(0).kind == DocumentKind::kBoard) {
      history.settle();
      Cbor view = view_board(history.replica(0));
      cards += view["cards"].entries().size();
      open += static_cast<size_t>(view["conflicts"].as_int());
      deleted += view["deleted_cards"].items().size();
    }
    return history.stamp_fault();
  });
  // The generator itself: it makes every kind, and most of what it asks for is possible.
  for (uint16_t kind = 1; kind <= static_cast<uint16_t>(OpKind::kCarry); ++kind)
    if (kind != static_cast<uint16_t>(OpKind::kVoid)) {
      INFO("kind " << kind);
      CHECK(kinds[kind] > 0);
    }
  INFO(edits << " edits, " << refused << " refused, " << cards << " cards, " << deleted << " deleted, "
             << open << " open conflicts");
  CHECK(refused * 2 < edits);
  CHECK(cards > 1000);
  CHECK(deleted > 100);
  CHECK(open > 1000);
}

TEST_CASE("property: chunks are canonical and come back whole") {
  for_all_histories("codec", 450, 60, [](History& history, Prng& random) -> std::string {
    for (size_t i = 0; i < history.size(); ++i) {
      std::vector<Op> ops = *history.replica(i).ops_since({});
      if (auto fault = chunk_fault(ops, encode_chunk, decode_chunk); !fault.empty()) return fault;
      Bytes bytes = encode_chunk(ops);
      for (int n = 0; n < 60; ++n) {
        Bytes changed = bytes;
        changed[random.below(changed.size())] ^= static_cast<uint8_t>(1 + random.below(255));
        if (auto fault = canonical_fault(changed, encode_chunk, decode_chunk); !fault.empty()) return fault;
      }
      auto version = decode_version(encode_version(history.replica(i).version()));
      if (!version.ok() || *version != history.replica(i).version()) return "another version came back";
    }
    return "";
  });
}

TEST_CASE("property: any single changed byte of a chunk is refused, or means what it says") {
  History history(3, 3);
  Prng random(3);
  history.run(some_steps(random, 60));
  history.settle();
  std::vector<Op> ops = history.all_ops();
  if (ops.size() > 40) ops.resize(40);
  Bytes bytes = encode_chunk(ops);
  size_t refused = 0, read = 0;
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes changed = bytes;
      changed[at] ^= static_cast<uint8_t>(1 << bit);
      std::string fault = canonical_fault(changed, encode_chunk, decode_chunk);
      INFO("byte " << at << ", bit " << bit << ": " << fault);
      REQUIRE(fault.empty());
      ++(decode_chunk(changed).ok() ? read : refused);
    }
  CHECK(refused > 100);
  CHECK(read > 100);
}

TEST_CASE("property: snapshot and tail are the whole log") {
  for_all_histories("snapshot and tail", 900, 60, [](History& history, Prng& random) -> std::string {
    Replica& whole = history.replica(0);
    Bytes snapshot = whole.snapshot();
    Version at = whole.version();
    history.run(some_steps(random, 60));
    std::vector<Op> all = *whole.ops_since({});
    auto entities = entities_in(all);
    std::vector<Op> tail = *whole.ops_since(at);
    // retract may have put voids below the version: then the snapshot is of another past.
    Replica before = history.opened("before", {}, {});
    std::vector<Op> head;
    for (const Op& op : all)
      if (at.covers(op.id)) head.push_back(op);
    if (!before.merge(head, 0).ok()) return "the head is refused";
    if (before.snapshot() != snapshot) return "";
    auto reopened = Replica::open(whole.options(), snapshot, tail);
    if (!reopened.ok()) return reopened.error().message;
    Sight expected = sight_of(whole, entities);
    if (auto fault = unequal(expected, sight_of(*reopened, entities)); !fault.empty()) return fault;
    Replica full = history.opened("full", {}, all);
    if (auto fault = unequal(expected, sight_of(full, entities)); !fault.empty()) return fault;
    // What they do next is the same, too: the same operations, by a clock that is ahead of both.
    int64_t later = 2'000'000'000'000;
    for (const auto& [id, view] : expected.view["cards"].entries()) {
      Target card{*id_from_hex(id), {}};
      std::vector<Command> commands = {SetCommand{card, {Field::kTitle, {}, std::string("next")}},
                                       SetTextCommand{card, "quite other words"},
                                       MoveCommand{card, {}, {}, {Placement::Where::kFirst, {}, {}}},
                                       AddCommand{card, Field::kLabels, *id_from_hex(id)},
                                       DeleteCommand{card}};
      auto a = whole.edit({MemberId{}, Cause::kPerson, later}, commands);
      auto b = reopened->edit({MemberId{}, Cause::kPerson, later}, commands);
      if (a.ok() != b.ok()) return "only one of them can";
      if (a.ok() && a->ops != b->ops) return "other operations";
      later += 1000;
    }
    return unequal(sight_of(whole, entities), sight_of(*reopened, entities));
  });
}

TEST_CASE("property: compaction changes nothing that can be seen or done") {
  for_all_histories("compaction", 600, 60, [](History& history, Prng& random) -> std::string {
    Replica& replica = history.replica(1);
    std::vector<Op> all = *replica.ops_since({});
    auto entities = entities_in(all);
    Sight before = sight_of(replica, entities);
    Version at = replica.version();
    Replica twin = *Replica::open(replica.options(), {}, all);
    replica.compact();
    if (auto fault = unequal(before, sight_of(replica, entities)); !fault.empty()) return fault;
    if (replica.version() != at) return "another version";
    if (!all.empty() && replica.ops_since({}).ok()) return "history below the floor is handed out";
    if (!replica.ops_since(at).ok() || !replica.ops_since(at)->empty()) return "a tail without edits";
    auto again = Replica::open(replica.options(), replica.base(), replica.log());
    if (!again.ok()) return again.error().message;
    if (auto fault = unequal(before, sight_of(*again, entities)); !fault.empty()) return fault;
    // Operations from elsewhere go on top as they would have.
    std::vector<Op> others = *history.replica(0).ops_since(at);
    if (!replica.merge(mixed(others, random), 0).ok() || !twin.merge(others, 0).ok()) return "refused";
    return unequal(sight_of(twin, entities), sight_of(replica, entities));
  });
}

TEST_CASE("property: a retracted operation is the same void on both sides") {
  for_all_histories("retract", 900, 60, [](History& history, Prng& random) -> std::string {
    Replica& author = history.replica(0);
    std::vector<Op> before = *author.ops_since({});
    auto entities = entities_in(before);
    std::vector<Op> own;
    for (const Op& op : before)
      if (op.id.replica == author.options().replica && op.kind != static_cast<uint16_t>(OpKind::kVoid))
        own.push_back(op);
    if (own.empty()) return "";
    // The last few, as when they were not yet with the hub.
    std::vector<Replica::Refusal> refusals;
    for (size_t i = own.size() - std::min<size_t>(own.size(), 1 + random.below(4)); i < own.size(); ++i)
      refusals.push_back({own[i].id, ErrorCode::kForbidden});
    std::set<OpId> gone;
    for (const auto& refusal : refusals) gone.insert(refusal.op);
    for (const Op& op : before)  // only what nobody else built on
      if (op.id.replica != author.options().replica)
        for (const OpId& id : op.replaced)
          if (gone.count(id) > 0) return "";
    std::vector<Op> hub_ops;
    for (const Op& op : before)
      hub_ops.push_back(gone.count(op.id) > 0 ? void_of(op, ErrorCode::kForbidden) : op);
    Replica hub = history.opened("hub", {}, hub_ops);
    auto retraction = author.retract(refusals);
    if (retraction.voids.size() != refusals.size()) return "not every refused operation became a void";
    for (const Op& made : retraction.voids) {
      auto it = std::find_if(hub_ops.begin(), hub_ops.end(), [&](const Op& op) { return op.id == made.id; });
      if (it == hub_ops.end() || *it != made) return "the voids have other bytes";
    }
    if (auto fault = unequal(sight_of(hub, entities), sight_of(author, entities)); !fault.empty())
      return fault;
    if (*author.ops_since({}) != hub_ops) return "the logs differ";
    if (!author.retract(refusals).voids.empty()) return "a void was retracted again";
    return against_model(author, author.options().kind, hub_ops);
  });
}

TEST_CASE("property: runs that several people insert at one place do not interleave") {
  for (int seed = 1; seed <= 60 * property_scale(); ++seed) {
    Prng random(static_cast<uint64_t>(seed));
    Id128 list = derive_id(as_bytes("list"));
    DocumentId board{derive_id(as_bytes("board"))};
    std::vector<Replica> people;
    size_t count = 2 + random.below(3);
    // people[0] makes the place and inserts nothing; how its own runs fare has a test of its own below.
    for (size_t i = 0; i <= count; ++i)
      people.push_back(Replica({board, DocumentKind::kBoard, ReplicaId{random.id()}}));
    auto made = people[0].edit({MemberId{}, Cause::kPerson, 1000},
                               {CreateCommand{EntityType::kList, list, {}, {}, {}}});
    REQUIRE(made.ok());
    auto card = [&](const std::string& name, Placement placement) {
      return CreateCommand{
          EntityType::kCard, derive_id(as_bytes(name)), {{Field::kTitle, {}, name}}, list, placement};
    };
    // Before and after the place there may be something, or nothing.
    if (random.chance(2, 3))
      REQUIRE(people[0].edit({MemberId{}, Cause::kPerson, 1000}, {card("<0", {})}).ok());
    bool has_anchor = people[0].log().size() > 1;
    if (random.chance(2, 3))
      REQUIRE(people[0].edit({MemberId{}, Cause::kPerson, 1000}, {card(">0", {})}).ok());
    for (size_t i = 1; i <= count; ++i) REQUIRE(people[i].merge(people[0].log(), 0).ok());
    for (size_t i = 1; i <= count; ++i) {
      bool is_upwards = random.chance(1, 2);
      std::string last;
      Placement start = has_anchor ? Placement{Placement::Where::kAfter, derive_id(as_bytes("<0")), {}}
                                   : Placement{Placement::Where::kFirst, {}, {}};
      for (uint64_t n = 1, of = 2 + random.below(12); n <= of; ++n) {
        std::string name = std::string(1, static_cast<char>('A' + i - 1)) + std::to_string(n);
        Placement placement = last.empty() || is_upwards
                                  ? start
                                  : Placement{Placement::Where::kAfter, derive_id(as_bytes(last)), {}};
        REQUIRE(people[i].edit({MemberId{}, Cause::kPerson, 1000}, {card(name, placement)}).ok());
        last = name;
      }
    }
    for (size_t i = 1; i <= count; ++i) REQUIRE(people[0].merge(people[i].log(), 0).ok());
    Cbor view = view_board(people[0]);
    std::vector<std::string> order;
    for (const Cbor& id : view["lists"].items()[0]["cards"].items())
      order.push_back(view["cards"][id.as_text()]["title"].as_text());
    std::string fault = interleaved(order), names;
    for (const auto& name : order) names += name + " ";
    INFO("seed " << seed << ": " << fault << " in " << names);
    REQUIRE(fault.empty());
  }
}

// Whoever made the card above a place, and then inserts upwards below it, has the first of the new cards
// continue the old run while the others hang below its end: what somebody else inserts there comes between
// them.
TEST_CASE("property: an upward run below one's own card is not torn by somebody else's") {
  Id128 list = derive_id(as_bytes("list"));
  DocumentId board{derive_id(as_bytes("board"))};
  Replica anna({board, DocumentKind::kBoard, ReplicaId{derive_id(as_bytes("anna"))}});
  Replica ben({board, DocumentKind::kBoard, ReplicaId{derive_id(as_bytes("ben"))}});
  auto card = [&](const std::string& name, Placement placement) {
    return CreateCommand{
        EntityType::kCard, derive_id(as_bytes(name)), {{Field::kTitle, {}, name}}, list, placement};
  };
  Placement below{Placement::Where::kAfter, derive_id(as_bytes("<0")), {}};
  auto edit = [](Replica& replica, const Command& command) {
    REQUIRE(replica.edit({MemberId{}, Cause::kPerson, 1000}, {command}).ok());
  };
  edit(anna, CreateCommand{EntityType::kList, list, {}, {}, {}});
  edit(anna, card("<0", {}));
  REQUIRE(ben.merge(anna.log(), 0).ok());
  for (const char* name : {"A1", "A2", "A3"}) edit(anna, card(name, below));
  edit(ben, card("B1", below));
  REQUIRE(anna.merge(ben.log(), 0).ok());
  Cbor view = view_board(anna);
  std::vector<std::string> order;
  for (const Cbor& id : view["lists"].items()[0]["cards"].items())
    order.push_back(view["cards"][id.as_text()]["title"].as_text());
  std::string fault = interleaved(order);
  INFO(fault);
  CHECK(fault.empty());
}

TEST_CASE("property: between any two neighbours there is room, and a card goes where it was sent") {
  for (int seed = 1; seed <= 12 * property_scale(); ++seed) {
    Prng random(static_cast<uint64_t>(seed) * 31);
    Id128 list = derive_id(as_bytes("list"));
    DocumentId board{derive_id(as_bytes("board"))};
    std::vector<Replica> people;
    for (int i = 0; i < 3; ++i)
      people.push_back(Replica({board, DocumentKind::kBoard, ReplicaId{random.id()}}));
    REQUIRE(
        people[0]
            .edit({MemberId{}, Cause::kPerson, 1000}, {CreateCommand{EntityType::kList, list, {}, {}, {}}})
            .ok());
    std::vector<std::string> order;
    size_t longest = 0;
    for (int n = 0; n < 120; ++n) {
      Replica& person = people[random.below(people.size())];
      for (Replica& other : people) REQUIRE(person.merge(other.log(), 0).ok());
      size_t at = random.below(order.size() + 1);
      Id128 id = order.empty() || random.chance(2, 3) ? random.id()
                                                      : *id_from_hex(order[random.below(order.size())]);
      auto old = std::find(order.begin(), order.end(), to_hex(id));
      bool is_move = old != order.end();
      if (is_move) order.erase(old), at = std::min(at, order.size());
      Placement placement = at == 0 ? Placement{Placement::Where::kFirst, {}, {}}
                            : at == order.size() && random.chance(1, 2)
                                ? Placement{}
                                : Placement{Placement::Where::kAfter, *id_from_hex(order[at - 1]), {}};
      auto made = is_move ? person.edit({MemberId{}, Cause::kPerson, 1000},
                                        {MoveCommand{{id, {}}, list, {}, placement}})
                          : person.edit({MemberId{}, Cause::kPerson, 1000},
                                        {CreateCommand{EntityType::kCard, id, {}, list, placement}});
      REQUIRE(made.ok());
      for (const Op& op : made->ops) longest = std::max(longest, op.body.size());
      order.insert(order.begin() + static_cast<long>(at), to_hex(id));
      std::vector<std::string> shown;
      Cbor view = view_board(person);
      for (const Cbor& card : view["lists"].items()[0]["cards"].items()) shown.push_back(card.as_text());
      INFO("seed " << seed << ", edit " << n);
      REQUIRE(shown == order);
    }
    CHECK(longest < 1024);
  }
}

TEST_CASE("property: an edit after a merge within the skew limit is later than what was merged") {
  Prng random(5);
  for (int i = 0; i < 300 * property_scale(); ++i) {
    DocumentId board{random.id()};
    Replica a({board, DocumentKind::kBoard, ReplicaId{random.id()}});
    Replica b({board, DocumentKind::kBoard, ReplicaId{random.id()}});
    auto title = [&](Replica& replica, int64_t now) {
      auto result = replica.edit(
          {MemberId{}, Cause::kPerson, now},
          {SetCommand{{board.raw, {}}, {Field::kTitle, {}, "t" + std::to_string(random.next())}}});
      REQUIRE(result.ok());
      REQUIRE(result->ops.size() == 1);
      return result->ops[0];
    };
    int64_t now = 1'700'000'000'000;
    int64_t ahead = static_cast<int64_t>(random.below(2 * kClockSkewMsMax));
    Op far = title(a, now + ahead);
    REQUIRE(b.merge({far}, now).ok());
    Op mine = title(b, now);
    if (ahead <= kClockSkewMsMax)
      CHECK(mine.stamp > far.stamp);
    else
      CHECK(mine.stamp.ms() == now);
    // However far ahead it was: an edit that saw it replaces it.
    auto body = decode_body(mine.kind, mine.body);
    REQUIRE(body.ok());
    CHECK(view_board(b)["title"].as_text() == std::get<std::string>(std::get<SetBody>(*body).field.value));
    CHECK(view_conflicts(b.document(), board.raw).items().empty());
  }
}

}  // namespace kalends::test
