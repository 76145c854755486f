// SPDX-License-Identifier: Apache-2.0
// Every pair of concurrent operations: what docs/algebra.md says comes out, in both orders of delivery; and
// every triple of a small alphabet in every order and every grouping. Operations are made by commands, apart,
// on copies of one board; what comes out is read from the views.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <sstream>

#include "core/replica/session.h"
#include "tests/core/history.h"

namespace kalends::test {
namespace {

Id128 id_of(const std::string& name) { return derive_id(as_bytes(name)); }
const DocumentId kBoard{id_of("board")};
const Id128 kCard = id_of("X"), kList = id_of("L"), kOther = id_of("M"), kForeign = id_of("F");
const Target kX{kCard, {}};

ReplicaOptions named(const std::string& name) {
  return {kBoard, DocumentKind::kBoard, ReplicaId{id_of("replica " + name)}};
}
MemberId member(const std::string& name) { return MemberId{id_of("member " + name)}; }

std::vector<Op> must(Replica& replica, const std::string& who, int64_t now,
                     const std::vector<Command>& commands, Cause cause = Cause::kPerson) {
  auto result = replica.edit({member(who), cause, now}, commands);
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return result->ops;
}

// What everybody has seen: a card in its list with a title, a due date, a text, a label, an open location,
// two comments, a checklist with an item.
struct Base {
  Base() {
    Replica maker(named("base"));
    auto add = [&](std::vector<Command> commands) {
      auto made = must(maker, "base", 1000, commands);
      return made.back().id;
    };
    add({CreateCommand{EntityType::kList, kList, {}, {}, {}},
         CreateCommand{EntityType::kList, kOther, {}, {}, {}},
         CreateCommand{EntityType::kCard, id_of("Y"), {}, kList, {}},
         CreateCommand{EntityType::kCard,
                       kCard,
                       {{Field::kTitle, {}, std::string("T")},
                        {Field::kDue, {}, When::all_day({20010})},
                        {Field::kLabels, {}, id_of("l0")}},
                       kList,
                       {}},
         SetTextCommand{kX, "abcdef"}, SetCommand{kX, {Field::kLocation, {}, std::string("here")}}});
    OpId there = add({SetCommand{kX, {Field::kLocation, {}, std::string("there")}, true}});
    (void)there;
    comment =
        add({AddChildCommand{kCard, EntityType::kComment, {{Field::kText, {}, std::string("hi")}}, {}, {}}});
    second =
        add({AddChildCommand{kCard, EntityType::kComment, {{Field::kText, {}, std::string("ho")}}, {}, {}}});
    checklist = add({AddChildCommand{kCard, EntityType::kChecklist, {}, {}, {}}});
    item = add(
        {AddChildCommand{kCard, EntityType::kItem, {{Field::kText, {}, std::string("do")}}, checklist, {}}});
    ops = *maker.ops_since({});
    snapshot = maker.snapshot();
    for (const Op& op : ops)
      if (auto body = decode_body(op.kind, op.body); const auto* set = std::get_if<SetBody>(&*body))
        if (set->field.field == Field::kLocation)
          (std::get<std::string>(set->field.value) == "here" ? here_op : there_op) = op.id;
    Replica elsewhere({DocumentId{id_of("elsewhere")}, DocumentKind::kBoard, ReplicaId{id_of("elsewhere")}});
    must(elsewhere, "base", 900,
         {CreateCommand{EntityType::kList, id_of("their list"), {}, {}, {}},
          CreateCommand{
              EntityType::kCard, kForeign, {{Field::kTitle, {}, std::string("F")}}, id_of("their list"), {}},
          AddChildCommand{kForeign, EntityType::kComment, {{Field::kText, {}, std::string("far")}}, {}, {}}});
    for (const Op& op : elsewhere.log())
      if (op.target == kForeign) foreign.push_back(op);
  }
  Replica open(const std::string& name) const {
    auto replica = Replica::open(named(name), snapshot, {});
    KALENDS_CHECK(replica.ok());
    return std::move(replica).value();
  }
  OpId comment, second, checklist, item, here_op, there_op;
  std::vector<Op> ops, foreign;
  Bytes snapshot;
};

const Base& base() {
  static const Base kBase;
  return kBase;
}

// What a reader sees after a delivery.
struct Seen {
  Cbor card;  // null when deleted
  Cbor board;
  Cbor conflicts;
  std::string text;  // everything, to look for words
  const Cbor* open(std::string_view kind, std::string_view field = "", const OpId& child = {}) const {
    for (const Cbor& row : conflicts.items())
      if (row["kind"].as_text() == kind && (field.empty() || row["field"].as_text() == field) &&
          row["child"].as_text() == op_id_text(child))
        return &row;
    return nullptr;
  }
  bool is_open(std::string_view field, const Value& value, const OpId& child = {}) const {
    const Cbor* row = open("value", field, child);
    if (!row) row = open("text", field, child);
    if (!row) return false;
    return std::any_of(
        (*row)["values"].items().begin(), (*row)["values"].items().end(),
        [&](const Cbor& entry) { return encode_cbor(entry["value"]) == encode_cbor(view_value(value)); });
  }
  const Cbor* comment(const OpId& id) const { return row_of(card["comments"], id); }
  static const Cbor* row_of(const Cbor& rows, const OpId& id) {
    for (const Cbor& row : rows.items())
      if (row["id"].as_text() == op_id_text(id)) return &row;
    return nullptr;
  }
  bool has_label(const char* name) const {
    const auto& labels = card["labels"].items();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const Cbor& label) { return label.as_text() == to_hex(id_of(name)); });
  }
};

