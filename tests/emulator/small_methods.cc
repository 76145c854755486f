// SPDX-License-Identifier: Apache-2.0
// colors.get, settings.list and get, freebusy.query.
#include <algorithm>

#include "tests/emulator/list_page.h"
#include "tests/emulator/palette.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

void get_colors(Call& call) {
  Json calendar = Json::object(), event = Json::object();
  int number = 0;
  for (const char* color : kCalendarColors) {
    calendar[std::to_string(++number)] = {{"background", color}, {"foreground", kColorForeground}};
  }
  number = 0;
  for (const char* color : kEventColors) {
    event[std::to_string(++number)] = {{"background", color}, {"foreground", kColorForeground}};
  }
  call.result = {{"kind", "calendar#colors"},
                 {"updated", "2012-02-14T00:00:00.000Z"},
                 {"calendar", calendar},
                 {"event", event}};
}

Json render_setting(const std::string& id, const std::string& value) {
  return {{"kind", "calendar#setting"},
          {"etag", "\"" + std::to_string(fingerprint(id + value)) + "\""},
          {"id", id},
          {"value", value}};
}

void list_settings(Call& call) {
  ListSpec spec;
  spec.collection = "settings";
  spec.page_hash = hash_all_parameters(call);
  spec.default_page_size = 100;
  spec.page_size_max = 250;
  ListRun run = begin_list(call, spec);
  std::vector<ListItem> items;
  if (!run.since) {
    for (const auto& [id, value] : call.person().settings) items.push_back({id, render_setting(id, value)});
  }
  call.result["kind"] = "calendar#settings";
  call.result["etag"] = call.etag = "\"p3settings\"";
  finish_list(call, spec, run, std::move(items), SyncToken{});
}

void get_setting(Call& call) {
  auto found = call.person().settings.find(call.path_values["setting"]);
  if (found == call.person().settings.end()) throw not_found_error();
  call.result = render_setting(found->first, found->second);
  call.etag = call.result["etag"];
}

// Busy times of one calendar, touching ones joined.
Json busy_times(const Calendar& calendar, int64_t time_min, int64_t time_max, const std::string& zone) {
  std::vector<std::pair<int64_t, int64_t>> spans;
  for (const auto& [id, record] : calendar.events) {
    std::vector<EventRecord> occurrences;
    if (record.is_series()) {
      if (!record.is_cancelled) occurrences = instances_of(calendar, record, {time_min, time_max, 2500});
    } else if (record.master_id.empty()) {
      occurrences.push_back(record);
    }
    for (const EventRecord& one : occurrences) {
      if (one.is_cancelled || one.body.value("transparency", "") == "transparent") continue;
      int64_t start = one.start_ms, end = one.end_ms;
      if (one.body["start"].contains("date")) {
        start = local_to_instant(calendar.zone(), start);
        end = local_to_instant(calendar.zone(), end);
      }
      if (end > time_min && start < time_max)
        spans.emplace_back(std::max(start, time_min), std::min(end, time_max));
    }
  }
  std::sort(spans.begin(), spans.end());
  std::vector<std::pair<int64_t, int64_t>> joined;
  for (const auto& span : spans) {
    if (!joined.empty() && span.first <= joined.back().second) {
      joined.back().second = std::max(joined.back().second, span.second);
    } else {
      joined.push_back(span);
    }
  }
  Json busy = Json::array();
  for (const auto& [start, end] : joined) {
    busy.push_back({{"start", format_in_zone(start, zone)}, {"end", format_in_zone(end, zone)}});
  }
  return busy;
}

void query_free_busy(Call& call) {
  auto read_time = [&](const char* name) {
    auto parsed = parse_date_time(call.body.value(name, ""));
    if (!parsed || !parsed->offset_ms)
      throw bad_request("required", std::string("Missing or invalid ") + name + ".");
    return parsed->local_ms - *parsed->offset_ms;
  };
  int64_t time_min = read_time("timeMin"), time_max = read_time("timeMax");
  if (time_max <= time_min) {
    throw ApiError{400, "calendar", "timeRangeEmpty", "The specified time range is empty.", "", ""};
  }
  std::string zone = call.body.value("timeZone", "UTC");
  if (!is_known_zone(zone)) throw bad_request("invalid", "Invalid time zone.");
  Json calendars = Json::object();
  size_t asked = 0;
  for (const Json& item : call.body.value("items", Json::array())) {
    std::string id = item.value("id", "");
    Calendar* calendar = call.world.find_calendar(id == "primary" ? call.caller.mail : id);
    std::string reason;
    if (++asked > 50) reason = "tooManyCalendarsRequested";
    if (calendar == nullptr || call.world.role_of(call.caller.mail, *calendar) == 0) reason = "notFound";
    if (reason.empty()) {
      calendars[id] = {{"busy", busy_times(*calendar, time_min, time_max, zone)}};
    } else {
      calendars[id] = {{"errors", Json::array({{{"domain", "global"}, {"reason", reason}}})},
                       {"busy", Json::array()}};
    }
  }
  call.result = {{"kind", "calendar#freeBusy"},
                 {"timeMin", format_utc_ms(time_min)},
                 {"timeMax", format_utc_ms(time_max)},
                 {"calendars", calendars}};
}

}  // namespace

void add_small_methods(std::map<std::string, MethodFunction>& methods) {
  methods["colors.get"] = get_colors;
  methods["settings.list"] = list_settings;
  methods["settings.get"] = get_setting;
  methods["freebusy.query"] = query_free_busy;
}

}  // namespace kalends::emulator
