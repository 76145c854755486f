// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/event_rules.h"

#include <algorithm>
#include <array>

#include "tests/emulator/api_error.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr size_t kPropertyKeyMax = 44;
constexpr size_t kPropertyValueMax = 1024;
constexpr size_t kPropertiesMax = 300;
constexpr size_t kPropertyBytesMax = 32 * 1024;
constexpr size_t kOverridesMax = 5;
constexpr int kReminderMinutesMax = 40320;
constexpr size_t kAttachmentsMax = 25;

// Characters are code points: a cut never splits one.
std::string first_characters(const std::string& text, size_t count) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (starts_character && characters++ == count) return text.substr(0, i);
  }
  return text;
}

size_t count_characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void check_enum(const Json& body, const char* name, std::initializer_list<const char*> allowed) {
  if (!body.contains(name)) return;
  std::string value = body[name];
  bool fits = std::any_of(allowed.begin(), allowed.end(), [&](const char* one) { return value == one; });
  if (!fits)
    throw bad_request("invalid", std::string("Invalid value for: ") + value + " is not a valid value");
}

// One end of the event in its stored form: {"date"} or {"dateTime" with offset, "timeZone"}.
void normalise_time(Json& body, const std::string& name, const Calendar& calendar, bool is_recurring) {
  if (!body.contains(name) || !body[name].is_object() || body[name].empty()) {
    throw bad_request("required", "Missing " + name + " time.");
  }
  Json& time = body[name];
  bool has_date = time.contains("date"), has_date_time = time.contains("dateTime");
  if (has_date == has_date_time) {
    if (!has_date) throw bad_request("required", "Missing " + name + " time.");
    throw bad_time("Invalid " + name + " time.");
  }
  std::string zone = time.value("timeZone", "");
  if (!zone.empty() && !is_known_zone(zone))
    throw bad_time("Invalid time zone definition for " + name + " time.");
  if (has_date) {
    std::string text = time["date"];
    if (!parse_date(text)) throw bad_time("Invalid " + name + " time.");
    time = {{"date", text}};
    return;
  }
  auto parsed = parse_date_time(time["dateTime"].get<std::string>());
  if (!parsed) throw bad_time("Invalid " + name + " time.");
  if (zone.empty() && is_recurring) {
    throw bad_request("required", "Missing time zone definition for " + name + " time.");
  }
  if (zone.empty()) zone = calendar.zone();
  int64_t instant =
      parsed->offset_ms ? parsed->local_ms - *parsed->offset_ms : local_to_instant(zone, parsed->local_ms);
  time = {{"dateTime", format_in_zone(instant, zone)}, {"timeZone", zone}};
}

int64_t instant_of(const Json& time) {
  if (time.contains("date")) return parse_date(time["date"].get<std::string>()).value_or(0) * kDayMs;
  auto parsed = parse_date_time(time["dateTime"].get<std::string>());
  return parsed ? parsed->local_ms - parsed->offset_ms.value_or(0) : 0;
}

void normalise_times(Json& body, const Calendar& calendar) {
  bool is_recurring = body.contains("recurrence");
  // A missing end is the more frequent mistake and Google names it first.
  if (!body.contains("end")) throw bad_request("required", "Missing end time.");
  normalise_time(body, "start", calendar, is_recurring);
  normalise_time(body, "end", calendar, is_recurring);
  bool is_all_day = body["start"].contains("date");
  if (is_all_day != body["end"].contains("date")) {
    throw bad_time("Start and end times must either both be date or both be dateTime.");
  }
  int64_t start = instant_of(body["start"]), end = instant_of(body["end"]);
  if (end < start || (is_all_day && end == start)) {
    throw ApiError{400, "calendar", "timeRangeEmpty", "The specified time range is empty.", "", ""};
  }
}

void normalise_recurrence(Json& body) {
  if (!body.contains("recurrence")) return;
  if (body["recurrence"].empty()) {
    body.erase("recurrence");
    return;
  }
  EventRecord probe;
  probe.body = body;
  index_times(probe);
  series_of(probe);  // throws for a line that cannot be read
}

