// SPDX-License-Identifier: Apache-2.0
// What users do: on boards through their browsers, in the calendar as people in Google's page. Each edit
// draws its choices from a seed of its own, so leaving one out changes no other.
#include "tests/emulator/zone_time.h"
#include "tests/sim/simulation.h"

namespace kalends::sim {
namespace {

constexpr int64_t kDaySeconds = 86'400;

// Instants at which a wall time comes a second time, of all zones below.
const std::vector<std::pair<std::string, int64_t>>& folds() {
  static const std::vector<std::pair<std::string, int64_t>> all = [] {
    std::vector<std::pair<std::string, int64_t>> found;
    for (const char* zone : {"Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"})
      for (int64_t instant = 1'767'225'600'000; instant < 1'767'225'600'000 + 800 * emulator::kDayMs;
           instant += emulator::kHourMs / 2)
        if (emulator::instant_to_local(zone, instant) -
                emulator::instant_to_local(zone, instant - emulator::kHourMs / 2) <
            emulator::kHourMs / 2)
          found.emplace_back(zone, instant);
    return found;
  }();
  return all;
}

const char* random_zone(Prng& prng) {
  static constexpr const char* kZones[] = {"Europe/Zurich",      "America/New_York", "Asia/Kolkata",
                                           "Pacific/Kiritimati", "Pacific/Apia",     "Australia/Lord_Howe",
                                           "America/St_Johns",   "Asia/Kathmandu",   "UTC"};
  return kZones[prng.below(std::size(kZones))];
}

}  // namespace

// Unlike any other, and long enough to be found again in a difference of texts.
std::string Simulation::token(Prng& prng) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text = "t";
  for (int i = 0; i < 16; ++i) text += kLetters[prng.below(36)];
  return text;
}

When Simulation::random_when(Prng& prng, bool is_all_day) {
  int64_t day = start_ms_ / 1000 / kDaySeconds + static_cast<int64_t>(prng.below(400)) - 30;
  if (is_all_day) return When::all_day({static_cast<int32_t>(day)});
  WallTime wall{day * kDaySeconds + static_cast<int64_t>(prng.below(24 * 60)) * 60};
  return When::timed(wall, prng.chance(1, 6) ? "" : random_zone(prng));
}

Json Simulation::random_times(Prng& prng) {
  if (prng.chance(1, 2)) {
    int64_t day = start_ms_ / 1000 / kDaySeconds + static_cast<int64_t>(prng.below(400)) - 30;
    int64_t last = day + 1 + (prng.chance(1, 3) ? static_cast<int64_t>(prng.below(5)) : 0);
    return {{"start", {{"date", emulator::format_date(day)}, {"dateTime", nullptr}, {"timeZone", nullptr}}},
            {"end", {{"date", emulator::format_date(last)}, {"dateTime", nullptr}, {"timeZone", nullptr}}}};
  }
  if (prng.chance(1, 12)) {
    const auto& [zone, instant] = folds()[prng.below(folds().size())];
    int64_t begin = instant + static_cast<int64_t>(prng.below(25)) * 60'000;
    return {{"start",
             {{"dateTime", emulator::format_in_zone(begin, zone)}, {"timeZone", zone}, {"date", nullptr}}},
            {"end",
             {{"dateTime", emulator::format_in_zone(begin + 7'200'000, zone)},
              {"timeZone", zone},
              {"date", nullptr}}}};
  }
  std::string zone = random_zone(prng);
  int64_t begin = start_ms_ + (static_cast<int64_t>(prng.below(400 * 24 * 60)) - 30 * 24 * 60) * 60'000;
  begin -= begin % 60'000;
  int64_t end = begin + (5 + static_cast<int64_t>(prng.below(300))) * 60'000;
  return {
      {"start", {{"dateTime", emulator::format_in_zone(begin, zone)}, {"timeZone", zone}, {"date", nullptr}}},
      {"end", {{"dateTime", emulator::format_in_zone(end, zone)}, {"timeZone", zone}, {"date", nullptr}}}};
}

// A live event that shows what somebody looked at last; empty: there is none.
std::string Simulation::focus_id(const emulator::Calendar& calendar) const {
  for (const auto& [id, record] : calendar.events) {
    bool is_single = !record.is_cancelled && !record.is_series() && record.master_id.empty();
    if (is_single && !focus_.empty() && record.body.value("summary", "").find(focus_) != std::string::npos)
      return id;
  }
  return {};
}

void Simulation::carry_out(const PlannedEdit& edit) {
  Prng prng(edit.seed);
  scheduler_.say("edit " + std::string(edit_name(edit.kind)) + " by " + std::to_string(edit.actor));
  if (edit.kind < kFirstEventEdit)
    browser_edit(edit, prng);
  else
    person_edit(edit, prng);
}

