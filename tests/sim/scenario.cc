// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scenario.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace kalends::sim {
namespace {

constexpr int64_t kMinute = 60'000, kHour = 60 * kMinute;

// How likely each kind of edit is, in parts of their sum.
constexpr uint32_t kWeights[kEditKinds] = {10, 3,  10, 6, 8, 5, 4, 8, 4, 6, 3, 2,
                                           2,  5,  3,  2, 2, 1, 6, 2,               // browsers
                                           10, 10, 12, 8, 5, 6, 6, 3, 4, 1, 1, 1};  // people

EditKind pick_kind(Prng& prng, bool in_calendar) {
  size_t first = in_calendar ? static_cast<size_t>(kFirstEventEdit) : 0;
  size_t last = in_calendar ? kEditKinds : static_cast<size_t>(kFirstEventEdit);
  uint64_t sum = 0;
  for (size_t i = first; i < last; ++i) sum += kWeights[i];
  uint64_t dice = prng.below(sum);
  for (size_t i = first; i < last; ++i) {
    if (dice < kWeights[i]) return static_cast<EditKind>(i);
    dice -= kWeights[i];
  }
  return EditKind::kRename;
}

// Rates per million occasions when a class is on. Occasions differ: calls to Google, commits, minutes.
uint32_t usual_rate(FaultClass fault) {
  switch (fault) {
    case FaultClass::kCrash:
      return 3'000;  // a minute
    case FaultClass::kGrantRevoked:
      return 300;  // a minute
    case FaultClass::kClockJump:
      return 500;  // a minute
    case FaultClass::kWorkerPaused:
      return 3'000;  // a minute
    case FaultClass::kBrowserKilled:
      return 2'000;  // a minute
    case FaultClass::kSocketCut:
      return 5'000;  // a minute
    case FaultClass::kNoticeForged:
      return 2'000;  // a minute
    case FaultClass::kSyncTokenGone:
      return 3'000;  // a minute
    case FaultClass::kAccessTokenGone:
      return 2'000;  // a minute
    case FaultClass::kCrashBeforeCommit:
      return 4'000;  // a commit
    case FaultClass::kCrashAfterCommit:
      return 4'000;
    case FaultClass::kStoreBusy:
      return 2'000;
    case FaultClass::kStoreFull:
      return 2'000;
    case FaultClass::kCrashInCall:
      return 10'000;  // a call
    case FaultClass::kUsageLimits:
      return 30'000;
    case FaultClass::kEmptyListing:
      return 80'000;
    case FaultClass::kCutListing:
      return 80'000;
    case FaultClass::kFrameLate:
      return 50'000;
    case FaultClass::kNoticeLost:
      return 300'000;
    case FaultClass::kNoticeRepeated:
      return 200'000;
    case FaultClass::kNoticeLate:
      return 200'000;
    case FaultClass::kEventTouched:
      return 50'000;
    case FaultClass::kTokenServerDown:
      return 100'000;
    case FaultClass::kSmallPages:
      return 300'000;
    case FaultClass::kServerErrorAfter:
      return 100'000;  // a write
    default:
      return 30'000;  // a call
  }
}

}  // namespace

std::string_view edit_name(EditKind kind) {
  static constexpr std::string_view kNames[] = {
      "create_dated",  "create_undated", "rename",       "due_day",
      "due_time",      "start_and_due",  "undate",       "describe",
      "locate",        "finish",         "archive",      "delete",
      "restore",       "move",           "colour",       "undo",
      "label",         "archive_many",   "transfer",     "hostile",
      "event_create",  "event_rename",   "event_move",   "event_describe",
      "event_locate",  "event_finish",   "event_delete", "event_colour",
      "event_foreign", "event_copy",     "event_series", "event_delete_many"};
  static_assert(std::size(kNames) == kEditKinds);
  return kNames[static_cast<size_t>(kind)];
}

std::string Scenario::text() const {
  std::string line = "seed=" + std::to_string(seed);
  if (hours) line += " hours=" + std::to_string(*hours);
  if (planted) line += " planted=" + std::to_string(planted);
  auto list = [&](const char* name, const auto& values) {
    if (values.empty()) return;
    line += std::string(" ") + name + "=";
    for (size_t i = 0; i < values.size(); ++i) line += (i ? "," : "") + std::to_string(values[i]);
  };
  list("without", without);
  list("edits", edits);
  return line;
}

std::optional<Scenario> Scenario::parse(const std::string& text) {
  Scenario scenario;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    size_t equals = word.find('=');
    if (equals == std::string::npos) return std::nullopt;
    std::string name = word.substr(0, equals);
    std::vector<uint64_t> numbers;
    std::istringstream values(word.substr(equals + 1));
    std::string value;
    while (std::getline(values, value, ',')) {
      uint64_t number = 0;
      auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (problem != std::errc() || end != value.data() + value.size()) return std::nullopt;
      numbers.push_back(number);
    }
    if (numbers.empty()) return std::nullopt;
    if (name == "seed")
      scenario.seed = numbers[0];
    else if (name == "hours")
      scenario.hours = static_cast<int64_t>(numbers[0]);
    else if (name == "planted")
      scenario.planted = static_cast<uint32_t>(numbers[0]);
    else if (name == "without")
      scenario.without.assign(numbers.begin(), numbers.end());
    else if (name == "edits")
      scenario.edits.assign(numbers.begin(), numbers.end());
    else
      return std::nullopt;
  }
  return scenario;
}

