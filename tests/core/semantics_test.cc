// SPDX-License-Identifier: Apache-2.0
// What two people see after they edited apart (docs/algebra.md, row by row for the cases that people meet).
#include "core/api/view.h"
#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

struct Pair {
  Pair() : anna("anna"), ben("ben") {
    anna.edit({create_list("todo"), create_list("done"), create_card("X", "todo"), create_card("Y", "todo")});
    ben.pull(anna);
  }
  Person anna, ben;
};

std::vector<Conflict> conflicts(const Person& person, std::string_view card) {
  return person.conflicts(card);
}

}  // namespace

TEST_CASE("a later edit of the same field wins and the loser stays open until somebody flips it") {
  Pair pair;
  pair.anna.edit({set("X", Field::kTitle, std::string("by anna"))}, 2000);
  pair.ben.edit({set("X", Field::kTitle, std::string("by ben"))}, 3000);
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.card("X").text_value(Field::kTitle) == "by ben");
  auto open = conflicts(pair.anna, "X");
  REQUIRE(open.size() == 1);
  REQUIRE(open[0].values.size() == 2);
  CHECK(open[0].values[1].value == Value{std::string("by anna")});
  pair.anna.edit({ResolveCommand{{named_id("X"), {}}, Field::kTitle, {}, open[0].values[1].op}}, 4000);
  exchange(pair.anna, pair.ben);
  CHECK(pair.ben.card("X").text_value(Field::kTitle) == "by anna");
  CHECK(conflicts(pair.ben, "X").empty());
}

TEST_CASE("two people who set the same value have no conflict") {
  Pair pair;
  pair.anna.edit({set("X", Field::kDone, true)}, 2000);
  pair.ben.edit({set("X", Field::kDone, true)}, 3000);
  exchange(pair.anna, pair.ben);
  CHECK(conflicts(pair.anna, "X").empty());
}

TEST_CASE("two estimates both stay, and taking the later one back shows the earlier") {
  Pair pair;
  pair.anna.edit({set("X", Field::kEstimate, int64_t{30})}, 2000);
  pair.ben.edit({set("X", Field::kEstimate, int64_t{90})}, 3000);
  exchange(pair.anna, pair.ben);
  CHECK(view_card(pair.anna.replica.document(), named_id("X"))["estimate"].as_int() == 90);
  auto open = conflicts(pair.anna, "X");
  REQUIRE(open.size() == 1);
  REQUIRE(open[0].values.size() == 2);
  CHECK(open[0].field == Field::kEstimate);
  CHECK(open[0].values[1].value == Value{int64_t{30}});
  pair.ben.edit({ResolveCommand{{named_id("X"), {}}, Field::kEstimate, {}, open[0].values[1].op}}, 4000);
  exchange(pair.anna, pair.ben);
  CHECK(view_card(pair.anna.replica.document(), named_id("X"))["estimate"].as_int() == 30);
  CHECK(conflicts(pair.anna, "X").empty());
  pair.anna.edit({set("X", Field::kEstimate, Value{})}, 5000);
  CHECK(view_card(pair.anna.replica.document(), named_id("X"))["estimate"].is_null());
}

TEST_CASE("an estimate is 0 to 525600 minutes, and whoever says another hears so") {
  Pair pair;
  for (int64_t minutes : {int64_t{-1}, kEstimateMinutesMax + 1, INT64_MAX, INT64_MIN})
    CHECK(pair.anna.refused({set("X", Field::kEstimate, minutes)}).message ==
          "An estimate is 0 to 525600 minutes, or null for none.");
  CHECK_FALSE(pair.anna.refused({set("X", Field::kEstimate, std::string("90"))}).message.empty());
  for (int64_t minutes : {int64_t{0}, kEstimateMinutesMax}) {
    pair.anna.edit({set("X", Field::kEstimate, minutes)}, 2000);
    CHECK(view_card(pair.anna.replica.document(), named_id("X"))["estimate"].as_int() == minutes);
  }
}

