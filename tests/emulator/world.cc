// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/world.h"

#include <algorithm>

#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

const char* actor_name(Actor actor) {
  switch (actor) {
    case Actor::kApi:
      return "api";
    case Actor::kPerson:
      return "person";
    case Actor::kGoogle:
      return "google";
  }
  return "";
}

std::string person_name(const std::string& mail) {
  std::string name = mail.substr(0, mail.find('@'));
  bool is_start = true;
  for (char& c : name) {
    if (c == '.' || c == '_' || c == '-') c = ' ';
    if (is_start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    is_start = c == ' ';
  }
  return name;
}

std::string zero_padded(uint64_t number) {
  std::string text = std::to_string(number);
  return std::string(21 - std::min<size_t>(21, text.size()), '1') + text;
}

}  // namespace

Json Switches::to_json() const {
  return {{"quota_per_user", quota_per_user},
          {"quota_per_project", quota_per_project},
          {"quota_window_ms", quota_window_ms},
          {"quota_status", quota_status},
          {"burst_per_calendar", burst_per_calendar},
          {"patch_cost", patch_cost},
          {"page_size_max", page_size_max},
          {"empty_pages", empty_pages},
          {"exceptions_first", exceptions_first},
          {"tombstones", tombstones},
          {"sync_token_life_ms", sync_token_life_ms},
          {"updated_min_window_ms", updated_min_window_ms},
          {"property_filter_is_or", property_filter_is_or},
          {"import_refuses_known_uid", import_refuses_known_uid},
          {"allow_http_webhooks", allow_http_webhooks},
          {"push_drop_per_million", push_drop_per_million},
          {"push_retry_ms", push_retry_ms},
          {"sync_message_first", sync_message_first}};
}

bool Switches::merge(const Json& changes, std::string& problem) {
  Json all = to_json();
  if (!changes.is_object()) {
    problem = "an object of switches is expected";
    return false;
  }
  for (const auto& [name, value] : changes.items()) {
    bool fits = all.contains(name) && ((all[name].is_number() && value.is_number_integer()) ||
                                       (!all[name].is_number() && all[name].type() == value.type()));
    if (!fits) {
      problem = "no such switch or wrong type: " + name;
      return false;
    }
    all[name] = value;
  }
  quota_per_user = all["quota_per_user"];
  quota_per_project = all["quota_per_project"];
  quota_window_ms = all["quota_window_ms"];
  quota_status = all["quota_status"];
  burst_per_calendar = all["burst_per_calendar"];
  patch_cost = all["patch_cost"];
  page_size_max = std::max(1, all["page_size_max"].get<int>());
  empty_pages = all["empty_pages"];
  exceptions_first = all["exceptions_first"];
  tombstones = all["tombstones"];
  sync_token_life_ms = all["sync_token_life_ms"];
  updated_min_window_ms = all["updated_min_window_ms"];
  property_filter_is_or = all["property_filter_is_or"];
  import_refuses_known_uid = all["import_refuses_known_uid"];
  allow_http_webhooks = all["allow_http_webhooks"];
  push_drop_per_million = all["push_drop_per_million"];
  push_retry_ms = all["push_retry_ms"];
  sync_message_first = all["sync_message_first"];
  return true;
}

int role_number(const std::string& name) {
  for (int i = 0; i <= kOwner; ++i) {
    if (name == kRoleNames[i]) return i;
  }
  return -1;
}

Person& World::add_person(const std::string& mail) {
  auto found = people.find(mail);
  if (found != people.end()) return found->second;
  Person& person = people[mail];
  person.mail = mail;
  person.sub = zero_padded(fingerprint(mail));
  person.name = person_name(mail);
  person.settings = {
      {"timezone", "Europe/Zurich"}, {"locale", "en"}, {"weekStart", "1"}, {"format24HourTime", "true"}};
  Calendar& primary = calendars[mail];
  primary.id = mail;
  primary.owner = mail;
  primary.is_primary = true;
  primary.body = {{"summary", mail}, {"timeZone", "Europe/Zurich"}};
  commit_acl(primary, {"user:" + mail, "user", mail, "owner", 0, 0});
  commit_calendar(primary);
  person.list[mail].body = {{"colorId", "14"}, {"selected", true}};
  commit_list_entry(person, mail);
  return person;
}

Calendar& World::add_calendar(const std::string& owner, const Json& body, const std::string& client_id) {
  std::string id;
  do {
    id = "c_" + prng.text(52, "0123456789abcdef") + "@group.calendar.google.com";
  } while (calendars.count(id));
  Calendar& calendar = calendars[id];
  calendar.id = id;
  calendar.owner = owner;
  calendar.body = body;
  calendar.made_by_client = client_id;
  commit_acl(calendar, {"user:" + owner, "user", owner, "owner", 0, 0});
  commit_calendar(calendar);
  Person& person = add_person(owner);
  person.list[id].body = {{"colorId", std::to_string(1 + prng.below(24))}, {"selected", true}};
  commit_list_entry(person, id);
  return calendar;
}

Calendar* World::find_calendar(const std::string& id) {
  auto found = calendars.find(id);
  return found == calendars.end() || found->second.is_deleted ? nullptr : &found->second;
}

int World::role_of(const std::string& mail, const Calendar& calendar) const {
  if (mail == calendar.owner) return kOwner;
  int best = 0;
  std::string domain = mail.substr(mail.find('@') + 1);
  for (const auto& [id, rule] : calendar.acl) {
    bool fits = rule.scope_type == "default" || (rule.scope_type == "user" && rule.scope_value == mail) ||
                (rule.scope_type == "domain" && rule.scope_value == domain);
    if (fits) best = std::max(best, role_number(rule.role));
  }
  return best;
}

