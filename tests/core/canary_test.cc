// SPDX-License-Identifier: Apache-2.0
// Every oracle of the property tests must report a planted bug. (The pairs' and the hostile tests' own
// canaries stand beside them.)
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/replica/session.h"
#include "tests/core/history.h"

namespace kalends::test {
namespace {

struct Settled {
  explicit Settled(uint64_t seed) : history(seed, 3), random(seed) {
    history.run(some_steps(random, 110));
    history.settle();
    ops = history.all_ops();
    entities = entities_in(ops);
    sight = sight_of(history.replica(0), entities);
  }
  History history;
  Prng random;
  std::vector<Op> ops;
  std::vector<Id128> entities;
  Sight sight;
};

// Replaces the first value that `pick` takes, anywhere in it.
bool change(Cbor& value, const std::function<bool(Cbor&)>& pick) {
  if (pick(value)) return true;
  if (value.is_array()) {
    Cbor::Array items = value.items();
    for (Cbor& item : items)
      if (change(item, pick)) return value = Cbor::array(std::move(items)), true;
  }
  if (value.is_map()) {
    Cbor::Map entries = value.entries();
    for (auto& [key, entry] : entries)
      if (change(entry, pick)) return value = Cbor::map(std::move(entries)), true;
  }
  return false;
}

// Turns the first list under `key` that has at least `size` entries into another.
bool change_list(Cbor& view, const std::string& key, size_t size,
                 const std::function<void(Cbor::Array&)>& how) {
  return change(view, [&](Cbor& value) {
    const Cbor* list = value.is_map() ? value.find(key) : nullptr;
    if (!list || list->items().size() < size) return false;
    Cbor::Map entries = value.entries();
    for (auto& [name, entry] : entries)
      if (name == key) {
        Cbor::Array items = entry.items();
        how(items);
        entry = Cbor::array(std::move(items));
      }
    value = Cbor::map(std::move(entries));
    return true;
  });
}

std::string model_fault(const Settled& settled, const Cbor& view, const Cbor& conflicts) {
  return against_model(view, conflicts, settled.history.options(0).document, DocumentKind::kBoard,
                       settled.ops);
}

}  // namespace

TEST_CASE("canary: equality of sights notices a copy that lacks one operation, each single one") {
  Settled settled(1);
  CHECK(unequal(settled.sight, settled.sight).empty());
  size_t last_of_each = 0;
  for (size_t i = 0; i < settled.history.size(); ++i) {
    // Without the last operation of one replica.
    OpId gone{settled.history.options(i).replica, 0};
    for (const Op& op : settled.ops)
      if (op.id.replica == gone.replica) gone.counter = std::max(gone.counter, op.id.counter);
    if (gone.counter == 0) continue;
    std::vector<Op> fewer = settled.ops;
    fewer.erase(std::remove_if(fewer.begin(), fewer.end(), [&](const Op& op) { return op.id == gone; }),
                fewer.end());
    Replica reader = settled.history.fresh();
    REQUIRE(reader.merge(fewer, 0).ok());
    CHECK_FALSE(unequal(settled.sight, sight_of(reader, settled.entities)).empty());
    ++last_of_each;
  }
  CHECK(last_of_each > 0);
}

TEST_CASE(
    "canary: equality of sights notices a difference in the view, the conflicts, the snapshot or the hash") {
  Settled settled(2);
  for (int part = 0; part < 4; ++part) {
    Sight other = settled.sight;
    if (part == 0) other.view.set("more", true);
    if (part == 1) other.conflicts.set("more", true);
    if (part == 2) other.snapshot.back() ^= 1;
    if (part == 3) other.hash[0] ^= 1;
    CHECK_FALSE(unequal(settled.sight, other).empty());
  }
}

TEST_CASE("canary: the model notices an operation that was dropped, and one that was forged") {
  size_t noticed = 0, dropped = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Settled settled(seed);
    REQUIRE(model_fault(settled, settled.sight.view, settled.sight.conflicts).empty());
    // Each last operation in turn is not applied: most of them show (what is replaced or deleted does not).
    for (size_t i = 0; i < settled.history.size(); ++i) {
      Replica reader = settled.history.fresh();
      std::vector<Op> fewer;
      uint64_t known = settled.history.replica(i).version().of(settled.history.options(i).replica);
      for (const Op& op : settled.ops)
        if (op.id.replica != settled.history.options(i).replica || op.id.counter + 3 <= known)
          fewer.push_back(op);
      REQUIRE(reader.merge(fewer, 0).ok());
      Sight sight = sight_of(reader, settled.entities);
      ++dropped;
      noticed += !model_fault(settled, sight.view, sight.conflicts).empty();
    }
  }
  INFO(noticed << " of " << dropped);
  CHECK(noticed * 4 > dropped * 3);
}

