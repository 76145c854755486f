// SPDX-License-Identifier: Apache-2.0
// events.get, insert, import, patch, update, delete, move and quickAdd.
#include <map>
#include <regex>

#include "tests/emulator/call.h"
#include "tests/emulator/event_store.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

Author author_of(const Call& call) { return {Actor::kApi, call.caller.mail}; }

EventRecord existing_event(Call& call, const Calendar& calendar) {
  auto found = find_event(calendar, call.path_values["eventId"]);
  if (!found) throw not_found_error();
  return *found;
}

void answer_event(Call& call, const Calendar& calendar, const EventRecord& record) {
  call.result = render_event(calendar, record, call.viewer(calendar));
  call.etag = record.etag();
  call.event_id = record.id;
}

void get_event(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  answer_event(call, calendar, existing_event(call, calendar));
}

void insert_by_api(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  EventRecord& stored = insert_event(call.world, calendar, call.body, author_of(call), call.write_options());
  call.has_committed = true;
  answer_event(call, calendar, stored);
}

void import_by_api(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  EventRecord& stored = import_event(call.world, calendar, call.body, author_of(call), call.write_options());
  call.has_committed = true;
  answer_event(call, calendar, stored);
}

void write_event(Call& call, bool is_patch) {
  Calendar& calendar = call.calendar(kWriter);
  EventRecord before = existing_event(call, calendar);
  call.check_if_match(before.etag());
  Json after = call.body;
  if (is_patch) {
    after = before.body;
    after.merge_patch(call.body);
  }
  EventRecord stored =
      change_event(call.world, calendar, before, after, author_of(call), call.write_options());
  call.has_committed = true;
  answer_event(call, calendar, stored);
}

void delete_by_api(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  EventRecord before = existing_event(call, calendar);
  if (before.is_cancelled) throw gone_error();
  call.check_if_match(before.etag());
  cancel_event(call.world, calendar, before, author_of(call));
  call.has_committed = true;
  call.event_id = before.id;
}

void move_by_api(Call& call) {
  Calendar& source = call.calendar(kWriter);
  EventRecord before = existing_event(call, source);
  if (before.is_cancelled) throw gone_error();
  std::string target_id = call.text("destination");
  if (target_id == "primary") target_id = call.caller.mail;
  Calendar* target = call.world.find_calendar(target_id);
  if (target == nullptr || call.effective_role(*target) == 0) throw not_found_error();
  if (call.effective_role(*target) < kWriter) throw needs_writer_access();
  if (before.body.value("eventType", "default") != "default") {
    throw ApiError{400, "calendar", "eventTypeRestriction", "Only default events can be moved.", "", ""};
  }
  if (!before.master_id.empty()) {
    throw ApiError{
        400, "calendar", "cannotChangeOrganizerOfInstance", "Cannot change the organizer of an instance.",
        "",  ""};
  }
  if (before.body["organizer"].value("email", "") != source.id) throw shared_property_by_guest();
  call.check_if_match(before.etag());
  if (target == &source) {
    answer_event(call, source, before);
    return;
  }
  EventRecord& moved = move_event(call.world, source, *target, before, author_of(call));
  call.has_committed = true;
  answer_event(call, *target, moved);
}

// "Lunch tomorrow 12:30": a day word or date and a time are taken out of the text, the rest is the title.
void quick_add(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  std::string text = call.text("text");
  int64_t local_now = instant_to_local(calendar.zone(), call.world.now_ms);
  int64_t day = local_now / kDayMs;
  std::optional<int64_t> time_of_day;
  std::smatch match;
  if (std::regex_search(text, match, std::regex("\\b(\\d{4}-\\d{2}-\\d{2})\\b")) &&
      parse_date(match[1].str())) {
    day = *parse_date(match[1].str());
    text = match.prefix().str() + match.suffix().str();
  } else if (std::regex_search(text, match, std::regex("\\b(today|tomorrow)\\b", std::regex::icase))) {
    if (match[1].str().size() == 8) day += 1;
    text = match.prefix().str() + match.suffix().str();
  }
  if (std::regex_search(text, match, std::regex("(?:\\bat )?\\b([01]?\\d|2[0-3]):([0-5]\\d)\\b"))) {
    time_of_day = std::stoll(match[1].str()) * kHourMs + std::stoll(match[2].str()) * kMinuteMs;
    text = match.prefix().str() + match.suffix().str();
  }
  std::string title = std::regex_replace(text, std::regex("\\s+"), " ");
  title = std::regex_replace(title, std::regex("^ | $"), "");
  Json body = {{"summary", title}};
  if (time_of_day) {
    int64_t start = local_to_instant(calendar.zone(), day * kDayMs + *time_of_day);
    body["start"] = {{"dateTime", format_in_zone(start, calendar.zone())}};
    body["end"] = {{"dateTime", format_in_zone(start + kHourMs, calendar.zone())}};
  } else {
    body["start"] = {{"date", format_date(day)}};
    body["end"] = {{"date", format_date(day + 1)}};
  }
  EventRecord& stored = insert_event(call.world, calendar, body, author_of(call), {});
  call.has_committed = true;
  answer_event(call, calendar, stored);
}

}  // namespace

void add_event_methods(std::map<std::string, MethodFunction>& methods) {
  methods["events.get"] = get_event;
  methods["events.insert"] = insert_by_api;
  methods["events.import"] = import_by_api;
  methods["events.patch"] = [](Call& call) { write_event(call, true); };
  methods["events.update"] = [](Call& call) { write_event(call, false); };
  methods["events.delete"] = delete_by_api;
  methods["events.move"] = move_by_api;
  methods["events.quickAdd"] = quick_add;
}

}  // namespace kalends::emulator