void normalise_properties(Json& body) {
  if (!body.contains("extendedProperties")) return;
  Json& all = body["extendedProperties"];
  size_t count = 0, bytes = 0;
  for (const char* kind : {"private", "shared"}) {
    if (!all.contains(kind)) continue;
    Json kept = Json::object();
    for (const auto& [key, value] : all[kind].items()) {
      // Too long a key vanishes and too long a value is cut, both without a word.
      if (!value.is_string() || count_characters(key) > kPropertyKeyMax) continue;
      std::string text = first_characters(value.get<std::string>(), kPropertyValueMax);
      count += 1;
      bytes += key.size() + text.size();
      kept[key] = text;
    }
    all[kind] = kept;
    if (kept.empty()) all.erase(kind);
  }
  if (all.empty()) body.erase("extendedProperties");
  if (count > kPropertiesMax || bytes > kPropertyBytesMax) {
    throw bad_request("invalid", "The extended properties of the event exceed the size limit.");
  }
}

void normalise_reminders(Json& body) {
  if (!body.contains("reminders")) {
    body["reminders"] = {{"useDefault", true}};
    return;
  }
  Json& reminders = body["reminders"];
  bool use_default = reminders.value("useDefault", false);
  Json overrides = reminders.value("overrides", Json::array());
  if (use_default && !overrides.empty()) {
    throw ApiError{400,
                   "calendar",
                   "cannotUseDefaultRemindersAndSpecifyOverride",
                   "Cannot specify both default reminders and overrides at the same time.",
                   "",
                   ""};
  }
  Json kept = Json::array();
  for (const Json& one : overrides) {
    std::string method = one.value("method", "");
    if (method == "sms") continue;  // accepted and ignored since 2019
    if (method != "email" && method != "popup") throw bad_request("invalid", "Invalid reminder method.");
    int minutes = one.value("minutes", -1);
    if (minutes < 0 || minutes > kReminderMinutesMax)
      throw bad_request("invalid", "Invalid reminder minutes.");
    kept.push_back({{"method", method}, {"minutes", minutes}});
  }
  if (kept.size() > kOverridesMax) throw bad_request("invalid", "Too many reminder overrides.");
  reminders = {{"useDefault", use_default}};
  if (!kept.empty()) reminders["overrides"] = kept;
}

void normalise_attendees(Json& body) {
  if (!body.contains("attendees")) return;
  std::set<std::string> seen;
  Json kept = Json::array();
  for (Json one : body["attendees"]) {
    std::string mail = one.value("email", "");
    size_t at = mail.find('@');
    if (at == std::string::npos || at == 0 || at + 1 == mail.size() || mail.find(' ') != std::string::npos) {
      throw bad_request("invalid", "Invalid attendee email.");
    }
    check_enum(one, "responseStatus", {"needsAction", "declined", "tentative", "accepted"});
    if (!one.contains("responseStatus")) one["responseStatus"] = "needsAction";
    one.erase("self");
    one.erase("organizer");
    if (seen.insert(mail).second) kept.push_back(one);
  }
  if (kept.empty()) {
    body.erase("attendees");
  } else {
    body["attendees"] = kept;
  }
}

// A field that holds its default is not shown, so it is not kept either.
void drop_defaults(Json& body) {
  static const Json kDefaults = {{"transparency", "opaque"},        {"visibility", "default"},
                                 {"guestsCanModify", false},        {"guestsCanInviteOthers", true},
                                 {"guestsCanSeeOtherGuests", true}, {"anyoneCanAddSelf", false},
                                 {"endTimeUnspecified", false},     {"attendeesOmitted", false}};
  for (const auto& [name, value] : kDefaults.items()) {
    if (body.contains(name) && body[name] == value) body.erase(name);
  }
  for (const char* name : {"summary", "description", "location", "colorId"}) {
    if (body.contains(name) && body[name] == "") body.erase(name);
  }
}