TEST_CASE("canary: the model notices a swapped winner, a dropped loser, reordered siblings, a wrong text") {
  size_t winners = 0, losers = 0, siblings = 0, texts = 0, labels = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Settled settled(seed);
    Cbor view = settled.sight.view;
    if (change_list(view, "values", 2, [](Cbor::Array& values) { std::swap(values[0], values[1]); })) {
      ++winners;
      CHECK_FALSE(model_fault(settled, view, settled.sight.conflicts).empty());
    }
    view = settled.sight.view;
    if (change_list(view, "values", 2, [](Cbor::Array& values) { values.pop_back(); })) {
      ++losers;
      CHECK_FALSE(model_fault(settled, view, settled.sight.conflicts).empty());
    }
    Cbor conflicts = settled.sight.conflicts;
    if (change_list(conflicts, "values", 2, [](Cbor::Array& values) { values.pop_back(); }))
      CHECK_FALSE(model_fault(settled, settled.sight.view, conflicts).empty());
    view = settled.sight.view;
    Cbor lists = view["lists"];
    if (change_list(lists, "cards", 2, [](Cbor::Array& cards) { std::swap(cards[0], cards[1]); })) {
      ++siblings;
      Cbor::Map entries = view.entries();
      for (auto& [key, entry] : entries)
        if (key == "lists") entry = lists;
      CHECK_FALSE(model_fault(settled, Cbor::map(entries), settled.sight.conflicts).empty());
    }
    view = settled.sight.view;
    if (change_list(view, "labels", 1, [](Cbor::Array& ids) { ids.pop_back(); })) {
      ++labels;
      CHECK_FALSE(model_fault(settled, view, settled.sight.conflicts).empty());
    }
    view = settled.sight.view;
    bool has_text = change(view, [](Cbor& value) {
      const Cbor* text = value.is_map() ? value.find("description") : nullptr;
      if (!text || text->as_text().size() < 2) return false;
      Cbor::Map entries = value.entries();
      for (auto& [key, entry] : entries)
        if (key == "description") entry = Cbor(entry.as_text() + "x");
      value = Cbor::map(entries);
      return true;
    });
    if (has_text) {
      ++texts;
      CHECK_FALSE(model_fault(settled, view, settled.sight.conflicts).empty());
    }
  }
  CHECK(winners > 5);
  CHECK(losers > 5);
  CHECK(siblings > 5);
  CHECK(labels > 5);
  CHECK(texts > 5);
}

TEST_CASE("canary: the search for lost losers notices a loser or a winner that is not shown") {
  size_t losers = 0, winners = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Settled settled(seed);
    REQUIRE(lost_loser(settled.ops, settled.sight.view, settled.sight.conflicts).empty());
    Cbor none = Cbor::map();
    for (const auto& [id, rows] : settled.sight.conflicts.entries()) none.set(id, Cbor::array());
    // Every conflict swept under the carpet.
    if (settled.sight.view["conflicts"].as_int() > 2) {
      ++losers;
      CHECK_FALSE(lost_loser(settled.ops, settled.sight.view, none).empty());
    }
    Cbor view = settled.sight.view;
    bool is_changed = change(view, [&](Cbor& value) {
      const Cbor* place = value.is_map() && value.find("checklists") ? value.find("location") : nullptr;
      if (!place || place->as_text().rfind("wört ", 0) != 0) return false;
      Cbor::Map entries = value.entries();
      for (auto& [key, entry] : entries)
        if (key == "location") entry = Cbor("another");
      value = Cbor::map(entries);
      return true;
    });
    if (is_changed) {
      ++winners;
      CHECK_FALSE(lost_loser(settled.ops, view, none).empty());
    }
  }
  CHECK(losers > 5);
  CHECK(winners > 3);
}