TEST_CASE("an offer to a field that was never filled stays a loser") {
  Person anna("anna");
  When due = When::all_day(*parse_date("2026-12-01"));
  anna.edit({create_list("todo"), create_card("card", "todo"),
             SetCommand{{named_id("card"), {}}, {Field::kDue, {}, due}}});
  // A start after the due date: allowed, because it is only offered.
  When offered = When::all_day(*parse_date("2027-01-01"));
  anna.edit({OfferCommand{{named_id("card"), {}}, {Field::kStart, {}, offered}}});
  CHECK(anna.card("card").value(Field::kStart) == Value{});
  auto conflicts = anna.conflicts("card");
  REQUIRE(conflicts.size() == 1);
  REQUIRE(conflicts[0].values.size() == 2);
  CHECK(conflicts[0].values[0].is_winner);
  CHECK(conflicts[0].values[1].value == Value{offered});
}

TEST_CASE("an edit that did not know of the deletion keeps the card and the deletion stays open") {
  Pair pair;
  pair.anna.edit({DeleteCommand{{named_id("X"), {}}}}, 2000);
  pair.ben.edit({set("X", Field::kTitle, std::string("still needed"))}, 1500);
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.card("X").is_live());
  auto open = conflicts(pair.anna, "X");
  REQUIRE(open.size() == 1);
  CHECK(open[0].kind == ConflictKind::kDeletion);

  SECTION("one click confirms it") {
    pair.anna.edit({DeleteCommand{{named_id("X"), {}}}}, 4000);
    exchange(pair.anna, pair.ben);
    CHECK(pair.ben.card("X").is_deleted());
  }
  SECTION("one click dismisses it") {
    pair.ben.edit({RestoreCommand{{named_id("X"), {}}}}, 4000);
    exchange(pair.anna, pair.ben);
    CHECK(pair.anna.card("X").is_live());
    CHECK(conflicts(pair.anna, "X").empty());
  }
}

TEST_CASE("an edit of a card that is known to be deleted is refused, and only restoring brings it back") {
  Pair pair;
  pair.anna.edit({DeleteCommand{{named_id("X"), {}}}}, 2000);
  CHECK(pair.anna.refused({set("X", Field::kTitle, std::string("no"))}).code == ErrorCode::kConflict);
  pair.anna.edit({RestoreCommand{{named_id("X"), {}}}}, 2500);
  CHECK(pair.anna.card("X").is_live());
  exchange(pair.anna, pair.ben);
}

TEST_CASE("a card that two people move is in one list") {
  Pair pair;
  pair.anna.edit({MoveCommand{{named_id("X"), {}}, named_id("done"), {}, {}}}, 2000);
  pair.ben.edit({MoveCommand{{named_id("X"), {}}, {}, {}, {}}}, 3000);
  exchange(pair.anna, pair.ben);
  CHECK(order_of(pair.anna, "todo") == "Y X");
  CHECK(order_of(pair.anna, "done").empty());
  CHECK(conflicts(pair.anna, "X").size() == 1);
}

TEST_CASE("runs inserted at one place do not interleave") {
  Pair pair;
  auto run = [](Person& person, const std::string& name, bool upwards) {
    std::string last = "X";
    for (int i = 1; i <= 3; ++i) {
      std::string card = name + std::to_string(i);
      person.edit({create_card(card, "todo", after(upwards ? std::string("X") : last))});
      last = card;
    }
  };
  SECTION("downwards") {
    run(pair.anna, "A", false);
    run(pair.ben, "B", false);
    exchange(pair.anna, pair.ben);
    CHECK((order_of(pair.anna, "todo") == "X A1 A2 A3 B1 B2 B3 Y" ||
           order_of(pair.anna, "todo") == "X B1 B2 B3 A1 A2 A3 Y"));
  }
  SECTION("upwards") {
    run(pair.anna, "A", true);
    run(pair.ben, "B", true);
    exchange(pair.anna, pair.ben);
    CHECK((order_of(pair.anna, "todo") == "X A3 A2 A1 B3 B2 B1 Y" ||
           order_of(pair.anna, "todo") == "X B3 B2 B1 A3 A2 A1 Y"));
  }
}

