// SPDX-License-Identifier: Apache-2.0
// Bytes that earlier versions wrote (tests/fixtures/bytes/v<format version>) read as they did then, for ever; one goes on
// from them: edits, merges, saves. tests/package/bytes.test.mjs does the same with the package.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "core/replica/session.h"
#include "tests/core/reading.h"

namespace kalends::test {
namespace {

namespace fs = std::filesystem;

Bytes bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return Bytes(std::istreambuf_iterator<char>(in), {});
}
Json json_of(const fs::path& path) {
  Bytes bytes = bytes_of(path);
  return Json::parse(bytes.begin(), bytes.end());
}

struct Folder {
  fs::path path;
  int64_t format;
  Json ways, pasts;
  Bytes bytes(const std::string& name) const { return bytes_of(path / name); }
};

std::vector<Folder> folders() {
  std::vector<Folder> all;
  for (const auto& entry : fs::directory_iterator(fs::path(KALENDS_SOURCE_DIR) / "tests/fixtures/bytes")) {
    if (!entry.is_directory()) continue;
    Json both = json_of(entry.path() / "ways.json");
    all.push_back({entry.path(), std::stoll(entry.path().filename().string().substr(1)), both["ways"], both["pasts"]});
  }
  return all;
}

using Change = std::function<void(const std::string& name, Bytes& bytes)>;

// What a way leads to, with every file changed by `change`.
Result<Replica> follow(const Folder& folder, const Json& way, const std::string& reader = "reader",
                       const Change& change = [](const std::string&, Bytes&) {}) {
  ReplicaOptions options;
  options.document.raw = *id_from_hex(way["document"].get<std::string>());
  options.kind = way["kind"] == "board" ? DocumentKind::kBoard : DocumentKind::kWorkspace;
  options.replica.raw = derive_id(as_bytes(reader));
  auto changed = [&](const std::string& name) {
    Bytes bytes = folder.bytes(name);
    change(name, bytes);
    return bytes;
  };
  std::string opened = way["open"];
  KALENDS_TRY(Replica replica, Replica::open(options, opened.empty() ? Bytes{} : changed(opened), {}));
  for (const Json& name : way["merge"]) {
    MergeResult merged;
    KALENDS_TRY_VOID(replica.merge_chunk(changed(name), 0, merged));
    if (merged.held_back > 0) return Error{ErrorCode::kConflict, "Operations are missing.", 0};
  }
  return replica;
}

Replica must_follow(const Folder& folder, const Json& way, const std::string& reader = "reader") {
  auto replica = follow(folder, way, reader);
  INFO((replica.ok() ? std::string() : replica.error().message));
  REQUIRE(replica.ok());
  return std::move(*replica);
}

// "" when it reads as expected. Another format has other hashes.
std::string fault(const Folder& folder, Json expected, const Replica& replica) {
  Json reading = expected.contains("titles") ? brief_reading_of(replica) : reading_of(replica);
  // Found out only when history is read.
  if (replica.is_damaged()) return "damaged";
  if (folder.format != kFormatVersion) {
    expected.erase("hash");
    reading.erase("hash");
  }
  return difference_from(expected, reading);
}

// The same on both copies, some of it on what was there before.
std::vector<Command> some_edits(const Replica& replica, const std::string& who) {
  Id128 fresh = derive_id(as_bytes("new " + who));
  FieldValue title{Field::kTitle, {}, "new by " + who};
  Target root{replica.options().document.raw, {}};
  if (replica.options().kind == DocumentKind::kWorkspace) {
    std::vector<Command> commands = {SetCommand{root, title}, CreateCommand{EntityType::kLabel, fresh, {title}, {}, {}}};
    for (const Entity& label : replica.ordered(EntityType::kLabel))
      if (label.is_live()) commands.push_back(SetCommand{{label.id(), {}}, title});
    return commands;
  }
  Id128 card = derive_id(as_bytes("new card " + who));
  std::vector<Command> commands = {SetCommand{root, title}, CreateCommand{EntityType::kList, fresh, {title}, {}, {}},
                                   CreateCommand{EntityType::kCard, card, {title}, fresh, {}},
                                   SetTextCommand{{card, {}}, "text by " + who}};
  size_t count = 0;
  for (const Id128& list : replica.lists_with_cards())
    for (const Entity& one : replica.cards(list)) {
      if (!one.is_live() || !lives_here(replica.document(), one) || ++count > 10) continue;
      commands.push_back(SetCommand{{one.id(), {}}, title});
      commands.push_back(SpliceCommand{{one.id(), {}}, {0, 0, who}});
      commands.push_back(AddCommand{{one.id(), {}}, Field::kLabels, fresh});
    }
  return commands;
}

void pull(Replica& to, const Replica& from) {
  auto chunk = from.chunk_since(to.version());
  REQUIRE(chunk.ok());
  MergeResult merged;
  REQUIRE(to.merge_chunk(*chunk, Hlc::from(0, 0).ms(), merged).ok());
  REQUIRE(merged.held_back == 0);
}

std::string name_of(const Json& way) { return way["reading"].get<std::string>() + " from " + way.dump(); }

}  // namespace

