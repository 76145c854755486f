// SPDX-License-Identifier: Apache-2.0
// The control API: what tests look at and turn. README.md in this folder describes every call.
#include <algorithm>

#include "tests/emulator/event_store.h"
#include "tests/emulator/palette.h"
#include "tests/emulator/stand_in.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

Response json_answer(const Json& body, int status = 200) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "application/json; charset=utf-8"}, {"cache-control", "no-store"}};
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

Response problem(int status, const std::string& text) { return json_answer({{"error", text}}, status); }

std::vector<std::string> path_parts(const std::string& path) {
  std::vector<std::string> parts;
  size_t start = 1;
  while (start <= path.size()) {
    size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(percent_decode(path.substr(start, end - start), false));
    start = end + 1;
  }
  return parts;
}

Json parse_body(const Request& request) {
  if (request.body.empty()) return Json::object();
  return Json::parse(request.body, nullptr, false);
}

int64_t query_number(const Request& request, const std::string& name, int64_t otherwise) {
  std::string text = request.query_value(name).value_or("");
  bool is_number =
      !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::stoll(text) : otherwise;
}

Json full_event(const Calendar& calendar, const EventRecord& record) {
  // Cancelled exceptions too are shown whole here: a test wants to know what is remembered.
  EventRecord shown = record;
  bool is_cancelled = shown.is_cancelled;
  shown.is_cancelled = false;
  Json body = render_event(calendar, shown, {calendar.owner, kOwner, "", std::nullopt, false});
  if (is_cancelled) body["status"] = "cancelled";
  return body;
}

Json describe_calendar(const World& world, const std::string& mail, const Calendar& calendar) {
  Json body = {{"id", calendar.id},
               {"owner", calendar.owner},
               {"summary", calendar.body.value("summary", "")},
               {"timeZone", calendar.zone()},
               {"primary", calendar.is_primary},
               {"madeByApp", !calendar.made_by_client.empty()},
               {"role", kRoleNames[world.role_of(mail, calendar)]}};
  if (calendar.body.contains("description")) body["description"] = calendar.body["description"];
  auto person = world.people.find(mail);
  if (person == world.people.end()) return body;
  auto entry = person->second.list.find(calendar.id);
  if (entry == person->second.list.end()) return body;
  int color = std::stoi(entry->second.body.value("colorId", "1"));
  body["color"] = entry->second.body.value("backgroundColor", kCalendarColors[color - 1]);
  return body;
}

}  // namespace

Response StandIn::handle_control(const Request& request) {
  std::vector<std::string> parts = path_parts(request.path);
  const std::string& what = parts[1];
  try {
    if (what == "state" && request.method == "GET") return control_state(request);
    if (what == "stats" && request.method == "GET") return control_stats();
    if (what == "stats" && request.method == "POST" && parts.size() == 3 && parts[2] == "reset") {
      model_.world().stats = Stats{};
      return json_answer(Json::object());
    }
    if (what == "faults") return control_faults(request);
    if (what == "switches") return control_switches(request);
    if (what == "clock") return control_clock(request);
    if (what == "changes" && request.method == "GET") return control_changes(request);
    if (what == "held" && request.method == "GET") return control_held();
    if (what == "release" && request.method == "POST") return control_release(request);
    if (what == "people") return control_people(request, parts);
  } catch (const ApiError& error) {
    return error.response();
  } catch (const Json::exception& wrong_type) {
    return problem(400, wrong_type.what());
  }
  return problem(404, "no such control call");
}

Response StandIn::control_state(const Request& request) {
  World& world = model_.world();
  std::string wanted = request.query_value("calendar").value_or(""),
              mail = request.query_value("user").value_or("");
  Json calendars = Json::array();
  for (const auto& [id, calendar] : world.calendars) {
    if (calendar.is_deleted || (!wanted.empty() && id != wanted)) continue;
    if (!mail.empty() && calendar.owner != mail) continue;
    Json events = Json::array();
    for (const auto& [event_id, record] : calendar.events) events.push_back(full_event(calendar, record));
    Json shown = describe_calendar(world, calendar.owner, calendar);
    shown["events"] = std::move(events);
    calendars.push_back(std::move(shown));
  }
  Json channels = Json::array();
  for (const auto& [key, channel] : world.channels) {
    if (channel.expires_ms <= world.now_ms) continue;
    channels.push_back({{"id", channel.id},
                        {"resource", channel.resource},
                        {"address", channel.address},
                        {"user", channel.mail},
                        {"expires_ms", channel.expires_ms}});
  }
  return json_answer({{"now", format_utc_ms(world.now_ms)},
                      {"now_ms", world.now_ms},
                      {"calendars", calendars},
                      {"channels", channels}});
}