void check_special_type(const Json& body, const Calendar& calendar) {
  std::string type = body.value("eventType", "default");
  if (type == "default") return;
  ApiError refusal{
      400, "calendar", "eventTypeRestriction", "Event type '" + type + "' does not allow this request.",
      "",  ""};
  bool is_all_day = body["start"].contains("date");
  if (type == "fromGmail") throw refusal;
  if (type == "birthday") {
    bool has_one_day = is_all_day && instant_of(body["end"]) - instant_of(body["start"]) == kDayMs;
    bool is_private =
        body.value("visibility", "") == "private" && body.value("transparency", "") == "transparent";
    if (body.contains("extendedProperties")) {
      throw bad_request("invalid", "'birthday' event type must not have private extended properties.");
    }
    if (!has_one_day || !is_private || !body.contains("recurrence")) throw refusal;
  } else if (!calendar.is_primary || (is_all_day && type != "workingLocation")) {
    throw refusal;
  }
}

}  // namespace

bool is_valid_event_id(const std::string& id) {
  if (id.size() < 5 || id.size() > 1024) return false;
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'v'); });
}

std::string imported_event_id(const std::string& ical_uid) {
  std::string id = "_";
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char c : ical_uid) {
    buffer = (buffer << 8) | c;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      id.push_back(kBase32Hex[(buffer >> bits) & 31]);
    }
    buffer &= (1u << bits) - 1;
  }
  if (bits > 0) id.push_back(kBase32Hex[(buffer << (5 - bits)) & 31]);
  return id;
}

std::string event_html_link(const std::string& event_id, const std::string& calendar_id) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string link = "https://www.google.com/calendar/event?eid=";
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char c : event_id + " " + calendar_id) {
    buffer = (buffer << 8) | c;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      link.push_back(kAlphabet[(buffer >> bits) & 63]);
    }
    buffer &= (1u << bits) - 1;
  }
  if (bits > 0) link.push_back(kAlphabet[(buffer << (6 - bits)) & 63]);
  return link;
}

void drop_read_only(Json& body, bool is_import) {
  for (const char* name : {"kind", "etag", "created", "updated", "creator", "htmlLink", "hangoutLink",
                           "locked", "recurringEventId", "originalStartTime", "gadget"}) {
    body.erase(name);
  }
  if (!is_import) body.erase("organizer");
}

void normalise_event(Json& body, const Calendar& calendar, const Json* previous,
                     const WriteOptions& options) {
  check_enum(body, "status", {"confirmed", "tentative", "cancelled"});
  check_enum(body, "transparency", {"opaque", "transparent"});
  check_enum(body, "visibility", {"default", "public", "private", "confidential"});
  check_enum(body, "eventType",
             {"default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"});
  if (!body.contains("status")) body["status"] = "confirmed";
  if (!body.contains("eventType")) body["eventType"] = "default";
  if (previous != nullptr && (*previous)["eventType"] != body["eventType"]) {
    throw bad_request("invalid", "The event type cannot be changed.");
  }
  normalise_times(body, calendar);
  normalise_recurrence(body);
  normalise_properties(body);
  normalise_reminders(body);
  normalise_attendees(body);
  if (options.event_label_version == 1) {
    // With labels the colour index is ignored and a missing label takes the label away.
    body.erase("colorId");
    if (previous != nullptr && previous->contains("colorId")) body["colorId"] = (*previous)["colorId"];
    if (body.value("eventLabelId", "").empty()) body.erase("eventLabelId");
  } else {
    body.erase("eventLabelId");
    if (previous != nullptr && previous->contains("eventLabelId"))
      body["eventLabelId"] = (*previous)["eventLabelId"];
  }
  if (body.contains("colorId")) {
    static const std::set<std::string> kColors = {"",  "1", "2", "3", "4",  "5",
                                                  "6", "7", "8", "9", "10", "11"};
    if (!kColors.count(body["colorId"].get<std::string>())) throw bad_request("invalid", "Invalid color id.");
  }
  if (!options.supports_attachments) {
    body.erase("attachments");
    if (previous != nullptr && previous->contains("attachments"))
      body["attachments"] = (*previous)["attachments"];
  } else if (body.contains("attachments") && body["attachments"].size() > kAttachmentsMax) {
    throw bad_request("invalid", "Too many attachments.");
  }
  if (options.conference_data_version == 0) {
    body.erase("conferenceData");
    if (previous != nullptr && previous->contains("conferenceData")) {
      body["conferenceData"] = (*previous)["conferenceData"];
    }
  }
  if (body.contains("source")) {
    std::string url = body["source"].value("url", "");
    if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0) {
      throw bad_request("invalid", "Invalid source url.");
    }
  }
  drop_defaults(body);
  check_special_type(body, calendar);
}