TEST_CASE("bytes: this version's are kept") {
  std::set<int64_t> formats;
  for (const Folder& folder : folders()) formats.insert(folder.format);
  // A new format adds a folder; none ever goes.
  for (int64_t format = 2; format <= kFormatVersion; ++format) CHECK(formats.count(format) == 1);
}

TEST_CASE("bytes: all of every version read as they did") {
  for (const Folder& folder : folders()) {
    std::set<std::string> read;
    for (const Json& way : folder.ways) {
      INFO(name_of(way));
      CHECK(fault(folder, json_of(folder.path / way["reading"]), must_follow(folder, way)) == "");
      read.insert(way["open"].get<std::string>());
      for (const Json& name : way["merge"]) read.insert(name.get<std::string>());
    }
    REQUIRE(read.size() > 10);
    // Nothing lies there unread. Versions and pairs have tests below, bundles are the package's.
    for (const auto& entry : fs::directory_iterator(folder.path)) {
      std::string extension = entry.path().extension();
      bool is_elsewhere = extension == ".json" || extension == ".bundle" || extension == ".version" ||
                          entry.path().stem() == "pair";
      CHECK((is_elsewhere || read.count(entry.path().filename()) == 1));
    }
  }
}

TEST_CASE("bytes: a version leads to the past, and to what came since") {
  for (const Folder& folder : folders())
    for (const Json& past : folder.pasts) {
      auto version = decode_version(folder.bytes(past["version"]));
      REQUIRE(version.ok());
      Json then = json_of(folder.path / past["then"]);
      Json now = json_of(folder.path / past["reading"]);
      std::string whole = past["reading"].get<std::string>();
      whole.replace(whole.size() - 4, 4, "version");
      auto last = decode_version(folder.bytes(whole));
      REQUIRE(last.ok());
      CHECK(Json(now["version"]).size() == last->entries().size());
      for (const auto& [replica, counter] : last->entries()) CHECK(now["version"][to_hex(replica)] == counter);
      // Canary: no byte of it can be changed without a word.
      Bytes bytes = folder.bytes(whole);
      for (size_t at = 0; at < bytes.size(); ++at) {
        Bytes spoilt = bytes;
        spoilt[at] ^= static_cast<uint8_t>(1u << at % 8);
        auto other = decode_version(spoilt);
        CHECK((!other.ok() || !(*other == *last)));
      }
      for (const Json& way : folder.ways) {
        if (way["reading"] != past["reading"]) continue;
        INFO(name_of(way));
        Replica replica = must_follow(folder, way);
        CHECK(*last == replica.version());
        auto before = replica.at(*version);
        REQUIRE(before.ok());
        CHECK(before->version() == *version);
        CHECK(fault(folder, then, *before) == "");
        auto since = replica.ops_since(*version);
        REQUIRE(since.ok());
        CHECK(since->size() == now["operations"]["number"].get<size_t>() - then["operations"]["number"].get<size_t>());
      }
    }
}

TEST_CASE("bytes: this version still writes the same") {
  for (const Folder& folder : folders()) {
    if (folder.format != kFormatVersion) continue;
    size_t count = 0;
    for (const Json& way : folder.ways) {
      INFO(name_of(way));
      Replica replica = must_follow(folder, way);
      std::string stem = way["reading"].get<std::string>();
      stem.resize(stem.find('.'));
      bool is_whole = way["reading"] == stem + ".json";
      if (!is_whole && way["reading"] != stem + ".snapshot.json") continue;
      ++count;
      bool is_same = replica.snapshot() == folder.bytes(stem + ".snapshot");
      CHECK(is_same);
      // Operations are written in the order in which they came.
      if (way["open"] != "") continue;
      is_same = *replica.chunk_since({}) == folder.bytes(stem + ".chunk");
      CHECK(is_same);
    }
    CHECK(count > 8);
  }
}

