// SPDX-License-Identifier: Apache-2.0
#include "worker/google/calendar_requests.h"

#include "worker/base/url.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

HttpRequest api_request(const GoogleApi& api, std::string method, const std::string& path,
                        const FormFields& query) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = api.base_url + "/calendar/v3" + path;
  if (!query.empty()) request.url += "?" + form_encode(query);
  request.headers.add("Authorization", "Bearer " + api.access_token);
  request.headers.add("Accept", "application/json");
  request.timeout_ms = api.timeout_ms;
  request.max_body_bytes = kJsonSizeMax;
  return request;
}

HttpRequest with_body(HttpRequest request, const Json& body) {
  request.headers.add("Content-Type", "application/json");
  request.body = json_dump(body);
  return request;
}

HttpRequest with_etag(HttpRequest request, std::string_view etag) {
  if (!etag.empty()) request.headers.add("If-Match", std::string(etag));
  return request;
}

std::string calendar_path(std::string_view calendar_id) {
  return "/calendars/" + percent_encode(calendar_id);
}
std::string event_path(std::string_view calendar_id, std::string_view event_id) {
  return calendar_path(calendar_id) + "/events/" + percent_encode(event_id);
}

// A patch merges objects: the other kind of time must be nulled, or the event would have both.
Json time_body(const GoogleTime& time, bool is_patch) {
  Json body = Json::object();
  auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) {
      body[name] = text;
    } else if (is_patch) {
      body[name] = nullptr;
    }
  };
  put("date", time.date);
  put("dateTime", time.date_time);
  put("timeZone", time.time_zone);
  return body;
}

Json event_body(const GoogleEventWrite& write, bool is_patch) {
  Json body = Json::object();
  auto put = [&](const char* name, const std::optional<std::string>& text) {
    if (!text) return;
    if (!text->empty()) {
      body[name] = *text;
    } else if (is_patch) {
      body[name] = nullptr;
    }
  };
  put("summary", write.summary);
  put("description", write.description);
  put("location", write.location);
  put("colorId", write.color_id);
  put("transparency", write.transparency);
  put("visibility", write.visibility);
  if (write.start) body["start"] = time_body(*write.start, is_patch);
  if (write.end) body["end"] = time_body(*write.end, is_patch);
  for (const auto& [name, value] : write.private_properties) {
    if (value) {
      body["extendedProperties"]["private"][name] = *value;
    } else if (is_patch) {
      body["extendedProperties"]["private"][name] = nullptr;
    }
  }
  return body;
}

const FormFields kQuietWrite{{"sendUpdates", "none"}};

}  // namespace

HttpRequest calendar_list_request(const GoogleApi& api, std::string_view page_token) {
  FormFields query{{"maxResults", "250"}};
  if (!page_token.empty()) query.emplace_back("pageToken", page_token);
  return api_request(api, "GET", "/users/me/calendarList", query);
}

HttpRequest calendar_insert_request(const GoogleApi& api, const NewCalendar& calendar) {
  Json body{{"summary", calendar.summary}};
  if (!calendar.description.empty()) body["description"] = calendar.description;
  if (!calendar.time_zone.empty()) body["timeZone"] = calendar.time_zone;
  return with_body(api_request(api, "POST", "/calendars", {}), body);
}

HttpRequest calendar_get_request(const GoogleApi& api, std::string_view calendar_id) {
  return api_request(api, "GET", calendar_path(calendar_id), {});
}

HttpRequest calendar_delete_request(const GoogleApi& api, std::string_view calendar_id) {
  return api_request(api, "DELETE", calendar_path(calendar_id), {});
}

HttpRequest events_list_request(const GoogleApi& api, std::string_view calendar_id,
                                const EventsListQuery& query) {
  // The same parameters on every run: a sync token answers only the query it came from.
  FormFields fields{{"maxResults", "2500"}, {"showDeleted", "true"}, {"singleEvents", "false"}};
  if (!query.sync_token.empty()) fields.emplace_back("syncToken", query.sync_token);
  if (!query.page_token.empty()) fields.emplace_back("pageToken", query.page_token);
  return api_request(api, "GET", calendar_path(calendar_id) + "/events", fields);
}

HttpRequest event_get_request(const GoogleApi& api, std::string_view calendar_id, std::string_view event_id) {
  return api_request(api, "GET", event_path(calendar_id, event_id), {});
}

HttpRequest event_insert_request(const GoogleApi& api, std::string_view calendar_id,
                                 std::string_view event_id, const GoogleEventWrite& write) {
  KALENDS_CHECK(write.start.has_value() && write.end.has_value());
  Json body = event_body(write, false);
  if (!event_id.empty()) body["id"] = std::string(event_id);
  return with_body(api_request(api, "POST", calendar_path(calendar_id) + "/events", kQuietWrite), body);
}

HttpRequest event_patch_request(const GoogleApi& api, std::string_view calendar_id, std::string_view event_id,
                                std::string_view etag, const GoogleEventWrite& write) {
  HttpRequest request = api_request(api, "PATCH", event_path(calendar_id, event_id), kQuietWrite);
  return with_etag(with_body(std::move(request), event_body(write, true)), etag);
}

HttpRequest event_delete_request(const GoogleApi& api, std::string_view calendar_id,
                                 std::string_view event_id, std::string_view etag) {
  return with_etag(api_request(api, "DELETE", event_path(calendar_id, event_id), kQuietWrite), etag);
}

HttpRequest events_watch_request(const GoogleApi& api, std::string_view calendar_id,
                                 const ChannelRequest& channel) {
  Json body{{"id", channel.id},
            {"type", "web_hook"},
            {"address", channel.address},
            {"token", channel.token},
            {"params", {{"ttl", std::to_string(channel.life_seconds)}}}};
  return with_body(api_request(api, "POST", calendar_path(calendar_id) + "/events/watch", {}), body);
}

HttpRequest channel_stop_request(const GoogleApi& api, std::string_view channel_id,
                                 std::string_view resource_id) {
  Json body{{"id", std::string(channel_id)}, {"resourceId", std::string(resource_id)}};
  return with_body(api_request(api, "POST", "/channels/stop", {}), body);
}

}  // namespace kalends
