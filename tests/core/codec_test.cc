// SPDX-License-Identifier: Apache-2.0
// Everything that is decoded comes from a disk or a network: each decoder gives back what was encoded,
// refuses every truncation, and survives whatever bytes it is given.
#include <sys/resource.h>

#include <functional>
#include <map>

#include "core/api/facade.h"
#include "core/calendar/shadow.h"
#include "core/oplog/apply.h"
#include "core/oplog/chunk.h"
#include "core/oplog/image.h"
#include "core/oplog/image_format.h"
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

// A chunk that nobody's writer made, of operations in columns.
struct ForgedChunk {
  size_t operations = 7;
  std::vector<std::string_view> zones;
  bool remembers = false;
  uint64_t date_unit = 1;
  std::vector<std::vector<uint64_t>> shapes;
  std::map<Column, std::vector<uint64_t>> columns;

  // A column of `first` and then zeros.
  void fill(Column column, uint64_t first) {
    columns[column].assign(operations, 0);
    columns[column][0] = first;
  }
  Bytes bytes() const {
    Writer out;
    out.u8(kChunkFormat);
    out.varint(operations);
    out.varint(2);  // ids, none of them known
    out.varint(0);
    out.id(*id_from_hex("0000000000000000000000000000000a"));
    out.id(*id_from_hex("0000000000000000000000000000000b"));
    out.varint(zones.size());
    for (std::string_view zone : zones) out.text(zone);
    out.u8(remembers);
    out.varint(0);
    out.varint(date_unit);
    out.varint(shapes.size());
    for (const auto& shape : shapes)
      for (uint64_t number : shape) out.varint(number);
    uint64_t mask = 0;
    Writer sizes, contents;
    for (const auto& [column, numbers] : columns) {
      mask |= uint64_t{1} << static_cast<size_t>(column);
      Writer written;
      for (uint64_t number : numbers) written.varint(number);
      sizes.varint(written.size());
      contents.raw(written.view());
    }
    out.varint(mask);
    out.raw(sizes.view());
    out.raw(contents.view());
    return out.take();
  }
};
constexpr uint64_t shape_of(OpKind kind) { return static_cast<uint64_t>(kind) << 3; }
constexpr uint64_t field_of(Field field) { return static_cast<uint64_t>(field) << 1; }

// Read, and the only way to write what it says.
bool is_canonical(const Bytes& chunk) {
  auto ops = decode_chunk(chunk);
  return ops.ok() && encode_chunk(*ops) == chunk;
}

// Creations of one card, each with `fields` empty titles: one shape, and a byte for each operation.
Bytes made_of_little(size_t operations, size_t fields) {
  ForgedChunk chunk{operations, {}, true, 900, {{shape_of(OpKind::kCreate), 0, 0, static_cast<uint64_t>(EntityType::kCard), fields}}, {}};
  for (size_t i = 0; i < fields; ++i) {
    chunk.shapes[0].push_back(field_of(Field::kTitle));
    chunk.shapes[0].push_back(static_cast<uint64_t>(ValueKind::kNull) + 1);
  }
  chunk.fill(Column::kTarget, 1);
  return chunk.bytes();
}

// The image of a board with one card, made by the first operation of somebody, and with runs of its text, each of them
// one letter behind as many removed ones as there can be.
struct ForgedImage {
  std::vector<int64_t> clock = {};
  size_t runs = 0;

