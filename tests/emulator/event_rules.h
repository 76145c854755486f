// SPDX-License-Identifier: Apache-2.0
// What makes an event resource acceptable, and the form in which it is kept. Used by the API methods and by a
// person's actions in the page alike. Refusals are thrown as ApiError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/recurrence.h"
#include "tests/emulator/world.h"

namespace kalends::emulator {

// Query parameters that change what a write may touch.
struct WriteOptions {
  bool supports_attachments = false;
  int conference_data_version = 0;
  int event_label_version = 0;
};

// Alphabet a-v 0-9, 5 to 1024 characters.
bool is_valid_event_id(const std::string& id);
// "_" + base32hex of the UID: the id of an imported event.
std::string imported_event_id(const std::string& ical_uid);
std::string event_html_link(const std::string& event_id, const std::string& calendar_id);

// Removes what only the server sets. `is_import` keeps organizer and iCalUID.
void drop_read_only(Json& body, bool is_import);

// Checks and normalises the client's part of `body` (times, recurrence, properties, reminders, guests…) in
// place. `previous` is the stored resource before the change, or nullptr.
void normalise_event(Json& body, const Calendar& calendar, const Json* previous, const WriteOptions& options);

// Fills start_ms, end_ms from the normalised body.
void index_times(EventRecord& record);

// True when the two differ in a shared property, which a guest's copy may not change.
bool shared_properties_differ(const Json& before, const Json& after);
// True when they differ in nothing but reminders.
bool only_reminders_differ(const Json& before, const Json& after);

// Requires: record.is_series() with a normalised body.
Series series_of(const EventRecord& record);

std::string instance_id(const std::string& master_id, int64_t start_ms, bool is_all_day);

// The computed instance of a series at this start. Requires: the series has that start.
EventRecord make_instance(const EventRecord& master, int64_t start_ms);

// A stored event or a computed instance.
std::optional<EventRecord> find_event(const Calendar& calendar, const std::string& id);

struct InstanceWindow {
  int64_t from_ms;   // events that end after this
  int64_t until_ms;  // and start before this
  size_t limit = 2500;
};
// Instances and exceptions (cancelled ones too) of a series, ascending by start.
std::vector<EventRecord> instances_of(const Calendar& calendar, const EventRecord& master,
                                      const InstanceWindow& window);

struct Viewer {
  std::string mail;
  int role = kOwner;
  std::string zone;  // the answer's zone; empty: the calendar's
  std::optional<int> max_attendees;
  bool is_bare = false;  // a tombstone of which only the id is left
};
// The resource as this viewer sees it, with kind and etag.
Json render_event(const Calendar& calendar, const EventRecord& record, const Viewer& viewer);

}  // namespace kalends::emulator