int64_t World::next_etag(int64_t previous) const { return std::max(now_ms * 2000, previous + 2000); }

EventRecord& World::commit_event(Calendar& calendar, EventRecord record, const CommitKind& kind) {
  auto found = calendar.events.find(record.id);
  if (found != calendar.events.end()) {
    calendar.by_change.erase(found->second.change);
    record.earliest_ms = std::min({record.start_ms, found->second.earliest_ms});
    record.latest_ms = std::max({record.end_ms, found->second.latest_ms});
  } else {
    record.earliest_ms = record.start_ms;
    record.latest_ms = record.end_ms;
  }
  record.is_virtual = false;
  record.is_cancelled = record.body.value("status", "") == "cancelled";
  if (kind.moves_updated) {
    record.updated_ms = std::max(now_ms, record.updated_ms + 1);
    record.etag_number = std::max(record.updated_ms * 2000, record.etag_number + 2);
    record.body["updated"] = format_utc_ms(record.updated_ms);
  } else {
    record.etag_number = next_etag(record.etag_number);
  }
  record.change = ++calendar.change;
  calendar.by_change[record.change] = record.id;
  if (!record.master_id.empty()) calendar.exceptions[record.master_id].insert(record.id);
  change_log.push_back(
      {change_log.size() + 1, now_ms, calendar.id, record.id, actor_name(kind.actor), kind.kind});
  EventRecord& stored = calendar.events[record.id] = std::move(record);
  ring("events:" + calendar.id, stored.body.value("eventType", "default"));
  return stored;
}

void World::commit_calendar(Calendar& calendar) { calendar.etag_number = next_etag(calendar.etag_number); }

void World::commit_list_entry(Person& person, const std::string& calendar_id) {
  ListEntry& entry = person.list[calendar_id];
  entry.etag_number = next_etag(entry.etag_number);
  entry.change = ++person.list_change;
  ring("calendarList:" + person.mail, "");
}

void World::commit_acl(Calendar& calendar, AclRule rule) {
  rule.etag_number = next_etag(rule.etag_number);
  rule.change = ++calendar.change;
  calendar.acl[rule.id] = std::move(rule);
  ring("acl:" + calendar.id, "");
}

void World::delete_calendar(Calendar& calendar) {
  calendar.is_deleted = true;
  for (auto& [mail, person] : people) {
    auto entry = person.list.find(calendar.id);
    if (entry == person.list.end() || entry->second.is_deleted) continue;
    entry->second.is_deleted = true;
    commit_list_entry(person, calendar.id);
  }
  ring("events:" + calendar.id, "");
}

void World::ring(const std::string& resource, const std::string& event_type) {
  for (auto& [key, channel] : channels) {
    if (channel.resource != resource || channel.expires_ms <= now_ms) continue;
    if (!channel.event_types.empty() && !event_type.empty() && !channel.event_types.count(event_type))
      continue;
    // A notice that still waits says all that a second one could.
    bool is_waiting = std::any_of(notices.begin(), notices.end(), [&](const PushNotice& notice) {
      return notice.channel_key == channel.key && notice.attempt == 0 &&
             notice.headers.at("x-goog-resource-state") == "exists";
    });
    if (!is_waiting) queue_notice(channel, "exists", now_ms);
  }
}

void World::queue_notice(Channel& channel, const std::string& state, int64_t due_ms) {
  channel.message_number += channel.message_number == 0 ? 1 : 1 + prng.below(2000);
  if (state != "sync") {
    if (dropped_pushes > 0 || prng.chance(static_cast<uint64_t>(switches.push_drop_per_million))) {
      dropped_pushes = std::max(0, dropped_pushes - 1);
      return;
    }
    if (delayed_pushes > 0) {
      --delayed_pushes;
      due_ms += push_delay_ms;
    }
  }
  PushNotice notice;
  notice.number = ++notice_number;
  notice.channel_key = channel.key;
  notice.address = channel.address;
  notice.due_ms = due_ms;
  notice.headers = {
      {"x-goog-channel-id", channel.id},
      {"x-goog-channel-expiration", format_http_date(channel.expires_ms)},
      {"x-goog-resource-id", channel.resource_id},
      {"x-goog-resource-uri", channel.resource_uri},
      {"x-goog-resource-state", state},
      {"x-goog-message-number", std::to_string(channel.message_number)},
      {"user-agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"}};
  if (!channel.token.empty()) notice.headers["x-goog-channel-token"] = channel.token;
  notices.push_back(notice);
  if (state != "sync" && duplicate_pushes > 0) {
    --duplicate_pushes;
    notice.number = ++notice_number;
    notices.push_back(notice);
  }
}

void World::advance_to(int64_t time_ms) {
  now_ms = std::max(now_ms, time_ms);
  std::vector<BackgroundBump> due;
  auto split = std::stable_partition(bumps.begin(), bumps.end(),
                                     [&](const BackgroundBump& bump) { return bump.due_ms > now_ms; });
  due.assign(split, bumps.end());
  bumps.erase(split, bumps.end());
  for (const BackgroundBump& bump : due) {
    Calendar* calendar = find_calendar(bump.calendar);
    if (calendar == nullptr) continue;
    auto found = calendar->events.find(bump.event_id);
    if (found == calendar->events.end() || found->second.is_cancelled) continue;
    commit_event(*calendar, found->second, {Actor::kGoogle, "update", true});
  }
}

}  // namespace kalends::emulator