void Simulation::browser_edit(const PlannedEdit& edit, Prng& prng) {
  SimBrowser& browser = *browsers_[edit.actor % browsers_.size()];
  const Document& document = browser.replica().document();
  Board* board = nullptr;
  for (Board& candidate : boards_)
    if (candidate.id == document.id) board = &candidate;
  std::vector<Entity> cards, deleted;
  for (const Entity& entity : document.all()) {
    if (entity.type() != EntityType::kCard || !lives_here(document, entity)) continue;
    (entity.is_live() ? cards : deleted).push_back(entity);
  }
  std::vector<Command> commands;
  auto create = [&](bool is_dated) {
    CreateCommand made{EntityType::kCard,
                       prng.id(),
                       {{Field::kTitle, {}, token(prng)}},
                       prng.chance(1, 2) ? board->list : board->other_list,
                       {}};
    if (is_dated) made.fields.push_back({Field::kDue, {}, random_when(prng, prng.chance(1, 2))});
    commands.push_back(std::move(made));
  };
  if (edit.kind == EditKind::kCreateDated || cards.empty()) {
    create(true);
  } else if (edit.kind == EditKind::kCreateUndated) {
    create(false);
  } else {
    // People look at a few cards at a time: conflicts are made there.
    Entity card = cards[prng.chance(1, 2) ? prng.below(cards.size())
                                          : cards.size() - 1 - prng.below(std::min<size_t>(cards.size(), 5))];
    for (const Entity& candidate : cards)
      if (prng.chance(2, 3) && !focus_.empty() && candidate.text_value(Field::kTitle) == focus_) {
        card = candidate;
        break;
      }
    focus_ = card.text_value(Field::kTitle);
    Target target{card.id(), {}};
    auto set = [&](Field field, Value value) {
      commands.push_back(SetCommand{target, {field, {}, std::move(value)}});
    };
    switch (edit.kind) {
      case EditKind::kRename:
        set(Field::kTitle, token(prng));
        break;
      case EditKind::kDueDay:
        set(Field::kDue, random_when(prng, true));
        break;
      case EditKind::kDueTime:
        set(Field::kDue, random_when(prng, false));
        break;
      case EditKind::kStartAndDue: {
        When due = random_when(prng, prng.chance(1, 2)), start = due;
        if (due.is_all_day)
          start.date.days -= static_cast<int32_t>(prng.below(6));
        else
          start.wall.seconds -= static_cast<int64_t>(prng.below(72 * 60)) * 60;
        set(Field::kStart, start);
        set(Field::kDue, due);
        break;
      }
      case EditKind::kUndate:
        set(Field::kStart, std::monostate{});
        set(Field::kDue, std::monostate{});
        break;
      case EditKind::kDescribe:
        commands.push_back(SetTextCommand{
            target, prng.chance(1, 2) ? token(prng) : std::string(card.text()) + "\n" + token(prng)});
        break;
      case EditKind::kLocate:
        set(Field::kLocation, token(prng));
        break;
      case EditKind::kFinish:
        set(Field::kDone, !card.bool_value(Field::kDone));
        break;
      case EditKind::kArchive:
        set(Field::kArchived, !card.bool_value(Field::kArchived));
        break;
      case EditKind::kDelete:
        commands.push_back(DeleteCommand{target});
        break;
      case EditKind::kRestore:
        if (!deleted.empty())
          commands.push_back(RestoreCommand{{deleted[prng.below(deleted.size())].id(), {}}});
        break;
      case EditKind::kMove:
        commands.push_back(MoveCommand{target, prng.chance(1, 2) ? board->list : board->other_list, {}, {}});
        break;
      case EditKind::kColour: {
        static constexpr const char* kColours[] = {"tomato", "basil", "graphite", "grape", ""};
        std::string colour = kColours[prng.below(5)];
        set(Field::kColour, colour.empty() ? Value{std::monostate{}} : Value{colour});
        break;
      }
      case EditKind::kLabel:
        commands.push_back(AddCommand{target, Field::kLabels, board->label});
        break;
      case EditKind::kArchiveMany:
        for (size_t i = 0; i < std::min<size_t>(cards.size(), 12); ++i)
          commands.push_back(
              SetCommand{{cards[(i * 3) % cards.size()].id(), {}}, {Field::kArchived, {}, true}});
        break;
      case EditKind::kUndo:
        user_edits_ += browser.undo();
        return;
      case EditKind::kHostile:
        if (prng.chance(1, 3))
          (void)browser.edit_as(MemberId{prng.id()}, {SetCommand{target, {Field::kTitle, {}, token(prng)}}});
        else if (prng.chance(1, 2))
          user_edits_ += browser.edit_from_the_future({SetCommand{target, {Field::kTitle, {}, token(prng)}}});
        else
          browser.send_nonsense(prng);
        return;
      case EditKind::kTransfer:
        if (boards_.size() > 1)
          if (SimWorker* worker = any_worker()) {
            Board& target_board = boards_[board == &boards_[0] ? 1 : 0];
            user_edits_ += worker->hub()
                               .transfer({workspace_, CardId{card.id()}, board->id, target_board.id,
                                          ListId{target_board.list}, owner_})
                               .ok();
          }
        return;
      default:
        break;
    }
  }
  if (!commands.empty()) user_edits_ += browser.edit(commands);
}

