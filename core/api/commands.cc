// SPDX-License-Identifier: Apache-2.0
#include "core/api/commands.h"

#include <map>

#include "core/api/answer.h"
#include "core/api/view.h"
#include "core/replica/session.h"

namespace kalends {
namespace {

constexpr size_t kCommandsMax = 10000;  // of one transaction

Result<Id128> parse_id(const Cbor& cbor, const char* name) {
  auto id = id_from_hex(cbor.as_text());
  if (!cbor.is_text() || !id)
    return invalid({"`", name, "` must be an id of 32 hexadecimal digits."});
  return *id;
}

Result<OpId> parse_child(const Cbor& cbor, const char* name) {
  if (cbor.is_null()) return OpId{};
  auto id = parse_op_id(cbor.as_text());
  if (!id) return invalid({"`", name, "` must be an operation id, <replica>:<counter>."});
  return *id;
}

Error no_such_field(EntityType type, std::string_view name) {
  return invalid({"A ", entity_name(type), " has no field \"", shown_name(name), "\"."});
}

class Parser {
 public:
  explicit Parser(const Document& document) : document_(document) {}

  Result<Command> parse(const Cbor& map) {
    const std::string& what = map["do"].as_text();
    if (what == "create") return create(map);
    KALENDS_TRY(Target target, parse_target(map));
    if (what == "add_child") return add_child(map, target);
    if (what == "set") return set(map, target);
    if (what == "move") return move(map, target);
    if (what == "add" || what == "remove") return change_set(map, target, what == "add");
    if (what == "text") return text(map, target);
    if (what == "splice") return splice(map, target);
    if (what == "delete") return Command{DeleteCommand{target}};
    if (what == "restore") return Command{RestoreCommand{target}};
    if (what == "resolve") return resolve(map, target);
    return invalid(
        "`do` must be create, add_child, set, move, add, remove, text, splice, delete, restore or resolve.");
  }

 private:
  Result<Target> parse_target(const Cbor& map) const {
    KALENDS_TRY(Id128 entity, parse_id(map["entity"], "entity"));
    KALENDS_TRY(OpId child, parse_child(map["child"], "child"));
    return Target{entity, child};
  }

  EntityType type_of(const Target& target) const {
    if (target.entity == document_.id.raw && target.child.is_nil())
      return document_.kind == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace;
    if (Entity entity = document_.find(target.entity, target.child); entity && entity.is_created())
      return entity.type();
    auto it = created_.find(target.entity);
    return it != created_.end() && target.child.is_nil() ? it->second : EntityType::kUnknown;
  }

  Result<const FieldSpec*> parse_field(const Cbor& map, const Target& target) const {
    EntityType type = type_of(target);
    if (type == EntityType::kUnknown) return not_found("There is nothing with this id in the document.");
    const FieldSpec* spec = find_field(type, std::string_view(map["field"].as_text()));
    if (!spec) return no_such_field(type, map["field"].as_text());
    return spec;
  }

  Result<Id128> parse_key(const Cbor& map, const FieldSpec& spec) const {
    if (!spec.is_keyed) return Id128{};
    return parse_id(map["key"], "key");
  }

  // `after`: absent = last, null = first, an id = directly after it.
  Result<Placement> parse_placement(const Cbor& map, bool among_children) const {
    Placement placement;
    const Cbor* after = map.find("after");
    if (!after) return placement;
    if (after->is_null()) {
      placement.where = Placement::Where::kFirst;
      return placement;
    }
    placement.where = Placement::Where::kAfter;
    if (among_children) {
      KALENDS_TRY(placement.child, parse_child(*after, "after"));
    } else {
      KALENDS_TRY(placement.entity, parse_id(*after, "after"));
    }
    return placement;
  }

  Result<Command> create(const Cbor& map) {
    CreateCommand command;
    command.type = entity_from_name(document_.kind, map["type"].as_text());
    if (command.type == EntityType::kUnknown)
      return invalid("`type` names nothing that this document holds.");
    KALENDS_TRY(command.id, parse_id(map["id"], "id"));
    Cbor fields = Cbor::map();
    for (const auto& [name, value] : map["fields"].entries())
      if (!(command.type == EntityType::kCard && name == "list")) fields.set(name, value);
    KALENDS_TRY(command.fields, parse_fields(command.type, fields));
    if (command.type == EntityType::kCard) {
      KALENDS_TRY(command.list, parse_id(map["fields"]["list"], "list"));
    }
    KALENDS_TRY(command.placement, parse_placement(map, false));
    created_[command.id] = command.type;
    return Command{std::move(command)};
  }

  Result<Command> add_child(const Cbor& map, const Target& target) {
    AddChildCommand command;
    command.entity = target.entity;
    command.type = entity_from_name(document_.kind, map["type"].as_text());
    if (!is_child(command.type))
      return invalid("`type` must be comment, checklist, item, attachment or step.");
    KALENDS_TRY(command.fields, parse_fields(command.type, map["fields"]));
    KALENDS_TRY(command.checklist, parse_child(map["checklist"], "checklist"));
    KALENDS_TRY(command.placement, parse_placement(map, true));
    return Command{std::move(command)};
  }

