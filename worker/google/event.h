// SPDX-License-Identifier: Apache-2.0
// An event as Google shows it, in plain values. Only what Kalends looks at is named; the rest is covered by a
// hash.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace kalends {

struct GoogleDate {
  int year = 1970;
  int month = 1;
  int day = 1;
  friend bool operator==(const GoogleDate&, const GoogleDate&) = default;
};

// A reading of RFC 3339; fractions of a second are dropped, as Google does.
struct GoogleMoment {
  GoogleDate date;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::optional<int> offset_minutes;  // east of UTC; nullopt where the text had none
  // Milliseconds since 1970 UTC; nullopt without an offset.
  std::optional<int64_t> instant_ms() const;
  friend bool operator==(const GoogleMoment&, const GoogleMoment&) = default;
};

// nullopt: no such day or time (2026-02-30), or another spelling.
std::optional<GoogleDate> parse_google_date(std::string_view text);
std::optional<GoogleMoment> parse_google_moment(std::string_view text);
std::string google_date_text(const GoogleDate& date);

// One end of an event: a day, or a moment with its zone.
struct GoogleTime {
  std::string date;       // as sent; empty for a timed event
  std::string date_time;  // as sent; empty for an all-day event
  std::string time_zone;  // IANA name; empty where Google gave none
  std::optional<GoogleDate> day;
  std::optional<GoogleMoment> moment;

  bool is_all_day() const { return day.has_value(); }
  bool is_readable() const { return day.has_value() || moment.has_value(); }
  static GoogleTime all_day(std::string date);
  static GoogleTime timed(std::string date_time, std::string time_zone);
  friend bool operator==(const GoogleTime&, const GoogleTime&) = default;
};

struct GoogleEvent {
  std::string id;
  std::string etag;                    // opaque, with its quotes; the only complete mark of change
  std::string status;                  // "confirmed", "tentative", "cancelled", or what Google invents next
  std::optional<std::string> summary;  // may be absent: private or untitled
  std::string description;
  std::string location;
  std::string color_id;             // "1" to "11"; empty: the calendar's colour
  std::optional<GoogleTime> start;  // absent on bare tombstones
  std::optional<GoogleTime> end;    // exclusive
  bool has_recurrence = false;      // a series' master
  std::string recurring_event_id;   // an instance's master
  std::string event_type = "default";
  std::map<std::string, std::string> private_properties;
  std::string html_link;
  bool is_organizer_self = false;  // absent organizer counts as self: Google omits it on plain events of ours
  bool is_locked = false;
  std::string transparency;
  std::string visibility;
  std::string updated;  // Google's clock: for people's eyes, never compared with ours
  int64_t sequence = 0;
  Bytes rest_hash;  // SHA-256 over all that is not named above

  bool is_cancelled() const { return status == "cancelled"; }
  // Series and their instances are left alone and reported.
  bool is_recurring() const { return has_recurrence || !recurring_event_id.empty(); }
  friend bool operator==(const GoogleEvent&, const GoogleEvent&) = default;
};

}  // namespace kalends
