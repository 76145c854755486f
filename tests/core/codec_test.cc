// SPDX-License-Identifier: Apache-2.0
// Everything that is decoded comes from a disk or a network: each decoder gives back what was encoded,
// refuses every truncation, and survives whatever bytes it is given.
#include <functional>

#include "core/api/facade.h"
#include "core/calendar/shadow.h"
#include "core/wire/cbor.h"
#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

struct Sample {
  const char* name;
  Bytes bytes;
  std::function<bool(ByteView)> decode;          // false: refused
  std::function<Bytes(ByteView)> encoded_again;  // of what was decoded
};

Person busy_person() {
  Person anna("anna"), ben("ben");
  anna.edit({create_list("todo"), create_list("done"), create_card("X", "todo"), create_card("Y", "todo"),
             set("X", Field::kDue, When::timed({86400 * 20000}, "Europe/Berlin"))});
  ben.pull(anna);
  anna.edit({set("X", Field::kTitle, std::string("by anna")),
             SetTextCommand{{named_id("X"), {}}, "gr\xC3\xBC\xC3\x9F dich"},
             AddCommand{{named_id("X"), {}}, Field::kLabels, named_id("l")}},
            2000);
  ben.edit({set("X", Field::kTitle, std::string("by ben")), DeleteCommand{{named_id("Y"), {}}},
            OfferCommand{{named_id("X"), {}}, {Field::kDescription, {}, std::string("offer")}}},
           3000);
  Value reminders = std::vector<int64_t>{10, 60};
  anna.edit({set("X", Field::kReminders, reminders)}, 3500);
  auto made = anna.edit(
      {AddChildCommand{
          named_id("X"), EntityType::kChecklist, {{Field::kTitle, {}, std::string("steps")}}, {}, {}}},
      4000);
  anna.edit(
      {AddChildCommand{
           named_id("X"), EntityType::kItem, {{Field::kText, {}, std::string("do")}}, made.created[0], {}},
       SpliceCommand{{named_id("X"), {}}, {1, 3, "x"}}},
      5000);
  exchange(anna, ben);
  return anna;
}

std::vector<Sample> samples() {
  Person person = busy_person();
  std::vector<Sample> all;
  auto add = [&](const char* name, Bytes bytes, auto decode, auto encode) {
    all.push_back({name, std::move(bytes), [decode](ByteView in) { return decode(in).ok(); },
                   [decode, encode](ByteView in) { return encode(*decode(in)); }});
  };
  ReplicaOptions options = person.replica.options();
  add("snapshot", person.replica.snapshot(), [options](ByteView in) { return Replica::open(options, in, {}); },
      [](const Replica& replica) { return replica.snapshot(); });
  add("chunk", encode_chunk(person.replica.log()), decode_chunk, encode_chunk);
  add("version", encode_version(person.replica.version()), decode_version, encode_version);
  EventFacet facet;
  facet.title = "Ship it";
  facet.start = When::timed({86400 * 20000}, "Europe/Berlin", Fold::kSecond);
  facet.end = When::timed({86400 * 20000 + 3600}, "Europe/Berlin");
  facet.colour = "sage";
  add("observation", encode_observation({EventPresence::kLive, "id", "etag", facet, 12345}),
      decode_observation, encode_observation);
  add("shadow", encode_shadow({facet, facet}), decode_shadow, encode_shadow);
  Cbor cbor = Cbor::map(
      {{"a", Cbor::array({1, -1, 300, 70000, int64_t{1} << 40, INT64_MIN, true, false, Cbor(), "text"})},
       {"b", Cbor::bytes(to_bytes("bytes"))},
       {"c", Cbor::map()}});
  add("cbor", encode_cbor(cbor), decode_cbor, encode_cbor);
  return all;
}

}  // namespace

TEST_CASE("what was encoded is decoded and encodes to the same bytes") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    REQUIRE(sample.decode(sample.bytes));
    CHECK(sample.encoded_again(sample.bytes) == sample.bytes);
  }
}

TEST_CASE("every truncation and every added byte is refused") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    size_t taken = 0;
    // Nothing at all is no truncation: it stands for no operations, no version.
    for (size_t size = 1; size < sample.bytes.size(); ++size)
      taken += sample.decode(ByteView(sample.bytes).first(size));
    CHECK(taken == 0);
    Bytes longer = sample.bytes;
    longer.push_back(0);
    CHECK_FALSE(sample.decode(longer));
  }
}

