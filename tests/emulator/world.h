// SPDX-License-Identifier: Apache-2.0
// Everything the stand-in knows: people, calendars, events with their tombstones, channels, switches,
// counters. Plain data plus the few operations that keep it consistent (every commit gets a change number, a
// later `updated`, a new etag, a line in the change log and a ring at each channel). Time and seed come from
// outside.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/emulator/message.h"
#include "tests/emulator/prng.h"

namespace kalends::emulator {

// Switches; all can be read and set through the control API. Times in milliseconds.
struct Switches {
  int quota_per_user = 600;  // units in the window; 0: no limit
  int quota_per_project = 10'000;
  int64_t quota_window_ms = 60'000;
  int quota_status = 403;            // or 429: Google answers with either
  int burst_per_calendar = 0;        // writes to one calendar in one second; 0: no limit
  int patch_cost = 1;                // Google's reference page says 3
  int page_size_max = 2500;          // forced smaller pages
  bool empty_pages = false;          // every other page is empty and carries only nextPageToken
  bool exceptions_first = false;     // exceptions are listed before their masters
  std::string tombstones = "mixed";  // in lists: full, bare (id and status only) or mixed
  int64_t sync_token_life_ms = 28LL * 24 * 3600 * 1000;
  int64_t updated_min_window_ms = 30LL * 24 * 3600 * 1000;
  bool property_filter_is_or = false;  // repeated extended-property filters; Google contradicts itself
  bool import_refuses_known_uid = false;
  bool allow_http_webhooks = true;  // plain http to loopback addresses
  int push_drop_per_million = 0;
  int64_t push_retry_ms = 1000;    // first retry after 500, 502, 503, 504; doubles
  bool sync_message_first = true;  // the sync message is due before the watch answer

  Json to_json() const;
  // Unknown names and wrong types are named in `problem` and nothing changes.
  bool merge(const Json& changes, std::string& problem);
};

struct EventRecord {
  std::string id;
  Json body;  // the resource without kind and etag, times in their stored form
  int64_t updated_ms = 0;
  int64_t etag_number = 0;  // 2 × microseconds
  uint64_t change = 0;      // in its calendar
  bool is_cancelled = false;
  std::string master_id;    // of exceptions and instances
  bool is_virtual = false;  // an instance that was never changed: computed, not stored
  int64_t start_ms = 0;     // instants; all-day: midnight UTC
  int64_t end_ms = 0;
  int64_t original_start_ms = 0;  // of exceptions and instances
  int64_t earliest_ms =
      0;  // bounds over its whole history: an event that leaves a window is still reported to it
  int64_t latest_ms = 0;
  std::map<int64_t, uint64_t>
      gone_starts;  // of masters: starts that the series lost, with the change that did it

  bool is_series() const { return body.contains("recurrence"); }
  std::string etag() const { return "\"" + std::to_string(etag_number) + "\""; }
};

struct AclRule {
  std::string id;  // "user:a@example.org", "default"
  std::string scope_type;
  std::string scope_value;
  std::string role;
  int64_t etag_number = 0;
  uint64_t change = 0;
};

struct Calendar {
  std::string id;
  std::string owner;  // data owner
  Json body;          // summary, description, location, timeZone, labelProperties…
  bool is_primary = false;
  bool is_deleted = false;
  std::string made_by_client;  // OAuth client; empty: a person made it
  int64_t etag_number = 0;
  uint64_t change = 0;       // last change number given
  uint64_t token_epoch = 0;  // raised when every sync token dies
  std::map<std::string, EventRecord> events;
  std::map<uint64_t, std::string> by_change;
  std::map<std::string, std::set<std::string>> exceptions;  // by master
  std::map<std::string, AclRule> acl;                       // role "none": a tombstone

