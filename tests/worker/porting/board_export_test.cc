// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/board_export.h"

#include <catch2/catch.hpp>
#include <functional>

#include "core/api/view.h"
#include "core/replica/conflicts.h"
#include "tests/worker/porting/demo_board.h"
#include "worker/google/json.h"
#include "worker/porting/board_copy.h"

namespace kalends::test {
namespace {

struct Demo {
  TrelloImport import = imported(demo_file());
  Replica board = board_of(import);
  Replica workspace = workspace_of(import);
  Names members;

  Demo() {
    for (const ImportedMember& member : import.members) members[member.id.raw] = member.name;
  }
  std::string file(bool with_workspace = false) const {
    return export_json({&workspace, {&board}, members, with_workspace, 1796000000000, "0.1.0"});
  }
  Id128 card(std::string_view title) const {
    for (const Entity& entity : board.document().all())
      if (entity.type() == EntityType::kCard && entity.text_value(Field::kTitle) == title) return entity.id();
    FAIL("no card of that title");
    return {};
  }
};

KalendsExport read(const std::string& file) {
  auto result = parse_export(file);
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return *result;
}

Error refused(const std::string& file) {
  auto result = parse_export(file);
  REQUIRE_FALSE(result.ok());
  return result.error();
}

Error refused_after(const std::string& file, const std::function<void(Json&)>& change) {
  Json json = Json::parse(file);
  change(json);
  return refused(json.dump());
}

EditResult edit(Replica& replica, const std::vector<Command>& commands, int64_t now_ms) {
  auto result = replica.edit({MemberId{id_named("editor")}, Cause::kPerson, now_ms}, commands);
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return *result;
}

}  // namespace

TEST_CASE("A board that was exported comes back with the same hash, id and history") {
  Demo demo;
  KalendsExport file = read(demo.file());

  REQUIRE(file.boards.size() == 1);
  const ExportedDocument& board = file.boards[0];
  CHECK(board.id == demo.import.board);
  CHECK(board.title == "Product launch");
  CHECK(board.hash == demo.board.hash());
  CHECK(board.ops == demo.board.log());
  auto from_ops = Replica::open({board.id, board.kind, ReplicaId{id_named("new")}}, board.base, board.ops);
  auto from_snapshot = Replica::open({board.id, board.kind, ReplicaId{id_named("new")}}, board.snapshot, {});
  REQUIRE(from_ops.ok());
  REQUIRE(from_snapshot.ok());
  CHECK(from_ops->hash() == demo.board.hash());
  CHECK(from_snapshot->hash() == demo.board.hash());
}

TEST_CASE("Losers, deletions and a compacted history come back too") {
  Demo demo;
  Id128 card = demo.card("Announcement text");
  edit(demo.board, {SetCommand{{card, {}}, {Field::kTitle, {}, std::string("Text A")}, true}}, 1796000001000);
  edit(demo.board, {DeleteCommand{{demo.card("Price list"), {}}}}, 1796000002000);
  demo.board.compact();
  edit(demo.board, {SetTextCommand{{card, {}}, "Shorter."}}, 1796000003000);

  KalendsExport file = read(demo.file());

  CHECK(file.boards[0].hash == demo.board.hash());
  CHECK_FALSE(file.boards[0].base.empty());
  auto back = Replica::open({file.boards[0].id, DocumentKind::kBoard, ReplicaId{id_named("new")}},
                            file.boards[0].base, file.boards[0].ops);
  REQUIRE(back.ok());
  CHECK(conflicts_of(*back->document().find(card)).size() ==
        conflicts_of(*demo.board.document().find(card)).size());
  CHECK(conflicts_of(*back->document().find(card)).size() == 1);
}

TEST_CASE("The readable part shows the board, its labels and its members") {
  Demo demo;
  Json json = Json::parse(demo.file());

  CHECK(json["kalends_export"] == 1);
  CHECK(json["exported_at"].get<std::string>().substr(0, 7) == "2026-11");
  CHECK(json["boards"][0]["title"] == "Product launch");
  CHECK(json["boards"][0]["view"]["cards"].size() == 24);
  CHECK(json["boards"][0]["state_hash"] == to_hex(demo.board.hash()));
  CHECK(json["workspace"]["labels"].size() == 6);
  CHECK(json["workspace"]["members"].size() == 3);
  CHECK(json["workspace"]["document"].is_null());
}

TEST_CASE("An export of one board holds nothing of another board and no label that it does not use") {
  Demo demo;
  edit(demo.workspace,
       {CreateCommand{EntityType::kBoardEntry,
                      id_named("other"),
                      {{Field::kTitle, {}, std::string("Secret plans")}},
                      {},
                      {}},
        CreateCommand{EntityType::kLabel,
                      id_named("label"),
                      {{Field::kTitle, {}, std::string("Secret label")}},
                      {},
                      {}}},
       1796000001000);

  CHECK(demo.file().find("Secret") == std::string::npos);
  KalendsExport whole = read(demo.file(true));
  REQUIRE(whole.workspace.has_value());
  CHECK(whole.workspace->hash == demo.workspace.hash());
  CHECK(whole.labels.size() == 7);
}

TEST_CASE("A workspace gets what it lacks for an imported board, once") {
  Demo demo;
  KalendsExport file = read(demo.file());
  Replica other(
      {DocumentId{id_named("other workspace")}, DocumentKind::kWorkspace, ReplicaId{id_named("other")}});

  auto commands = missing_in(other.document(), file);
  CHECK(commands.size() == 6 + 3 + 1);
  edit(other, commands, 1796000001000);

  CHECK(missing_in(other.document(), file).empty());
  Cbor view = view_workspace(other);
  CHECK(view["labels"].items().size() == 6);
  CHECK(view["boards"].items().at(0)["title"].as_text() == "Product launch");
}

TEST_CASE("Damaged exports are refused with the place") {
  Demo demo;
  std::string file = demo.file();
  auto place = [&](const std::function<void(Json&)>& change) { return refused_after(file, change).message; };

  CHECK(place([](Json& json) {
          json["boards"][0]["state_hash"] = std::string(64, '0');
        }).find("/boards/0/state_hash") != std::string::npos);
  CHECK(place([](Json& json) { json["boards"][0]["operations"] = "AAAA"; }).find("/boards/0/operations") !=
        std::string::npos);
  CHECK(place([](Json& json) { json["boards"][0]["operations"] = "a b"; }).find("/boards/0/operations") !=
        std::string::npos);
  CHECK(place([](Json& json) { json["boards"][0]["snapshot"] = "AQID"; }).find("at /boards/0:") !=
        std::string::npos);
  CHECK(place([](Json& json) { json["boards"][0]["kind"] = "workspace"; }).find("/boards/0/kind") !=
        std::string::npos);
  CHECK(place([](Json& json) { json["boards"].push_back(json["boards"][0]); }).find("/boards/1/id") !=
        std::string::npos);
  CHECK(place([](Json& json) {
          json["workspace"]["labels"][0]["id"] = "x";
        }).find("/workspace/labels/0/id") != std::string::npos);
  CHECK(place([](Json& json) { json["boards"] = Json::array(); }).find("no board") != std::string::npos);
  CHECK(refused(file.substr(0, file.size() - 100)).message.find("ends in the middle") != std::string::npos);
  CHECK(refused("{}").code == ErrorCode::kInvalid);
}

TEST_CASE("An export whose board got another id by hand is refused") {
  Demo demo;
  Error error =
      refused_after(demo.file(), [](Json& json) { json["boards"][0]["id"] = std::string(32, 'a'); });
  CHECK(error.message.find("/boards/0") != std::string::npos);
}

TEST_CASE("An export of a newer format asks for an update") {
  Demo demo;
  CHECK(refused_after(demo.file(), [](Json& json) { json["kalends_export"] = 2; }).code ==
        ErrorCode::kUnsupportedVersion);
}

TEST_CASE("A copy shows what the original shows, under ids of its own") {
  Demo demo;
  edit(demo.board, {SetCommand{{demo.card("Announcement text"), {}}, {Field::kEstimate, {}, int64_t{0}}}}, 1796000001000);
  DocumentId target{id_named("copy")};
  auto copied = copy_board(demo.board, target, demo.members);
  REQUIRE(copied.ok());
  Replica copy = replica_of(target, DocumentKind::kBoard, copied->commands);

  Cbor original = view_board(demo.board);
  Cbor view = view_board(copy);
  CHECK_FALSE(copy.hash() == demo.board.hash());
  CHECK(copied->report.changed_count("ids of the board and of what is on it") == 1);
  CHECK(view["title"].as_text() == "Product launch");
  REQUIRE(view["lists"].items().size() == original["lists"].items().size());
  for (size_t i = 0; i < view["lists"].items().size(); ++i) {
    const auto& mine = view["lists"].items()[i]["cards"].items();
    const auto& theirs = original["lists"].items()[i]["cards"].items();
    REQUIRE(mine.size() == theirs.size());
    for (size_t k = 0; k < mine.size(); ++k) {
      const Cbor& a = view["cards"][mine[k].as_text()];
      const Cbor& b = original["cards"][theirs[k].as_text()];
      CHECK(mine[k].as_text() != theirs[k].as_text());
      for (const char* field : {"title", "description", "labels", "assignees", "start", "due", "done",
                                "location", "reminders", "estimate", "archived"})
        CHECK(encode_cbor(a[field]) == encode_cbor(b[field]));
      CHECK(a["comments"].items().size() == b["comments"].items().size());
      CHECK(a["attachments"].items().size() == b["attachments"].items().size());
      CHECK(a["checklists"].items().size() == b["checklists"].items().size());
      CHECK(a["custom"].entries().size() == b["custom"].entries().size());
    }
  }
}

TEST_CASE("A copy keeps open conflicts open, and the winner the winner") {
  Demo demo;
  Id128 card = demo.card("Announcement text");
  edit(demo.board, {SetCommand{{card, {}}, {Field::kTitle, {}, std::string("Text A")}, true}}, 1796000001000);
  edit(demo.board, {SetCommand{{card, {}}, {Field::kDone, {}, true}}}, 1796000001500);
  edit(demo.board, {SetCommand{{card, {}}, {Field::kDone, {}, false}, true}}, 1796000002000);

  DocumentId target{id_named("copy")};
  auto copied = copy_board(demo.board, target, demo.members);
  REQUIRE(copied.ok());
  Replica copy = replica_of(target, DocumentKind::kBoard, copied->commands);

  CHECK(copied->report.carried_count("open conflicts") == 2);
  for (const Entity& entity : copy.document().all()) {
    if (entity.text_value(Field::kTitle) != "Text A") continue;
    CHECK_FALSE(entity.bool_value(Field::kDone));
    CHECK(conflicts_of(entity).size() == 2);
  }
  CHECK(view_board(copy)["conflicts"].as_int() == 2);
}

TEST_CASE("A copy under the id of the original is refused") {
  Demo demo;
  CHECK_FALSE(copy_board(demo.board, demo.import.board, {}).ok());
}

}  // namespace kalends::test