  Bytes bytes() const {
    std::vector<Id128> ids = {*id_from_hex("000000000000000000000000000000ca"), *id_from_hex("0000000000000000000000000000000a")};
    Writer out;
    out.u8(kImageFormat);
    out.u8(0);
    out.id(Id128{});
    out.u8(1);
    out.varint(1);
    out.varint(ids.size());
    for (size_t i = 0; i < 16; ++i)
      for (const Id128& id : ids) out.u8(id.bytes[i]);
    out.varint(0);  // zones
    out.varint(2);
    for (uint64_t number : {shape_of(OpKind::kRun), uint64_t{0}, uint64_t{0}, uint64_t{7}}) out.varint(number);
    for (uint64_t number : {shape_of(OpKind::kCreate) | 2, uint64_t{0}, uint64_t{0}, static_cast<uint64_t>(EntityType::kCard), uint64_t{0}})
      out.varint(number);
    out.varint(1);  // version
    for (uint64_t number : {1, 1, 0}) out.varint(number);
    out.varint(clock.empty() ? 0 : 1);
    if (!clock.empty()) {
      for (uint64_t number : {uint64_t{1}, uint64_t{1}, uint64_t{clock.size()}}) out.varint(number);
      for (int64_t ms : clock) out.zigzag(ms);
    }
    out.varint(1 << 1 | 1);  // the maker
    out.varint(1);
    for (int i = 0; i < 5; ++i) out.varint(0);  // carried, redactions, voids, bounds, opaque
    out.varint(0);  // no past
    std::map<Column, Writer> columns;
    columns[Column::kShape].varint(1);
    if (runs > 0) columns[Column::kReplica].varint(2);
    for (size_t i = 0; i < runs; ++i) {
      columns[Column::kShape].varint(0);
      if (i > 0) columns[Column::kReplica].varint(0);
      columns[Column::kRunSize].varint(1);
      for (uint64_t number : {uint64_t{1}, uint64_t{0}, uint64_t{kTextBytesMax - 1}}) columns[Column::kRange].varint(number);
    }
    std::string texts(runs, 'x');
    for (uint64_t number : {1 + runs, size_t{0}, size_t{1}}) out.varint(number);
    uint64_t mask = 0, sum = 0;
    for (const auto& [column, written] : columns) mask |= uint64_t{1} << static_cast<size_t>(column);
    out.varint(mask);
    for (const auto& [column, written] : columns) {
      out.varint(written.size());
      sum = sum * 31 + image_checksum(written.view());
    }
    out.varint(texts.size());
    out.varint(0);  // no rest
    out.fixed64((sum * 31 + image_checksum(as_bytes(texts))) * 31 + image_checksum({}));
    out.fixed64(image_checksum(out.view()));
    for (const auto& [column, written] : columns) out.raw(written.view());
    out.raw(as_bytes(texts));
    return out.take();
  }
};

Result<Replica> open_image(ByteView image) {
  Writer saved;
  saved.u8(kImageFormat);
  saved.fixed64(image.size());
  saved.raw(image);
  return Replica::open({DocumentId{}, DocumentKind::kBoard, ReplicaId{}}, saved.view(), {});
}

Op creation(uint64_t counter, const Id128& target, CreateBody body) {
  Op op;
  op.id = {ReplicaId{*id_from_hex("0000000000000000000000000000000a")}, counter};
  op.stamp = Hlc{counter};
  op.transaction = counter;
  op.target = target;
  op.kind = static_cast<uint16_t>(OpKind::kCreate);
  op.body = encode_body(std::move(body));
  return op;
}