TEST_CASE("ranks stay short when cards are added at the bottom or at the top") {
  Person anna("anna");
  anna.edit({create_list("L")});
  for (int i = 0; i < 2000; ++i)
    anna.edit({create_card("c" + std::to_string(i), "L", i % 2 == 0 ? Placement{} : first())});
  size_t longest = 0;
  for (const Entity& card : anna.replica.cards(named_id("L")))
    longest = std::max(longest, card.place()->rank_text().size());
  CHECK(longest <= 40);
}

TEST_CASE("a label removed here and added again there stays") {
  Pair pair;
  Id128 label = named_id("urgent");
  Target x{named_id("X"), {}};
  pair.anna.edit({AddCommand{x, Field::kLabels, label}});
  exchange(pair.anna, pair.ben);
  pair.anna.edit({RemoveCommand{x, Field::kLabels, label}}, 5000);
  pair.ben.edit({RemoveCommand{x, Field::kLabels, label}, AddCommand{x, Field::kLabels, label}}, 2000);
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.card("X").elements(Field::kLabels) == std::vector<Id128>{label});
}

TEST_CASE("descriptions written by two people merge as text") {
  Pair pair;
  Target x{named_id("X"), {}};
  pair.anna.edit({SetTextCommand{x, "the quick fox"}});
  exchange(pair.anna, pair.ben);
  pair.anna.edit({SetTextCommand{x, "the quick brown fox"}}, 2000);
  pair.ben.edit({SetTextCommand{x, "the quick fox jumps"}}, 2000);
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.card("X").text() == "the quick brown fox jumps");
}

TEST_CASE("texts typed at one place by two people do not interleave") {
  Pair pair;
  Target x{named_id("X"), {}};
  for (int i = 0; i < 3; ++i) {
    pair.anna.edit({SpliceCommand{x, {static_cast<uint32_t>(i), 0, "a"}}});
    pair.ben.edit({SpliceCommand{x, {static_cast<uint32_t>(i), 0, "b"}}});
  }
  exchange(pair.anna, pair.ben);
  CHECK((pair.anna.card("X").text() == "aaabbb" || pair.anna.card("X").text() == "bbbaaa"));
}

TEST_CASE("dates that two people crossed are shown as an open conflict; one person cannot cross them") {
  Pair pair;
  auto day = [](int32_t days) { return When::all_day({days}); };
  pair.anna.edit({set("X", Field::kStart, day(100)), set("X", Field::kDue, day(110))});
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.refused({set("X", Field::kStart, day(120))}).code == ErrorCode::kInvalid);
  pair.anna.edit({set("X", Field::kStart, day(108))}, 2000);
  pair.ben.edit({set("X", Field::kDue, day(105))}, 2000);
  exchange(pair.anna, pair.ben);
  auto open = conflicts(pair.anna, "X");
  REQUIRE(open.size() == 1);
  CHECK(open[0].kind == ConflictKind::kDates);
  CHECK(pair.ben.card("X").is_live());
}

TEST_CASE("a card moved into a list that somebody deletes stays in sight") {
  Pair pair;
  pair.anna.edit({DeleteCommand{{named_id("done"), {}}}}, 2000);
  pair.ben.edit({MoveCommand{{named_id("X"), {}}, named_id("done"), {}, {}}}, 2000);
  exchange(pair.anna, pair.ben);
  CHECK(pair.anna.card("X").is_live());
  CHECK(order_of(pair.anna, "done") == "X");
}

