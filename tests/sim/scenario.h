// SPDX-License-Identifier: Apache-2.0
// What a run is made of: everything follows from the seed, and a scenario can take things away from it until
// only what is needed for a failure is left. One line of text says it all again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/calendar/link_policy.h"
#include "tests/sim/faults.h"

namespace kalends::sim {

// What a user does. Browsers' first, then those of people in Google's page.
enum class EditKind : uint8_t {
  kCreateDated,
  kCreateUndated,
  kRename,
  kDueDay,
  kDueTime,
  kStartAndDue,
  kUndate,
  kDescribe,
  kLocate,
  kFinish,
  kArchive,
  kDelete,
  kRestore,
  kMove,
  kColour,
  kUndo,
  kLabel,
  kArchiveMany,
  kTransfer,
  kHostile,
  kEventCreate,
  kEventRename,
  kEventMove,
  kEventDescribe,
  kEventLocate,
  kEventFinish,
  kEventDelete,
  kEventColour,
  kEventForeign,
  kEventCopy,
  kEventSeries,
  kEventDeleteMany,
  kCount_
};
inline constexpr size_t kEditKinds = static_cast<size_t>(EditKind::kCount_);
inline constexpr EditKind kFirstEventEdit = EditKind::kEventCreate;
std::string_view edit_name(EditKind kind);

struct PlannedEdit {
  int64_t at_ms = 0;  // after the start
  EditKind kind = EditKind::kRename;
  uint32_t actor = 0;  // browser or person
  uint64_t seed = 0;   // of its own choices
};

struct Scenario {
  uint64_t seed = 1;
  // Taken away by shrinking.
  std::optional<int64_t> hours;  // instead of the seed's length
  std::vector<uint32_t> edits;   // only these of the plan; empty: all
  std::vector<uint8_t> without;  // fault classes
  uint32_t planted = 0;          // a planted bug (builds that have them)

  std::string text() const;
  static std::optional<Scenario> parse(const std::string& text);
};

// What a scenario's seed says.
struct Shape {
  int64_t hours = 0;
  int64_t calm_every_hours = 0;  // faults stop, all must agree, then on
  uint32_t workers = 1, browsers = 1, people = 1, boards = 1, cards = 0;
  bool has_push = true, has_inbox = true;
  int64_t poll_ms = 60'000;
  uint32_t open_boards = 8;
  int64_t quota_per_minute = 600;
  LinkPolicy policy;
  std::vector<int64_t> worker_skew_ms, browser_skew_ms;
  std::string tombstones = "mixed";
  std::vector<PlannedEdit> edits;
};
Shape shape_of(const Scenario& scenario, Faults& faults);

}  // namespace kalends::sim
