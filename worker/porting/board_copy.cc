// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/board_copy.h"

#include <algorithm>
#include <set>

#include "core/api/commands.h"
#include "core/api/view.h"
#include "core/replica/conflicts.h"
#include "core/wire/codec.h"

namespace kalends {
namespace {

// Says nothing: a copy does not write it.
bool is_empty_value(const Cbor& value) {
  if (value.is_bool()) return !value.as_bool();
  if (value.is_text()) return value.as_text().empty();
  if (value.is_array()) return value.items().empty();
  return value.is_null();
}

class Copying {
 public:
  Copying(const Replica& source, DocumentId target, const Names& members)
      : source_(source), target_(target), members_(members) {}

  Result<BoardCopy> copy() {
    Cbor view = view_board(source_);
    zone_ = view["time_zone"].as_text();
    copy_.report.board_title = view["title"].as_text();
    set_root(Field::kTitle, copy_.report.board_title);
    set_root(Field::kTimeZone, zone_);
    for (const Cbor& field : view["custom_fields"].items()) {
      KALENDS_TRY(auto fields, fields_of(EntityType::kCustomField, field, {"title"}));
      Id128 id = *id_from_hex(field["id"].as_text());
      custom_fields_.insert(id);
      push(CreateCommand{EntityType::kCustomField, derived(id), std::move(fields), {}, {}});
      copy_.report.carry("custom fields");
    }
    auto lists = board_rows(source_);
    for (const ListRow& list : lists) {
      std::vector<FieldValue> fields{{Field::kTitle, {}, list.title()}};
      if (list.list && list.list->bool_value(Field::kArchived))
        fields.push_back({Field::kArchived, {}, true});
      if (list.list && !list.list->text_value(Field::kColour).empty())
        fields.push_back({Field::kColour, {}, list.list->text_value(Field::kColour)});
      push(CreateCommand{EntityType::kList, derived(list.id), std::move(fields), {}, {}});
      copy_.report.carry("lists");
    }
    for (const ListRow& list : lists)
      for (const CardRow& row : list.cards) KALENDS_TRY_VOID(add_card(list.id, row));
    copy_.report.change("ids of the board and of what is on it",
                        "a copy lives beside the original; so its state_hash is another");
    copy_.report.lose("history of the board", "a copy begins with what the board shows now");
    if (!view["deleted_cards"].items().empty())
      copy_.report.lose("deleted cards", "they can be restored on the original only",
                        view["deleted_cards"].items().size());
    return std::move(copy_);
  }

 private:
  Id128 derived(const Id128& id) const {
    Writer out;
    out.text("kalends copy 1");
    out.id(target_.raw);
    out.id(id);
    return derive_id(out.view());
  }

  size_t push(Command command) {
    copy_.commands.push_back(std::move(command));
    return copy_.commands.size() - 1;
  }

  void set_root(Field field, const std::string& text) {
    if (!text.empty()) push(SetCommand{{target_.raw, {}}, {field, {}, text}});
  }

  Result<std::vector<FieldValue>> fields_of(EntityType type, const Cbor& view,
                                            std::initializer_list<const char*> names) const {
    Cbor fields = Cbor::map();
    for (const char* name : names)
      if (!is_empty_value(view[name])) fields.set(name, view[name]);
    return parse_fields(type, fields);
  }

  Status add_card(const Id128& list, const CardRow& row) {
    Cbor view = view_card(source_.document(), row.id);
    KALENDS_TRY(auto fields, fields_of(EntityType::kCard, view,
                                       {"title", "description", "labels", "assignees", "start", "due", "done",
                                        "location", "colour", "reminders", "estimate", "archived"}));
    bool has_start = !drop_crossed_start(*row.card, fields);
    for (const auto& [key, text] : view["custom"].entries()) {
      auto id = id_from_hex(key);
      if (id && custom_fields_.count(*id) > 0 && !text.as_text().empty())
        fields.push_back({Field::kCustom, derived(*id), text.as_text()});
    }
    Id128 id = derived(row.id);
    push(CreateCommand{EntityType::kCard, id, std::move(fields), derived(list), {}});
    copy_.report.carry("cards");
    add_checklists(id, view);
    add_comments(id, view);
    for (const Cbor& attachment : view["attachments"].items()) {
      KALENDS_TRY(auto parts, fields_of(EntityType::kAttachment, attachment, {"title", "url"}));
      push(AddChildCommand{id, EntityType::kAttachment, std::move(parts), {}, {}});
      copy_.report.carry("attachments");
    }
    offer_losers(id, *row.card, has_start);
    return {};
  }

