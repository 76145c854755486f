// SPDX-License-Identifier: Apache-2.0
// events.list and events.instances.
#include <algorithm>

#include "tests/emulator/list_page.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr int64_t kFarPast = -62'135'596'800'000;  // year 1
constexpr int64_t kFarFutureMs = 5LL * 365 * kDayMs;
constexpr size_t kInstancesMax = 2500;

struct Filter {
  std::optional<int64_t> time_min, time_max, updated_min;
  bool shows_deleted = false, is_single = false, is_incremental = false;
  bool is_or = false;
  std::string ical_uid, search, order_by;
  std::vector<std::string> event_types, private_properties, shared_properties;
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// All-day events count from midnight in the calendar's zone.
std::pair<int64_t, int64_t> span_of(const Calendar& calendar, const EventRecord& record) {
  if (!record.body["start"].contains("date")) return {record.start_ms, record.end_ms};
  return {local_to_instant(calendar.zone(), record.start_ms),
          local_to_instant(calendar.zone(), record.end_ms)};
}

bool properties_match(const Json& body, const char* kind, const std::vector<std::string>& wanted,
                      bool is_or) {
  if (wanted.empty()) return true;
  size_t matched = 0;
  for (const std::string& pair : wanted) {
    size_t equals = pair.find('=');
    if (equals == std::string::npos) throw bad_request("badRequest", "Bad Request");
    std::string key = pair.substr(0, equals), value = pair.substr(equals + 1);
    bool fits = body.contains("extendedProperties") && body["extendedProperties"].contains(kind) &&
                body["extendedProperties"][kind].contains(key) &&
                body["extendedProperties"][kind][key] == value;
    matched += fits ? 1 : 0;
  }
  return is_or ? matched > 0 : matched == wanted.size();
}

bool text_matches(const Json& body, const std::string& search) {
  if (search.empty()) return true;
  std::string text;
  for (const char* name : {"summary", "description", "location"}) text += body.value(name, "") + "\n";
  for (const char* name : {"organizer", "creator"}) {
    if (body.contains(name))
      text += body[name].value("email", "") + " " + body[name].value("displayName", "") + "\n";
  }
  if (body.contains("attendees")) {
    for (const Json& one : body["attendees"]) {
      text += one.value("email", "") + " " + one.value("displayName", "") + "\n";
    }
  }
  return lower(text).find(lower(search)) != std::string::npos;
}

bool in_window(const Calendar& calendar, const EventRecord& record, const Filter& filter) {
  auto [start, end] = span_of(calendar, record);
  if (filter.is_incremental) {
    // An event that left the window since the last run is still news.
    start = std::min(start, record.earliest_ms);
    end = std::max(end, record.latest_ms);
  }
  if (record.is_series() && !filter.is_single) {
    InstanceWindow window{filter.time_min.value_or(kFarPast), filter.time_max.value_or(INT64_MAX / 4), 1};
    return filter.is_incremental || !instances_of(calendar, record, window).empty();
  }
  if (filter.time_min && end <= *filter.time_min) return false;
  return !filter.time_max || start < *filter.time_max;
}

bool is_shown(const Calendar& calendar, const EventRecord& record, const Filter& filter) {
  const Json& body = record.body;
  if (record.is_cancelled && !filter.shows_deleted && !filter.is_incremental && !filter.updated_min) {
    // Cancelled exceptions of a live series are needed to know what the series really is.
    bool is_hole = false;
    if (!filter.is_single && !record.master_id.empty()) {
      auto master = calendar.events.find(record.master_id);
      is_hole = master != calendar.events.end() && !master->second.is_cancelled;
    }
    if (!is_hole) return false;
  }
  if (filter.updated_min && record.updated_ms < *filter.updated_min) return false;
  if (!filter.event_types.empty()) {
    std::string type = body.value("eventType", "default");
    if (std::find(filter.event_types.begin(), filter.event_types.end(), type) == filter.event_types.end())
      return false;
  }
  if (!filter.ical_uid.empty() && body.value("iCalUID", "") != filter.ical_uid) return false;
  if (!text_matches(body, filter.search)) return false;
  if (!properties_match(body, "private", filter.private_properties, filter.is_or)) return false;
  if (!properties_match(body, "shared", filter.shared_properties, filter.is_or)) return false;
  if (record.is_cancelled && filter.is_incremental) return true;
  return in_window(calendar, record, filter);
}

// Half of the tombstones keep nothing but their id, so that no client learns to rely on more.
bool is_bare_tombstone(const World& world, const EventRecord& record) {
  if (!record.is_cancelled || world.switches.tombstones == "full") return false;
  return world.switches.tombstones == "bare" || fingerprint(record.id) % 2 == 0;
}

class Collector {
 public:
  Collector(Call& call, const Calendar& calendar, const Filter& filter, const ListRun& run)
      : call_(call), calendar_(calendar), filter_(filter), viewer_(call.viewer(calendar)) {
    if (!filter_.is_incremental) {
      for (const auto& [id, record] : calendar.events) add(record, 0);
      return;
    }
    for (auto it = calendar.by_change.upper_bound(run.since->change);
         it != calendar.by_change.end() && it->first <= run.snapshot; ++it) {
      add(calendar.events.at(it->second), run.since->change);
    }
  }

