// SPDX-License-Identifier: Apache-2.0
// Builders of Calendar v3 requests. Pure: nothing is sent here. Writes carry sendUpdates=none, so that no
// guest is ever mailed by a sync, and touch only the fields that are named.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "worker/google/event.h"
#include "worker/ports/http.h"

namespace kalends {

// What every request needs.
struct GoogleApi {
  std::string base_url;  // KALENDS_GOOGLE_API_URL, without /calendar/v3
  std::string access_token;
  int64_t timeout_ms = 20'000;
};

// Fields of an event to write. nullopt: left as they are. An empty text clears the field.
struct GoogleEventWrite {
  std::optional<std::string> summary;
  std::optional<std::string> description;
  std::optional<std::string> location;
  std::optional<std::string> color_id;
  std::optional<std::string> transparency;
  std::optional<std::string> visibility;
  std::optional<GoogleTime> start;
  std::optional<GoogleTime> end;
  // nullopt as a value removes the property. Keys up to 44, values up to 1024 characters: Google drops or
  // cuts more without a word.
  std::map<std::string, std::optional<std::string>> private_properties;
};

struct EventsListQuery {
  std::string sync_token;  // empty: a full listing
  std::string page_token;  // with the same sync token on every page
};

struct ChannelRequest {
  std::string id;
  std::string address;
  std::string token;
  int64_t life_seconds = 604'800;
};

struct NewCalendar {
  std::string summary;
  std::string description;
  std::string time_zone;
};

HttpRequest calendar_list_request(const GoogleApi& api, std::string_view page_token);
HttpRequest calendar_insert_request(const GoogleApi& api, const NewCalendar& calendar);
HttpRequest calendar_get_request(const GoogleApi& api, std::string_view calendar_id);
HttpRequest calendar_delete_request(const GoogleApi& api, std::string_view calendar_id);

// Masters instead of instances, tombstones included, pages of 2,500.
HttpRequest events_list_request(const GoogleApi& api, std::string_view calendar_id,
                                const EventsListQuery& query);
HttpRequest event_get_request(const GoogleApi& api, std::string_view calendar_id, std::string_view event_id);
// Requires: `write` has start and end. A repeated insert of one id answers 409: fetch and compare.
HttpRequest event_insert_request(const GoogleApi& api, std::string_view calendar_id,
                                 std::string_view event_id, const GoogleEventWrite& write);
// An empty etag sends no If-Match.
HttpRequest event_patch_request(const GoogleApi& api, std::string_view calendar_id, std::string_view event_id,
                                std::string_view etag, const GoogleEventWrite& write);
HttpRequest event_delete_request(const GoogleApi& api, std::string_view calendar_id,
                                 std::string_view event_id, std::string_view etag);

// The channel's row must be stored before this is sent: the first message may overtake the answer.
HttpRequest events_watch_request(const GoogleApi& api, std::string_view calendar_id,
                                 const ChannelRequest& channel);
HttpRequest channel_stop_request(const GoogleApi& api, std::string_view channel_id,
                                 std::string_view resource_id);

}  // namespace kalends
