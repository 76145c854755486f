// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/event_store.h"

#include <algorithm>
#include <cctype>

#include "tests/emulator/api_error.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr int64_t kSeriesHorizonMs = 5LL * 365 * kDayMs;

Json organizer_of(const Calendar& calendar) {
  Json organizer = {{"email", calendar.id}};
  if (!calendar.is_primary) organizer["displayName"] = calendar.body.value("summary", "");
  return organizer;
}

bool is_guest_copy(const Calendar& calendar, const Json& body) {
  return body.contains("organizer") && body["organizer"].value("email", "") != calendar.id &&
         !body.value("privateCopy", false);
}

Json* own_attendance(Json& body, const std::string& mail) {
  if (!body.contains("attendees")) return nullptr;
  for (Json& one : body["attendees"]) {
    if (one.value("email", "") == mail) return &one;
  }
  return nullptr;
}

// The guests that live here, without the organizer.
std::set<std::string> guests_here(const World& world, const Calendar& calendar, const Json& body) {
  std::set<std::string> guests;
  if (!body.contains("attendees") || body.value("privateCopy", false)) return guests;
  for (const Json& one : body["attendees"]) {
    std::string mail = one.value("email", "");
    if (mail != calendar.id && world.people.count(mail)) guests.insert(mail);
  }
  return guests;
}

void copy_to_guest(World& world, const EventRecord& original, const std::string& guest,
                   const Author& author) {
  Calendar& copy_calendar = world.calendars.at(guest);
  auto existing = copy_calendar.events.find(original.id);
  EventRecord copy = original;
  copy.is_virtual = false;
  copy.change = 0;
  for (const char* name : {"reminders", "colorId", "transparency"}) copy.body.erase(name);
  if (copy.body.contains("extendedProperties")) copy.body["extendedProperties"].erase("private");
  copy.body["reminders"] = {{"useDefault", true}};
  if (existing != copy_calendar.events.end()) {
    const Json& kept = existing->second.body;
    for (const char* name : {"reminders", "colorId", "transparency"}) {
      if (kept.contains(name)) copy.body[name] = kept[name];
    }
    if (kept.contains("extendedProperties") && kept["extendedProperties"].contains("private")) {
      copy.body["extendedProperties"]["private"] = kept["extendedProperties"]["private"];
    }
    copy.updated_ms = existing->second.updated_ms;
    copy.etag_number = existing->second.etag_number;
  }
  if (copy.body.contains("extendedProperties") && copy.body["extendedProperties"].empty()) {
    copy.body.erase("extendedProperties");
  }
  const char* kind = existing == copy_calendar.events.end() ? "insert" : "update";
  world.commit_event(copy_calendar, std::move(copy), {author.actor, kind, true});
}

void cancel_copy(World& world, const std::string& guest, const std::string& event_id, const Author& author) {
  Calendar& copy_calendar = world.calendars.at(guest);
  auto found = copy_calendar.events.find(event_id);
  if (found == copy_calendar.events.end() || found->second.is_cancelled) return;
  EventRecord copy = found->second;
  copy.body["status"] = "cancelled";
  world.commit_event(copy_calendar, std::move(copy), {author.actor, "delete", true});
}

// What the organizer wrote reaches the guests' primary calendars.
void spread_to_guests(World& world, const Calendar& calendar, const EventRecord& record, const Json* before,
                      const Author& author) {
  if (is_guest_copy(calendar, record.body)) return;
  std::set<std::string> guests = guests_here(world, calendar, record.body);
  if (before != nullptr) {
    for (const std::string& former : guests_here(world, calendar, *before)) {
      if (!guests.count(former)) cancel_copy(world, former, record.id, author);
    }
  }
  for (const std::string& guest : guests) {
    if (record.is_cancelled) {
      cancel_copy(world, guest, record.id, author);
    } else {
      copy_to_guest(world, record, guest, author);
    }
  }
}

// A guest's answer reaches the organizer's event.
void report_answer(World& world, const Calendar& calendar, const EventRecord& copy, const std::string& answer,
                   const Author& author) {
  std::string organizer = copy.body["organizer"].value("email", "");
  Calendar* home = world.find_calendar(organizer);
  if (home == nullptr) return;
  auto found = home->events.find(copy.id);
  if (found == home->events.end() || found->second.is_cancelled) return;
  EventRecord original = found->second;
  Json* attendance = own_attendance(original.body, calendar.id);
  if (attendance == nullptr || attendance->value("responseStatus", "") == answer) return;
  (*attendance)["responseStatus"] = answer;
  world.commit_event(*home, std::move(original), {author.actor, "update", true});
}

