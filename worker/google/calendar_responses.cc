// SPDX-License-Identifier: Apache-2.0
#include "worker/google/calendar_responses.h"

#include <algorithm>
#include <array>
#include <optional>

#include "worker/base/sha256.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

// Longer than anything Google documents (an id has at most 1,024 characters; titles and descriptions are cut
// by Google itself far below this). An event beyond it is unreadable.
constexpr size_t kIdSizeMax = 1024;
constexpr size_t kTextSizeMax = 256 * 1024;
constexpr size_t kPropertiesMax = 300;

// Named in GoogleEvent, or changing with every write: not part of the rest.
constexpr std::array<std::string_view, 20> kKnownMembers{"kind",
                                                         "id",
                                                         "etag",
                                                         "status",
                                                         "summary",
                                                         "description",
                                                         "location",
                                                         "colorId",
                                                         "start",
                                                         "end",
                                                         "recurringEventId",
                                                         "eventType",
                                                         "htmlLink",
                                                         "updated",
                                                         "sequence",
                                                         "visibility",
                                                         "transparency",
                                                         "locked",
                                                         "created",

                                                         "extendedProperties"};

Bytes hash_of_rest(const Json& item) {
  Json rest = Json::object();
  for (const auto& [name, value] : item.items()) {
    bool is_known = std::find(kKnownMembers.begin(), kKnownMembers.end(), name) != kKnownMembers.end();
    if (!is_known) rest[name] = value;
  }
  rest["sharedProperties"] = json_member(json_member(item, "extendedProperties"), "shared");
  return sha256(as_bytes(json_dump(rest)));
}

std::optional<GoogleTime> read_time(const Json& value) {
  if (!value.is_object()) return std::nullopt;
  std::string date = json_text_or_empty(value, "date");
  if (!date.empty()) return GoogleTime::all_day(std::move(date));
  std::string date_time = json_text_or_empty(value, "dateTime");
  if (date_time.empty()) return std::nullopt;
  return GoogleTime::timed(std::move(date_time), json_text_or_empty(value, "timeZone"));
}

// No text of ours can hold a NUL: what was seen could be stored, and not be read again.
std::string without_nul(std::string text) {
  std::erase(text, '\0');
  return text;
}

// nullopt: no usable id, or a text beyond all bounds.
std::optional<GoogleEvent> read_event(const Json& item) {
  GoogleEvent event;
  event.id = json_text_or_empty(item, "id");
  bool is_id = !event.id.empty() && event.id.size() <= kIdSizeMax && event.id.find('\0') == std::string::npos;
  if (!is_id) return std::nullopt;
  event.etag = without_nul(json_text_or_empty(item, "etag"));
  event.status = json_text(item, "status").value_or("confirmed");
  event.summary = json_text(item, "summary");
  if (event.summary) event.summary = without_nul(std::move(*event.summary));
  event.description = without_nul(json_text_or_empty(item, "description"));
  event.location = without_nul(json_text_or_empty(item, "location"));
  size_t text_size = event.summary.value_or("").size() + event.description.size() + event.location.size();
  if (text_size > kTextSizeMax) return std::nullopt;
  event.color_id = json_text_or_empty(item, "colorId");
  event.start = read_time(json_member(item, "start"));
  event.end = read_time(json_member(item, "end"));
  const Json& recurrence = json_member(item, "recurrence");
  event.has_recurrence = recurrence.is_array() && !recurrence.empty();
  event.recurring_event_id = json_text_or_empty(item, "recurringEventId");
  event.event_type = json_text(item, "eventType").value_or("default");
  const Json& properties = json_member(json_member(item, "extendedProperties"), "private");
  if (properties.is_object()) {
    for (const auto& [name, value] : properties.items()) {
      if (value.is_string() && event.private_properties.size() < kPropertiesMax) {
        event.private_properties.emplace(name, value.get<std::string>());
      }
    }
  }
  event.html_link = json_text_or_empty(item, "htmlLink");
  const Json& organizer = json_member(item, "organizer");
  event.is_organizer_self = !organizer.is_object() || json_is_true(organizer, "self");
  event.is_locked = json_is_true(item, "locked");
  event.transparency = json_text_or_empty(item, "transparency");
  event.visibility = json_text_or_empty(item, "visibility");
  event.updated = json_text_or_empty(item, "updated");
  event.sequence = json_integer(item, "sequence").value_or(0);
  event.rest_hash = hash_of_rest(item);
  return event;
}

std::optional<GoogleCalendar> read_calendar(const Json& item) {
  GoogleCalendar calendar;
  calendar.id = json_text_or_empty(item, "id");
  if (calendar.id.empty() || calendar.id.size() > kIdSizeMax) return std::nullopt;
  calendar.etag = json_text_or_empty(item, "etag");
  calendar.summary = json_text(item, "summaryOverride").value_or(json_text_or_empty(item, "summary"));
  calendar.time_zone = json_text_or_empty(item, "timeZone");
  calendar.access_role = json_text_or_empty(item, "accessRole");
  calendar.is_primary = json_is_true(item, "primary");
  calendar.is_deleted = json_is_true(item, "deleted");
  return calendar;
}

Result<Json> parse_object(std::string_view body) {
  KALENDS_TRY(Json value, parse_json(body));
  if (!value.is_object()) return corrupt("Google's answer is not a JSON object");
  return value;
}

}  // namespace

Result<GoogleEvent> parse_event(std::string_view body) {
  KALENDS_TRY(Json item, parse_object(body));
  auto event = read_event(item);
  if (!event) return corrupt("Google's answer is not an event");
  return std::move(*event);
}

Result<GoogleEventsPage> parse_events_page(std::string_view body) {
  KALENDS_TRY(Json value, parse_object(body));
  // An answer without a list must not pass for an empty calendar: absence counts as deletion.
  const Json& items = json_member(value, "items");
  if (!items.is_array()) return corrupt("Google's page of events has no list of items");
  GoogleEventsPage page;
  page.events.reserve(items.size());
  for (const Json& item : items) {
    if (auto event = read_event(item)) {
      page.events.push_back(std::move(*event));
    } else {
      ++page.unreadable;
    }
  }
  page.next_page_token = json_text_or_empty(value, "nextPageToken");
  page.next_sync_token = json_text_or_empty(value, "nextSyncToken");
  page.time_zone = json_text_or_empty(value, "timeZone");
  page.access_role = json_text_or_empty(value, "accessRole");
  return page;
}

Result<GoogleCalendar> parse_calendar(std::string_view body) {
  KALENDS_TRY(Json item, parse_object(body));
  auto calendar = read_calendar(item);
  if (!calendar) return corrupt("Google's answer is not a calendar");
  return std::move(*calendar);
}

Result<GoogleCalendarsPage> parse_calendars_page(std::string_view body) {
  KALENDS_TRY(Json value, parse_object(body));
  const Json& items = json_member(value, "items");
  if (!items.is_array()) return corrupt("Google's page of calendars has no list of items");
  GoogleCalendarsPage page;
  for (const Json& item : items) {
    if (auto calendar = read_calendar(item)) page.calendars.push_back(std::move(*calendar));
  }
  page.next_page_token = json_text_or_empty(value, "nextPageToken");
  return page;
}

Result<GoogleChannel> parse_channel(std::string_view body) {
  KALENDS_TRY(Json value, parse_object(body));
  GoogleChannel channel{json_text_or_empty(value, "id"), json_text_or_empty(value, "resourceId"),
                        json_integer(value, "expiration").value_or(0)};
  if (channel.id.empty() || channel.resource_id.empty()) return corrupt("Google's answer is not a channel");
  return channel;
}

}  // namespace kalends
