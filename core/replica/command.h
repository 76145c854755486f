// SPDX-License-Identifier: Apache-2.0
// What a person, the API, an import or the calendar bridge asks of a replica. A command says what should be
// so; the replica finds out which operations make it so, and makes none when it is so already.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/text.h"
#include "core/oplog/op.h"

namespace kalends {

// An entity, or one of its children.
struct Target {
  Id128 entity;
  OpId child;
};

// Where to put something among its siblings: `entity` names a card, list …; `child` a checklist or an item.
struct Placement {
  enum class Where : uint8_t { kFirst, kLast, kAfter } where = Where::kLast;
  Id128 entity;
  OpId child;
};

struct CreateCommand {
  EntityType type;
  Id128 id;                        // made by the caller
  std::vector<FieldValue> fields;  // without the position
  Id128 list;                      // of a card
  Placement placement;
};
struct AddChildCommand {
  Id128 entity;
  EntityType type;
  std::vector<FieldValue> fields;
  OpId checklist;       // of an item
  Placement placement;  // of checklists, items and steps
  // Instead of `checklist`, for one that has no id yet: the place in the list of commands, from 0, of the
  // earlier command that makes it.
  std::optional<size_t> checklist_made_by = std::nullopt;
};
struct SetCommand {
  Target target;
  FieldValue field;
  bool keep_loser = false;  // the value shown until now stays open instead of being replaced
};
struct MoveCommand {
  Target target;
  Id128 list;
  OpId checklist;
  Placement placement;
};  // list nil: stay in it
struct AddCommand {
  Target target;
  Field field;
  Id128 element;
};
struct RemoveCommand {
  Target target;
  Field field;
  Id128 element;
};
struct SetTextCommand {
  Target target;
  std::string text;
};  // the difference becomes splices
struct SpliceCommand {
  Target target;
  Splice splice;
};
struct DeleteCommand {
  Target target;
};  // also confirms an open deletion
struct RestoreCommand {
  Target target;
};  // also dismisses an open deletion
struct ResolveCommand {
  Target target;
  Field field;
  Id128 key;
  OpId op;
};  // this value becomes the only one
struct OfferCommand {
  Target target;
  FieldValue field;
};  // keep this value open as a loser
struct RedactCommand {
  Target target;
  OpId op;
};
struct BoundCommand {
  Target target;
  OpId op;
  Hlc stamp;
};
struct CarryCommand {
  Id128 entity;
  std::vector<Op> ops;
};

// Copied, moved and destroyed out of line, as Value is.
struct Command : std::variant<CreateCommand, AddChildCommand, SetCommand, MoveCommand, AddCommand, RemoveCommand,
                              SetTextCommand, SpliceCommand, DeleteCommand, RestoreCommand, ResolveCommand,
                              OfferCommand, RedactCommand, BoundCommand, CarryCommand> {
  using variant::variant;
  Command(const Command&);
  Command(Command&&) noexcept;
  Command& operator=(const Command&);
  Command& operator=(Command&&) noexcept;
  ~Command();
};

}  // namespace kalends