TEST_CASE("mutated bytes are refused or mean exactly what they say, and never end the process") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    Prng random(7);
    size_t not_canonical = 0, refused = 0;
    for (int round = 0; round < 4000; ++round) {
      Bytes bytes = sample.bytes;
      for (size_t flips = 1 + random.below(4); flips > 0; --flips) {
        size_t at = random.below(bytes.size());
        switch (random.below(4)) {
          case 0:
            bytes[at] = static_cast<uint8_t>(random.next());
            break;
          case 1:
            bytes[at] ^= static_cast<uint8_t>(1 << random.below(8));
            break;
          case 2:
            bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
            break;
          default:
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<uint8_t>(0xFF));
            break;
        }
        if (bytes.empty()) bytes.push_back(0);
      }
      if (!sample.decode(bytes)) {
        ++refused;
        continue;
      }
      // CBOR may write a number in a longer form; our own encodings have one form only.
      bool has_one_form = std::string_view(sample.name) != "cbor";
      not_canonical += has_one_form && sample.encoded_again(bytes) != bytes;
    }
    CHECK(not_canonical == 0);
    CHECK(refused > 0);
  }
}

TEST_CASE("mutated operations are merged or refused, and two copies that took them stay equal") {
  Person person = busy_person();
  Prng random(11);
  size_t taken = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Op> ops = person.replica.log();
    Op& op = ops[random.below(ops.size())];
    if (!op.body.empty() && random.chance(3, 4))
      op.body[random.below(op.body.size())] = static_cast<uint8_t>(random.next());
    else
      op.kind = static_cast<uint16_t>(random.below(16));
    Person a("a"), b("b");
    auto first = a.replica.merge(ops, 10000);
    auto second = b.replica.merge(ops, 10000);
    REQUIRE(first.ok() == second.ok());
    if (!first.ok()) continue;
    ++taken;
    REQUIRE(a.replica.hash() == b.replica.hash());
    auto opened = Replica::open(a.replica.options(), a.replica.snapshot(), {});
    REQUIRE(opened.ok());
    REQUIRE(opened->hash() == a.replica.hash());
  }
  CHECK(taken > 0);
}

TEST_CASE("a thing of a type that only a newer version knows is kept as it is and shown to nobody") {
  Person anna("anna"), ben("ben");
  anna.edit({create_list("todo"), create_card("X", "todo")});
  std::vector<Op> ops = anna.replica.log();
  ops[1].body[0] = 99;
  REQUIRE(ben.replica.merge(ops, 1000).ok());
  CHECK_FALSE(ben.replica.document().find(named_id("X")));
  CHECK(ben.replica.document().opaque.size() == 1);
  auto opened = Replica::open(ben.replica.options(), ben.replica.snapshot(), {});
  REQUIRE(opened.ok());
  CHECK(opened->hash() == ben.replica.hash());
}

TEST_CASE("an operation that carries itself is refused, by itself and in a chunk") {
  Person anna("anna");
  anna.edit({create_list("todo"), create_card("X", "todo")});
  Op carry = anna.replica.log()[1];
  Op inner = carry;
  carry.kind = static_cast<uint16_t>(OpKind::kCarry);
  inner.id.counter = 7;
  carry.body = encode_body(CarryBody{{inner}});
  Person ben("ben");
  // Another one it may carry.
  REQUIRE(ben.replica.merge({anna.replica.log()[0], carry}, 1000).ok());
  Bytes chunk = encode_chunk({carry});
  // In the chunk, too, its counter becomes that of the carry.
  auto at = std::find(chunk.begin(), chunk.end(), 7);
  REQUIRE(at != chunk.end());
  *at = 2;
  CHECK_FALSE(decode_chunk(chunk).ok());
  inner.id.counter = carry.id.counter;
  carry.body = encode_body(CarryBody{{inner}});
  CHECK_FALSE(Person("cleo").replica.merge({carry}, 1000).ok());
}

