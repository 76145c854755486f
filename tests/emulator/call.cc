// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/call.h"

#include <algorithm>

#include "tests/emulator/zone_time.h"

namespace kalends::emulator {

bool Call::flag(const std::string& name, bool otherwise) const {
  auto value = request.query_value(name);
  return value ? *value == "true" : otherwise;
}

std::string Call::text(const std::string& name) const { return request.query_value(name).value_or(""); }

std::optional<int64_t> Call::time(const std::string& name) const {
  auto value = request.query_value(name);
  if (!value) return std::nullopt;
  auto parsed = parse_date_time(*value);
  if (!parsed || !parsed->offset_ms) throw bad_parameter("badRequest", "Bad Request", name);
  return parsed->local_ms - *parsed->offset_ms;
}

int Call::number(const std::string& name, int otherwise) const {
  auto value = request.query_value(name);
  if (!value) return otherwise;
  // The contract check has seen a whole number of at most 64 bits here.
  return static_cast<int>(std::min<int64_t>(std::stoll(*value), INT32_MAX));
}

std::vector<std::string> Call::all(const std::string& name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : request.query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

int Call::effective_role(const Calendar& calendar) const {
  int role = world.role_of(caller.mail, calendar);
  int reach = 0;
  for (const std::string& scope : caller.scopes) {
    if (!method.scopes.count(scope)) continue;
    int one = kOwner;
    if (scope == "calendar.app.created") {
      one = !calendar.made_by_client.empty() && calendar.made_by_client == caller.client_id ? kOwner : 0;
    } else if (scope == "calendar.events.owned" || scope == "calendar.events.owned.readonly") {
      one = role == kOwner ? kOwner : 0;
    } else if (scope == "calendar.events.public.readonly") {
      auto open = calendar.acl.find("default");
      one = open != calendar.acl.end() && role_number(open->second.role) >= kReader ? kReader : 0;
    } else if (scope == "calendar.events.freebusy") {
      one = kFreeBusyReader;
    }
    reach = std::max(reach, one);
  }
  if (role > 0 && reach == 0) throw insufficient_scopes();
  return std::min(role, reach);
}

Calendar& Call::calendar(int role) {
  std::string id = path_values["calendarId"];
  if (id == "primary") id = caller.mail;
  calendar_id = id;
  Calendar* found = world.find_calendar(id);
  if (found == nullptr) throw not_found_error();
  int has = effective_role(*found);
  if (has == 0) throw not_found_error();
  if (has < role) throw role >= kOwner ? needs_owner_access() : needs_writer_access();
  return *found;
}

WriteOptions Call::write_options() const {
  return {flag("supportsAttachments"), number("conferenceDataVersion", 0), number("eventLabelVersion", 0)};
}

Viewer Call::viewer(const Calendar& calendar) const {
  Viewer viewer;
  viewer.mail = caller.mail;
  viewer.role = effective_role(calendar);
  viewer.zone = text("timeZone");
  if (!viewer.zone.empty() && !is_known_zone(viewer.zone)) {
    throw bad_parameter("invalid", "Invalid time zone.", "timeZone");
  }
  if (request.query_value("maxAttendees")) viewer.max_attendees = number("maxAttendees", 1);
  return viewer;
}

void Call::check_if_match(const std::string& current_etag) const {
  const std::string* wanted = request.header("if-match");
  if (wanted == nullptr || *wanted == "*" || *wanted == current_etag) return;
  throw precondition_failed();
}

}  // namespace kalends::emulator
