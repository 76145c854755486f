// SPDX-License-Identifier: Apache-2.0
// Parsers of Calendar v3 answers with status 2xx (errors.h reads the others). Unknown members, enumerators
// and nulls are tolerated; what is unreadable is counted, never guessed. kCorrupt: the body is not what it
// claims to be, and the outcome of a write is then unknown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "worker/google/event.h"

namespace kalends {

struct GoogleEventsPage {
  std::vector<GoogleEvent> events;
  std::string next_page_token;
  // Only on the last page. Store it after that page's events only.
  std::string next_sync_token;
  std::string time_zone;    // the calendar's
  std::string access_role;  // "owner", "writer", "reader", …
  size_t unreadable = 0;    // items without a usable id
  bool is_last() const { return next_page_token.empty(); }
};

struct GoogleCalendar {
  std::string id;
  std::string etag;
  std::string summary;
  std::string time_zone;
  std::string access_role;  // empty outside calendar lists
  bool is_primary = false;
  bool is_deleted = false;
  friend bool operator==(const GoogleCalendar&, const GoogleCalendar&) = default;
};

struct GoogleCalendarsPage {
  std::vector<GoogleCalendar> calendars;
  std::string next_page_token;
};

struct GoogleChannel {
  std::string id;
  std::string resource_id;
  int64_t expires_ms = 0;  // 0: Google did not say
  friend bool operator==(const GoogleChannel&, const GoogleChannel&) = default;
};

Result<GoogleEvent> parse_event(std::string_view body);
Result<GoogleEventsPage> parse_events_page(std::string_view body);
Result<GoogleCalendar> parse_calendar(std::string_view body);
Result<GoogleCalendarsPage> parse_calendars_page(std::string_view body);
Result<GoogleChannel> parse_channel(std::string_view body);

}  // namespace kalends