Response StandIn::control_stats() const {
  const Stats& stats = const_cast<CalendarModel&>(model_).world().stats;
  return json_answer({{"api_calls", stats.api_calls},
                      {"reads", stats.reads},
                      {"writes", stats.writes},
                      {"list_pages", stats.list_pages},
                      {"pushes", stats.pushes},
                      {"quota_exceeded", stats.quota_exceeded},
                      {"contract_violations", stats.contract_violations},
                      {"last_requests", stats.last_requests}});
}

Response StandIn::control_faults(const Request& request) {
  World& world = model_.world();
  if (request.method == "DELETE") {
    model_.faults().clear();
    world.dropped_pushes = world.duplicate_pushes = world.delayed_pushes = 0;
    return json_answer(Json::object());
  }
  if (request.method == "GET") {
    Json all = Json::array();
    for (const Fault& fault : model_.faults().all()) all.push_back(fault.to_json());
    return json_answer({{"faults", all}});
  }
  Fault fault;
  std::string reason;
  if (!Faults::parse(parse_body(request), fault, reason)) return problem(400, reason);
  int times = fault.count < 0 ? INT32_MAX : static_cast<int>(fault.count);
  if (fault.kind == "expire_sync_tokens") {
    for (auto& [id, calendar] : world.calendars) {
      if (fault.calendar.empty() || fault.calendar == id) world.expire_sync_tokens(calendar);
    }
  } else if (fault.kind == "expire_access_tokens") {
    oauth_.expire_access_tokens(fault.user);
  } else if (fault.kind == "revoke_user") {
    oauth_.revoke_person(fault.user);
  } else if (fault.kind == "rotate_keys") {
    oauth_.rotate_keys();
  } else if (fault.kind == "drop_push") {
    world.dropped_pushes = times;
  } else if (fault.kind == "duplicate_push") {
    world.duplicate_pushes = times;
  } else if (fault.kind == "delay_push") {
    world.delayed_pushes = times;
    world.push_delay_ms = fault.ms;
  } else {
    model_.faults().add(fault);
  }
  return json_answer(Json::object());
}

Response StandIn::control_switches(const Request& request) {
  World& world = model_.world();
  if (request.method == "POST") {
    Json changes = parse_body(request);
    if (!changes.is_object()) return problem(400, "an object of switches is expected");
    Json rest = Json::object();
    for (const auto& [name, value] : changes.items()) {
      if (!oauth_.set_switch(name, value)) rest[name] = value;
    }
    std::string reason;
    if (!world.switches.merge(rest, reason)) return problem(400, reason);
  }
  Json all = world.switches.to_json();
  all.update(oauth_.switches());
  return json_answer(all);
}

Response StandIn::control_clock(const Request& request) {
  if (request.method == "POST") {
    int64_t step = parse_body(request).value("advance_ms", int64_t{0});
    if (step < 0) return problem(400, "time never goes backwards");
    offset_ms_ += step;
    model_.advance_to(model_.world().now_ms + step);
  }
  return json_answer({{"now", format_utc_ms(model_.world().now_ms)},
                      {"now_ms", model_.world().now_ms},
                      {"offset_ms", offset_ms_}});
}

Response StandIn::control_changes(const Request& request) {
  const auto& log = model_.world().change_log;
  size_t after = static_cast<size_t>(query_number(request, "after", 0));
  Json changes = Json::array();
  for (size_t i = after; i < log.size() && changes.size() < 10'000; ++i) {
    const ChangeEntry& entry = log[i];
    changes.push_back({{"seq", entry.seq},
                       {"at_ms", entry.at_ms},
                       {"calendar", entry.calendar},
                       {"event_id", entry.event_id},
                       {"by", entry.by},
                       {"kind", entry.kind}});
  }
  return json_answer({{"changes", changes}, {"last", log.size()}});
}