void index_times(EventRecord& record) {
  record.start_ms = instant_of(record.body["start"]);
  record.end_ms = instant_of(record.body["end"]);
}

bool shared_properties_differ(const Json& before, const Json& after) {
  static const std::set<std::string> kOwnedByCopy = {"reminders", "colorId", "transparency",
                                                     "attendees", "updated", "visibility",
                                                     "sequence",  "status",  "eventLabelId"};
  auto strip = [](Json body) {
    for (const std::string& name : kOwnedByCopy) body.erase(name);
    if (body.contains("extendedProperties")) {
      body["extendedProperties"].erase("private");
      if (body["extendedProperties"].empty()) body.erase("extendedProperties");
    }
    return body;
  };
  return strip(before) != strip(after);
}

bool only_reminders_differ(const Json& before, const Json& after) {
  Json left = before, right = after;
  left.erase("reminders");
  right.erase("reminders");
  return left == right && before != after;
}

Series series_of(const EventRecord& record) {
  Series series;
  series.is_all_day = record.body["start"].contains("date");
  series.zone = record.body["start"].value("timeZone", "UTC");
  series.start_ms = record.start_ms;
  std::string reason;
  if (!parse_recurrence(record.body["recurrence"].get<std::vector<std::string>>(), series, reason)) {
    throw bad_request("invalid", reason);
  }
  return series;
}

std::string instance_id(const std::string& master_id, int64_t start_ms, bool is_all_day) {
  return master_id + "_" + (is_all_day ? format_basic_date(start_ms / kDayMs) : format_basic_utc(start_ms));
}

EventRecord make_instance(const EventRecord& master, int64_t start_ms) {
  EventRecord instance = master;
  bool is_all_day = master.body["start"].contains("date");
  instance.is_virtual = true;
  instance.id = instance_id(master.id, start_ms, is_all_day);
  instance.master_id = master.id;
  instance.original_start_ms = start_ms;
  instance.start_ms = start_ms;
  instance.end_ms = start_ms + (master.end_ms - master.start_ms);
  instance.gone_starts.clear();
  Json& body = instance.body;
  body.erase("recurrence");
  body["id"] = instance.id;
  body["recurringEventId"] = master.id;
  for (const char* name : {"start", "end"}) {
    int64_t at = std::string(name) == "start" ? instance.start_ms : instance.end_ms;
    if (is_all_day) {
      body[name] = {{"date", format_date(at / kDayMs)}};
    } else {
      std::string zone = master.body[name].value("timeZone", "UTC");
      body[name] = {{"dateTime", format_in_zone(at, zone)}, {"timeZone", zone}};
    }
  }
  body["originalStartTime"] = body["start"];
  return instance;
}

std::optional<EventRecord> find_event(const Calendar& calendar, const std::string& id) {
  auto found = calendar.events.find(id);
  if (found != calendar.events.end()) return found->second;
  size_t underscore = id.rfind('_');
  if (underscore == std::string::npos || underscore == 0) return std::nullopt;
  auto master = calendar.events.find(id.substr(0, underscore));
  if (master == calendar.events.end() || !master->second.is_series()) return std::nullopt;
  Series series = series_of(master->second);
  // The suffix names the start; the id made from a start says whether it fits.
  std::string suffix = id.substr(underscore + 1);
  std::string text = suffix.size() == 8 ? suffix + "T000000Z" : suffix;
  if (text.size() != 16) return std::nullopt;
  auto parsed = parse_date_time(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 5) + ":" +
                                text.substr(11, 2) + ":" + text.substr(13, 2) + "Z");
  if (!parsed || !series_has_start(series, parsed->local_ms)) return std::nullopt;
  EventRecord instance = make_instance(master->second, parsed->local_ms);
  if (instance.id != id) return std::nullopt;
  return instance;
}

