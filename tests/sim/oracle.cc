// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/oracle.h"

#include <algorithm>

#include "tests/emulator/zone_time.h"

namespace kalends::sim {
namespace {

using emulator::kMinuteMs;

constexpr const char* kOwned[] = {"summary", "description", "location", "colorId", "start", "end"};
// Bookkeeping that Google moves with every change.
constexpr const char* kMoving[] = {"updated", "sequence", "etag", "status"};

Json foreign_part(Json event) {
  for (const char* name : kOwned) event.erase(name);
  for (const char* name : kMoving) event.erase(name);
  if (event.contains("extendedProperties") && event["extendedProperties"].contains("private")) {
    event["extendedProperties"]["private"].erase("kalends");
    if (event["extendedProperties"]["private"].empty()) event["extendedProperties"].erase("private");
    if (event["extendedProperties"].empty()) event.erase("extendedProperties");
  }
  return event;
}

std::optional<Id128> card_of(const Json& event) {
  if (!event.contains("extendedProperties") || !event["extendedProperties"].contains("private"))
    return std::nullopt;
  std::string marker = event["extendedProperties"]["private"].value("kalends", "");
  return marker.size() > 32 ? id_from_hex(marker.substr(0, 32)) : std::nullopt;
}

bool is_live(const Json& event) { return !event.is_null() && event.value("status", "") != "cancelled"; }

std::string brief(const Json& event) {
  if (event.is_null()) return "none";
  if (!is_live(event)) return "cancelled";
  Json start = event.value("start", Json::object());
  return event.value("summary", "") + " " + start.value("date", start.value("dateTime", ""));
}

// An end of an event as "2026-03-01" or "<instant> <zone>".
struct Moment {
  int64_t instant_ms = 0;
  std::string text;
};

Moment moment_of(const Json& time, const std::string& calendar_zone) {
  if (time.contains("date")) return {0, time["date"]};
  auto parsed = emulator::parse_date_time(time.value("dateTime", ""));
  std::string zone = time.value("timeZone", calendar_zone);
  if (!parsed) return {0, "unreadable"};
  int64_t instant = parsed->offset_ms ? parsed->local_ms - *parsed->offset_ms
                                      : emulator::local_to_instant(zone, parsed->local_ms);
  return {instant, std::to_string(instant) + " " + zone};
}

// What docs/calendar-mapping.md says of a card's date, reckoned anew.
Moment moment_of(const When& when, const LinkPolicy& policy) {
  if (when.is_all_day) return {0, emulator::format_date(when.date.days)};
  std::string zone = emulator::is_known_zone(when.zone) ? when.zone : policy.time_zone;
  int64_t local = when.wall.seconds * 1000;
  int64_t instant = emulator::local_to_instant(zone, local);
  if (when.fold == Fold::kSecond)
    for (int64_t later : {30 * kMinuteMs, 60 * kMinuteMs, 120 * kMinuteMs})
      if (emulator::instant_to_local(zone, instant + later) == local) {
        instant += later;
        break;
      }
  return {instant, std::to_string(instant) + " " + zone};
}

When plus_minutes(When when, int64_t minutes) {
  when.wall.seconds += minutes * 60;
  when.fold = Fold::kFirst;
  return when;
}

std::optional<std::pair<Moment, Moment>> expected_dates(const Entity& card, const LinkPolicy& policy) {
  auto start = card.when_value(Field::kStart), due = card.when_value(Field::kDue);
  if (start && due && is_start_after_due(*start, *due)) start.reset();
  if (!start && !due) return std::nullopt;
  if ((start && start->is_all_day) || (due && due->is_all_day)) {
    int64_t first = (start ? *start : *due).first_day().days, last = (due ? *due : *start).first_day().days;
    return std::pair(Moment{0, emulator::format_date(first)}, Moment{0, emulator::format_date(last + 1)});
  }
  When from = start ? *start : plus_minutes(*due, -policy.duration_minutes);
  When to = due ? *due : plus_minutes(*start, policy.duration_minutes);
  Moment begin = moment_of(from, policy), end = moment_of(to, policy);
  if (begin.instant_ms > end.instant_ms)
    begin = moment_of(plus_minutes(to, -policy.duration_minutes), policy);
  return std::pair(begin, end);
}

struct Shown {
  std::string title, colour, description, location, start, end;
  auto operator<=>(const Shown&) const = default;
  std::string text() const {
    return "\"" + title + "\" " + start + " – " + end + " colour=" + colour + " at=\"" + location +
           "\" text=\"" + description + "\"";
  }
};

// Where both title and colour mark "done", a person who sets one of them is understood, and the other half
// stays as it is.
void forgive_half_marks(Shown& shown, const LinkPolicy& policy) {
  if (policy.done_mark != DoneMark::kBoth) return;
  if (shown.colour == "8" || shown.title.rfind("\xE2\x9C\x93 ", 0) == 0) shown.colour.clear();
}

Shown expected_event(const Entity& card, const std::pair<Moment, Moment>& dates, const LinkPolicy& policy) {
  static constexpr const char* kPalette[] = {"lavender",  "sage",      "grape",   "flamingo",
                                             "banana",    "tangerine", "peacock", "graphite",
                                             "blueberry", "basil",     "tomato"};
  bool by_title = policy.done_mark == DoneMark::kTitle || policy.done_mark == DoneMark::kBoth;
  bool by_colour = policy.done_mark == DoneMark::kColour || policy.done_mark == DoneMark::kBoth;
  bool is_done = card.bool_value(Field::kDone);
  Shown shown;
  shown.title = (is_done && by_title ? "\xE2\x9C\x93 " : "") + card.text_value(Field::kTitle);
  std::string colour = card.text_value(Field::kColour);
  if (by_colour && (is_done || colour == "graphite")) colour = is_done ? "graphite" : "";
  for (size_t i = 0; i < std::size(kPalette); ++i)
    if (colour == kPalette[i]) shown.colour = std::to_string(i + 1);
  if (policy.details == Details::kFull) {
    shown.description = card.text();
    shown.location = card.text_value(Field::kLocation);
  }
  shown.start = dates.first.text;
  shown.end = dates.second.text;
  forgive_half_marks(shown, policy);
  return shown;
}

Shown shown_event(const Json& event, const std::string& zone, const LinkPolicy& policy) {
  Shown shown;
  shown.title = event.value("summary", "");
  shown.colour = event.value("colorId", "");
  if (policy.details == Details::kFull) {
    shown.description = event.value("description", "");
    shown.location = event.value("location", "");
  }
  shown.start = moment_of(event["start"], zone).text;
  shown.end = moment_of(event["end"], zone).text;
  forgive_half_marks(shown, policy);
  return shown;
}

std::string date_text(const When& when) {
  return when.is_all_day ? to_text(when.date) : to_text(when.wall) + " " + when.zone;
}

}  // namespace

void Oracle::fail(const std::string& code, const std::string& what) {
  if (!violation_) violation_ = Violation{code, what};
}

// ---- what was stored

void Oracle::take_op(BoardLog& log, const Op& op) {
  auto note_date = [&](const Value& value) {
    if (const auto* when = std::get_if<When>(&value)) log.dates.insert(date_text(*when));
  };
  constexpr int64_t kFarAheadMs = 365LL * 24 * 3600 * 1000;  // more than any clock of a worker is wrong
  if (op.stamp.ms() > scheduler_.now_ms() + kFarAheadMs)
    log.from_the_future.push_back(op.id),
        scheduler_.say("stored: an operation from the future, kind " + std::to_string(op.kind) + " cause " +
                       std::to_string(static_cast<int>(op.cause)) + " counter " +
                       std::to_string(op.id.counter) + " stamp " + std::to_string(op.stamp.ms()));
  if (op.cause != Cause::kBridge) log.person_edits_ms[op.target] = scheduler_.now_ms();
  auto body = decode_body(op.kind, op.body);
  if (!body.ok()) return;
  if (const auto* create = std::get_if<CreateBody>(&*body))
    for (const FieldValue& field : create->fields) note_date(field.value);
  if (const auto* set = std::get_if<SetBody>(&*body)) note_date(set->field.value);
  if (const auto* offer = std::get_if<OfferBody>(&*body)) note_date(offer->field.value);
  if (std::holds_alternative<DeleteBody>(*body) && op.child.is_nil()) log.deleted.insert(op.target);
  if (std::holds_alternative<RestoreBody>(*body)) log.restored.insert(op.target);
  if (const auto* carry = std::get_if<CarryBody>(&*body))
    for (const Op& carried : carry->ops) take_op(log, carried);
}

void Oracle::on_ops(const std::vector<CommittedOp>& ops) {
  for (const CommittedOp& committed : ops) {
    BoardLog& log = logs_[committed.document];
    Reader in(committed.op);
    Op op = read_op(in);
    if (!in.done()) fail("I11", "a stored operation cannot be read");
    if (op.id.counter != log.stored[op.id.replica] + 1)
      fail("I9", "operations of one copy are stored out of order");
    log.stored[op.id.replica] = op.id.counter;
    log.ops.push_back(committed.op);
    take_op(log, op);
    ++operations_;
  }
  on_commit();
}

void Oracle::on_lease(const LinkLease& lease) {
  uint64_t& epoch = epochs_[lease.link];
  if (lease.epoch <= epoch && epoch != 0)
    fail("I18", "a lease was given with an epoch that was given before");
  epoch = std::max(epoch, lease.epoch);
}

void Oracle::on_fenced_write(const LinkLease& lease) {
  if (lease.epoch < epochs_[lease.link])
    fail("I18", "a write under lease " + std::to_string(lease.epoch) + " was stored after lease " +
                    std::to_string(epochs_[lease.link]) + " was given");
}

void Oracle::acknowledged(DocumentId board, ReplicaId replica, uint64_t counter) {
  uint64_t& known = acknowledged_[{board, replica}];
  known = std::max(known, counter);
}

void Oracle::check_acknowledged() {
  for (const auto& [key, counter] : acknowledged_)
    if (logs_[key.first].stored[key.second] < counter)
      fail("I3", "operation " + std::to_string(counter) + " of a browser was acknowledged and is not stored");
}

void Oracle::check_stamps(const Document& board) {
  for (const OpId& op : logs_[board.id].from_the_future)
    if (board.bounds.count(op) == 0 && board.voids.count(op) == 0)
      fail("I9", "a stamp from the far future orders operations: counter " + std::to_string(op.counter));
}

// ---- what happened in the calendar

void Oracle::person_made(const std::string& calendar, const Json& event, bool is_left_alone) {
  EventKey key{calendar, event["id"]};
  scheduler_.say("person: makes " + key.second.substr(0, 6) + " " + brief(event));
  made_by_people_.insert(key);
  if (is_left_alone || !has_inbox_) {
    left_alone_.insert(key);
    return;
  }
  for (const char* field : kOwned)
    if (event.contains(field)) persons_[key][field] = event[field];
}

void Oracle::person_changed(const std::string& calendar, const std::string& event, const std::string& field,
                            const Json& value) {
  scheduler_.say("person: " + calendar.substr(0, 6) + "/" + event.substr(0, 6) + " " + field + " " +
                 value.dump());
  if (left_alone_.count({calendar, event}) == 0) persons_[{calendar, event}][field] = value;
}

void Oracle::person_deleted(const std::string& calendar, const std::string& event, const Json& before) {
  scheduler_.say("person: deletes " + event.substr(0, 6) + " " + brief(before));
  persons_.erase({calendar, event});
  bool is_ours = made_by_people_.count({calendar, event}) == 0;  // a copy carries our mark too
  deleted_[{calendar, event}] = {is_ours ? card_of(before) : std::nullopt, written_ms_[{calendar, event}],
                                 scheduler_.now_ms()};
}

bool Oracle::knows_text(const BoardLog& log, const std::string& text) const {
  // Texts are stored as differences: what both ends share with the text before is not in the operation.
  // Tokens are random, so their middle is not shared.
  std::string core = text.size() > 14 ? text.substr(text.size() - 11, 6) : text;
  if (core.empty()) return true;
  return std::any_of(log.ops.rbegin(), log.ops.rend(), [&](const Bytes& op) {
    return std::search(op.begin(), op.end(), core.begin(), core.end()) != op.end();
  });
}

bool Oracle::knows_dates(const BoardLog& log, const Json& event) const {
  auto has = [&](const Json& time, bool is_end) {
    if (time.contains("date")) {
      int64_t day = emulator::parse_date(std::string(time["date"])).value_or(0) - (is_end ? 1 : 0);
      return log.dates.count(emulator::format_date(day)) > 0;
    }
    auto parsed = emulator::parse_date_time(time.value("dateTime", ""));
    if (!parsed) return true;
    std::string zone = time.value("timeZone", "UTC");
    int64_t instant = parsed->offset_ms ? parsed->local_ms - *parsed->offset_ms
                                        : emulator::local_to_instant(zone, parsed->local_ms);
    return log.dates.count(to_text(WallTime{emulator::instant_to_local(zone, instant) / 1000}) + " " + zone) >
           0;
  };
  return has(event["start"], false) || has(event["end"], true);
}

// A value that a person had put there goes: it must be on the board, shown or kept.
void Oracle::check_overwritten(const ApiWrite& write, const std::string& field) {
  auto it = persons_.find({write.calendar, write.event_id});
  if (it == persons_.end()) return;
  auto value = it->second.find(field);
  if (value == it->second.end()) return;
  Json shown = write.before.contains(field) ? write.before[field] : Json();
  bool is_still_there = shown == value->second;
  it->second.erase(value);
  if (!is_still_there) return;
  bool is_hidden = policy_.details == Details::kTitle && (field == "description" || field == "location");
  if (is_hidden || field == "colorId") return;
  // On any board: the card may have moved on.
  bool is_known = !shown.is_string() && !shown.is_object();
  for (const auto& [board, log] : logs_)
    is_known = is_known || (field == "start" || field == "end" ? knows_dates(log, write.before)
                                                               : knows_text(log, shown.get<std::string>()));
  if (!is_known)
    fail("I3", "a person's " + field + " " + shown.dump() + " in event " + write.event_id +
                   " was overwritten and is nowhere on the board");
}

void Oracle::on_api_write(const ApiWrite& write) {
  EventKey key{write.calendar, write.event_id};
  scheduler_.say("google: " + write.method + " " + write.event_id.substr(0, 6) + " " + brief(write.before) +
                 " -> " + brief(write.after));
  const emulator::Request& request = *write.request;
  written_ms_[key] = scheduler_.now_ms();
  if (request.query_value("sendUpdates").value_or("") != "none") fail("I5", "a write may mail guests");
  if (write.method != "POST" && request.header("if-match") == nullptr)
    fail("I3", "a write has no condition: " + write.method + " " + request.path);
  if (write.method == "POST" && write.event_id.empty())
    fail("I2", "an event was created without an id of ours: a second try makes a second one");
  if (left_alone_.count(key) > 0)
    fail("I14", "an event that is left alone was written to: " + write.event_id);
  if (!is_live(write.before) && is_live(write.after) && deleted_.count(key) > 0)
    fail("I4", "a deleted event lives again: " + write.event_id);
  if (!is_live(write.before)) return;
  if (!is_live(write.after)) {
    for (const char* field : kOwned) check_overwritten(write, field);
    persons_.erase(key);
    return;
  }
  if (foreign_part(write.before) != foreign_part(write.after))
    fail("I14", "a write changed what is not ours: " +
                    Json::diff(foreign_part(write.before), foreign_part(write.after)).dump());
  for (const char* field : kOwned) {
    Json before = write.before.contains(field) ? write.before[field] : Json();
    Json after = write.after.contains(field) ? write.after[field] : Json();
    if (before != after) check_overwritten(write, field);
  }
}

void Oracle::on_api_call(Owner worker, const emulator::Request& request, int status) {
  constexpr int64_t kGraceMs = 60'000;  // calls that were under way
  if (request.path == "/token") {
    if (status == 400) dead_grant_ms_.try_emplace(worker, scheduler_.now_ms());
    if (status == 200) dead_grant_ms_.erase(worker);
    return;
  }
  auto it = dead_grant_ms_.find(worker);
  if (it != dead_grant_ms_.end() && status == 401 && scheduler_.now_ms() - it->second > kGraceMs)
    fail("I13", "calls go on after Google has said that the permission is gone");
}

// ---- at rest

void Oracle::check_board(const Document& board, const emulator::Calendar& calendar) {
  std::multiset<Shown> expected, shown;
  std::map<Id128, int> events_of_card;
  for (const Entity& card : board.all()) {
    if (card.type() != EntityType::kCard) continue;
    const BoardLog& log = logs_[board.id];
    bool was_deleted = log.deleted.count(card.id()) > 0 && log.restored.count(card.id()) == 0;
    if (was_deleted && card.is_live() && !card.has_open_deletion())
      fail("I4", "a deleted card lives without a question");
    if (!card.is_live() || card.bool_value(Field::kArchived) || !lives_here(board, card)) continue;
    if (auto dates = expected_dates(card, policy_)) expected.insert(expected_event(card, *dates, policy_));
  }
  for (const auto& [id, record] : calendar.events) {
    if (record.is_cancelled || left_alone_.count({calendar.id, id}) > 0 || !record.master_id.empty())
      continue;
    shown.insert(shown_event(record.body, calendar.zone(), policy_));
    if (auto card = card_of(record.body); card && made_by_people_.count({calendar.id, id}) == 0)
      if (++events_of_card[*card] > 1)
        fail("I2", "a card has two events: " + record.body.value("summary", ""));
  }
  for (const auto& [key, deletion] : deleted_) {
    if (key.first != calendar.id || !deletion.card || policy_.on_event_deleted == OnEventDeleted::kPutBack)
      continue;
    int64_t edited_ms = 0;
    if (auto it = logs_[board.id].person_edits_ms.find(*deletion.card);
        it != logs_[board.id].person_edits_ms.end())
      edited_ms = it->second;
    // Since the event was last written nobody has touched the card: what the person deleted was all there
    // was. The worker must have had time to learn that its write arrived: until then the edit counts as
    // unseen.
    bool is_untouched =
        edited_ms < deletion.written_ms && deletion.at_ms > deletion.written_ms + emulator::kHourMs;
    if (is_untouched && events_of_card.count(*deletion.card) > 0)
      fail("I4", "an event that a person deleted (" + key.second.substr(0, 6) +
                     ") has come back, and nobody had touched its card");
  }
  for (const Shown& event : expected)
    if (shown.count(event) < expected.count(event)) {
      std::string near;
      for (const Shown& other : shown)
        if (other.title == event.title || other.start == event.start)
          near += "\n    calendar has " + other.text();
      return fail("I1", "the calendar lacks " + event.text() + near);
    }
  for (const Shown& event : shown)
    if (expected.count(event) < shown.count(event))
      return fail(expected.count(event) ? "I2" : "I1", "the calendar has what no card says: " + event.text());
}

}  // namespace kalends::sim
