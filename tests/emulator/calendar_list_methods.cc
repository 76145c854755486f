// SPDX-License-Identifier: Apache-2.0
// calendarList.list, get, insert, patch, update and delete: one person's view of calendars.
#include "tests/emulator/list_page.h"
#include "tests/emulator/palette.h"

namespace kalends::emulator {
namespace {

std::string entry_etag(const ListEntry& entry) { return "\"" + std::to_string(entry.etag_number) + "\""; }

Json render_entry(const World& world, const std::string& mail, const std::string& id,
                  const ListEntry& entry) {
  Json body;
  if (entry.is_deleted) {
    body = {{"id", id}, {"deleted", true}};
  } else {
    const Calendar& calendar = world.calendars.at(id);
    body = entry.body;
    for (const char* name : {"summary", "description", "location", "timeZone"}) {
      if (calendar.body.contains(name)) body[name] = calendar.body[name];
    }
    body["id"] = id;
    body["accessRole"] = kRoleNames[world.role_of(mail, calendar)];
    if (!body.contains("defaultReminders")) body["defaultReminders"] = Json::array();
    body["conferenceProperties"] = {{"allowedConferenceSolutionTypes", Json::array({"hangoutsMeet"})}};
    if (calendar.is_primary && id == mail) body["primary"] = true;
    if (!calendar.is_primary) body["dataOwner"] = calendar.owner;
    int color = std::stoi(body.value("colorId", "1"));
    if (!body.contains("backgroundColor")) body["backgroundColor"] = kCalendarColors[color - 1];
    if (!body.contains("foregroundColor")) body["foregroundColor"] = kCalendarForeground;
  }
  body["kind"] = "calendar#calendarListEntry";
  body["etag"] = entry_etag(entry);
  return body;
}

Json writable(const Call& call, const Json& body) {
  Json kept = Json::object();
  for (const char* name :
       {"colorId", "summaryOverride", "hidden", "selected", "defaultReminders", "notificationSettings"}) {
    if (body.contains(name) && !body[name].is_null()) kept[name] = body[name];
  }
  for (const char* name : {"hidden", "selected"}) {
    if (kept.contains(name) && kept[name] == false) kept.erase(name);
  }
  if (call.flag("colorRgbFormat")) {
    for (const char* name : {"backgroundColor", "foregroundColor"}) {
      if (body.contains(name)) kept[name] = body[name];
    }
  } else {
    if (!kept.contains("colorId")) kept["colorId"] = "1";
    std::string color = kept["colorId"];
    bool is_known = !color.empty() && color.size() <= 2 &&
                    color.find_first_not_of("0123456789") == std::string::npos && std::stoi(color) >= 1 &&
                    std::stoi(color) <= 24;
    if (!is_known) throw bad_request("invalid", "Invalid color id.");
  }
  return kept;
}

void answer_entry(Call& call, const std::string& id, const ListEntry& entry) {
  call.result = render_entry(call.world, call.caller.mail, id, entry);
  call.etag = entry_etag(entry);
}

ListEntry& existing_entry(Call& call, const std::string& id) {
  auto found = call.person().list.find(id);
  if (found == call.person().list.end() || found->second.is_deleted) throw not_found_error();
  return found->second;
}

void list_entries(Call& call) {
  Person& person = call.person();
  ListSpec spec;
  spec.collection = "calendarList";
  spec.query_hash = hash_parameters(call, {"showDeleted", "showHidden"});
  spec.page_hash = hash_all_parameters(call);
  spec.forbidden_with_sync = {"minAccessRole", "showOwnOrganizationOnly"};
  spec.change = person.list_change;
  spec.default_page_size = 100;
  spec.page_size_max = 250;
  ListRun run = begin_list(call, spec);
  int role_min = call.text("minAccessRole").empty() ? 0 : role_number(call.text("minAccessRole"));
  std::vector<ListItem> items;
  for (const auto& [id, entry] : person.list) {
    if (run.since && entry.change <= run.since->change) continue;
    bool shows_all = run.since.has_value();
    if (entry.is_deleted && !shows_all && !call.flag("showDeleted")) continue;
    if (!entry.is_deleted) {
      const Calendar& calendar = call.world.calendars.at(id);
      if (entry.body.value("hidden", false) && !shows_all && !call.flag("showHidden")) continue;
      int role = call.world.role_of(person.mail, calendar);
      if (role == 0 || role < role_min) continue;
    }
    items.push_back({id, render_entry(call.world, person.mail, id, entry)});
  }
  call.result["kind"] = "calendar#calendarList";
  call.result["etag"] = call.etag = "\"p3cl" + std::to_string(person.list_change) + "\"";
  std::optional<SyncToken> sync = SyncToken{};
  if (role_min > 0) sync.reset();
  finish_list(call, spec, run, std::move(items), sync);
}

void get_entry(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  answer_entry(call, calendar.id, existing_entry(call, calendar.id));
}

void insert_entry(Call& call) {
  std::string id = call.body.value("id", "");
  if (id.empty()) throw bad_request("required", "Missing id.");
  Calendar* calendar = call.world.find_calendar(id);
  if (calendar == nullptr || call.effective_role(*calendar) == 0) throw not_found_error();
  ListEntry& entry = call.person().list[id];
  entry.body = writable(call, call.body);
  entry.is_deleted = false;
  call.world.commit_list_entry(call.person(), id);
  call.has_committed = true;
  call.calendar_id = id;
  answer_entry(call, id, entry);
}

void write_entry(Call& call, bool is_patch) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  ListEntry& entry = existing_entry(call, calendar.id);
  call.check_if_match(entry_etag(entry));
  Json body = call.body;
  if (is_patch) {
    body = entry.body;
    body.merge_patch(call.body);
  }
  body = writable(call, body);
  if (body != entry.body) {
    entry.body = body;
    call.world.commit_list_entry(call.person(), calendar.id);
  }
  call.has_committed = true;
  answer_entry(call, calendar.id, entry);
}

void delete_entry(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  ListEntry& entry = existing_entry(call, calendar.id);
  if (calendar.owner == call.caller.mail)
    throw forbidden("The data owner cannot remove the calendar from the list.");
  entry.is_deleted = true;
  call.world.commit_list_entry(call.person(), calendar.id);
  call.has_committed = true;
}

}  // namespace

void add_calendar_list_methods(std::map<std::string, MethodFunction>& methods) {
  methods["calendarList.list"] = list_entries;
  methods["calendarList.get"] = get_entry;
  methods["calendarList.insert"] = insert_entry;
  methods["calendarList.patch"] = [](Call& call) { write_entry(call, true); };
  methods["calendarList.update"] = [](Call& call) { write_entry(call, false); };
  methods["calendarList.delete"] = delete_entry;
}

}  // namespace kalends::emulator