  // Dates that two people crossed are an open conflict, and no edit makes one: the due date is what counts.
  bool drop_crossed_start(const Entity& card, std::vector<FieldValue>& fields) {
    auto start = card.when_value(Field::kStart);
    auto due = card.when_value(Field::kDue);
    if (!start || !due || !is_start_after_due(*start, *due)) return false;
    fields.erase(std::remove_if(fields.begin(), fields.end(),
                                [](const FieldValue& f) { return f.field == Field::kStart; }),
                 fields.end());
    copy_.report.lose("start dates after the due date", "two people crossed them; the due date came over");
    return true;
  }

  void add_checklists(const Id128& card, const Cbor& view) {
    for (const Cbor& checklist : view["checklists"].items()) {
      size_t made_by = push(AddChildCommand{
          card, EntityType::kChecklist, {{Field::kTitle, {}, checklist["title"].as_text()}}, {}, {}});
      copy_.report.carry("checklists");
      for (const Cbor& item : checklist["items"].items()) {
        std::vector<FieldValue> fields{{Field::kText, {}, item["text"].as_text()}};
        if (item["done"].as_bool()) fields.push_back({Field::kDone, {}, true});
        push(AddChildCommand{card, EntityType::kItem, std::move(fields), {}, {}, made_by});
        copy_.report.carry("checklist items");
      }
    }
  }

  void add_comments(const Id128& card, const Cbor& view) {
    for (const Cbor& comment : view["comments"].items()) {
      auto author = members_.find(id_from_hex(comment["author"].as_text()).value_or(Id128{}));
      std::string name = author == members_.end() || author->second.empty() ? "somebody" : author->second;
      std::string text = "[" + name + ", " + moment_text(comment["at_ms"].as_int() / 1000, zone_) + "] " +
                         comment["text"].as_text();
      if (text.size() > kTextBytesMax) text = comment["text"].as_text();
      push(AddChildCommand{card, EntityType::kComment, {{Field::kText, {}, std::move(text)}}, {}, {}});
      copy_.report.carry("comments");
      copy_.report.change("authors and dates of comments", "they are noted at the beginning of the comment");
    }
  }

  // Values that lost and were not given up stay open on the copy.
  void offer_losers(const Id128& id, const Entity& card, bool has_start) {
    for (const Conflict& conflict : conflicts_of(card)) {
      const ConflictValue& winner = conflict.values.front();
      bool is_own = conflict.child.is_nil() && conflict.field != Field::kPosition &&
                    conflict.field != Field::kHome && conflict.field != Field::kCustom &&
                    (conflict.field != Field::kStart || has_start);
      // Beside a field that was cleared, an offered value would be the only one, and win.
      bool is_kept =
          is_own && (conflict.kind == ConflictKind::kText ||
                     (conflict.kind == ConflictKind::kValue && kind_of(winner.value) != ValueKind::kNull));
      if (!is_kept) {
        copy_.report.lose("open conflicts",
                          "they are about a place, a deletion, a cleared field or a part of a card");
        continue;
      }
      if (conflict.kind == ConflictKind::kValue)
        push(SetCommand{{id, {}}, {conflict.field, {}, winner.value}});
      for (const ConflictValue& value : conflict.values)
        if (!value.is_winner && kind_of(value.value) != ValueKind::kNull)
          push(OfferCommand{{id, {}}, {conflict.field, {}, value.value}});
      copy_.report.carry("open conflicts");
    }
  }

  const Replica& source_;
  DocumentId target_;
  const Names& members_;
  std::string zone_;
  std::set<Id128> custom_fields_;
  BoardCopy copy_;
};

}  // namespace

Result<BoardCopy> copy_board(const Replica& source, DocumentId target, const Names& members) {
  if (target == source.document().id || target.is_nil()) return invalid("A copy needs an id of its own.");
  if (source.document().kind != DocumentKind::kBoard) return invalid("Only a board can be copied.");
  return Copying(source, target, members).copy();
}

}  // namespace kalends
