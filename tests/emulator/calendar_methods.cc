// SPDX-License-Identifier: Apache-2.0
// calendars.get, insert, patch, update, delete and clear.
#include "tests/emulator/call.h"
#include "tests/emulator/event_store.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr size_t kLabelsMax = 200;
constexpr size_t kLabelNameMax = 50;

std::string calendar_etag(const Calendar& calendar) {
  return "\"" + std::to_string(calendar.etag_number) + "\"";
}

void answer_calendar(Call& call, const Calendar& calendar) {
  call.result = calendar.body;
  call.result["kind"] = "calendar#calendar";
  call.result["id"] = calendar.id;
  call.result["etag"] = call.etag = calendar_etag(calendar);
  call.result["conferenceProperties"] = {{"allowedConferenceSolutionTypes", Json::array({"hangoutsMeet"})}};
  if (!calendar.is_primary) call.result["dataOwner"] = calendar.owner;
}

void normalise_labels(World& world, Json& body) {
  if (!body.contains("labelProperties") || !body["labelProperties"].contains("eventLabels")) return;
  Json& labels = body["labelProperties"]["eventLabels"];
  if (labels.size() > kLabelsMax) throw bad_request("invalid", "Too many event labels.");
  for (Json& label : labels) {
    if (label.value("backgroundColor", "").empty()) throw bad_request("required", "Missing backgroundColor.");
    if (label.value("name", "").size() > kLabelNameMax * 4)
      throw bad_request("invalid", "Invalid event label name.");
    if (label.value("id", "").empty()) {
      std::string hex = "0123456789abcdef";
      label["id"] = world.prng.text(8, hex) + "-" + world.prng.text(4, hex) + "-4" + world.prng.text(3, hex) +
                    "-a" + world.prng.text(3, hex) + "-" + world.prng.text(12, hex);
    }
  }
}

// Keeps what a client may write.
Json writable(const Json& body) {
  Json kept = Json::object();
  for (const char* name : {"summary", "description", "location", "timeZone", "labelProperties"}) {
    if (body.contains(name) && !body[name].is_null()) kept[name] = body[name];
  }
  return kept;
}

void check_calendar(World& world, Json& body) {
  if (body.value("summary", "").empty()) throw bad_request("required", "Missing summary.");
  if (!is_known_zone(body.value("timeZone", "UTC"))) throw bad_request("invalid", "Invalid time zone.");
  normalise_labels(world, body);
}

void get_calendar(Call& call) { answer_calendar(call, call.calendar(kFreeBusyReader)); }

void insert_calendar(Call& call) {
  Json body = writable(call.body);
  check_calendar(call.world, body);
  if (!body.contains("timeZone")) body["timeZone"] = "UTC";
  Calendar& calendar = call.world.add_calendar(call.caller.mail, body, call.caller.client_id);
  call.has_committed = true;
  call.calendar_id = calendar.id;
  answer_calendar(call, calendar);
}

void write_calendar(Call& call, bool is_patch) {
  Calendar& calendar = call.calendar(kWriter);
  call.check_if_match(calendar_etag(calendar));
  if (call.body.contains("labelProperties") && call.effective_role(calendar) < kOwner)
    throw needs_owner_access();
  Json body = call.body;
  if (is_patch) {
    body = calendar.body;
    body.merge_patch(call.body);
  }
  body = writable(body);
  if (!body.contains("timeZone")) body["timeZone"] = calendar.zone();
  // Absent labels stay, a present list replaces the whole.
  if (!body.contains("labelProperties") && calendar.body.contains("labelProperties")) {
    body["labelProperties"] = calendar.body["labelProperties"];
  }
  check_calendar(call.world, body);
  if (body != calendar.body) {
    calendar.body = body;
    call.world.commit_calendar(calendar);
  }
  call.has_committed = true;
  answer_calendar(call, calendar);
}

void delete_calendar(Call& call) {
  Calendar& calendar = call.calendar(kOwner);
  if (calendar.is_primary) throw forbidden("Cannot delete the primary calendar.");
  if (calendar.owner != call.caller.mail) throw forbidden("Only the data owner can delete the calendar.");
  call.world.delete_calendar(calendar);
  call.has_committed = true;
}

void clear_calendar(Call& call) {
  Calendar& calendar = call.calendar(kOwner);
  if (!calendar.is_primary) throw bad_request("invalid", "Only the primary calendar can be cleared.");
  std::vector<std::string> ids;
  for (const auto& [id, record] : calendar.events) {
    if (!record.is_cancelled) ids.push_back(id);
  }
  for (const std::string& id : ids) {
    EventRecord record = calendar.events.at(id);
    if (!record.is_cancelled) cancel_event(call.world, calendar, record, {Actor::kApi, call.caller.mail});
  }
  call.has_committed = true;
}

}  // namespace

void add_calendar_methods(std::map<std::string, MethodFunction>& methods) {
  methods["calendars.get"] = get_calendar;
  methods["calendars.insert"] = insert_calendar;
  methods["calendars.patch"] = [](Call& call) { write_calendar(call, true); };
  methods["calendars.update"] = [](Call& call) { write_calendar(call, false); };
  methods["calendars.delete"] = delete_calendar;
  methods["calendars.clear"] = clear_calendar;
}

}  // namespace kalends::emulator