  std::string zone() const { return body.value("timeZone", "UTC"); }
};

// One person's view of one calendar.
struct ListEntry {
  Json body;  // colorId, backgroundColor, foregroundColor, hidden, selected, summaryOverride,
              // defaultReminders…
  bool is_deleted = false;
  int64_t etag_number = 0;
  uint64_t change = 0;
};

struct Person {
  std::string mail;
  std::string sub;
  std::string name;
  std::map<std::string, ListEntry> list;  // by calendar
  uint64_t list_change = 0;
  std::map<std::string, std::string> settings;
};

struct Channel {
  std::string key;  // client and id
  std::string id;
  std::string client_id;
  std::string mail;
  std::string address;
  std::string token;
  std::string resource_id;
  std::string resource_uri;
  std::string resource;  // what a commit names: "events:CALENDAR", "calendarList:MAIL", …
  std::set<std::string> event_types;
  int64_t expires_ms = 0;
  uint64_t message_number = 0;
};

struct ChangeEntry {
  uint64_t seq = 0;
  int64_t at_ms = 0;
  std::string calendar;
  std::string event_id;
  std::string by;    // api, person, google
  std::string kind;  // insert, update, delete
};

struct Stats {
  std::map<std::string, uint64_t> api_calls;
  uint64_t reads = 0, writes = 0, quota_exceeded = 0, list_pages = 0, pushes = 0;
  std::deque<Json> contract_violations;
  std::deque<Json> last_requests;
};

enum class Actor { kApi, kPerson, kGoogle };

struct CommitKind {
  Actor actor = Actor::kApi;
  const char* kind = "update";
  bool moves_updated = true;  // a change of reminders alone moves the etag but not `updated`
};

struct BackgroundBump {
  int64_t due_ms = 0;
  std::string calendar;
  std::string event_id;
};

class World {
 public:
  explicit World(uint64_t seed) : token_key(fingerprint("tokens") ^ seed), prng(seed) {}

  // Finds or makes the person and the primary calendar.
  Person& add_person(const std::string& mail);
  Calendar& add_calendar(const std::string& owner, const Json& body, const std::string& client_id);
  Calendar* find_calendar(
      const std::string& id);  // also by "primary"-free id; nullptr when deleted or unknown

  // none, freeBusyReader, reader, writerWithoutPrivateAccess, writer, owner as 0…5.
  int role_of(const std::string& mail, const Calendar& calendar) const;

  EventRecord& commit_event(Calendar& calendar, EventRecord record, const CommitKind& kind);
  void commit_calendar(Calendar& calendar);
  void commit_list_entry(Person& person, const std::string& calendar_id);
  void commit_acl(Calendar& calendar, AclRule rule);
  void delete_calendar(Calendar& calendar);
  void expire_sync_tokens(Calendar& calendar) { ++calendar.token_epoch; }

  // Puts one notice for every live channel of the resource into the queue.
  void ring(const std::string& resource, const std::string& event_type);
  void queue_notice(Channel& channel, const std::string& state, int64_t due_ms);

  // Runs what Google does in the background until now_ms. Time never goes backwards.
  void advance_to(int64_t time_ms);
  int64_t next_etag(int64_t previous) const;

  const uint64_t token_key;  // checksums of sync and page tokens
  int64_t now_ms = 0;
  Prng prng;
  Switches switches;
  Stats stats;
  std::map<std::string, Person> people;
  std::map<std::string, Calendar> calendars;
  std::map<std::string, Channel> channels;
  std::vector<PushNotice> notices;
  std::vector<ChangeEntry> change_log;
  std::vector<BackgroundBump> bumps;
  uint64_t notice_number = 0;
  int duplicate_pushes = 0;  // faults: the next n notices
  int dropped_pushes = 0;
  int delayed_pushes = 0;
  int64_t push_delay_ms = 0;
};

inline constexpr const char* kRoleNames[] = {
    "none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"};
inline constexpr int kFreeBusyReader = 1, kReader = 2, kWriterWithoutPrivate = 3, kWriter = 4, kOwner = 5;
int role_number(const std::string& name);  // -1: not a role

}  // namespace kalends::emulator