  std::vector<ListItem> take() { return std::move(items_); }

 private:
  void add(const EventRecord& record, uint64_t since) {
    if (!filter_.is_single) {
      show(record);
    } else if (!record.is_series()) {
      // Without a run over changes, exceptions come with their masters.
      if (record.master_id.empty() || filter_.is_incremental || !has_series(record)) show(record);
    } else {
      int64_t horizon = std::max(call_.world.now_ms, record.start_ms) + kFarFutureMs;
      InstanceWindow window{filter_.time_min.value_or(kFarPast), filter_.time_max.value_or(horizon),
                            kInstancesMax};
      for (const EventRecord& instance : instances_of(calendar_, record, window)) show(instance);
      for (const auto& [start, change] : record.gone_starts) {
        if (!filter_.is_incremental || change <= since) continue;
        EventRecord gone = make_instance(record, start);
        if (calendar_.events.count(gone.id)) continue;
        gone.body["status"] = "cancelled";
        gone.is_cancelled = true;
        show(gone);
      }
    }
  }

  bool has_series(const EventRecord& exception) const {
    auto master = calendar_.events.find(exception.master_id);
    return master != calendar_.events.end() && master->second.is_series();
  }

  void show(const EventRecord& record) {
    if (!is_shown(calendar_, record, filter_) || !seen_.insert(record.id).second) return;
    viewer_.is_bare = is_bare_tombstone(call_.world, record);
    items_.push_back({key_of(record), render_event(calendar_, record, viewer_)});
  }

  std::string key_of(const EventRecord& record) const {
    if (filter_.order_by == "startTime") return sortable(span_of(calendar_, record).first) + record.id;
    if (filter_.order_by == "updated") return sortable(record.updated_ms) + record.id;
    if (call_.world.switches.exceptions_first) return (record.master_id.empty() ? "1" : "0") + record.id;
    if (filter_.is_incremental) return sortable(static_cast<int64_t>(record.change)) + record.id;
    return record.id;
  }