Shape shape_of(const Scenario& scenario, Faults& faults) {
  Prng prng(scenario.seed * 0x2545f4914f6cdd1dULL + 1);
  Shape shape;
  uint64_t mood = prng.below(10);  // 0: nothing goes wrong; 9: everything does
  for (size_t i = 0; i < kFaultClasses; ++i) {
    auto fault = static_cast<FaultClass>(i);
    bool is_on = mood == 9 || (mood != 0 && prng.below(100) < 40);
    uint64_t strength = 1 + prng.below(4);  // a quarter to the whole of the usual rate
    bool is_left_out =
        std::find(scenario.without.begin(), scenario.without.end(), i) != scenario.without.end();
    faults.set_rate(fault,
                    is_on && !is_left_out ? static_cast<uint32_t>(usual_rate(fault) * strength / 4) : 0);
  }
  shape.workers = prng.below(3) == 0 ? 2 + static_cast<uint32_t>(prng.below(3)) : 1;
  shape.browsers = 1 + static_cast<uint32_t>(prng.below(4));
  shape.people = 1 + static_cast<uint32_t>(prng.below(3));
  shape.boards = prng.below(4) == 0 ? 2 : 1;
  bool is_large = prng.below(10) == 0;
  shape.cards =
      is_large ? 500 + static_cast<uint32_t>(prng.below(100)) : static_cast<uint32_t>(prng.below(40));
  shape.hours =
      is_large ? 48 + static_cast<int64_t>(prng.below(72)) : 24 * (6 + static_cast<int64_t>(prng.below(28)));
  shape.calm_every_hours = 12 + static_cast<int64_t>(prng.below(60));
  shape.has_push = prng.below(4) != 0;
  shape.has_inbox = prng.below(3) != 0;
  static constexpr int64_t kPolls[] = {kMinute, 2 * kMinute, 3 * kMinute};
  shape.poll_ms = shape.has_push ? kPolls[prng.below(3)] : 5 * kMinute;
  shape.quota_per_minute = prng.below(2) == 0 ? 600 : 30 + static_cast<int64_t>(prng.below(60));
  shape.open_boards = prng.below(4) == 0 ? 1 : 8;
  for (uint32_t i = 0; i < shape.workers; ++i)
    shape.worker_skew_ms.push_back(
        static_cast<int64_t>(prng.below(4)) == 0 ? static_cast<int64_t>(prng.below(40'000)) - 20'000 : 0);
  for (uint32_t i = 0; i < shape.browsers; ++i)
    shape.browser_skew_ms.push_back(prng.below(3) == 0 ? static_cast<int64_t>(prng.below(1'200'000)) - 600'000
                                                       : 0);
  static constexpr const char* kTombstones[] = {"full", "bare", "mixed"};
  shape.tombstones = kTombstones[prng.below(3)];

  static constexpr const char* kZones[] = {"UTC",          "Europe/Zurich",    "America/New_York",
                                           "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe"};
  LinkPolicy& policy = shape.policy;
  policy.time_zone = kZones[prng.below(std::size(kZones))];
  policy.duration_minutes = 15 * (1 + static_cast<int64_t>(prng.below(12)));
  policy.done_mark = static_cast<DoneMark>(prng.below(4));
  policy.details = prng.below(8) == 0 ? Details::kTitle : Details::kFull;
  policy.on_event_deleted = static_cast<OnEventDeleted>(prng.below(3));
  for (FieldPolicy& field : policy.fields) field = static_cast<FieldPolicy>(prng.below(3));

  if (scenario.hours) shape.hours = *scenario.hours;
  // At least twenty edits a day, most of them in bursts: several people at once is where things go wrong.
  Prng when(scenario.seed * 0x9e3779b97f4a7c15ULL + 2);
  int64_t end_ms = shape.hours * kHour;
  int64_t per_day = is_large ? 60 : 24 + static_cast<int64_t>(when.below(24));
  int64_t at_ms = 0;
  std::vector<PlannedEdit> plan;
  while (true) {
    uint64_t burst = 1 + when.below(6);
    int64_t gap = 24 * kHour * static_cast<int64_t>(burst) / per_day;
    at_ms += gap / 2 + static_cast<int64_t>(when.below(static_cast<uint64_t>(gap)));
    if (at_ms >= end_ms) break;
    for (uint64_t i = 0; i < burst; ++i) {
      bool in_calendar = when.below(2) == 0;
      PlannedEdit edit;
      edit.at_ms = at_ms + static_cast<int64_t>(when.below(when.below(2) == 0 ? 2'000 : 90'000));
      edit.kind = pick_kind(when, in_calendar);
      edit.actor = static_cast<uint32_t>(when.below(in_calendar ? shape.people : shape.browsers));
      edit.seed = when.next();
      plan.push_back(edit);
    }
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const PlannedEdit& a, const PlannedEdit& b) { return a.at_ms < b.at_ms; });
  if (scenario.edits.empty()) {
    shape.edits = std::move(plan);
  } else {
    for (uint32_t index : scenario.edits)
      if (index < plan.size()) shape.edits.push_back(plan[index]);
  }
  return shape;
}

}  // namespace kalends::sim