// After a change of rule or start: exceptions of starts that are gone are cancelled, and the lost starts
// remembered for clients that sync expanded instances.
void settle_series(World& world, Calendar& calendar, const EventRecord& before, const std::string& master_id,
                   const Author& author) {
  EventRecord& master = calendar.events.at(master_id);
  std::set<int64_t> lost;
  int64_t from = before.start_ms - 1, until = std::max(world.now_ms, before.start_ms) + kSeriesHorizonMs;
  for (int64_t start : series_starts(series_of(before), from, until, 2000)) lost.insert(start);
  if (master.is_series()) {
    for (int64_t start : series_starts(series_of(master), from, until, 2000)) lost.erase(start);
  }
  for (int64_t start : lost) master.gone_starts[start] = master.change;
  auto exceptions = calendar.exceptions.find(master_id);
  if (exceptions == calendar.exceptions.end()) return;
  std::set<std::string> ids = exceptions->second;
  for (const std::string& id : ids) {
    EventRecord exception = calendar.events.at(id);
    bool is_kept = !master.is_cancelled && master.is_series() &&
                   series_has_start(series_of(master), exception.original_start_ms);
    if (is_kept || exception.is_cancelled) continue;
    exception.body["status"] = "cancelled";
    world.commit_event(calendar, std::move(exception), {author.actor, "delete", true});
  }
}

bool times_differ(const Json& before, const Json& after) {
  return before["start"] != after["start"] || before["end"] != after["end"] ||
         before.value("recurrence", Json()) != after.value("recurrence", Json());
}

void make_conference(World& world, Json& body) {
  if (!body.contains("conferenceData") || !body["conferenceData"].contains("createRequest")) return;
  Json& data = body["conferenceData"];
  if (data.contains("conferenceId")) return;
  std::string letters = "abcdefghijklmnopqrstuvwxyz";
  std::string id =
      world.prng.text(3, letters) + "-" + world.prng.text(4, letters) + "-" + world.prng.text(3, letters);
  std::string link = "https://meet.google.com/" + id;
  data["createRequest"]["status"] = {{"statusCode", "success"}};
  data["conferenceId"] = id;
  data["conferenceSolution"] = {{"key", {{"type", "hangoutsMeet"}}}, {"name", "Google Meet"}};
  data["entryPoints"] =
      Json::array({{{"entryPointType", "video"}, {"uri", link}, {"label", link.substr(8)}}});
  body["hangoutLink"] = link;
}

}  // namespace

std::string make_event_id(World& world, const Calendar& calendar) {
  while (true) {
    std::string id = world.prng.text(26, kBase32Hex);
    if (!calendar.events.count(id)) return id;
  }
}

EventRecord& insert_event(World& world, Calendar& calendar, Json body, const Author& author,
                          const WriteOptions& options) {
  drop_read_only(body, false);
  EventRecord record;
  if (body.contains("id")) {
    record.id = body["id"];
    if (!is_valid_event_id(record.id)) throw bad_request("invalid", "Invalid resource id value.");
    if (body.contains("iCalUID") && body["iCalUID"] != record.id + "@google.com") {
      throw bad_request("invalid", "Invalid iCalUID value.");
    }
    if (calendar.events.count(record.id)) throw duplicate_error();
  } else {
    record.id = make_event_id(world, calendar);
  }
  normalise_event(body, calendar, nullptr, options);
  body["id"] = record.id;
  if (!body.contains("iCalUID")) body["iCalUID"] = record.id + "@google.com";
  if (body.value("sequence", 0) < 0) throw bad_request("invalid", "Invalid sequence value.");
  if (!body.contains("sequence")) body["sequence"] = 0;
  body["created"] = format_utc_ms(world.now_ms / 1000 * 1000);
  body["creator"] = {{"email", author.mail}};
  body["organizer"] = organizer_of(calendar);
  make_conference(world, body);
  record.body = std::move(body);
  index_times(record);
  EventRecord& stored = world.commit_event(calendar, std::move(record), {author.actor, "insert", true});
  spread_to_guests(world, calendar, stored, nullptr, author);
  return stored;
}

EventRecord& import_event(World& world, Calendar& calendar, Json body, const Author& author,
                          const WriteOptions& options) {
  std::string uid = body.value("iCalUID", "");
  if (uid.empty()) throw bad_request("required", "Missing iCalUID.");
  size_t underscore = uid.rfind('_');
  if (underscore != std::string::npos && find_event(calendar, uid.substr(0, uid.find('@'))) &&
      !calendar.events.count(uid.substr(0, uid.find('@')))) {
    throw bad_request("invalid", "Invalid iCalUID value.");
  }
  drop_read_only(body, true);
  body.erase("id");
  body["eventType"] = "default";
  if (body.contains("organizer")) {
    std::string organizer = body["organizer"].value("email", "");
    bool takes_part = organizer == calendar.id || own_attendance(body, calendar.id) != nullptr;
    if (!takes_part) {
      throw ApiError{
          400,
          "calendar",
          "participantIsNeitherOrganizerNorAttendee",
          "The owner of the calendar must either be the organizer or an attendee of an event that is "
          "imported.",
          "",
          ""};
    }
  } else {
    body["organizer"] = organizer_of(calendar);
  }
  EventRecord record;
  const Json* previous = nullptr;
  for (auto& [id, existing] : calendar.events) {
    if (existing.body.value("iCalUID", "") != uid || !existing.master_id.empty()) continue;
    if (world.switches.import_refuses_known_uid) throw duplicate_error();
    record = existing;
    previous = &existing.body;
    break;
  }
  Json organizer = body["organizer"];
  normalise_event(body, calendar, previous, options);
  if (previous == nullptr) record.id = imported_event_id(uid);
  if (!body.contains("sequence")) body["sequence"] = 0;
  body["id"] = record.id;
  body["created"] =
      previous != nullptr ? (*previous)["created"] : Json(format_utc_ms(world.now_ms / 1000 * 1000));
  body["creator"] = {{"email", author.mail}};
  body["organizer"] = organizer;
  body["privateCopy"] = true;
  record.body = std::move(body);
  index_times(record);
  return world.commit_event(calendar, std::move(record),
                            {author.actor, previous != nullptr ? "update" : "insert", true});
}