TEST_CASE("bytes: one goes on from all of every version") {
  for (const Folder& folder : folders())
    for (const Json& way : folder.ways) {
      INFO(name_of(way));
      Replica anna = must_follow(folder, way, "anna");
      Replica ben = must_follow(folder, way, "ben");
      int64_t now_ms = 1'800'000'000'000;
      for (Replica* one : {&anna, &ben}) {
        auto made = one->edit({MemberId{derive_id(as_bytes("m"))}, Cause::kPerson, now_ms += 1000},
                              some_edits(*one, one == &anna ? "anna" : "ben"));
        INFO((made.ok() ? std::string() : made.error().message));
        REQUIRE(made.ok());
        REQUIRE(made->ops.size() > 3);
      }
      REQUIRE(anna.hash() != ben.hash());
      pull(anna, ben);
      pull(ben, anna);
      Json reading = reading_of(anna);
      CHECK(difference_from(reading, reading_of(ben)) == "");
      CHECK(reading["view"].dump().find("new by ben") != std::string::npos);
      // Saved and opened again, with history and without.
      auto whole = Replica::open(anna.options(), anna.save(), {});
      REQUIRE(whole.ok());
      CHECK(difference_from(reading, reading_of(*whole)) == "");
      auto trimmed = Replica::open(anna.options(), anna.snapshot(), {});
      REQUIRE(trimmed.ok());
      CHECK(difference_from(reading["view"], reading_of(*trimmed)["view"]) == "");
      CHECK(trimmed->hash() == anna.hash());
    }
}

TEST_CASE("bytes: canary: a fixture that is spoilt is refused or reads differently") {
  size_t spoilt = 0;
  size_t refused = 0;
  for (const Folder& folder : folders())
    for (const Json& way : folder.ways) {
      std::vector<std::string> names;
      if (way["open"] != "") names.push_back(way["open"]);
      for (const Json& name : way["merge"]) names.push_back(name);
      Json expected = json_of(folder.path / way["reading"]);
      for (const std::string& name : names) {
        size_t size = folder.bytes(name).size();
        // Every byte; of the wide board every seventh.
        for (size_t at = 0; at < size; at += expected.contains("titles") ? 7 : 1) {
          auto replica = follow(folder, way, "reader", [&](const std::string& which, Bytes& bytes) {
            if (which == name) bytes[at] ^= static_cast<uint8_t>(1u << at % 8);
          });
          ++spoilt;
          if (!replica.ok()) {
            ++refused;
            continue;
          }
          // What is quick to look at first.
          if (folder.format == kFormatVersion && to_hex(replica->hash()) != expected["hash"]) continue;
          if (fault(folder, expected, *replica).empty())
            FAIL_CHECK("byte " << at << " of " << name << " can be changed, and nobody notices");
        }
      }
    }
  CHECK(spoilt > 10'000);
  CHECK(refused > spoilt / 2);
}

TEST_CASE("bytes: history that is damaged is not handed out, and nothing breaks over it") {
  for (const Folder& folder : folders())
    for (const Json& way : folder.ways) {
      bool has_floor = !json_of(folder.path / way["reading"])["floor"].empty();
      if (way["open"] == "" || !way["merge"].empty() || has_floor) continue;
      size_t size = folder.bytes(way["open"]).size();
      // The past stands at the end, behind what is read at once.
      for (size_t at = size / 2; at < size; ++at) {
        auto spoilt = follow(folder, way, "reader", [&](const std::string&, Bytes& bytes) { bytes[at] ^= 1; });
        if (!spoilt.ok()) continue;
        INFO(name_of(way) << " spoilt at " << at);
        Replica& replica = *spoilt;
        auto since = replica.chunk_since({});
        auto past = replica.at({});
        CHECK_FALSE(since.ok());
        CHECK_FALSE(past.ok());
        CHECK(replica.is_damaged());
        std::vector<Op> log = replica.log();
        (void)replica.save();
        (void)reading_of(replica);
        auto own = replica.version().entries();
        REQUIRE_FALSE(own.empty());
        auto retraction = replica.retract({{{own.begin()->first, 1}, ErrorCode::kForbidden}});
        CHECK(retraction.voids.empty());
        Changes changes;
        (void)replica.undo({MemberId{}, Cause::kPerson, 1}, changes);
      }
    }
}

TEST_CASE("bytes: what is kept of a pair and of a link reads as it did, and no spoilt byte goes unnoticed") {
  for (const Folder& folder : folders()) {
    Json expected = json_of(folder.path / "pair.json");
    auto read = [&](const std::string& what, ByteView bytes) -> Json {
      auto reading = [](const auto& decoded) { return decoded.ok() ? reading_of(*decoded) : Json(); };
      if (what == "observation") return reading(decode_observation(bytes));
      if (what == "shadow") return reading(decode_shadow(bytes));
      return reading(decode_policy(bytes));
    };
    for (const char* what : {"observation", "shadow", "policy"}) {
      Bytes bytes = folder.bytes("pair." + std::string(what));
      CHECK(difference_from(expected[what], read(what, bytes)) == "");
      for (size_t at = 0; at < bytes.size(); ++at) {
        Bytes spoilt = bytes;
        spoilt[at] ^= static_cast<uint8_t>(1u << at % 8);
        INFO(what << " " << at);
        CHECK(difference_from(expected[what], read(what, spoilt)) != "");
      }
    }
  }
}

}  // namespace kalends::test
