// SPDX-License-Identifier: Apache-2.0
#include "core/api/view.h"

#include <algorithm>

#include "core/replica/conflicts.h"
#include "core/replica/session.h"

namespace kalends {
namespace {

Cbor ids(const std::vector<Id128>& list) {
  Cbor array = Cbor::array();
  for (const Id128& id : list) array.push(to_hex(id));
  return array;
}

// Live children of a type, in order: by rank where they have one, by age otherwise.
std::vector<std::pair<OpId, const Entity*>> live_children(const Entity& parent, EntityType type) {
  std::vector<std::pair<OpId, const Entity*>> children;
  for (const auto& [id, child] : parent.children)
    if (child.type == type && child.is_live()) children.emplace_back(id, &child);
  auto key = [](const auto& entry) {
    const auto* position = std::get_if<Position>(&entry.second->value(Field::kPosition));
    return std::tuple(position ? position->rank : std::string(), entry.second->created_at, entry.first);
  };
  std::sort(children.begin(), children.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return children;
}

Cbor view_checklists(const Entity& card) {
  Cbor checklists = Cbor::array();
  for (const auto& [id, checklist] : live_children(card, EntityType::kChecklist)) {
    Cbor items = Cbor::array();
    for (const auto& [item_id, item] : live_children(card, EntityType::kItem)) {
      const auto* position = std::get_if<Position>(&item->value(Field::kPosition));
      if (!position || position->parent != id) continue;
      Cbor row = Cbor::map();
      row.set("id", op_id_text(item_id));
      row.set("text", item->text.text());
      row.set("done", item->bool_value(Field::kDone));
      items.push(std::move(row));
    }
    Cbor row = Cbor::map();
    row.set("id", op_id_text(id));
    row.set("title", checklist->text_value(Field::kTitle));
    row.set("items", std::move(items));
    checklists.push(std::move(row));
  }
  return checklists;
}

Cbor view_comments(const Entity& card) {
  Cbor comments = Cbor::array();
  for (const auto& [id, comment] : live_children(card, EntityType::kComment)) {
    Cbor row = Cbor::map();
    row.set("id", op_id_text(id));
    row.set("author", to_hex(comment->creator));
    row.set("at_ms", comment->created_at.ms());
    row.set("text", comment->text_value(Field::kText));
    comments.push(std::move(row));
  }
  return comments;
}

Cbor view_attachments(const Entity& card) {
  Cbor attachments = Cbor::array();
  for (const auto& [id, attachment] : live_children(card, EntityType::kAttachment)) {
    Cbor row = Cbor::map();
    row.set("id", op_id_text(id));
    row.set("title", attachment->text_value(Field::kTitle));
    row.set("url", attachment->text_value(Field::kUrl));
    attachments.push(std::move(row));
  }
  return attachments;
}

std::string_view conflict_kind_name(ConflictKind kind) {
  switch (kind) {
    case ConflictKind::kValue:
      return "value";
    case ConflictKind::kDeletion:
      return "deletion";
    case ConflictKind::kDates:
      return "dates";
    case ConflictKind::kText:
      return "text";
  }
  return "value";
}

Cbor view_conflict(const Conflict& conflict) {
  Cbor row = Cbor::map();
  const FieldSpec* spec = find_field(conflict.type, conflict.field);
  row.set("kind", conflict_kind_name(conflict.kind));
  row.set("field", spec ? spec->name : std::string_view("unknown"));
  if (!conflict.key.is_nil()) row.set("key", to_hex(conflict.key));
  if (!conflict.child.is_nil()) row.set("child", op_id_text(conflict.child));
  Cbor values = Cbor::array();
  for (const ConflictValue& value : conflict.values) {
    Cbor entry = Cbor::map();
    entry.set("op", op_id_text(value.op));
    entry.set("value", view_value(value.value));
    entry.set("author", to_hex(value.author));
    entry.set("at_ms", value.at_ms);
    entry.set("winner", value.is_winner);
    values.push(std::move(entry));
  }
  row.set("values", std::move(values));
  return row;
}

Cbor view_entity_conflicts(const Entity& entity) {
  Cbor rows = Cbor::array();
  for (const Conflict& conflict : conflicts_of(entity)) rows.push(view_conflict(conflict));
  return rows;
}

Cbor view_live_card(const Id128& id, const Entity& card) {
  Cbor view = Cbor::map();
  view.set("id", to_hex(id));
  const auto* position = std::get_if<Position>(&card.value(Field::kPosition));
  view.set("list", position ? Cbor(to_hex(position->list)) : Cbor());
  view.set("title", card.text_value(Field::kTitle));
  view.set("description", card.text.text());
  view.set("labels", ids(card.elements(Field::kLabels)));
  view.set("assignees", ids(card.elements(Field::kAssignees)));
  view.set("start", view_value(card.value(Field::kStart)));
  view.set("due", view_value(card.value(Field::kDue)));
  view.set("done", card.bool_value(Field::kDone));
  view.set("location", card.text_value(Field::kLocation));
  view.set("colour", card.text_value(Field::kColour));
  const auto* reminders = std::get_if<std::vector<int64_t>>(&card.value(Field::kReminders));
  view.set("reminders", reminders ? view_value(*reminders) : Cbor::array());
  view.set("archived", card.bool_value(Field::kArchived));
  Cbor custom = Cbor::map();
  for (const auto& [key, reg] : card.registers)
    if (key.field == Field::kCustom && !reg.values.empty() &&
        kind_of(reg.values.front().value) != ValueKind::kNull)
      custom.set(to_hex(key.key), view_value(reg.values.front().value));
  view.set("custom", std::move(custom));
  view.set("checklists", view_checklists(card));
  view.set("comments", view_comments(card));
  view.set("attachments", view_attachments(card));
  view.set("conflicts", view_entity_conflicts(card));
  view.set("created_ms", card.created_at.ms());
  return view;
}

Cbor view_row(const Id128& id, const Entity& entity) {
  Cbor row = Cbor::map();
  row.set("id", to_hex(id));
  for (const FieldSpec& spec : all_fields())
    if (spec.entity == entity.type && spec.merge == Merge::kRegister && spec.field != Field::kPosition)
      row.set(std::string(spec.name), spec.value == ValueKind::kBool ? Cbor(entity.bool_value(spec.field))
                                      : spec.value == ValueKind::kText
                                          ? Cbor(entity.text_value(spec.field))
                                          : view_value(entity.value(spec.field)));
  Cbor conflicts = view_entity_conflicts(entity);
  if (!conflicts.items().empty()) row.set("conflicts", std::move(conflicts));
  return row;
}

Cbor view_rows(const Replica& replica, EntityType type) {
  Cbor rows = Cbor::array();
  for (const auto& [rank, id] : replica.order().of(type)) {
    const Entity* entity = replica.document().find(id);
    if (entity->is_live()) rows.push(view_row(id, *entity));
  }
  return rows;
}

std::string root_text(const Replica& replica, Field field) {
  const Entity* root = replica.document().find(replica.document().id.raw);
  return root ? root->text_value(field) : std::string();
}

Error takes(const FieldSpec& spec, const char* what) {
  return invalid("The field " + std::string(spec.name) + " takes " + what + ".");
}

Result<Value> parse_when(const FieldSpec& spec, const Cbor& cbor) {
  static constexpr const char* kForm =
      "null, {\"date\":\"2026-11-24\"} or {\"at\":\"2026-11-24T10:00:00\",\"zone\":\"Europe/Berlin\"}";
  if (!cbor.is_map()) return takes(spec, kForm);
  if (const Cbor* date = cbor.find("date")) {
    auto day = parse_date(date->as_text());
    if (!day || cbor.entries().size() != 1) return takes(spec, kForm);
    return Value{When::all_day(*day)};
  }
  auto wall = parse_wall_time(cbor["at"].as_text());
  const Cbor& fold = cbor["fold"];
  bool is_fold_fine = fold.is_null() || (fold.is_int() && (fold.as_int() == 0 || fold.as_int() == 1));
  if (!wall || !is_fold_fine || !(cbor["zone"].is_text() || cbor["zone"].is_null()))
    return takes(spec, kForm);
  for (const auto& [key, value] : cbor.entries())
    if (key != "at" && key != "zone" && key != "fold") return takes(spec, kForm);
  When when = When::timed(*wall, cbor["zone"].as_text(), fold.as_int() == 1 ? Fold::kSecond : Fold::kFirst);
  if (!is_valid_when(when)) return takes(spec, kForm);
  return Value{when};
}

}  // namespace

Cbor view_value(const Value& value) {
  switch (kind_of(value)) {
    case ValueKind::kNull:
      return {};
    case ValueKind::kBool:
      return *std::get_if<bool>(&value);
    case ValueKind::kInt:
      return *std::get_if<int64_t>(&value);
    case ValueKind::kText:
      return *std::get_if<std::string>(&value);
    case ValueKind::kId:
      return to_hex(*std::get_if<Id128>(&value));
    case ValueKind::kWhen: {
      const auto& when = *std::get_if<When>(&value);
      Cbor map = Cbor::map();
      if (when.is_all_day) {
        map.set("date", to_text(when.date));
      } else {
        map.set("at", to_text(when.wall));
        map.set("zone", when.zone);
        map.set("fold", when.fold == Fold::kSecond ? 1 : 0);
      }
      return map;
    }
    case ValueKind::kInts: {
      Cbor array = Cbor::array();
      for (int64_t i : *std::get_if<std::vector<int64_t>>(&value)) array.push(i);
      return array;
    }
    case ValueKind::kPosition: {
      Cbor map = Cbor::map();
      const auto& position = *std::get_if<Position>(&value);
      if (!position.list.is_nil()) map.set("list", to_hex(position.list));
      if (!position.parent.is_nil()) map.set("checklist", op_id_text(position.parent));
      return map;
    }
  }
  return {};
}

Result<Value> parse_value(const FieldSpec& spec, const Cbor& cbor) {
  if (cbor.is_null()) return Value{};
  switch (spec.value) {
    case ValueKind::kBool:
      return cbor.is_bool() ? Result<Value>(Value{cbor.as_bool()}) : takes(spec, "true or false");
    case ValueKind::kInt:
      return cbor.is_int() ? Result<Value>(Value{cbor.as_int()}) : takes(spec, "a whole number");
    case ValueKind::kText:
      return cbor.is_text() ? Result<Value>(Value{cbor.as_text()}) : takes(spec, "a text");
    case ValueKind::kId: {
      auto id = id_from_hex(cbor.as_text());
      return id ? Result<Value>(Value{*id}) : takes(spec, "an id of 32 hexadecimal digits");
    }
    case ValueKind::kWhen:
      return parse_when(spec, cbor);
    case ValueKind::kInts: {
      if (!cbor.is_array()) return takes(spec, "a list of whole numbers");
      std::vector<int64_t> ints;
      for (const Cbor& item : cbor.items()) {
        if (!item.is_int()) return takes(spec, "a list of whole numbers");
        ints.push_back(item.as_int());
      }
      return Value{std::move(ints)};
    }
    case ValueKind::kNull:
    case ValueKind::kPosition:
      break;
  }
  return takes(spec, "no value: use move");
}

Cbor view_card(const Document& document, const Id128& id) {
  const Entity* card = document.find(id);
  return card && card->type == EntityType::kCard && card->is_live() && lives_here(document, *card)
             ? view_live_card(id, *card)
             : Cbor();
}

Cbor view_conflicts(const Document& document, const Id128& id) {
  const Entity* entity = document.find(id);
  return entity && lives_here(document, *entity) ? view_entity_conflicts(*entity) : Cbor::array();
}

Cbor view_board(const Replica& replica) {
  const Document& document = replica.document();
  Cbor cards = Cbor::map();
  Cbor deleted = Cbor::array();
  int64_t open_conflicts = 0;
  auto view_list = [&](const Id128& id, const Entity* list) {
    Cbor order = Cbor::array();
    for (const auto& [rank, card_id] : replica.order().cards(id)) {
      const Entity& card = *document.find(card_id);
      if (!lives_here(document, card)) continue;
      if (card.is_live()) {
        order.push(to_hex(card_id));
        Cbor view = view_live_card(card_id, card);
        open_conflicts += static_cast<int64_t>(view["conflicts"].items().size());
        cards.set(to_hex(card_id), std::move(view));
      } else {
        Cbor row = Cbor::map();
        row.set("id", to_hex(card_id));
        row.set("title", card.text_value(Field::kTitle));
        deleted.push(std::move(row));
      }
    }
    Cbor row =
        list ? view_row(id, *list) : Cbor::map({{"id", to_hex(id)}, {"title", ""}, {"archived", false}});
    // A deleted list that still holds a live card is shown: no card is ever out of sight.
    row.set("deleted", list && list->is_deleted());
    row.set("cards", std::move(order));
    return row;
  };
  Cbor lists = Cbor::array();
  for (const auto& [rank, id] : replica.order().of(EntityType::kList)) {
    const Entity* list = document.find(id);
    Cbor row = view_list(id, list);
    if (list->is_live() || !row["cards"].items().empty()) {
      open_conflicts += static_cast<int64_t>(row["conflicts"].items().size());
      lists.push(std::move(row));
    }
  }
  for (const auto& [id, count] : replica.order().list_sizes()) {
    const Entity* list = document.find(id);
    if (list && list->type == EntityType::kList) continue;
    Cbor row = view_list(id, nullptr);
    if (!row["cards"].items().empty()) lists.push(std::move(row));
  }
  Cbor view = Cbor::map();
  view.set("id", to_hex(document.id));
  view.set("title", root_text(replica, Field::kTitle));
  view.set("time_zone", root_text(replica, Field::kTimeZone));
  view.set("lists", std::move(lists));
  view.set("cards", std::move(cards));
  view.set("custom_fields", view_rows(replica, EntityType::kCustomField));
  view.set("deleted_cards", std::move(deleted));
  view.set("conflicts", open_conflicts);
  return view;
}

Cbor view_workspace(const Replica& replica) {
  Cbor view = Cbor::map();
  view.set("id", to_hex(replica.document().id));
  view.set("title", root_text(replica, Field::kTitle));
  view.set("boards", view_rows(replica, EntityType::kBoardEntry));
  view.set("members", view_rows(replica, EntityType::kMember));
  view.set("labels", view_rows(replica, EntityType::kLabel));
  Cbor sequences = Cbor::array();
  for (const auto& [rank, id] : replica.order().of(EntityType::kSequence)) {
    const Entity* sequence = replica.document().find(id);
    if (!sequence->is_live()) continue;
    Cbor row = view_row(id, *sequence);
    Cbor steps = Cbor::array();
    for (const auto& [step_id, step] : live_children(*sequence, EntityType::kStep)) {
      Cbor entry = Cbor::map();
      entry.set("id", op_id_text(step_id));
      entry.set("title", step->text_value(Field::kTitle));
      entry.set("kind", step->text_value(Field::kStepKind));
      entry.set("delay_minutes", view_value(step->value(Field::kDelayMinutes)));
      steps.push(std::move(entry));
    }
    row.set("steps", std::move(steps));
    sequences.push(std::move(row));
  }
  view.set("sequences", std::move(sequences));
  return view;
}

Cbor view_changes(const Document& document, const Changes& changes) {
  Cbor rows = Cbor::array();
  for (const Id128& id : changes.entities) {
    const Entity* entity = document.find(id);
    EntityType type = entity ? entity->type : EntityType::kUnknown;
    Cbor fields = Cbor::array();
    for (auto it = changes.fields.lower_bound({id, Field{}}); it != changes.fields.end() && it->first == id;
         ++it) {
      const FieldSpec* spec = find_field(type, it->second);
      if (spec) fields.push(spec->name);
    }
    Cbor row = Cbor::map();
    row.set("entity", to_hex(id));
    row.set("type", id == document.id.raw ? std::string_view("root") : entity_name(type));
    row.set("live", entity && entity->is_live());
    row.set("fields", std::move(fields));
    rows.push(std::move(row));
  }
  return rows;
}

}  // namespace kalends