Response StandIn::control_held() const {
  Json all = Json::array();
  for (const auto& [id, answer] : held_) {
    if (answer.is_released || answer.is_dropped) continue;
    all.push_back({{"id", id},
                   {"method", answer.response.api_method},
                   {"calendar", answer.response.calendar},
                   {"event_id", answer.response.event_id},
                   {"committed_at", answer.committed_at}});
  }
  return json_answer(all);
}

Response StandIn::control_release(const Request& request) {
  Json body = parse_body(request);
  bool drops = body.value("drop", false);
  uint64_t wanted = body.value("id", uint64_t{0});
  int released = 0;
  for (auto& [id, answer] : held_) {
    if (wanted != 0 && id != wanted) continue;
    (drops ? answer.is_dropped : answer.is_released) = true;
    ++released;
  }
  return json_answer({{"released", released}});
}

std::optional<int64_t> StandIn::may_wait_ms(const Request& request) {
  if (request.method != "GET") return std::nullopt;
  int64_t wait = std::min<int64_t>(query_number(request, "wait_ms", 0), 120'000);
  if (wait == 0) return std::nullopt;
  if (request.path == "/control/changes") {
    bool has_news = model_.world().change_log.size() > static_cast<size_t>(query_number(request, "after", 0));
    if (!has_news) return wait;
  }
  if (request.path == "/control/held") {
    bool has_any = std::any_of(held_.begin(), held_.end(), [](const auto& entry) {
      return !entry.second.is_released && !entry.second.is_dropped;
    });
    if (!has_any) return wait;
  }
  return std::nullopt;
}

// /control/people[/MAIL/calendars[/CALENDAR[/events[/EVENT[/split]]]]]
Response StandIn::control_people(const Request& request, const std::vector<std::string>& parts) {
  World& world = model_.world();
  if (parts.size() == 2) {
    if (request.method == "POST") world.add_person(parse_body(request).at("mail").get<std::string>());
    Json people = Json::array();
    for (const auto& [mail, person] : world.people)
      people.push_back({{"mail", mail}, {"name", person.name}, {"sub", person.sub}});
    return json_answer({{"people", people}});
  }
  if (parts.size() < 4 || parts[3] != "calendars") return problem(404, "no such control call");
  auto person = world.people.find(parts[2]);
  if (person == world.people.end()) return problem(404, "no such person");
  const std::string& mail = person->first;
  if (parts.size() == 4) {
    if (request.method == "POST") {
      Json body = parse_body(request);
      if (!body.contains("timeZone")) body["timeZone"] = "Europe/Zurich";
      if (body.value("summary", "").empty() || !is_known_zone(body["timeZone"]))
        return problem(400, "summary and a known timeZone are needed");
      return json_answer(describe_calendar(world, mail, world.add_calendar(mail, body, "")));
    }
    Json calendars = Json::array();
    for (const auto& [id, entry] : person->second.list) {
      if (Calendar* calendar = entry.is_deleted ? nullptr : world.find_calendar(id))
        calendars.push_back(describe_calendar(world, mail, *calendar));
    }
    return json_answer({{"calendars", calendars}});
  }
  Calendar* calendar = world.find_calendar(parts[4] == "primary" ? mail : parts[4]);
  if (calendar == nullptr || world.role_of(mail, *calendar) < kReader)
    return problem(404, "no such calendar");
  if (parts.size() == 5) {
    if (request.method == "DELETE") {
      if (calendar->is_primary || calendar->owner != mail)
        return problem(403, "only the owner's own secondary calendars can be deleted");
      world.delete_calendar(*calendar);
      return json_answer(Json::object());
    }
    if (request.method == "PATCH") {
      calendar->body.merge_patch(parse_body(request));
      world.commit_calendar(*calendar);
    }
    return json_answer(describe_calendar(world, mail, *calendar));
  }
  if (parts[5] != "events") return problem(404, "no such control call");
  if (request.method != "GET" && world.role_of(mail, *calendar) < kWriterWithoutPrivate)
    return problem(403, "this person may only read");
  return control_events(request, mail, *calendar, parts);
}

Response StandIn::control_events(const Request& request, const std::string& mail, Calendar& calendar,
                                 const std::vector<std::string>& parts) {
  World& world = model_.world();
  Author author{Actor::kPerson, mail};
  if (parts.size() == 6) {
    if (request.method == "POST")
      return json_answer(
          full_event(calendar, insert_event(world, calendar, parse_body(request), author, {})));
    // What the page shows: live events, series expanded within a window.
    auto moment = [&](const char* name, int64_t otherwise) {
      auto parsed = parse_date_time(request.query_value(name).value_or(""));
      return parsed ? parsed->local_ms - parsed->offset_ms.value_or(0) : otherwise;
    };
    InstanceWindow window{moment("timeMin", world.now_ms - 366 * kDayMs),
                          moment("timeMax", world.now_ms + 366 * kDayMs), 2000};
    Json events = Json::array();
    for (const auto& [id, record] : calendar.events) {
      if (record.is_cancelled || !record.master_id.empty()) continue;
      if (record.is_series()) {
        for (const EventRecord& one : instances_of(calendar, record, window)) {
          if (!one.is_cancelled) events.push_back(full_event(calendar, one));
        }
      } else if (request.query_value("timeMin")
                     ? record.end_ms + kDayMs > window.from_ms && record.start_ms - kDayMs < window.until_ms
                     : true) {
        events.push_back(full_event(calendar, record));
      }
    }
    return json_answer({{"events", events}});
  }
  auto found = find_event(calendar, parts[6]);
  if (!found) return problem(404, "no such event");
  if (parts.size() == 8 && parts[7] == "split" && request.method == "POST") {
    // "This and following" as the page does it: the old series ends, a new one with a telling id begins.
    auto master = found->master_id.empty() ? found : find_event(calendar, found->master_id);
    Json wish = parse_body(request);
    if (!found->master_id.empty() && master && master->is_series()) {
      bool is_all_day = master->body["start"].contains("date");
      int64_t at = found->original_start_ms;
      std::string until = is_all_day ? format_basic_date(at / kDayMs - 1) : format_basic_utc(at - 1000);
      Json head = master->body, tail = master->body;
      for (Json& line : head["recurrence"]) {
        std::string text = line;
        if (text.rfind("RRULE:", 0) != 0) continue;
        for (const char* end : {";COUNT=", ";UNTIL="}) {
          size_t start = text.find(end);
          if (start != std::string::npos)
            text.erase(start, text.find(';', start + 1) == std::string::npos
                                  ? std::string::npos
                                  : text.find(';', start + 1) - start);
        }
        line = text + ";UNTIL=" + until;
      }
      for (const char* name : {"start", "end"}) tail[name] = found->body[name];
      tail.merge_patch(wish);
      std::string local = is_all_day ? format_basic_date(at / kDayMs)
                                     : format_basic_utc(instant_to_local(series_of(*master).zone, at));
      if (local.back() == 'Z') local.pop_back();
      change_event(world, calendar, *master, head, author, {});
      for (const char* name : {"id", "iCalUID"}) tail.erase(name);
      EventRecord made;
      made.id = master->id.substr(0, master->id.find("_R")) + "_R" + local;
      if (calendar.events.count(made.id)) throw duplicate_error();
      normalise_event(tail, calendar, nullptr, {});
      tail["id"] = made.id;
      tail["iCalUID"] = made.id + "@google.com";
      tail["sequence"] = 0;
      made.body = tail;
      index_times(made);
      return json_answer(
          full_event(calendar, world.commit_event(calendar, made, {Actor::kPerson, "insert", true})));
    }
    return problem(400, "only an instance of a series can be the place of a split");
  }
  if (request.method == "PATCH") {
    Json after = found->body;
    Json wish = parse_body(request);
    if (!wish.is_object()) return problem(400, "an object is expected");
    after.merge_patch(wish);
    return json_answer(full_event(calendar, change_event(world, calendar, *found, after, author, {})));
  }
  if (request.method == "DELETE") {
    if (found->is_cancelled) throw gone_error();
    cancel_event(world, calendar, *found, author);
    return json_answer(Json::object());
  }
  return json_answer(full_event(calendar, *found));
}

}  // namespace kalends::emulator