TEST_CASE("canary: torn and shuffled runs are noticed") {
  CHECK(interleaved({"<0", "A1", "A2", "B2", "B1", ">0"}).empty());
  CHECK_FALSE(interleaved({"<0", "A1", "B1", "A2", ">0"}).empty());
  CHECK_FALSE(interleaved({"A1", "A3", "A2"}).empty());
}

TEST_CASE("canary: stamps that stand still or fall are noticed") {
  Settled settled(3);
  std::vector<Op> own;
  for (const Op& op : settled.ops)
    if (op.id.replica == settled.history.options(0).replica) own.push_back(op);
  REQUIRE(own.size() > 3);
  REQUIRE(stamps_not_rising(own).empty());
  std::swap(own[1].stamp, own[2].stamp);
  CHECK_FALSE(stamps_not_rising(own).empty());
  own[1].stamp = own[2].stamp;
  CHECK_FALSE(stamps_not_rising(own).empty());
  Op op = own[0];
  op.stamp = Hlc::from(5000, 3);
  CHECK(stamp_too_early(op, Hlc::from(5000, 2), 5000).empty());
  CHECK_FALSE(stamp_too_early(op, Hlc::from(5000, 3), 5000).empty());
  CHECK_FALSE(stamp_too_early(op, Hlc::from(4000, 0), 5001).empty());
}

TEST_CASE("canary: a codec that loses, invents or tolerates something is noticed") {
  Settled settled(4);
  REQUIRE(chunk_fault(settled.ops, encode_chunk, decode_chunk).empty());
  auto loses = [](const std::vector<Op>& ops) {
    return encode_chunk({ops.begin(), ops.empty() ? ops.end() : ops.end() - 1});
  };
  CHECK_FALSE(chunk_fault(settled.ops, loses, decode_chunk).empty());
  auto forgets_causes = [](ByteView bytes) -> Result<std::vector<Op>> {
    auto ops = decode_chunk(bytes);
    if (ops.ok())
      for (Op& op : *ops) op.cause = Cause::kPerson;
    return ops;
  };
  CHECK_FALSE(chunk_fault(settled.ops, encode_chunk, forgets_causes).empty());
  Bytes bytes = encode_chunk(settled.ops);
  CHECK(canonical_fault(bytes, encode_chunk, decode_chunk).empty());
  auto tolerates = [](ByteView given) { return decode_chunk(given.first(given.size() - 1)); };
  bytes.push_back(0);
  CHECK(canonical_fault(bytes, encode_chunk, decode_chunk).empty());
  CHECK_FALSE(canonical_fault(bytes, encode_chunk, tolerates).empty());
  auto mute = [](ByteView) -> Result<std::vector<Op>> { return Error{ErrorCode::kCorrupt, "", 0}; };
  CHECK_FALSE(canonical_fault(bytes, encode_chunk, mute).empty());
}

TEST_CASE("canary: a tail that lacks an operation, and a snapshot of another moment, are noticed") {
  Settled settled(5);
  size_t half = settled.ops.size() / 2;
  Replica early = settled.history.fresh();
  REQUIRE(early.merge({settled.ops.begin(), settled.ops.begin() + static_cast<long>(half)}, 0).ok());
  std::vector<Op> tail = *settled.history.replica(0).ops_since(early.version());
  CHECK(
      unequal(settled.sight, sight_of(settled.history.opened("x", early.snapshot(), tail), settled.entities))
          .empty());
  tail.pop_back();
  CHECK_FALSE(
      unequal(settled.sight, sight_of(settled.history.opened("x", early.snapshot(), tail), settled.entities))
          .empty());
}

TEST_CASE("canary: messages that say nothing are noticed") {
  CHECK_FALSE(vague({ErrorCode::kInvalid, "", 0}).empty());
  CHECK_FALSE(vague({ErrorCode::kInvalid, "Error 17.", 0}).empty());
  CHECK_FALSE(vague({ErrorCode::kInvalid, "Something went wrong somewhere.", 0}).empty());
  CHECK(vague({ErrorCode::kCorrupt, "A chunk of operations is damaged: fetch it again.", 0}).empty());
}

}  // namespace kalends::test
