// SPDX-License-Identifier: Apache-2.0
#include "core/model/schema.h"

#include <array>

namespace kalends {
namespace {

using E = EntityType;
using F = Field;
using M = Merge;
using V = ValueKind;

constexpr FieldSpec kFields[] = {
    {E::kBoard, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kBoard, F::kTimeZone, M::kRegister, V::kText, "time_zone"},

    {E::kList, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kList, F::kPosition, M::kRegister, V::kPosition, "position", true},
    {E::kList, F::kArchived, M::kRegister, V::kBool, "archived"},
    {E::kList, F::kColour, M::kRegister, V::kText, "colour"},

    {E::kCard, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kCard, F::kPosition, M::kRegister, V::kPosition, "position", true},
    {E::kCard, F::kDescription, M::kText, V::kText, "description"},
    {E::kCard, F::kStart, M::kRegister, V::kWhen, "start"},
    {E::kCard, F::kDue, M::kRegister, V::kWhen, "due"},
    {E::kCard, F::kDone, M::kRegister, V::kBool, "done"},
    {E::kCard, F::kLocation, M::kRegister, V::kText, "location"},
    {E::kCard, F::kColour, M::kRegister, V::kText, "colour"},
    {E::kCard, F::kReminders, M::kRegister, V::kInts, "reminders"},
    {E::kCard, F::kEstimate, M::kRegister, V::kInt, "estimate"},
    {E::kCard, F::kArchived, M::kRegister, V::kBool, "archived"},
    {E::kCard, F::kCustom, M::kRegister, V::kText, "custom", false, false, true},
    {E::kCard, F::kHome, M::kRegister, V::kId, "home", false, true},
    {E::kCard, F::kLabels, M::kSet, V::kId, "labels"},
    {E::kCard, F::kAssignees, M::kSet, V::kId, "assignees"},

    {E::kCustomField, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kCustomField, F::kPosition, M::kRegister, V::kPosition, "position"},

    {E::kComment, F::kText, M::kRegister, V::kText, "text"},
    {E::kChecklist, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kChecklist, F::kPosition, M::kRegister, V::kPosition, "position"},
    {E::kItem, F::kText, M::kText, V::kText, "text"},
    {E::kItem, F::kDone, M::kRegister, V::kBool, "done"},
    {E::kItem, F::kPosition, M::kRegister, V::kPosition, "position"},
    {E::kAttachment, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kAttachment, F::kUrl, M::kRegister, V::kText, "url"},

    {E::kWorkspace, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kBoardEntry, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kBoardEntry, F::kArchived, M::kRegister, V::kBool, "archived"},
    {E::kBoardEntry, F::kPosition, M::kRegister, V::kPosition, "position"},
    {E::kMember, F::kArchived, M::kRegister, V::kBool, "archived"},
    {E::kLabel, F::kTitle, M::kRegister, V::kText, "name"},
    {E::kLabel, F::kColour, M::kRegister, V::kText, "colour"},
    {E::kLabel, F::kMergedInto, M::kRegister, V::kId, "merged_into"},
    {E::kLabel, F::kLocalName, M::kRegister, V::kText, "local_names", false, false, true},
    {E::kSequence, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kSequence, F::kWorkingDays, M::kRegister, V::kInt, "working_days"},
    {E::kSequence, F::kWindowStart, M::kRegister, V::kInt, "window_start"},
    {E::kSequence, F::kWindowEnd, M::kRegister, V::kInt, "window_end"},
    {E::kSequence, F::kTimeZone, M::kRegister, V::kText, "time_zone"},
    {E::kStep, F::kTitle, M::kRegister, V::kText, "title"},
    {E::kStep, F::kStepKind, M::kRegister, V::kText, "kind"},
    {E::kStep, F::kDelayMinutes, M::kRegister, V::kInt, "delay_minutes"},
    {E::kStep, F::kPosition, M::kRegister, V::kPosition, "position"},
};

struct EntityRow {
  EntityType type;
  std::string_view name;
  DocumentKind document;
  bool is_child;
};

constexpr EntityRow kEntities[] = {
    {E::kBoard, "root", DocumentKind::kBoard, false},
    {E::kList, "list", DocumentKind::kBoard, false},
    {E::kCard, "card", DocumentKind::kBoard, false},
    {E::kCustomField, "custom_field", DocumentKind::kBoard, false},
    {E::kComment, "comment", DocumentKind::kBoard, true},
    {E::kChecklist, "checklist", DocumentKind::kBoard, true},
    {E::kItem, "item", DocumentKind::kBoard, true},
    {E::kAttachment, "attachment", DocumentKind::kBoard, true},
    {E::kWorkspace, "root", DocumentKind::kWorkspace, false},
    {E::kBoardEntry, "board", DocumentKind::kWorkspace, false},
    {E::kMember, "member", DocumentKind::kWorkspace, false},
    {E::kLabel, "label", DocumentKind::kWorkspace, false},
    {E::kSequence, "sequence", DocumentKind::kWorkspace, false},
    {E::kStep, "step", DocumentKind::kWorkspace, true},
};

constexpr std::array<std::string_view, 11> kColours = {"lavender",  "sage",      "grape",   "flamingo",
                                                       "banana",    "tangerine", "peacock", "graphite",
                                                       "blueberry", "basil",     "tomato"};

const EntityRow* find_entity(EntityType type) {
  auto place = static_cast<size_t>(type) - 1;  // the rows stand in the order of the types
  return place < std::size(kEntities) ? &kEntities[place] : nullptr;
}

}  // namespace

std::span<const FieldSpec> all_fields() { return kFields; }

namespace {

// For each type and field, its place in kFields, from 1; 0: there is none.
constexpr size_t kFieldNumbers = 32;
constexpr auto kPlaces = [] {
  std::array<std::array<uint8_t, kFieldNumbers>, static_cast<size_t>(kLastEntityType) + 1> places{};
  for (size_t i = 0; i < std::size(kFields); ++i)
    places[static_cast<size_t>(kFields[i].entity)][static_cast<size_t>(kFields[i].field)] =
        static_cast<uint8_t>(i + 1);
  return places;
}();

}  // namespace

const FieldSpec* find_field(EntityType entity, Field field) {
  auto type = static_cast<size_t>(entity);
  auto number = static_cast<size_t>(field);
  if (type >= kPlaces.size() || number >= kFieldNumbers) return nullptr;
  uint8_t place = kPlaces[type][number];
  return place == 0 ? nullptr : &kFields[place - 1];
}

const FieldSpec* find_field(EntityType entity, std::string_view name) {
  for (const FieldSpec& spec : kFields)
    if (spec.entity == entity && spec.name == name) return &spec;
  return nullptr;
}

bool is_child(EntityType type) {
  const EntityRow* row = find_entity(type);
  return row && row->is_child;
}

std::optional<DocumentKind> document_kind(EntityType type) {
  const EntityRow* row = find_entity(type);
  return row ? std::optional(row->document) : std::nullopt;
}

std::string_view entity_name(EntityType type) {
  const EntityRow* row = find_entity(type);
  return row ? row->name : "unknown";
}

EntityType entity_from_name(DocumentKind kind, std::string_view name) {
  for (const EntityRow& row : kEntities)
    if (row.document == kind && row.name == name) return row.type;
  return EntityType::kUnknown;
}

std::span<const std::string_view> colour_names() { return kColours; }

}  // namespace kalends