TEST_CASE("a refused operation becomes a void and its words come back in the tray") {
  Pair pair;
  auto result = pair.anna.edit({set("X", Field::kTitle, std::string("refused words"))}, 2000);
  REQUIRE(result.ops.size() == 1);
  auto retraction = pair.anna.replica.retract({{result.ops[0].id, ErrorCode::kForbidden}});
  REQUIRE(retraction.tray.size() == 1);
  CHECK(retraction.tray[0].value == Value{std::string("refused words")});
  CHECK(pair.anna.card("X").text_value(Field::kTitle) == "X");
  REQUIRE(pair.ben.replica.merge({void_of(result.ops[0], ErrorCode::kForbidden)}, 0).ok());
  CHECK(pair.ben.replica.hash() == pair.anna.replica.hash());
  pair.anna.edit({set("X", Field::kTitle, std::string("fine"))}, 3000);
  exchange(pair.anna, pair.ben);
}

TEST_CASE("a bound caps a stamp from the future, in either order of arrival") {
  Pair pair;
  auto far = pair.anna.edit({set("X", Field::kTitle, std::string("from 2099"))}, 4'070'908'800'000);
  pair.ben.edit({set("X", Field::kTitle, std::string("honest"))}, 10'000);
  Person hub("hub"), late("late");
  hub.pull(pair.ben);
  late.pull(pair.ben);
  hub.pull(pair.anna);
  auto bound = hub.edit({BoundCommand{{named_id("X"), {}}, far.ops[0].id, Hlc::from(5000, 0)}}, 11'000);
  REQUIRE(late.replica.merge(bound.ops, 11'000).ok());
  late.pull(pair.anna);
  CHECK(hub.replica.hash() == late.replica.hash());
  CHECK(hub.card("X").text_value(Field::kTitle) == "honest");
  CHECK(conflicts(hub, "X").size() == 1);
}

TEST_CASE("a redaction erases what was said and keeps replicas equal, in either order of arrival") {
  Pair pair;
  auto comment = pair.anna.edit(
      {AddChildCommand{
           named_id("X"), EntityType::kComment, {{Field::kText, {}, std::string("secret")}}, {}, {}},
       SetTextCommand{{named_id("X"), {}}, "secret too"}});
  Person hub("hub"), late("late");
  hub.pull(pair.anna);
  std::vector<Command> redactions;
  for (const Op& op : comment.ops) redactions.push_back(RedactCommand{{op.target, {}}, op.id});
  auto redacted = hub.edit(redactions);
  REQUIRE(late.replica.merge(redacted.ops, 0).ok());
  late.pull(pair.anna);
  CHECK(late.replica.hash() == hub.replica.hash());
  Bytes snapshot = hub.replica.snapshot();
  CHECK(as_text(snapshot).find("secret") == std::string_view::npos);
}

TEST_CASE("operations of unknown kinds are kept byte for byte") {
  Pair pair;
  Op strange;
  strange.id = {ReplicaId{named_id("newer")}, 1};
  strange.transaction = 1;
  strange.author = pair.anna.member;
  strange.target = named_id("X");
  strange.kind = 900;
  strange.body = {1, 2, 3};
  REQUIRE(pair.anna.replica.merge({strange}, 0).ok());
  exchange(pair.anna, pair.ben);
  auto reopened = Replica::open(pair.ben.replica.options(), pair.ben.replica.snapshot(), {});
  REQUIRE(reopened.ok());
  CHECK(reopened->hash() == pair.anna.replica.hash());
  auto ops = pair.ben.replica.ops_since({});
  REQUIRE(ops.ok());
  CHECK(std::find(ops->begin(), ops->end(), strange) != ops->end());
}

TEST_CASE("things of unknown types, made by a newer version, are kept without effect") {
  Pair pair;
  Op strange;
  strange.id = {ReplicaId{named_id("newer")}, 1};
  strange.transaction = 1;
  strange.target = named_id("something new");
  strange.kind = static_cast<uint16_t>(OpKind::kCreate);
  strange.body = {0xFE, 0};
  REQUIRE(pair.anna.replica.merge({strange}, 0).ok());
  auto reopened = Replica::open(pair.anna.replica.options(), pair.anna.replica.snapshot(), {});
  REQUIRE(reopened.ok());
  CHECK(reopened->hash() == pair.anna.replica.hash());
}

TEST_CASE("a transferred card keeps its identity and history, also when it comes twice") {
  Pair pair;
  pair.anna.edit({set("X", Field::kTitle, std::string("moved house"))}, 2000);
  std::vector<Op> of_card;
  for (const Op& op : pair.anna.replica.log())
    if (op.target == named_id("X")) of_card.push_back(op);
  Replica target({DocumentId{named_id("other board")}, DocumentKind::kBoard, ReplicaId{named_id("hub 1")}});
  Replica second({DocumentId{named_id("other board")}, DocumentKind::kBoard, ReplicaId{named_id("hub 2")}});
  REQUIRE(target.edit({pair.anna.member, Cause::kHub, 1}, {CarryCommand{named_id("X"), of_card}}).ok());
  REQUIRE(second.edit({pair.anna.member, Cause::kHub, 1}, {CarryCommand{named_id("X"), {of_card[0]}}}).ok());
  REQUIRE(target.merge(*second.ops_since({}), 0).ok());
  REQUIRE(second.merge(*target.ops_since({}), 0).ok());
  CHECK(target.hash() == second.hash());
  CHECK(target.document().find(named_id("X"))->text_value(Field::kTitle) == "moved house");
}

TEST_CASE("a description can be edited after an edit of it was refused and put back") {
  Person anna("anna");
  anna.edit({create_list("L"), create_card("X", "L")});
  Target card{named_id("X"), {}};
  anna.edit({SetTextCommand{card, "one two"}});
  REQUIRE(anna.card("X").text() == "one two");

  anna.refused({SpliceCommand{card, {4, 3, "three"}}, create_list("L")});
  anna.edit({SpliceCommand{card, {4, 0, "and "}}});

  CHECK(anna.card("X").text() == "one and two");
  Person ben("ben");
  exchange(anna, ben);
  CHECK(ben.card("X").text() == "one and two");
}

TEST_CASE("whoever opens a document and edits with a slow clock is later than everything in it") {
  Pair pair;
  pair.anna.edit({set("X", Field::kTitle, std::string("by a fast clock"))}, 200'000);
  pair.ben.pull(pair.anna);
  Hlc annas = pair.anna.replica.log().back().stamp;
  for (const Bytes& saved : {pair.ben.replica.save(), pair.ben.replica.snapshot()})
    for (bool is_cold : {false, true}) {
      auto opened = Replica::open(pair.ben.replica.options(), saved, {}, is_cold);
      REQUIRE(opened.ok());
      auto edited = opened->edit({pair.ben.member, Cause::kPerson, 100'000}, {set("X", Field::kDone, true)});
      REQUIRE(edited.ok());
      CHECK(edited->ops[0].stamp > annas);
      CHECK(edited->ops[0].stamp.ms() == 200'000);
      // As in merging, a stamp of the far future is not followed.
      auto before = Replica::open(pair.ben.replica.options(), saved, {}, is_cold);
      auto early = before->edit({pair.ben.member, Cause::kPerson, 150'000 - kClockSkewMsMax}, {set("X", Field::kDone, true)});
      REQUIRE(early.ok());
      CHECK(early->ops[0].stamp < annas);
    }
}

TEST_CASE("an edit that fails on a board whose cards were not read yet loses none of them") {
  Person anna("anna");
  anna.edit({create_list("L"), create_card("X", "L"), create_card("Y", "L")});
  Digest before = anna.replica.hash();
  auto cold = Replica::open(anna.replica.options(), anna.replica.save(), {}, true);
  REQUIRE(cold.ok());
  auto failed = cold->edit({anna.member, Cause::kPerson, 5000},
                           {set("X", Field::kTitle, std::string("new")), set("nothing", Field::kDone, true)});
  REQUIRE_FALSE(failed.ok());
  CHECK(cold->hash() == before);
}

}  // namespace kalends::test