void Simulation::person_edit(const PlannedEdit& edit, Prng& prng) {
  Board& board = boards_[prng.below(boards_.size())];
  if (board.calendar.empty()) return;
  emulator::Calendar* calendar = google_.world().find_calendar(board.calendar);
  if (!calendar) return;
  std::string events_path =
      "/control/people/" + mail_ + "/calendars/" + emulator::percent_encode(board.calendar) + "/events";
  auto make = [&](Json event, bool is_left_alone) {
    for (const char* end : {"start", "end"})
      for (const char* name : {"date", "dateTime", "timeZone"})
        if (event[end].contains(name) && event[end][name].is_null()) event[end].erase(name);
    Json made = google_.control("POST", events_path, event);
    if (made.is_null()) return;
    ++user_edits_;
    oracle_.person_made(board.calendar, made, is_left_alone);
  };
  if (edit.kind == EditKind::kEventCreate || edit.kind == EditKind::kEventSeries) {
    Json event = random_times(prng);
    event["summary"] = token(prng);
    if (edit.kind == EditKind::kEventSeries) {
      event["recurrence"] = {"RRULE:FREQ=WEEKLY;COUNT=5"};
      if (!event["start"]["dateTime"].is_null() || event["start"].contains("timeZone"))
        event["start"].erase("date");
    }
    return make(std::move(event), edit.kind == EditKind::kEventSeries);
  }
  std::vector<std::string> live;
  for (const auto& [id, record] : calendar->events)
    if (!record.is_cancelled && !record.is_series() && record.master_id.empty()) live.push_back(id);
  if (live.empty()) return;
  auto change = [&](const std::string& id, const Json& wish) {
    Json changed = google_.control("PATCH", events_path + "/" + emulator::percent_encode(id), wish);
    if (changed.is_null()) return;
    ++user_edits_;
    const Json& body = google_.world().find_calendar(board.calendar)->events.at(id).body;
    for (const auto& [name, value] : wish.items())
      oracle_.person_changed(board.calendar, id, name, body.contains(name) ? body[name] : Json());
  };
  auto remove = [&](const std::string& id) {
    Json before = calendar->events.at(id).body;
    google_.control("DELETE", events_path + "/" + emulator::percent_encode(id));
    ++user_edits_;
    oracle_.person_deleted(board.calendar, id, before);
  };
  std::string id = live[prng.below(live.size())];
  if (std::string other = focus_id(*calendar); prng.chance(2, 3) && !other.empty()) id = other;
  const Json body = calendar->events.at(id).body;
  focus_ = body.value("summary", "");
  if (focus_.rfind("\xE2\x9C\x93 ", 0) == 0) focus_.erase(0, 4);
  switch (edit.kind) {
    case EditKind::kEventRename:
      return change(id, {{"summary", token(prng)}});
    case EditKind::kEventMove:
      return change(id, random_times(prng));
    case EditKind::kEventDescribe: {
      std::string text = body.value("description", "");
      return change(id, {{"description", prng.chance(1, 2) ? token(prng) : text + "\n" + token(prng)}});
    }
    case EditKind::kEventLocate:
      return change(id, {{"location", token(prng)}});
    case EditKind::kEventFinish: {
      std::string title = body.value("summary", "");
      bool is_marked = title.rfind("\xE2\x9C\x93 ", 0) == 0;
      return change(id, {{"summary", is_marked ? title.substr(4) : "\xE2\x9C\x93 " + title}});
    }
    case EditKind::kEventColour:
      return change(id, {{"colorId", std::to_string(1 + prng.below(11))}});
    case EditKind::kEventForeign:
      return prng.chance(1, 2)
                 ? change(id, {{"transparency", prng.chance(1, 2) ? "transparent" : "opaque"}})
                 : change(id, {{"reminders",
                                {{"useDefault", false},
                                 {"overrides", {{{"method", "popup"}, {"minutes", prng.below(60)}}}}}}});
    case EditKind::kEventDelete:
      return remove(id);
    case EditKind::kEventDeleteMany:
      for (size_t i = 0; i < std::min<size_t>(live.size(), 8); ++i) remove(live[i]);
      return;
    case EditKind::kEventCopy: {
      // Google's page copies private properties along.
      Json copy = {{"summary", token(prng)}, {"start", body["start"]}, {"end", body["end"]}};
      if (body.contains("extendedProperties")) copy["extendedProperties"] = body["extendedProperties"];
      return make(std::move(copy), false);
    }
    default:
      return;
  }
}

}  // namespace kalends::sim