TEST_CASE("a message with too much depth, doubled keys or floats is not CBOR for us") {
  CHECK_FALSE(decode_cbor(Bytes(100, 0x81)).ok());
  CHECK_FALSE(decode_cbor(Bytes{0xA2, 0x61, 'a', 0x01, 0x61, 'a', 0x02}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0xF9, 0x3C, 0x00}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0x9F, 0xFF}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0xC0, 0x60}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0x61, 0xFF}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}).ok());
  CHECK_FALSE(decode_cbor(Bytes{0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}).ok());
  CHECK(decode_cbor(Bytes{0x1B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})->as_int() == INT64_MAX);
}

}  // namespace kalends::test

namespace kalends {
namespace {

// A chunk of creations of one card, each with `fields` empty titles: one shape, and a byte for each operation.
Bytes made_of_little(size_t operations, size_t fields) {
  Writer out;
  out.u8(2);
  out.varint(operations);
  out.varint(2);  // ids, none of them known
  out.varint(0);
  out.id(*id_from_hex("0000000000000000000000000000000a"));
  out.id(*id_from_hex("0000000000000000000000000000000b"));
  out.varint(0);  // zones
  out.u8(1);
  out.varint(0);
  out.varint(900);
  out.varint(1);  // shapes
  out.varint(static_cast<uint64_t>(OpKind::kCreate) << 3);
  out.varint(0);
  out.varint(0);
  out.varint(static_cast<uint64_t>(EntityType::kCard));
  out.varint(fields);
  for (size_t i = 0; i < fields; ++i) {
    out.varint(static_cast<uint64_t>(Field::kTitle) << 1);
    out.varint(static_cast<uint64_t>(ValueKind::kNull) + 1);
  }
  constexpr auto kTargets = static_cast<size_t>(Column::kTarget);
  out.varint(uint64_t{1} << kTargets);
  out.varint(operations);
  out.u8(1);
  for (size_t i = 1; i < operations; ++i) out.u8(0);
  return out.take();
}

}  // namespace

TEST_CASE("codec: a shape that is named again and again does not make much of little") {
  CHECK(decode_chunk(made_of_little(100, 3)).ok());
  auto refused = decode_chunk(made_of_little(100000, 4000));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("codec: creations with many labels have one form") {
  std::vector<Op> ops;
  for (uint64_t i = 1; i <= 60; ++i) {
    Op op;
    op.id = {ReplicaId{*id_from_hex("0000000000000000000000000000000a")}, i};
    op.stamp = Hlc{i << 20};
    op.transaction = i;
    op.target = *id_from_hex("000000000000000000000000000000" + std::to_string(10 + i % 40));
    op.kind = static_cast<uint16_t>(OpKind::kCreate);
    CreateBody body{EntityType::kCard, {}};
    for (uint64_t k = 0; k < 300 + i % 3; ++k) {
      Id128 label;
      label.bytes = {1, static_cast<uint8_t>(k), static_cast<uint8_t>(k >> 8)};
      body.fields.push_back({Field::kLabels, {}, label});
    }
    op.body = encode_body(body);
    ops.push_back(op);
  }
  Bytes chunk = encode_chunk(ops);
  auto read = decode_chunk(chunk);
  REQUIRE(read.ok());
  CHECK(*read == ops);
  CHECK(encode_chunk(*read) == chunk);
}

TEST_CASE("codec: a clock table tells the times between its own") {
  std::vector<std::pair<OpRef, uint64_t>> stamps;
  constexpr uint32_t kStep = ClockTable::kStep;
  for (uint32_t counter = 100; counter < 100 + 5 * kStep; ++counter) stamps.push_back({{1, counter}, counter * 1000});
  for (uint32_t counter = 1; counter < 9; ++counter) stamps.push_back({{2, counter * 100000}, counter});
  std::reverse(stamps.begin(), stamps.end());
  ClockTable table;
  table.build(stamps, {0, 1, 2});
  REQUIRE(table.rows().size() == 1);  // the other's operations lie too far apart
  uint64_t ms = 0;
  for (uint32_t counter : {100u, 101u, 100 + kStep, 100 + 3 * kStep + 7, 100 + 4 * kStep}) {
    REQUIRE(table.expects({1, counter}, ms));
    CHECK(ms == counter * 1000);
  }
  REQUIRE(table.expects({1, 7}, ms));
  CHECK(ms == 100000);
  REQUIRE(table.expects({1, UINT32_MAX}, ms));
  CHECK(ms == (100 + 4 * kStep) * 1000);
  CHECK_FALSE(table.expects({2, 100000}, ms));
}

}  // namespace kalends