EventRecord change_event(World& world, Calendar& calendar, const EventRecord& before, Json after,
                         const Author& author, const WriteOptions& options) {
  const Json old = before.body;
  bool omits_attendees = after.value("attendeesOmitted", false);
  after.erase("attendeesOmitted");
  // `locked` and what only the server sets stays as it was.
  drop_read_only(after, false);
  for (const char* name : {"id", "iCalUID", "created", "updated", "creator", "organizer", "recurringEventId",
                           "originalStartTime", "privateCopy", "hangoutLink"}) {
    after.erase(name);
    if (old.contains(name)) after[name] = old[name];
  }
  if (!before.master_id.empty()) after.erase("recurrence");
  if (!after.contains("eventType")) after["eventType"] = old["eventType"];
  int old_sequence = old.value("sequence", 0);
  int new_sequence = after.value("sequence", old_sequence);
  if (new_sequence < old_sequence) throw bad_request("invalid", "Invalid sequence value.");
  if (omits_attendees && after.contains("attendees")) {
    // Only the caller's own answer was sent: the others stay.
    Json merged = old.value("attendees", Json::array());
    for (const Json& sent : after["attendees"]) {
      for (Json& one : merged) {
        if (one["email"] == sent.value("email", "") && one["email"] == author.mail) one.merge_patch(sent);
      }
    }
    after["attendees"] = merged;
  }
  normalise_event(after, calendar, &old, options);
  make_conference(world, after);
  bool is_guest = is_guest_copy(calendar, old);
  if (is_guest && !old.value("guestsCanModify", false) && shared_properties_differ(old, after)) {
    throw shared_property_by_guest();
  }
  after["sequence"] = new_sequence;
  if (new_sequence == old_sequence && !is_guest && times_differ(old, after))
    after["sequence"] = new_sequence + 1;
  if (after == old) return before;

  EventRecord record = before;
  record.body = after;
  index_times(record);
  bool is_deletion = after["status"] == "cancelled" && old["status"] != "cancelled";
  bool moves_updated = !only_reminders_differ(old, after);
  EventRecord stored = world.commit_event(calendar, std::move(record),
                                          {author.actor, is_deletion ? "delete" : "update", moves_updated});
  if (before.is_series() && (times_differ(old, after) || is_deletion)) {
    settle_series(world, calendar, before, before.id, author);
  }
  if (is_guest) {
    Json copy = stored.body;
    if (Json* attendance = own_attendance(copy, calendar.id)) {
      report_answer(world, calendar, stored,
                    is_deletion ? "declined" : attendance->value("responseStatus", ""), author);
    }
  } else {
    spread_to_guests(world, calendar, stored, &old, author);
  }
  return stored;
}

void cancel_event(World& world, Calendar& calendar, const EventRecord& before, const Author& author) {
  EventRecord record = before;
  record.body["status"] = "cancelled";
  EventRecord stored = world.commit_event(calendar, std::move(record), {author.actor, "delete", true});
  if (before.is_series()) settle_series(world, calendar, before, before.id, author);
  if (is_guest_copy(calendar, before.body)) {
    report_answer(world, calendar, stored, "declined", author);
  } else {
    spread_to_guests(world, calendar, stored, &before.body, author);
  }
}

EventRecord& move_event(World& world, Calendar& source, Calendar& target, const EventRecord& before,
                        const Author& author) {
  if (target.events.count(before.id) && !target.events.at(before.id).is_cancelled) throw duplicate_error();
  EventRecord moved = before;
  moved.gone_starts.clear();
  moved.body["organizer"] = organizer_of(target);
  std::vector<EventRecord> exceptions;
  auto ids = source.exceptions.find(before.id);
  if (ids != source.exceptions.end()) {
    for (const std::string& id : ids->second) exceptions.push_back(source.events.at(id));
  }
  cancel_event(world, source, before, author);
  if (target.events.count(before.id)) {
    // The event comes back to a calendar that keeps its tombstone.
    moved.etag_number = std::max(moved.etag_number, target.events.at(before.id).etag_number);
    moved.updated_ms = std::max(moved.updated_ms, target.events.at(before.id).updated_ms);
  }
  for (EventRecord& exception : exceptions) {
    exception.body["organizer"] = moved.body["organizer"];
    world.commit_event(target, exception, {author.actor, "insert", true});
  }
  return world.commit_event(target, std::move(moved), {author.actor, "insert", true});
}

}  // namespace kalends::emulator