Seen seen_by(const Replica& replica) {
  Seen seen;
  seen.card = view_card(replica.document(), kCard);
  seen.board = view_board(replica);
  seen.conflicts = view_conflicts(replica.document(), kCard);
  seen.text = std::string(as_text(encode_cbor(seen.board)));
  return seen;
}

// Something that one person does apart from the others. `shows`: its effect when nothing meets it.
struct Act {
  std::string name;
  std::string slot;  // acts on different slots do not meet
  std::string kind;
  std::function<std::vector<Op>(Replica&, const std::string& who, int64_t now)> make;
  std::function<bool(const Seen&, const std::string& who, const std::vector<Op>&)> shows;
  std::function<Value(const std::string& who)> value;
  bool touches_card = true;
};

const std::vector<Act>& acts() {
  static const std::vector<Act> kActs = [] {
    std::vector<Act> all;
    auto act = [&](Act one) { all.push_back(std::move(one)); };
    auto by_commands = [](std::function<std::vector<Command>(const std::string&)> commands,
                          Cause cause = Cause::kPerson) {
      return [=](Replica& replica, const std::string& who, int64_t now) {
        return must(replica, who, now, commands(who), cause);
      };
    };
    auto value_act = [&](const std::string& name, const std::string& kind, Field field, const char* key,
                         std::function<Value(const std::string&)> value) {
      act({name, key, kind, by_commands([=](const std::string& who) -> std::vector<Command> {
             if (kind == "offer") return {OfferCommand{kX, {field, {}, value(who)}}};
             return {SetCommand{kX, {field, {}, value(who)}}};
           }),
           [=](const Seen& seen, const std::string& who, const std::vector<Op>&) {
             bool is_shown = encode_cbor(seen.card[key]) == encode_cbor(view_value(value(who)));
             return kind == "offer" ? seen.is_open(key, value(who)) && !is_shown : is_shown;
           },
           value});
    };
    auto own = [](const char* text) { return [=](const std::string& who) { return Value{text + who}; }; };
    auto always = [](Value value) { return [=](const std::string&) { return value; }; };
    value_act("set title", "set", Field::kTitle, "title", own("by "));
    value_act("set title alike", "set", Field::kTitle, "title", always(std::string("same")));
    value_act("offer title", "offer", Field::kTitle, "title", own("offer "));
    value_act("set due", "set", Field::kDue, "due",
              [](const std::string& who) { return Value{When::all_day({20011 + who[0] - 'A'})}; });
    value_act("clear due", "set", Field::kDue, "due", always(Value{}));
    value_act("set done", "set", Field::kDone, "done", always(true));
    value_act("set location", "set", Field::kLocation, "location", own("at "));
    act({"resolve location", "location", "set", by_commands([](const std::string&) -> std::vector<Command> {
           // The loser becomes the only one.
           return {ResolveCommand{kX, Field::kLocation, {}, base().here_op}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           return seen.card["location"].as_text() == "here" && !seen.open("value", "location");
         },
         always(std::string("here"))});
    act({"move to M", "position", "move", by_commands([](const std::string&) -> std::vector<Command> {
           return {MoveCommand{kX, kOther, {}, {}}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           return seen.card["list"].as_text() == to_hex(kOther);
         },
         always(Position{kOther, {}, ""})});
    act({"move to the top", "position", "move", by_commands([](const std::string&) -> std::vector<Command> {
           return {MoveCommand{kX, kList, {}, {Placement::Where::kFirst, {}, {}}}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           return seen.card["list"].as_text() == to_hex(kList) &&
                  seen.board["lists"].items()[0]["cards"].items()[0].as_text() == to_hex(kCard);
         },
         always(Position{kList, {}, ""})});
    auto label_act = [&](const std::string& name, const char* label, const std::string& kind) {
      act({name,
           std::string("label ") + label,
           kind,
           by_commands([=](const std::string&) -> std::vector<Command> {
             if (kind == "add" && std::string(label) == "l0")
               return {RemoveCommand{kX, Field::kLabels, id_of(label)},
                       AddCommand{kX, Field::kLabels, id_of(label)}};
             if (kind == "add") return {AddCommand{kX, Field::kLabels, id_of(label)}};
             return {RemoveCommand{kX, Field::kLabels, id_of(label)}};
           }),
           [=](const Seen& seen, const std::string&, const std::vector<Op>&) {
             return seen.has_label(label) == (kind == "add");
           },
           {}});
    };
    label_act("add l1", "l1", "add");
    label_act("add l0 again", "l0", "add");
    label_act("remove l0", "l0", "remove");
    auto text_act = [&](const std::string& name, const std::string& kind, uint32_t at, uint32_t removed) {
      act({name,
           "description",
           kind,
           by_commands([=](const std::string& who) -> std::vector<Command> {
             return {SpliceCommand{kX, {at, removed, kind == "text insert" ? "<" + who + ">" : ""}}};
           }),
           [=](const Seen& seen, const std::string& who, const std::vector<Op>&) {
             std::string text = seen.card["description"].as_text();
             return kind == "text insert" ? text.find("<" + who + ">") != std::string::npos
                                          : text.find("cd") == std::string::npos;
           },
           {}});
    };
    text_act("insert at 3", "text insert", 3, 0);
    text_act("insert at 0", "text insert", 0, 0);
    text_act("remove cd", "text remove", 2, 2);
    act({"offer text",
         "text offer",
         "text offer",
         by_commands([](const std::string& who) -> std::vector<Command> {
           return {OfferCommand{kX, {Field::kDescription, {}, "whole " + who}}};
         }),
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           return seen.is_open("description", "whole " + who);
         },
         {}});
    act({"new comment",
         "new",
         "create child",
         by_commands([](const std::string& who) -> std::vector<Command> {
           return {AddChildCommand{kCard, EntityType::kComment, {{Field::kText, {}, "says " + who}}, {}, {}}};
         }),
         [](const Seen& seen, const std::string& who, const std::vector<Op>& ops) {
           const Cbor* row = seen.comment(ops[0].id);
           return row && (*row)["text"].as_text() == "says " + who;
         },
         {}});
    act({"edit comment", "comment", "set", by_commands([](const std::string& who) -> std::vector<Command> {
           return {SetCommand{{kCard, base().comment}, {Field::kText, {}, "edited " + who}}};
         }),
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           const Cbor* row = seen.comment(base().comment);
           return row && (*row)["text"].as_text() == "edited " + who;
         },
         own("edited ")});
    act({"delete comment",
         "comment",
         "delete",
         by_commands([](const std::string&) -> std::vector<Command> {
           return {DeleteCommand{{kCard, base().comment}}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           return !seen.comment(base().comment);
         },
         {}});
    act({"new item",
         "new",
         "create child",
         by_commands([](const std::string& who) -> std::vector<Command> {
           return {AddChildCommand{
               kCard, EntityType::kItem, {{Field::kText, {}, "step " + who}}, base().checklist, {}}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>& ops) {
           const Cbor* list = Seen::row_of(seen.card["checklists"], base().checklist);
           return list && Seen::row_of((*list)["items"], ops[0].id);
         },
         {}});
    act({"tick item", "item done", "set", by_commands([](const std::string&) -> std::vector<Command> {
           return {SetCommand{{kCard, base().item}, {Field::kDone, {}, true}}};
         }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           const Cbor* list = Seen::row_of(seen.card["checklists"], base().checklist);
           const Cbor* row = list ? Seen::row_of((*list)["items"], base().item) : nullptr;
           return row && (*row)["done"].as_bool();
         },
         always(true)});
    act({"delete card",
         "life",
         "delete",
         by_commands([](const std::string&) -> std::vector<Command> { return {DeleteCommand{kX}}; }),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) { return seen.card.is_null(); },
         {}});
    act({"create again", "create", "create",
         [](Replica& replica, const std::string& who, int64_t) {
           // An import on a copy that had not seen the card; old, so its values lose.
           Replica apart({kBoard, DocumentKind::kBoard, replica.options().replica});
           Id128 list = id_of("import " + who);
           return must(
               apart, who, 500,
               {CreateCommand{EntityType::kList, list, {}, {}, {}},
                CreateCommand{EntityType::kCard, kCard, {{Field::kTitle, {}, "again " + who}}, list, {}}});
         },
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           return seen.is_open("title", "again " + who) && seen.card["title"].as_text() != "again " + who;
         },
         own("again ")});
    act({"bound",
         "bound",
         "bound",
         by_commands(
             [](const std::string& who) -> std::vector<Command> {
               return {BoundCommand{kX, base().second, Hlc::from(100 + who[0], 0)}};
             },
             Cause::kHub),
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           const Cbor* row = seen.comment(base().second);
           return row && (*row)["at_ms"].as_int() == 100 + who[0];
         },
         {},
         false});
    act({"redact",
         "redact",
         "redact",
         by_commands(
             [](const std::string&) -> std::vector<Command> {
               return {RedactCommand{kX, base().second}};
             },
             Cause::kHub),
         [](const Seen& seen, const std::string&, const std::vector<Op>&) {
           const Cbor* row = seen.comment(base().second);
           return row && (*row)["text"].as_text().empty();
         },
         {},
         false});
    act({"void",
         "void",
         "void",
         [](Replica& replica, const std::string& who, int64_t now) {
           auto ops = must(replica, who, now, {SetCommand{kX, {Field::kTitle, {}, "void words " + who}}});
           auto retraction = replica.retract({{ops[0].id, ErrorCode::kForbidden}});
           REQUIRE(retraction.voids.size() == 1);
           return retraction.voids;
         },
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           return seen.text.find("void words " + who) == std::string::npos;
         },
         {},
         false});
    act({"carry",
         "carry",
         "carry",
         by_commands(
             [](const std::string& who) -> std::vector<Command> {
               std::vector<Op> some = base().foreign;
               if (who == "A") some.pop_back();
               return {CarryCommand{kForeign, some}};
             },
             Cause::kHub),
         [](const Seen& seen, const std::string& who, const std::vector<Op>&) {
           const Cbor& card = seen.board["cards"][to_hex(kForeign)];
           return card["title"].as_text() == "F" && (who == "A" || card["comments"].items().size() == 1);
         },
         {},
         false});
    act({"unknown kind",
         "unknown",
         "unknown",
         [](Replica& replica, const std::string& who, int64_t now) {
           Op op;
           op.id = {replica.options().replica, 1};
           op.transaction = 1;
           op.stamp = Hlc::from(now, 0);
           op.author = member(who);
           op.target = kCard;
           op.kind = 900;
           op.body = {1, 2, 3};
           REQUIRE(replica.merge({op}, now).ok());
           return std::vector<Op>{op};
         },
         [](const Seen&, const std::string&, const std::vector<Op>&) { return true; },
         {},
         false});
    return all;
  }();
  return kActs;
}

struct Done {
  const Act* act;
  std::string who;
  std::vector<Op> ops;
};

Done do_apart(const Act& act, const std::string& who) {
  Replica replica = base().open(who);
  return {&act, who, act.make(replica, who, 2000 + 1000 * (who[0] - 'A'))};
}

// The documented outcome of two concurrent acts, b's stamp being later; "" when it is what is seen.
std::string documented(const Done& a, const Done& b, const Seen& seen) {
  auto shows = [&](const Done& one) { return one.act->shows(seen, one.who, one.ops); };
  auto said = [](const Done& one) { return one.act->value(one.who); };
  if (a.act->slot == "life" || b.act->slot == "life") {
    const Done& other = a.act->slot == "life" ? b : a;
    if (other.act->slot == "carry" && !shows(other)) return "what was carried is not shown";
    if (other.act->slot == "life" || !other.act->touches_card)
      return seen.card.is_null() ? "" : "deleted by all who touched it, and still there";
    if (seen.card.is_null()) return "an edit that the deletion did not know of is gone with the card";
    if (!seen.open("deletion")) return "the deletion is not open";
    return shows(other) ? "" : "the edit beside the deletion is not shown";
  }
  if (seen.card.is_null()) return "the card is gone";
  if (a.act->slot != b.act->slot || a.act->slot == "new" || a.act->slot == "void" ||
      a.act->slot == "unknown" || a.act->slot == "redact" || a.act->slot == "create" ||
      a.act->slot == "text offer") {
    if (!shows(a)) return "the first is not as it is alone";
    if (!shows(b)) return "the second is not as it is alone";
    return "";
  }
  const std::string& slot = a.act->slot;
  const std::string pair = a.act->kind + "/" + b.act->kind;
  if (slot == "comment") {
    const Cbor* row = seen.comment(base().comment);
    if (pair == "delete/delete") return row ? "deleted twice, and still there" : "";
    if (!row) return "the edited comment is gone";
    if (pair != "set/set") {
      const Done& edit = a.act->kind == "set" ? a : b;
      return shows(edit) && seen.open("deletion", "", base().comment) ? ""
                                                                      : "edit and open deletion expected";
    }
    return shows(b) && seen.is_open("text", said(a), base().comment) ? ""
                                                                     : "later shown, other open expected";
  }
  if (slot == "description") {
    std::string first = "<" + a.who + ">", second = "<" + b.who + ">";
    if (b.ops[0].id < a.ops[0].id) std::swap(first, second);
    bool is_removed = a.act->kind == "text remove" || b.act->kind == "text remove";
    std::string expected = "ab";
    auto put_at = [&](const char* name) {
      std::string runs;
      bool is_a = a.act->name == name, is_b = b.act->name == name;
      if (is_a && is_b) return first + second;
      if (is_a) runs = "<" + a.who + ">";
      if (is_b) runs = "<" + b.who + ">";
      return runs;
    };
    expected = put_at("insert at 0") + "ab" + (is_removed ? "" : "c") + put_at("insert at 3") +
               (is_removed ? "" : "d") + "ef";
    std::string text = seen.card["description"].as_text();
    return text == expected ? "" : text + " where " + expected + " is documented";
  }
  if (slot.substr(0, 5) == "label") {
    bool is_in = a.act->kind == "add" || b.act->kind == "add";
    return seen.has_label(slot.substr(6).c_str()) == is_in ? "" : "an add wins over a remove, else it is out";
  }
  if (slot == "position") {
    bool is_one_list = a.act->name == b.act->name;
    if (!shows(b)) return "the later move is not where the card is";
    size_t places = 0;
    for (const Cbor& list : seen.board["lists"].items())
      for (const Cbor& card : list["cards"].items()) places += card.as_text() == to_hex(kCard);
    if (places != 1) return "the card is not in one place";
    if (is_one_list)
      return seen.open("value", "position") ? "an order within one list is not worth a question" : "";
    return seen.is_open("position", said(a)) ? "" : "the other list is not open";
  }
  if (slot == "bound") {
    const Cbor* row = seen.comment(base().second);
    return row && (*row)["at_ms"].as_int() == 100 + std::min(a.who[0], b.who[0])
               ? ""
               : "the smallest bound counts";
  }
  if (slot == "carry") return shows(b) && shows(a) ? "" : "carried operations count once";
  // Registers.
  if (a.act->value && b.act->value) {
    std::string field = slot == "item done" ? "done" : slot;
    OpId child = slot == "item done" ? base().item : OpId{};
    if (pair == "set/set") {
      if (!shows(b) && !(a.act->name == "resolve location" || b.act->name == "resolve location"))
        return "the later is not shown";
      if (slot == "location" && seen.card["location"].as_text() != std::get<std::string>(said(b)))
        return "the later is not shown";
      if (said(a) == said(b))
        return slot != "location" && seen.open("value", field, child) ? "equal values are no conflict" : "";
      return seen.is_open(field, said(a), child) ? "" : "the earlier is not open";
    }
    if (pair == "offer/offer")
      return shows(a) && shows(b) && seen.card[field].as_text() == "T" ? "" : "both open, the set shown";
    const Done& set = a.act->kind == "set" ? a : b;
    const Done& offer = a.act->kind == "set" ? b : a;
    return shows(set) && shows(offer) ? "" : "the set is shown and the offer open";
  }
  return "no row of the algebra for " + slot + " " + pair;
}

std::vector<Op> joined(const std::vector<const Done*>& parts) {
  std::vector<Op> ops = base().ops;
  for (const Done* part : parts) ops.insert(ops.end(), part->ops.begin(), part->ops.end());
  return ops;
}

}  // namespace

TEST_CASE("pair: every two concurrent operations come out as the algebra says, in either order") {
  size_t pairs = 0;
  for (const Act& first : acts())
    for (const Act& second : acts()) {
      INFO(first.name << " by A, then " << second.name << " by B");
      Done a = do_apart(first, "A"), b = do_apart(second, "B");
      Replica ab = base().open("reader"), ba = base().open("reader");
      REQUIRE(ab.merge(a.ops, 5000).ok());
      REQUIRE(ab.merge(b.ops, 5000).ok());
      REQUIRE(ba.merge(b.ops, 5000).ok());
      REQUIRE(ba.merge(a.ops, 5000).ok());
      std::vector<Op> all = joined({&a, &b});
      auto entities = entities_in(all);
      Sight sight = sight_of(ab, entities);
      std::string fault = unequal(sight, sight_of(ba, entities));
      if (fault.empty())
        fault = against_model(sight.view, sight.conflicts, kBoard, DocumentKind::kBoard, all);
      if (fault.empty()) fault = documented(a, b, seen_by(ab));
      INFO(fault);
      CHECK(fault.empty());
      ++pairs;
    }
  CHECK(pairs == acts().size() * acts().size());
}

TEST_CASE("pair canary: the documented outcome is missed when one of the two is lost or the winner swapped") {
  size_t noticed = 0, pairs = 0;
  std::string missed;
  for (const Act& first : acts())
    for (const Act& second : acts()) {
      if (first.slot == "unknown" || second.slot == "unknown" || first.slot == "void" ||
          second.slot == "void")
        continue;
      Done a = do_apart(first, "A"), b = do_apart(second, "B");
      Replica both = base().open("reader");
      REQUIRE(both.merge(a.ops, 5000).ok());  // b is lost
      // Where both say the same, or one alone is enough, nothing can be missed.
      bool is_same = first.name == second.name && first.slot != "description" && first.slot != "new" &&
                     first.slot != "text offer" && first.slot != "create" && first.slot != "title" &&
                     first.name != "set due" && first.name != "edit comment";
      if (first.name == second.name && first.name == "set title alike") is_same = true;
      if (first.name == second.name && (first.name == "remove cd" || first.name == "set location"))
        is_same = true;
      bool is_enough = (first.slot == second.slot && first.kind == "add" && second.kind == "remove") ||
                       (first.slot == "bound" && second.slot == "bound");
      // The label is there before and after: only beside a remove does adding it again show.
      is_enough = is_enough || (second.name == "add l0 again" && first.name != "remove l0");
      // Of a deleted card nothing is seen.
      is_enough =
          is_enough || (first.name == "delete card" && (second.slot == "bound" || second.slot == "redact"));
      if (is_same || is_enough) continue;
      ++pairs;
      bool is_noticed = !documented(a, b, seen_by(both)).empty();
      noticed += is_noticed;
      if (!is_noticed && missed.size() < 500) missed += first.name + " + " + second.name + "; ";
    }
  INFO(missed);
  CHECK(pairs > 400);
  CHECK(noticed == pairs);
  Done a = do_apart(acts()[0], "A"), b = do_apart(acts()[0], "B");
  Replica both = base().open("reader");
  REQUIRE(both.merge(a.ops, 5000).ok());
  REQUIRE(both.merge(b.ops, 5000).ok());
  CHECK(documented(a, b, seen_by(both)).empty());
  CHECK_FALSE(documented(b, a, seen_by(both)).empty());  // the earlier taken for the later
}

TEST_CASE("pair: equal edits of other cards, lists and documents do not meet") {
  Replica a = base().open("A"), b = base().open("B");
  auto ops_a = must(a, "A", 2000, {SetCommand{kX, {Field::kTitle, {}, std::string("x")}}});
  auto ops_b = must(b, "B", 3000, {SetCommand{{id_of("Y"), {}}, {Field::kTitle, {}, std::string("y")}}});
  REQUIRE(a.merge(ops_b, 5000).ok());
  REQUIRE(b.merge(ops_a, 5000).ok());
  CHECK(a.hash() == b.hash());
  CHECK(view_card(a.document(), kCard)["title"].as_text() == "x");
  CHECK(view_card(a.document(), id_of("Y"))["title"].as_text() == "y");
  CHECK(view_board(a)["conflicts"].as_int() == 1);  // the base's open location alone
}

TEST_CASE("pair: life after a deletion that everybody knows") {
  // Everybody has the deletion, too.
  Replica gone = base().open("gone");
  auto deletion = must(gone, "gone", 1500, {DeleteCommand{kX}});
  REQUIRE(view_card(gone.document(), kCard).is_null());
  auto open = [&](const char* name) {
    Replica replica = base().open(name);
    REQUIRE(replica.merge(deletion, 1500).ok());
    return replica;
  };
  auto meet = [&](const std::vector<Op>& first, const std::vector<Op>& second) {
    Replica ab = open("reader"), ba = open("reader");
    REQUIRE(ab.merge(first, 5000).ok());
    REQUIRE(ab.merge(second, 5000).ok());
    REQUIRE(ba.merge(second, 5000).ok());
    REQUIRE(ba.merge(first, 5000).ok());
    CHECK(ab.hash() == ba.hash());
    std::vector<Op> all = base().ops;
    for (const std::vector<Op>* part : {&std::as_const(deletion), &first, &second})
      all.insert(all.end(), part->begin(), part->end());
    CHECK(against_model(ab, DocumentKind::kBoard, all) == "");
    return seen_by(ab);
  };
  Replica a = open("A"), b = open("B");
  auto restore = must(a, "A", 2000, {RestoreCommand{kX}});
  SECTION("an edit that had seen it cannot be made") {
    auto refused = b.edit({member("B"), Cause::kPerson, 3000}, {SetCommand{kX, {Field::kDone, {}, true}}});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("Restore it first") != std::string::npos);
    CHECK(b.hash() == gone.hash());
  }
  SECTION("restore and restore: the card lives, nothing is open") {
    Seen seen = meet(restore, must(b, "B", 3000, {RestoreCommand{kX}}));
    CHECK_FALSE(seen.card.is_null());
    CHECK(seen.open("deletion") == nullptr);
  }
  SECTION("restore, and an edit that the bridge brings: the card lives with it") {
    Seen seen = meet(restore, must(b, "B", 3000, {SetCommand{kX, {Field::kDone, {}, true}}}, Cause::kBridge));
    CHECK(seen.card["done"].as_bool());
    CHECK(seen.open("deletion") == nullptr);
  }
  SECTION("a delete that knew of the restore is final; one that did not stays open") {
    REQUIRE(b.merge(restore, 3000).ok());
    auto again = must(b, "B", 3000, {DeleteCommand{kX}});
    CHECK(meet(restore, again).card.is_null());
    Replica c = open("C");
    REQUIRE(c.merge(restore, 3000).ok());
    auto edit = must(c, "C", 3000, {SetCommand{kX, {Field::kDone, {}, true}}});
    std::vector<Op> both = restore;
    both.insert(both.end(), edit.begin(), edit.end());
    Seen seen = meet(both, again);
    CHECK_FALSE(seen.card.is_null());
    CHECK(seen.open("deletion") != nullptr);
  }
  SECTION("two deletions: restoring names both, or it does not bring the card back") {
    Replica c = base().open("C");  // has not seen the first
    auto second = must(c, "C", 1600, {DeleteCommand{kX}});
    CHECK(meet(restore, second).card.is_null() == false);  // R is an edit that D2 did not know of
    CHECK(meet(restore, second).open("deletion") != nullptr);
    Replica d = open("D");
    REQUIRE(d.merge(second, 3000).ok());
    auto restored = must(d, "D", 3000, {RestoreCommand{kX}});
    CHECK(restored[0].replaced.size() == 2);
    Seen seen = meet(second, restored);
    CHECK_FALSE(seen.card.is_null());
    CHECK(seen.open("deletion") == nullptr);
  }
}

TEST_CASE("pair: dates that two people cross are both kept, and the crossing is open") {
  Replica a = base().open("A"), b = base().open("B");
  auto start = must(a, "A", 2000, {SetCommand{kX, {Field::kStart, {}, When::all_day({20009})}}});
  auto due = must(b, "B", 3000, {SetCommand{kX, {Field::kDue, {}, When::all_day({20005})}}});
  REQUIRE(a.merge(due, 5000).ok());
  REQUIRE(b.merge(start, 5000).ok());
  CHECK(a.hash() == b.hash());
  Seen seen = seen_by(a);
  REQUIRE(seen.open("dates") != nullptr);
  CHECK(seen.card["start"]["date"].as_text() == to_text(CivilDate{20009}));
  CHECK(seen.card["due"]["date"].as_text() == to_text(CivilDate{20005}));
  auto refused = a.edit({member("A"), Cause::kPerson, 6000},
                        {SetCommand{kX, {Field::kStart, {}, When::all_day({20010})}}});
  CHECK_FALSE(refused.ok());
}

TEST_CASE("pair: bounds and redactions say the same before and after what they are about") {
  Replica a = base().open("A");
  auto edit =
      must(a, "A", 4'000'000'000'000, {SetCommand{kX, {Field::kTitle, {}, std::string("from the future")}}});
  Replica b = base().open("B");
  auto honest = must(b, "B", 9000, {SetCommand{kX, {Field::kTitle, {}, std::string("honest")}}});
  Replica hub = base().open("hub");
  auto bound = must(hub, "hub", 9000, {BoundCommand{kX, edit[0].id, Hlc::from(8000, 0)}}, Cause::kHub);
  Replica other = base().open("other hub");
  auto redact = must(other, "hub", 9000, {RedactCommand{kX, edit[0].id}}, Cause::kHub);
  std::vector<const std::vector<Op>*> parts = {&edit, &honest, &bound, &redact};
  std::sort(parts.begin(), parts.end());
  std::optional<Digest> hash;
  do {
    Replica reader = base().open("reader");
    for (const auto* part : parts) REQUIRE(reader.merge(*part, 9000).ok());
    if (!hash) hash = reader.hash();
    CHECK(reader.hash() == *hash);
    Seen seen = seen_by(reader);
    CHECK(seen.card["title"].as_text() == "honest");
    CHECK(seen.is_open("title", Value{}));  // the redacted loser: empty, still there
    CHECK(seen.text.find("from the future") == std::string::npos);
    CHECK(as_text(reader.snapshot()).find("from the future") == std::string_view::npos);
  } while (std::next_permutation(parts.begin(), parts.end()));
}

TEST_CASE("triple: three concurrent operations in every order and every grouping") {
  std::vector<const Act*> alphabet;
  for (const Act& act : acts())
    for (const char* name :
         {"set title", "offer title", "set due", "clear due", "move to M", "move to the top", "add l1",
          "add l0 again", "remove l0", "insert at 3", "remove cd", "offer text", "edit comment",
          "delete comment", "delete card", "create again"})
      if (act.name == name) alphabet.push_back(&act);
  REQUIRE(alphabet.size() == 16);
  if (property_scale() > 1) {
    alphabet.clear();
    for (const Act& act : acts()) alphabet.push_back(&act);
  }
  std::vector<std::vector<Done>> done(3);  // by person, by act
  for (int who = 0; who < 3; ++who)
    for (const Act* act : alphabet)
      done[static_cast<size_t>(who)].push_back(do_apart(*act, std::string(1, static_cast<char>('A' + who))));
  size_t orders = 0;
  for (size_t i = 0; i < alphabet.size(); ++i)
    for (size_t j = 0; j < alphabet.size(); ++j)
      for (size_t k = 0; k < alphabet.size(); ++k) {
        const Done* parts[] = {&done[0][i], &done[1][j], &done[2][k]};
        std::string name = parts[0]->act->name + ", " + parts[1]->act->name + ", " + parts[2]->act->name;
        int order[] = {0, 1, 2};
        std::optional<Digest> expected;
        do {
          Replica reader = base().open("reader");
          for (int at : order) KALENDS_CHECK(reader.merge(parts[at]->ops, 5000).ok());
          Digest hash = reader.hash();
          if (!expected) {
            expected = hash;
            if (i <= j && j <= k) {
              std::vector<Op> all = joined({parts[0], parts[1], parts[2]});
              std::string fault = against_model(reader, DocumentKind::kBoard, all);
              INFO(name << ": " << fault);
              REQUIRE(fault.empty());
            }
          }
          if (hash != *expected) FAIL(name << " depends on the order");
          ++orders;
        } while (std::next_permutation(order, order + 3));
        // (a b) c, a (b c), (a c) b: each group is joined by one copy, which hands on what it has.
        for (int apart = 0; apart < 3; ++apart) {
          Replica group = base().open("group");
          for (int at = 0; at < 3; ++at)
            if (at != apart) KALENDS_CHECK(group.merge(parts[at]->ops, 5000).ok());
          auto handed = group.ops_since(base().open("reader").version());
          Replica reader = base().open("reader");
          KALENDS_CHECK(reader.merge(parts[apart]->ops, 5000).ok() && handed.ok() &&
                        reader.merge(*handed, 5000).ok());
          if (reader.hash() != *expected) FAIL(name << " depends on the grouping");
        }
      }
  CHECK(orders == alphabet.size() * alphabet.size() * alphabet.size() * 6);
}

TEST_CASE("pair: the algebra has a row for every pair of kinds") {
  std::ifstream file(std::string(KALENDS_SOURCE_DIR) + "/docs/algebra.md");
  std::stringstream buffer;
  buffer << file.rdbuf();
  std::string algebra = buffer.str();
  REQUIRE(algebra.size() > 1000);
  std::replace(algebra.begin(), algebra.end(), '\n', ' ');
  auto row_of = [](std::string a, std::string b) -> std::string {
    for (const char* hub : {"bound", "redact", "void", "carry"})
      if (a == hub || b == hub) return std::string("| **") + hub + "** (";
    if (a == "unknown" || b == "unknown") return "| a kind, field or value of a **newer version** |";
    auto is = [&](const char* x, const char* y) { return (a == x && b == y) || (a == y && b == x); };
    if (is("create", "create")) return "Two creates with one id";
    if (is("delete", "delete")) return "| delete D2 |";
    if (is("delete", "restore")) return "| restore R of an earlier deletion |";
    if (is("restore", "restore")) return "**restore** against **restore**";
    if (a == "delete" || b == "delete") {
      std::string other = a == "delete" ? b : a;
      return other == "create" ? "deletion of a child, create |" : other + ", ";
    }
    if (a == "restore" || b == "restore") return "A **restore** meets deletions alone";
    if (a == "create" || b == "create") return "the initial values are concurrent sets of the registers";
    if (is("set", "set")) return "| **set A** | Both stay.";
    if (is("set", "offer")) return "| A is shown, B is an open loser";
    if (is("offer", "offer")) return "| Both stay open; a set that is there wins against both.";
    if (is("add", "add") || is("add", "remove")) return "| **add x** | in | in: the remove names only";
    if (is("remove", "remove")) return "| **remove x** | in | out |";
    if (is("text insert", "text insert")) return "Both runs are there, each in one piece";
    if (is("text insert", "text remove")) return "A's run is there, also inside what B removed";
    if (is("text remove", "text remove")) return "what both removed is gone once";
    if (is("text insert", "offer") || is("text remove", "offer")) return "B stays open as a whole text";
    return "Operations on different structures do not meet";
  };
  for (const char* a : {"create", "set", "add", "remove", "delete", "restore", "text insert", "text remove",
                        "offer", "bound", "redact", "void", "carry", "unknown"})
    for (const char* b : {"create", "set", "add", "remove", "delete", "restore", "text insert", "text remove",
                          "offer", "bound", "redact", "void", "carry", "unknown"}) {
      std::string row = row_of(a, b);
      INFO(a << " against " << b << ": " << row);
      CHECK(algebra.find(row) != std::string::npos);
    }
}

}  // namespace kalends::test