  Call& call_;
  const Calendar& calendar_;
  const Filter& filter_;
  Viewer viewer_;
  std::set<std::string> seen_;
  std::vector<ListItem> items_;
};

void describe_list(Call& call, const Calendar& calendar) {
  call.result["kind"] = "calendar#events";
  call.result["summary"] = calendar.body.value("summary", "");
  if (calendar.body.contains("description")) call.result["description"] = calendar.body["description"];
  call.result["timeZone"] = call.text("timeZone").empty() ? calendar.zone() : call.text("timeZone");
  call.result["accessRole"] = kRoleNames[call.effective_role(calendar)];
  call.result["defaultReminders"] = Json::array();
  if (calendar.is_primary) call.result["defaultReminders"].push_back({{"method", "popup"}, {"minutes", 30}});
  int64_t updated = 0;
  if (!calendar.by_change.empty())
    updated = calendar.events.at(calendar.by_change.rbegin()->second).updated_ms;
  call.result["updated"] = format_utc_ms(updated);
  call.etag = "\"p3" + std::to_string(fingerprint(calendar.id) % 100'000) + "c" +
              std::to_string(calendar.change) + "\"";
  call.result["etag"] = call.etag;
}

void list_events(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  ListSpec spec;
  spec.collection = "events:" + calendar.id;
  spec.query_hash =
      hash_parameters(call, {"singleEvents", "showDeleted", "showHiddenInvitations", "eventTypes"});
  spec.page_hash = hash_all_parameters(call);
  spec.forbidden_with_sync = {
      "iCalUID", "orderBy",   "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin",
      "timeMax", "updatedMin"};
  spec.change = calendar.change;
  spec.epoch = calendar.token_epoch;

  Filter filter;
  filter.is_single = call.flag("singleEvents") || call.effective_role(calendar) == kFreeBusyReader;
  filter.order_by = call.text("orderBy");
  filter.time_min = call.time("timeMin");
  filter.time_max = call.time("timeMax");
  filter.updated_min = call.time("updatedMin");
  filter.shows_deleted = call.flag("showDeleted");
  filter.ical_uid = call.text("iCalUID");
  filter.search = call.text("q");
  filter.event_types = call.all("eventTypes");
  filter.private_properties = call.all("privateExtendedProperty");
  filter.shared_properties = call.all("sharedExtendedProperty");
  filter.is_or = call.world.switches.property_filter_is_or;
  if (filter.time_min && filter.time_max && *filter.time_max <= *filter.time_min) {
    throw ApiError{400,         "calendar", "timeRangeEmpty", "The specified time range is empty.",
                   "parameter", "timeMax"};
  }
  if (filter.order_by == "startTime" && !filter.is_single) {
    throw bad_parameter("invalid", "The requested ordering is not available for the particular query.",
                        "orderBy");
  }
  if (filter.updated_min &&
      *filter.updated_min < call.world.now_ms - call.world.switches.updated_min_window_ms) {
    throw ApiError{410,
                   "calendar",
                   "updatedMinTooLongAgo",
                   "The requested minimum modification time lies too far in the past.",
                   "parameter",
                   "updatedMin"};
  }
  if (!call.text("syncToken").empty() && call.text("showDeleted") == "false") {
    throw bad_parameter("badRequest", "showDeleted=false cannot be combined with syncToken.", "showDeleted");
  }
  ListRun run = begin_list(call, spec);
  std::optional<SyncToken> sync = SyncToken{};
  sync->time_min = filter.time_min;
  sync->time_max = filter.time_max;
  if (run.since) {
    filter.is_incremental = true;
    filter.time_min = sync->time_min = run.since->time_min;
    filter.time_max = sync->time_max = run.since->time_max;
  } else {
    for (const char* name :
         {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin"}) {
      if (!call.all(name).empty()) sync.reset();
    }
  }
  describe_list(call, calendar);
  finish_list(call, spec, run, Collector(call, calendar, filter, run).take(), sync);
}

void list_instances(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  auto master = find_event(calendar, call.path_values["eventId"]);
  if (!master) throw not_found_error();
  ListSpec spec;
  spec.collection = "instances:" + calendar.id + " " + master->id;
  spec.page_hash = hash_all_parameters(call);
  spec.change = calendar.change;
  ListRun run = begin_list(call, spec);
  std::vector<ListItem> items;
  if (master->is_series()) {
    int64_t horizon = std::max(call.world.now_ms, master->start_ms) + kFarFutureMs;
    // timeMin is inclusive here, unlike in events.list.
    auto time_min = call.time("timeMin");
    InstanceWindow window{time_min ? *time_min - 1 : kFarPast, call.time("timeMax").value_or(horizon),
                          kInstancesMax};
    Viewer viewer = call.viewer(calendar);
    std::string original = call.text("originalStart");
    for (const EventRecord& instance : instances_of(calendar, *master, window)) {
      if (instance.is_cancelled && !call.flag("showDeleted")) continue;
      if (!original.empty()) {
        auto wanted = parse_date_time(original.size() == 10 ? original + "T00:00:00Z" : original);
        if (!wanted || wanted->local_ms - wanted->offset_ms.value_or(0) != instance.original_start_ms)
          continue;
      }
      items.push_back({sortable(instance.start_ms) + instance.id, render_event(calendar, instance, viewer)});
    }
  }
  describe_list(call, calendar);
  finish_list(call, spec, run, std::move(items), std::nullopt);
}

}  // namespace

void add_event_list_methods(std::map<std::string, MethodFunction>& methods) {
  methods["events.list"] = list_events;
  methods["events.instances"] = list_instances;
}

}  // namespace kalends::emulator