std::vector<EventRecord> instances_of(const Calendar& calendar, const EventRecord& master,
                                      const InstanceWindow& window) {
  std::vector<EventRecord> result;
  int64_t duration = master.end_ms - master.start_ms;
  bool is_all_day = master.body["start"].contains("date");
  auto exceptions = calendar.exceptions.find(master.id);
  for (int64_t start :
       series_starts(series_of(master), window.from_ms - duration, window.until_ms, window.limit)) {
    if (start + duration <= window.from_ms && duration > 0) continue;
    std::string id = instance_id(master.id, start, is_all_day);
    if (exceptions != calendar.exceptions.end() && exceptions->second.count(id)) continue;
    result.push_back(make_instance(master, start));
  }
  if (exceptions != calendar.exceptions.end()) {
    for (const std::string& id : exceptions->second) {
      const EventRecord& exception = calendar.events.at(id);
      if (exception.end_ms > window.from_ms && exception.start_ms < window.until_ms)
        result.push_back(exception);
    }
  }
  std::sort(result.begin(), result.end(), [](const EventRecord& a, const EventRecord& b) {
    return std::tie(a.start_ms, a.id) < std::tie(b.start_ms, b.id);
  });
  return result;
}

Json render_event(const Calendar& calendar, const EventRecord& record, const Viewer& viewer) {
  Json body;
  std::string zone = viewer.zone.empty() ? calendar.zone() : viewer.zone;
  bool is_bare = record.is_cancelled && (viewer.is_bare || !record.master_id.empty());
  bool is_private = record.body.value("visibility", "") == "private" ||
                    record.body.value("visibility", "") == "confidential";
  bool is_redacted = viewer.role == kFreeBusyReader || (is_private && viewer.role < kWriter);
  if (is_bare || is_redacted) {
    for (const char* name : {"id", "status", "recurringEventId", "originalStartTime"}) {
      if (record.body.contains(name)) body[name] = record.body[name];
    }
  }
  if (is_redacted && !is_bare) {
    for (const char* name : {"start", "end", "created", "updated", "visibility", "transparency", "iCalUID",
                             "sequence", "eventType", "htmlLink", "recurrence"}) {
      if (record.body.contains(name)) body[name] = record.body[name];
    }
    body["visibility"] = "private";
  }
  if (!is_bare && !is_redacted) {
    body = record.body;
    body["htmlLink"] = event_html_link(record.id, calendar.id);
    for (const char* name : {"creator", "organizer"}) {
      if (body.contains(name) && body[name].value("email", "") == calendar.id) body[name]["self"] = true;
    }
    if (body.contains("attendees")) {
      std::string organizer = body.contains("organizer") ? body["organizer"].value("email", "") : "";
      Json own = Json::array();
      for (Json& one : body["attendees"]) {
        if (one["email"] == calendar.id) one["self"] = true;
        if (one["email"] == organizer) one["organizer"] = true;
        if (one["email"] == viewer.mail) own.push_back(one);
      }
      if (viewer.max_attendees && body["attendees"].size() > static_cast<size_t>(*viewer.max_attendees)) {
        body["attendees"] = own;
        body["attendeesOmitted"] = true;
      }
    }
    // Only the creator sees where an event came from.
    if (body.contains("source") && body["creator"].value("email", "") != viewer.mail) body.erase("source");
  }
  for (const char* name : {"start", "end", "originalStartTime"}) {
    if (!body.contains(name) || !body[name].contains("dateTime")) continue;
    body[name]["dateTime"] = format_in_zone(instant_of(body[name]), zone);
  }
  body["kind"] = "calendar#event";
  body["etag"] = record.etag();
  return body;
}

}  // namespace kalends::emulator