  Result<Command> set(const Cbor& map, const Target& target) {
    KALENDS_TRY(const FieldSpec* spec, parse_field(map, target));
    if (spec->merge == Merge::kText) return text(map, target);
    KALENDS_TRY(Id128 key, parse_key(map, *spec));
    KALENDS_TRY(Value value, parse_value(*spec, map["value"]));
    return Command{SetCommand{target, {spec->field, key, std::move(value)}}};
  }

  Result<Command> move(const Cbor& map, const Target& target) {
    MoveCommand command;
    command.target = target;
    if (const Cbor* list = map.find("list"); list && !list->is_null()) {
      KALENDS_TRY(command.list, parse_id(*list, "list"));
    }
    KALENDS_TRY(command.checklist, parse_child(map["checklist"], "checklist"));
    KALENDS_TRY(command.placement, parse_placement(map, !target.child.is_nil()));
    return Command{command};
  }

  Result<Command> change_set(const Cbor& map, const Target& target, bool is_add) {
    KALENDS_TRY(const FieldSpec* spec, parse_field(map, target));
    KALENDS_TRY(Id128 element, parse_id(map["value"], "value"));
    if (is_add) return Command{AddCommand{target, spec->field, element}};
    return Command{RemoveCommand{target, spec->field, element}};
  }

  Result<Command> text(const Cbor& map, const Target& target) {
    if (!map["value"].is_text()) return invalid("`value` must be a text.");
    return Command{SetTextCommand{target, map["value"].as_text()}};
  }

  Result<Command> splice(const Cbor& map, const Target& target) {
    const Cbor& pos = map["pos"];
    const Cbor& del = map["del"];
    auto fits = [](const Cbor& n) { return n.is_int() && n.as_int() >= 0 && n.as_int() <= INT32_MAX; };
    if (!fits(pos) || !fits(del) || !map["ins"].is_text())
      return invalid("A splice needs `pos` and `del` (code points) and `ins` (text).");
    return Command{SpliceCommand{
        target,
        {static_cast<uint32_t>(pos.as_int()), static_cast<uint32_t>(del.as_int()), map["ins"].as_text()}}};
  }

  Result<Command> resolve(const Cbor& map, const Target& target) {
    ResolveCommand command;
    command.target = target;
    KALENDS_TRY(const FieldSpec* spec, parse_field(map, target));
    command.field = spec->field;
    KALENDS_TRY(command.key, parse_key(map, *spec));
    if (!map["op"].as_text().empty()) {
      KALENDS_TRY(command.op, parse_child(map["op"], "op"));
    }
    return Command{command};
  }

  const Document& document_;
  std::map<Id128, EntityType> created_;
};

}  // namespace

Result<std::vector<FieldValue>> parse_fields(EntityType type, const Cbor& map) {
  std::vector<FieldValue> fields;
  if (!map.is_map() && !map.is_null()) return invalid("`fields` must be a map from field name to value.");
  for (const auto& [name, value] : map.entries()) {
    const FieldSpec* spec = find_field(type, std::string_view(name));
    if (!spec) return no_such_field(type, name);
    if (spec->is_keyed) {
      for (const auto& [key_text, entry] : value.entries()) {
        auto key = id_from_hex(key_text);
        if (!key)
          return invalid({"The values of ", name, " are named by ids of 32 hexadecimal digits."});
        KALENDS_TRY(Value parsed, parse_value(*spec, entry));
        fields.push_back({spec->field, *key, std::move(parsed)});
      }
    } else if (spec->merge == Merge::kSet) {
      if (!value.is_array()) return invalid({"The field ", name, " takes a list of ids."});
      for (const Cbor& item : value.items()) {
        auto id = id_from_hex(item.as_text());
        if (!id) return invalid({"The field ", name, " takes a list of ids of 32 hexadecimal digits."});
        fields.push_back({spec->field, {}, *id});
      }
    } else {
      KALENDS_TRY(Value parsed, parse_value(*spec, value));
      fields.push_back({spec->field, {}, std::move(parsed)});
    }
  }
  return fields;
}

Result<std::vector<Command>> parse_commands(const Document& document, const Cbor& list) {
  if (!list.is_array() || list.items().empty())
    return invalid("`commands` must be a list with at least one command.");
  if (list.items().size() > kCommandsMax)
    return invalid("One transaction takes at most 10000 commands: split it.");
  Parser parser(document);
  std::vector<Command> commands;
  for (const Cbor& item : list.items()) {
    if (!item.is_map()) return invalid("A command must be a map.");
    KALENDS_TRY(Command command, parser.parse(item));
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace kalends
