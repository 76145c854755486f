// SPDX-License-Identifier: Apache-2.0
#include "core/api/view.h"

#include <algorithm>

#include "core/api/when.h"
#include "core/base/sort.h"
#include "core/base/text.h"
#include "core/replica/conflicts.h"
#include "core/replica/session.h"

namespace kalends {
namespace {

Cbor ids(const std::vector<Id128>& list) {
  Cbor array = Cbor::array();
  for (const Id128& id : list) array.push(id);
  return array;
}

Cbor view_checklists(const Document& document, const Entity& card) {
  Cbor checklists = Cbor::array();
  std::vector<Entity> all_items = live_children(document, card, EntityType::kItem);
  for (const Entity& checklist : live_children(document, card, EntityType::kChecklist)) {
    Cbor items = Cbor::array();
    for (const Entity& item : all_items) {
      const StoredPlace* place = item.place();
      if (!place || place->parent != checklist.record().child) continue;
      Cbor row = Cbor::map();
      row.set("id", view_op(item.child()));
      row.set("text", item.text());
      row.set("done", item.bool_value(Field::kDone));
      items.push(std::move(row));
    }
    Cbor row = Cbor::map();
    row.set("id", view_op(checklist.child()));
    row.set("title", checklist.text_value(Field::kTitle));
    row.set("items", std::move(items));
    checklists.push(std::move(row));
  }
  return checklists;
}

Cbor view_comments(const Document& document, const Entity& card) {
  Cbor comments = Cbor::array();
  for (const Entity& comment : live_children(document, card, EntityType::kComment)) {
    Cbor row = Cbor::map();
    row.set("id", view_op(comment.child()));
    row.set("author", comment.creator());
    row.set("at_ms", comment.created_at().ms());
    row.set("text", comment.text_value(Field::kText));
    comments.push(std::move(row));
  }
  return comments;
}

Cbor view_attachments(const Document& document, const Entity& card) {
  Cbor attachments = Cbor::array();
  for (const Entity& attachment : live_children(document, card, EntityType::kAttachment)) {
    Cbor row = Cbor::map();
    row.set("id", view_op(attachment.child()));
    row.set("title", attachment.text_value(Field::kTitle));
    row.set("url", attachment.text_value(Field::kUrl));
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
  if (!conflict.key.is_nil()) row.set("key", conflict.key);
  if (!conflict.child.is_nil()) row.set("child", view_op(conflict.child));
  Cbor values = Cbor::array();
  for (const ConflictValue& value : conflict.values) {
    Cbor entry = Cbor::map();
    entry.set("op", view_op(value.op));
    entry.set("value", view_value(value.value));
    entry.set("author", value.author);
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

// Values of a keyed field, by the key in hexadecimal digits, in the order of keys.
Cbor view_keyed(const Document& document, const Entity& entity, Field field) {
  std::vector<IdRef> keys;
  for (const Cell& cell : entity.record().cells)
    if (cell.field == field && std::find(keys.begin(), keys.end(), cell.key) == keys.end()) keys.push_back(cell.key);
  sort(keys, [&](IdRef a, IdRef b) { return document.names.ids[a] < document.names.ids[b]; });
  Cbor map = Cbor::map();
  for (IdRef key : keys)
    if (const Cell* cell = entity.winner_cell(field, key); cell->value.kind != ValueKind::kNull)
      map.set(to_hex(document.names.ids[key]), view_value(unstore(document.names, cell->value)));
  return map;
}

Cbor view_live_card(const Document& document, const Entity& card) {
  Cbor view = Cbor::map();
  view.set("id", card.id());
  const StoredPlace* place = card.place();
  view.set("list", place ? Cbor(document.names.ids[place->list]) : Cbor());
  view.set("title", card.text_value(Field::kTitle));
  view.set("description", card.text());
  view.set("labels", ids(card.elements(Field::kLabels)));
  view.set("assignees", ids(card.elements(Field::kAssignees)));
  view.set("start", view_value(card.value(Field::kStart)));
  view.set("due", view_value(card.value(Field::kDue)));
  view.set("done", card.bool_value(Field::kDone));
  view.set("location", card.text_value(Field::kLocation));
  view.set("colour", card.text_value(Field::kColour));
  Value reminders = card.value(Field::kReminders);
  view.set("reminders", kind_of(reminders) == ValueKind::kInts ? view_value(reminders) : Cbor::array());
  view.set("archived", card.bool_value(Field::kArchived));
  view.set("custom", view_keyed(document, card, Field::kCustom));
  view.set("checklists", view_checklists(document, card));
  view.set("comments", view_comments(document, card));
  view.set("attachments", view_attachments(document, card));
  view.set("conflicts", view_entity_conflicts(card));
  view.set("created_ms", card.created_at().ms());
  return view;
}

Cbor view_row(const Document& document, const Entity& entity) {
  Cbor row = Cbor::map();
  row.set("id", entity.id());
  for (const FieldSpec& spec : all_fields()) {
    if (spec.entity != entity.type() || spec.merge != Merge::kRegister || spec.field == Field::kPosition) continue;
    std::string name(spec.name);
    if (spec.is_keyed)
      row.set(name, view_keyed(document, entity, spec.field));
    else if (spec.value == ValueKind::kBool)
      row.set(name, entity.bool_value(spec.field));
    else if (spec.value == ValueKind::kText)
      row.set(name, entity.text_value(spec.field));
    else
      row.set(name, view_value(entity.value(spec.field)));
  }
  Cbor conflicts = view_entity_conflicts(entity);
  if (!conflicts.items().empty()) row.set("conflicts", std::move(conflicts));
  return row;
}

Cbor view_rows(const Replica& replica, EntityType type) {
  Cbor rows = Cbor::array();
  for (const Entity& entity : replica.ordered(type))
    if (entity.is_live()) rows.push(view_row(replica.document(), entity));
  return rows;
}

std::string root_text(const Replica& replica, Field field) {
  Entity root = replica.document().root();
  return root ? root.text_value(field) : std::string();
}

Error takes(const FieldSpec& spec, std::string_view what) {
  return invalid({"The field ", spec.name, " takes ", what, "."});
}

}  // namespace

void order_children(const Document& document, std::vector<uint32_t>& slots) {
  if (slots.size() < 2) return;
  auto rank = [&](uint32_t slot) {
    const StoredPlace* place = Entity(document, slot).place();
    return place ? place->rank_text() : std::string_view();
  };
  const ReplicaOrder order = document.names.order();
  sort(slots, [&](uint32_t a, uint32_t b) {
    const EntityRecord& left = document.entities[a];
    const EntityRecord& right = document.entities[b];
    if (int by_rank = rank(a).compare(rank(b)); by_rank != 0) return by_rank < 0;
    if (left.created_at != right.created_at) return left.created_at < right.created_at;
    return order.less(left.child, right.child);
  });
}

std::vector<Entity> live_children(const Document& document, const Entity& parent, EntityType type) {
  std::vector<uint32_t> slots;
  for (uint32_t at = parent.record().first_child; at != kNoSlot; at = document.entities[at].next_sibling)
    if (document.entities[at].type == type && Entity(document, at).is_live()) slots.push_back(at);
  order_children(document, slots);
  std::vector<Entity> children;
  for (uint32_t slot : slots) children.emplace_back(document, slot);
  return children;
}

Cbor view_op(const OpId& id) { return op_id_text(id); }

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
    case ValueKind::kWhen:
      return view_when(*std::get_if<When>(&value));
    case ValueKind::kInts: {
      Cbor array = Cbor::array();
      for (int64_t i : *std::get_if<std::vector<int64_t>>(&value)) array.push(i);
      return array;
    }
    case ValueKind::kPosition: {
      Cbor map = Cbor::map();
      const auto& position = *std::get_if<Position>(&value);
      if (!position.list.is_nil()) map.set("list", position.list);
      if (!position.parent.is_nil()) map.set("checklist", view_op(position.parent));
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
    case ValueKind::kWhen: {
      auto when = parse_when(cbor);
      return when ? Result<Value>(Value{*when}) : takes(spec, join({"null, ", kWhenForm}));
    }
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
  Entity card = document.find(id);
  return card && card.type() == EntityType::kCard && card.is_live() && lives_here(document, card)
             ? view_live_card(document, card)
             : Cbor();
}

Cbor view_conflicts(const Document& document, const Id128& id) {
  Entity entity = document.find(id);
  return entity && lives_here(document, entity) ? view_entity_conflicts(entity) : Cbor::array();
}

Cbor view_all_conflicts(const Document& document) {
  Cbor rows = Cbor::array();
  for (const Entity& entity : document.all()) {
    if (!entity.is_live() || !lives_here(document, entity)) continue;
    for (const Conflict& conflict : conflicts_of(entity)) {
      Cbor row = view_conflict(conflict);
      row.set("entity", entity.id());
      rows.push(std::move(row));
    }
  }
  return rows;
}

Cbor view_board(const Replica& replica, bool with_cards) {
  const Document& document = replica.document();
  Cbor cards = Cbor::map();
  Cbor deleted = Cbor::array();
  int64_t open_conflicts = 0;
  auto view_list = [&](const Id128& id, const Entity& list) {
    Cbor order = Cbor::array();
    Bytes numbers;
    for (const Entity& card : replica.cards(id)) {
      if (!lives_here(document, card)) continue;
      if (card.is_live()) {
        if (!with_cards) {
          for (uint32_t ref = card.record().id, i = 0; i < 4; ++i, ref >>= 8) numbers.push_back(static_cast<uint8_t>(ref));
          continue;
        }
        order.push(card.id());
        Cbor view = view_live_card(document, card);
        open_conflicts += static_cast<int64_t>(view["conflicts"].items().size());
        cards.set(to_hex(card.id()), std::move(view));
      } else {
        Cbor row = Cbor::map();
        row.set("id", card.id());
        row.set("title", card.text_value(Field::kTitle));
        deleted.push(std::move(row));
      }
    }
    Cbor row = list ? view_row(document, list)
                    : Cbor::map({{"id", id}, {"title", ""}, {"archived", false}});
    // A deleted list that still holds a live card is shown: no card is ever out of sight.
    row.set("deleted", list && list.is_deleted());
    row.set("cards", with_cards ? std::move(order) : Cbor::bytes(numbers));
    return row;
  };
  auto has_cards = [](const Cbor& row) { return !row["cards"].items().empty() || !row["cards"].as_byte_view().empty(); };
  Cbor lists = Cbor::array();
  for (const Entity& list : replica.ordered(EntityType::kList)) {
    Cbor row = view_list(list.id(), list);
    if (list.is_live() || has_cards(row)) {
      open_conflicts += static_cast<int64_t>(row["conflicts"].items().size());
      lists.push(std::move(row));
    }
  }
  for (const Id128& id : replica.lists_with_cards()) {
    Entity list = document.find(id);
    if (list && list.type() == EntityType::kList) continue;
    Cbor row = view_list(id, {});
    if (has_cards(row)) lists.push(std::move(row));
  }
  Cbor view = Cbor::map();
  view.set("id", document.id);
  view.set("title", root_text(replica, Field::kTitle));
  view.set("time_zone", root_text(replica, Field::kTimeZone));
  view.set("lists", std::move(lists));
  if (with_cards) view.set("cards", std::move(cards));
  view.set("custom_fields", view_rows(replica, EntityType::kCustomField));
  view.set("deleted_cards", std::move(deleted));
  if (with_cards) view.set("conflicts", open_conflicts);
  return view;
}

namespace {

// The label that a merged one stands for now; a circle of merges ends where it began.
Id128 standing_for(const Document& document, const Entity& label) {
  Id128 shown = label.id();
  for (int steps = 0; steps < 64; ++steps) {
    Entity at = document.find(shown);
    Value into = at && at.type() == EntityType::kLabel ? at.value(Field::kMergedInto) : Value{};
    const auto* next = std::get_if<Id128>(&into);
    Entity target = next ? document.find(*next) : Entity{};
    if (!target || target.type() != EntityType::kLabel || !target.is_live()) return shown;
    if (*next == label.id()) return label.id();
    shown = *next;
  }
  return label.id();
}

}  // namespace

Cbor view_workspace(const Replica& replica) {
  const Document& document = replica.document();
  Cbor view = Cbor::map();
  view.set("id", document.id);
  view.set("title", root_text(replica, Field::kTitle));
  view.set("boards", view_rows(replica, EntityType::kBoardEntry));
  view.set("members", view_rows(replica, EntityType::kMember));
  Cbor labels = Cbor::array();
  Cbor merged = Cbor::map();
  for (const Entity& label : replica.ordered(EntityType::kLabel)) {
    if (!label.is_live()) continue;
    Id128 shown = standing_for(document, label);
    if (shown == label.id())
      labels.push(view_row(document, label));
    else
      merged.set(to_hex(label.id()), to_hex(shown));
  }
  view.set("labels", std::move(labels));
  view.set("merged_labels", std::move(merged));
  Cbor sequences = Cbor::array();
  for (const Entity& sequence : replica.ordered(EntityType::kSequence)) {
    if (!sequence.is_live()) continue;
    Cbor row = view_row(document, sequence);
    Cbor steps = Cbor::array();
    for (const Entity& step : live_children(document, sequence, EntityType::kStep)) {
      Cbor entry = Cbor::map();
      entry.set("id", view_op(step.child()));
      entry.set("title", step.text_value(Field::kTitle));
      entry.set("kind", step.text_value(Field::kStepKind));
      entry.set("delay_minutes", view_value(step.value(Field::kDelayMinutes)));
      steps.push(std::move(entry));
    }
    row.set("steps", std::move(steps));
    sequences.push(std::move(row));
  }
  view.set("sequences", std::move(sequences));
  return view;
}

namespace {

std::string_view kind_name(OpKind kind) {
  static constexpr std::string_view kNames[] = {"create",      "set",         "add",   "remove", "delete",
                                                "restore",     "text_insert", "text_remove", "offer",
                                                "bound",       "redact",      "void",  "carry"};
  auto index = static_cast<size_t>(kind) - 1;
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string_view cause_name(Cause cause) {
  static constexpr std::string_view kNames[] = {"person", "api", "import", "bridge", "hub", "undo"};
  return kNames[static_cast<size_t>(cause) - 1];
}

Cbor view_origin(const Document& document, const Record& record) {
  return Cbor::map({{"op", view_op(document.names.op_id(record.id))},
                    {"author", document.names.ids[record.author]},
                    {"at_ms", record.stamp.ms()},
                    {"cause", cause_name(record.cause)}});
}

}  // namespace

Cbor view_history(const Replica& replica, const Id128& id) {
  const Document& document = replica.document();
  Arena arena;
  Cbor rows = Cbor::array();
  Entity entity = document.find(id);
  for (const Record* record : replica.history_of(id, arena)) {
    auto row_for = [&](Field field, EntityType type, Cbor value) {
      Cbor row = view_origin(document, *record);
      row.set("kind", record->is_opaque ? std::string_view("unknown") : kind_name(record->op_kind()));
      if (!record->child.is_nil()) row.set("child", view_op(document.names.op_id(record->child)));
      if (const FieldSpec* spec = find_field(type, field)) row.set("field", spec->name);
      row.set("value", std::move(value));
      rows.push(std::move(row));
    };
    EntityType type = entity ? entity.type() : EntityType::kUnknown;
    if (!record->child.is_nil())
      if (Entity child = document.find(id, document.names.op_id(record->child))) type = child.type();
    switch (record->is_opaque ? OpKind::kVoid : record->op_kind()) {
      case OpKind::kCreate:
        for (const StoredField& field : record->field_values())
          row_for(field.field, static_cast<EntityType>(record->detail),
                  view_value(unstore(document.names, field.value)));
        if (record->count == 0) row_for(Field{}, type, Cbor());
        break;
      case OpKind::kSet:
      case OpKind::kOffer:
        row_for(record->fields->field, type, view_value(unstore(document.names, record->fields->value)));
        break;
      case OpKind::kAdd:
      case OpKind::kRemove:
        row_for(record->fields->field, type, Cbor(to_hex(document.names.ids[record->fields->key])));
        break;
      case OpKind::kTextInsert:
        row_for(type == EntityType::kItem ? Field::kText : Field::kDescription, type, Cbor(record->text->view()));
        break;
      case OpKind::kTextRemove: {
        int64_t removed = 0;
        for (uint32_t i = 0; i < record->count; ++i) removed += record->ranges[i].length;
        row_for(type == EntityType::kItem ? Field::kText : Field::kDescription, type, Cbor(removed));
        break;
      }
      default:
        row_for(Field{}, type, Cbor());
    }
  }
  return rows;
}

Cbor view_blame(const Replica& replica, const Id128& id) {
  const Document& document = replica.document();
  Cbor blame = Cbor::map();
  Entity entity = document.find(id);
  if (!entity) return blame;
  Arena arena;
  std::vector<const Record*> history = replica.history_of(id, arena);
  auto origin = [&](const OpRef& op, const Cell* cell) {
    for (const Record* record : history)
      if (record->id == op) return view_origin(document, *record);
    // History that far back is gone: the value knows who and when.
    Cbor row = Cbor::map({{"op", view_op(document.names.op_id(op))}});
    if (cell) {
      row.set("author", document.names.ids[cell->author]);
      row.set("at_ms", cell->stamp.ms());
    }
    return row;
  };
  for (const FieldSpec& spec : all_fields()) {
    if (spec.entity != entity.type() || spec.is_keyed) continue;
    if (spec.merge == Merge::kRegister) {
      if (const Cell* cell = entity.winner_cell(spec.field)) blame.set(std::string(spec.name), origin(cell->op, cell));
    } else {
      // Of a set or a text: who touched it last.
      const Record* last = nullptr;
      for (const Record* record : history) {
        bool is_text = record->is(OpKind::kTextInsert) || record->is(OpKind::kTextRemove);
        bool is_set = record->is(OpKind::kAdd) || record->is(OpKind::kRemove);
        bool is_create = record->is(OpKind::kCreate) && !is_child(static_cast<EntityType>(record->detail));
        bool matches = record->child.is_nil() &&
                       ((spec.merge == Merge::kText && is_text) ||
                        (spec.merge == Merge::kSet && is_set && record->fields->field == spec.field));
        for (uint32_t i = 0; is_create && i < record->count; ++i)
          matches = matches || record->fields[i].field == spec.field;
        if (matches) last = record;
      }
      if (last) blame.set(std::string(spec.name), view_origin(document, *last));
    }
  }
  return blame;
}

Cbor view_changes(const Document& document, const Changes& changes) {
  Cbor rows = Cbor::array();
  for (const Id128& id : changes.entities(document)) {
    Entity entity = document.find(id);
    EntityType type = entity ? entity.type() : EntityType::kUnknown;
    Cbor fields = Cbor::array();
    for (Field field : changes.fields(document.names.ids.find(id))) {
      const FieldSpec* spec = find_field(type, field);
      if (spec) fields.push(spec->name);
    }
    Cbor row = Cbor::map();
    row.set("entity", id);
    row.set("type", id == document.id.raw ? std::string_view("root") : entity_name(type));
    row.set("live", entity && entity.is_live());
    row.set("fields", std::move(fields));
    rows.push(std::move(row));
  }
  return rows;
}

std::string view_schema() {
  std::string rows;
  for (const FieldSpec& spec : all_fields()) {
    rows += entity_name(spec.entity);
    rows += ' ' + std::to_string(static_cast<int>(spec.entity)) + ' ';
    rows += spec.name;
    for (int number : {static_cast<int>(spec.field), static_cast<int>(spec.value), static_cast<int>(spec.merge)})
      rows += ' ' + std::to_string(number);
    rows += '\n';
  }
  return rows;
}

}  // namespace kalends
