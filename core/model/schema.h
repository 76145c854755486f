// SPDX-License-Identifier: Apache-2.0
// What a document can hold: the kinds of entity, their fields, and how each field merges. To add a field: one
// enumerator, one row in schema.cc, one line in docs/algebra.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kalends {

// Do not renumber: the numbers are in stored operations.
enum class DocumentKind : uint8_t { kBoard = 1, kWorkspace = 2 };

// Do not renumber.
enum class EntityType : uint8_t {
  kUnknown = 0,  // named by operations, its creation not seen yet (or made by a newer version)
  kBoard = 1,    // root of a board document; its id is the document's
  kList = 2,
  kCard = 3,
  kCustomField = 4,  // definition: a name; values sit on cards
  kComment = 5,      // children of a card, from here
  kChecklist = 6,
  kItem = 7,
  kAttachment = 8,   // a link, never a file
  kWorkspace = 9,    // root of a workspace document
  kBoardEntry = 10,  // directory of boards; its id is the board's document id
  kMember = 11,      // an opaque id; names and addresses live outside the logs
  kLabel = 12,       // shared by all boards
  kSequence = 13,    // definition of a multi-step follow-up
  kStep = 14,        // child of a sequence
};
inline constexpr EntityType kLastEntityType = EntityType::kStep;  // beyond it: of a newer version

// Do not renumber.
enum class Field : uint16_t {
  kTitle = 1,
  kPosition = 2,
  kStart = 3,
  kDue = 4,
  kDone = 5,
  kLocation = 6,
  kColour = 7,
  kReminders = 8,
  kArchived = 9,
  kCustom = 10,  // keyed by the custom field's id
  kTimeZone = 11,
  kText = 12,
  kUrl = 13,
  kDescription = 14,
  kLabels = 15,
  kAssignees = 16,
  kWorkingDays = 17,  // bit 0 = Monday … bit 6 = Sunday
  kWindowStart = 18,  // minutes of the day
  kWindowEnd = 19,
  kDelayMinutes = 20,  // after the step before
  kStepKind = 21,
  kHome = 22,        // of a card: the board document where it lives; unset: this one
  kMergedInto = 23,  // of a label: the label that stands for it now
  kLocalName = 24,   // of a label: what one member calls it; keyed by the member's id
};

// How a field merges.
enum class Merge : uint8_t {
  kRegister,  // multi-value register: winner shown, concurrent values kept open
  kSet,       // add-wins set of ids
  kText,      // sequence of characters
};

// Do not renumber: the tag of an encoded value.
enum class ValueKind : uint8_t {
  kNull = 0,
  kBool = 1,
  kInt = 2,
  kText = 3,
  kId = 4,
  kWhen = 5,
  kInts = 6,
  kPosition = 7,
};

struct FieldSpec {
  EntityType entity;
  Field field;
  Merge merge;
  ValueKind value;  // of a register or of a set's elements; a register may always hold null unless `required`
  std::string_view name;
  bool required = false;
  bool is_hub_only = false;  // set by the hub alone
  bool is_keyed = false;     // a value for each id, named by a key
};

std::span<const FieldSpec> all_fields();
const FieldSpec* find_field(EntityType entity, Field field);
const FieldSpec* find_field(EntityType entity, std::string_view name);

bool is_child(EntityType type);  // lives inside a card or a sequence
std::optional<DocumentKind> document_kind(EntityType type);
std::string_view entity_name(EntityType type);
EntityType entity_from_name(DocumentKind kind, std::string_view name);  // kUnknown when there is none

// The eleven colours of a card: Google's event palette, 1 to 11. Empty text means none.
std::span<const std::string_view> colour_names();

// Limits on what people write. Generous for people, small enough that no operation can exhaust a browser.
inline constexpr size_t kTitleBytesMax = 4096;
inline constexpr size_t kTextBytesMax = 256 * 1024;  // one splice, one comment
inline constexpr uint32_t kTextLengthMax = 1 << 20;  // code points that an edit may bring a text to
inline constexpr size_t kUrlBytesMax = 8192;
inline constexpr size_t kRemindersMax = 20;
inline constexpr int64_t kReminderMinutesMax = 40320;  // four weeks, Google's bound
inline constexpr size_t kRankBytesMax = 4096;

}  // namespace kalends