// Whoever merges them hands them out and keeps them, readable.
void check_kept(const std::vector<Op>& ops) {
  ReplicaOptions options{DocumentId{*id_from_hex("000000000000000000000000000000dd")}, DocumentKind::kBoard, ReplicaId{}};
  Bytes chunk = encode_chunk(ops);
  auto read = decode_chunk(chunk);
  REQUIRE(read.ok());
  CHECK(*read == ops);
  Replica replica(options);
  REQUIRE(replica.merge(ops, 0).ok());
  for (const Bytes& saved : {replica.snapshot(), replica.save()}) {
    auto opened = Replica::open(options, saved, {});
    REQUIRE(opened.ok());
    CHECK(opened->hash() == replica.hash());
    if (saved == replica.save()) CHECK(opened->log() == ops);
  }
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

TEST_CASE("codec: creations of many fields that say nothing are handed out and kept") {
  std::vector<Op> ops;
  for (uint64_t i = 1; i <= 12; ++i) {
    CreateBody body{EntityType::kCard, {}};
    for (int k = 0; k < 4000; ++k) body.fields.push_back({static_cast<Field>(1000 + k), {}, {}});
    Id128 target;
    target.bytes[0] = static_cast<uint8_t>(i);
    ops.push_back(creation(i, target, body));
  }
  check_kept(ops);
}

TEST_CASE("codec: many children of one card that say nothing are handed out and kept") {
  std::vector<Op> ops = {creation(1, *id_from_hex("000000000000000000000000000000ca"), {EntityType::kCard, {}})};
  for (uint64_t i = 2; i <= 3000; ++i) {
    ops.push_back(creation(i, ops[0].target, {EntityType::kItem, {{Field::kDone, {}, {}}, {Field::kPosition, {}, {}}, {Field::kTitle, {}, {}}, {Field::kArchived, {}, {}},
                                              {Field::kText, {}, {}}, {Field::kColour, {}, {}}, {Field::kStart, {}, {}}, {Field::kDue, {}, {}}}}));
  }
  check_kept(ops);
}

TEST_CASE("codec: an archive knows of every field of a creation whether it still holds") {
  CreateBody body{EntityType::kCard, {}};
  for (uint8_t i = 1; i <= 200; ++i) {
    FieldValue field{Field::kCustom, {}, std::string("x")};
    field.key.bytes[3] = i;
    body.fields.push_back(field);
  }
  std::vector<Op> ops = {creation(1, *id_from_hex("000000000000000000000000000000ca"), body)};
  for (size_t i : {3, 63, 64, 150, 199}) {
    Op op = ops[0];
    op.id.counter = op.transaction = ops.size() + 1;
    op.stamp.raw = op.id.counter;
    FieldValue field = body.fields[i];
    field.value = std::string("y");
    op.kind = static_cast<uint16_t>(OpKind::kSet);
    op.body = encode_body(SetBody{field});
    op.replaced = {ops[0].id};
    ops.push_back(op);
  }
  check_kept(ops);
}

TEST_CASE("codec: a column of zeros and a zone that is named twice are refused") {
  ForgedChunk erased{7, {}, false, 1, {{shape_of(OpKind::kDelete), 0, 0}}, {}};
  erased.fill(Column::kTarget, 1);
  CHECK(is_canonical(erased.bytes()));
  erased.fill(Column::kRest, 0);
  CHECK_FALSE(decode_chunk(erased.bytes()).ok());

  ForgedChunk dated{7, {"A", "B"}, false, 1, {{shape_of(OpKind::kSet), 0, 0, field_of(Field::kDue), 0, 1}}, {}};
  dated.fill(Column::kTarget, 1);
  dated.columns[Column::kZone] = {0, 1, 0, 0, 0, 0, 0};
  CHECK(is_canonical(dated.bytes()));
  dated.zones = {"A", "A"};
  CHECK_FALSE(decode_chunk(dated.bytes()).ok());
}

TEST_CASE("codec: a child that is called as the operation is has one form") {
  uint64_t restore = shape_of(OpKind::kRestore);
  ForgedChunk chunk{7, {}, false, 1, {{restore, 2, 0}, {restore, 3, 0}}, {}};
  chunk.fill(Column::kShape, 1);
  chunk.fill(Column::kTarget, 1);
  chunk.columns[Column::kChild] = {15 << 1};  // eight further than itself: the ninth
  CHECK(is_canonical(chunk.bytes()));
  chunk.columns[Column::kChild] = {1 << 1};  // the second, which then names itself
  CHECK_FALSE(decode_chunk(chunk.bytes()).ok());
}

TEST_CASE("codec: what fills columns up is exactly what is needed") {
  CHECK(is_canonical(made_of_little(1000, 4)));
  CHECK_FALSE(decode_chunk(made_of_little(1000, 8)).ok());
  ForgedChunk card{1000, {}, true, 900, {{shape_of(OpKind::kRestore), 0, 0}}, {}};
  card.fill(Column::kTarget, 1);
  CHECK(is_canonical(card.bytes()));
  card.columns[Column::kFill] = {1};
  CHECK_FALSE(decode_chunk(card.bytes()).ok());
}

TEST_CASE("codec: numbers at the end of what can be counted are refused") {
  constexpr uint64_t kMost = UINT64_MAX - 1;  // as a signed number, the greatest
  for (Column column : {Column::kReplica, Column::kMs, Column::kLogical, Column::kAuthor, Column::kWhen}) {
    ForgedChunk chunk{7, {}, false, 1, {{shape_of(OpKind::kSet), 0, 0, field_of(Field::kDue), 0, 0}}, {}};
    chunk.fill(Column::kTarget, 1);
    chunk.columns[column] = {2, kMost, 2, 2, 2, 2, 2};
    INFO(static_cast<size_t>(column));
    CHECK_FALSE(decode_chunk(chunk.bytes()).ok());
  }
}

TEST_CASE("image: a clock shows what a stamp can hold") {
  CHECK(open_image(ForgedImage{}.bytes()).ok());
  CHECK(open_image(ForgedImage{{5, 7}, 0}.bytes()).ok());
  for (int64_t ms : {INT64_MAX, int64_t{1} << 48, int64_t{-1}}) CHECK_FALSE(open_image(ForgedImage{{0, ms}, 0}.bytes()).ok());
}

TEST_CASE("image: letters that were removed long ago take no memory") {
  constexpr size_t kRuns = 3000;  // 750 MB of letters
  Bytes image = ForgedImage{{}, kRuns}.bytes();
  CHECK(image.size() < 10 * kRuns);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  auto opened = open_image(image);
  REQUIRE(opened.ok());
  Entity card = opened->document().find(*id_from_hex("000000000000000000000000000000ca"));
  REQUIRE(card);
  CHECK(card.text() == std::string(kRuns, 'x'));
  auto again = Replica::open(opened->options(), opened->snapshot(), {});
  REQUIRE(again.ok());
  CHECK(again->snapshot() == opened->snapshot());
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 100'000);  // KB, the greatest there was
}

TEST_CASE("image: a text with gaps reads, is edited and is written as the whole one") {
  test::Person anna("anna");
  anna.edit({test::create_list("todo"), test::create_card("X", "todo")});
  Target card{test::named_id("X"), {}};
  anna.edit({SpliceCommand{card, {0, 0, "gr\xC3\xBC\xC3\x9F euch, ihr drei M\xC3\xA4nner im Mond"}}});
  for (uint32_t at : {2, 5, 9, 12}) anna.edit({SpliceCommand{card, {at, 2, ""}}});
  anna.edit({SpliceCommand{card, {3, 0, "\xE2\x82\xAC!"}}});
  auto open = [&](const Bytes& saved) {
    auto opened = Replica::open(anna.replica.options(), saved, {});
    REQUIRE(opened.ok());
    return std::move(*opened);
  };
  std::vector<Splice> splices = {{0, 3, "x"}, {4, 1, ""}, {6, 0, "\xC3\xA9"}, {1, 9, ""}};
  for (const Splice& splice : splices) {
    Replica gapped = open(anna.replica.snapshot());
    Replica whole = open(anna.replica.save());
    CHECK(gapped.hash() == whole.hash());
    EditContext context{anna.member, Cause::kPerson, 9000};
    for (Replica* replica : {&gapped, &whole}) {
      REQUIRE(replica->edit(context, {SpliceCommand{card, splice}}).ok());
      Changes changes;
      if (splice.inserted.empty()) REQUIRE(replica->undo(context, changes).ok());
    }
    CHECK(gapped.document().find(card.entity).text() == whole.document().find(card.entity).text());
    CHECK(gapped.hash() == whole.hash());
    anna.edit({SpliceCommand{card, splice}});
  }
}

TEST_CASE("image: what somebody forged is written so that it opens") {
  auto check = [](const std::vector<Op>& ops) {
    Document document(DocumentId{}, DocumentKind::kBoard);
    std::vector<Record> records;
    records.reserve(ops.size());
    for (const Op& op : ops) {
      auto record = record_of(document.names, op);
      REQUIRE(record.ok());
      records.push_back(*record);
      put_back(document, records.back());
      document.raise(records.back().id, records.back().stamp);
    }
    auto opened = open_image(encode_snapshot(document));
    REQUIRE(opened.ok());
    CHECK(encode_snapshot(opened->document()) == encode_snapshot(document));
  };
  Id128 one, other;
  one.bytes[15] = 1;
  other.bytes[15] = 2;
  CreateBody card{EntityType::kCard, {{Field::kTitle, {}, std::string("card")}}};
  check({creation(1, one, card), creation(1, other, card)});  // two things of one maker
  // One creation in two halves, together more than one can say.
  std::vector<Op> halves;
  for (uint16_t half = 0; half < 2; ++half) {
    CreateBody body{EntityType::kCard, {}};
    for (uint16_t i = 0; i < 3000; ++i) {
      FieldValue field{Field::kCustom, {}, std::string("x")};
      field.key.bytes = {1, static_cast<uint8_t>(half), static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)};
      body.fields.push_back(field);
    }
    body.fields.push_back({Field::kDescription, {}, std::string("text")});
    halves.push_back(creation(1, one, body));
  }
  check(halves);
}

}  // namespace kalends
