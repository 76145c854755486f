// SPDX-License-Identifier: Apache-2.0
// events.watch, calendarList.watch, acl.watch, settings.watch and channels.stop.
#include "tests/emulator/call.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr int64_t kChannelLifeMaxMs = 7 * kDayMs;
constexpr size_t kChannelIdMax = 64;
constexpr size_t kChannelTokenMax = 256;

ApiError push_error(const std::string& reason, const std::string& message) {
  return {400, "push", reason, message};
}

bool is_loopback(const std::string& address) {
  for (const char* start : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    size_t length = std::string_view(start).size();
    if (address.compare(0, length, start) != 0) continue;
    if (address.size() == length || address[length] == ':' || address[length] == '/') return true;
  }
  return false;
}

void check_address(const Call& call, const std::string& address) {
  if (address.rfind("https://", 0) == 0) return;
  if (call.world.switches.allow_http_webhooks && is_loopback(address)) return;
  throw push_error("push.webhookUrlNotHttps", "WebHook callback must be HTTPS: " + address);
}

// Asked life, at most seven days. `expiration` (ms) and params.ttl (s) may both be there: the earlier wins.
int64_t expiry_of(const Call& call) {
  int64_t expires = call.world.now_ms + kChannelLifeMaxMs;
  auto read = [](const Json& value) -> std::optional<int64_t> {
    if (value.is_number_integer()) return value.get<int64_t>();
    if (!value.is_string()) return std::nullopt;
    std::string text = value;
    if (text.empty() || text.size() > 15 || text.find_first_not_of("0123456789") != std::string::npos) {
      throw bad_request("invalid", "Invalid expiration.");
    }
    return std::stoll(text);
  };
  if (call.body.contains("expiration")) {
    if (auto asked = read(call.body["expiration"])) expires = std::min(expires, *asked);
  }
  if (call.body.contains("params") && call.body["params"].contains("ttl")) {
    if (auto seconds = read(call.body["params"]["ttl"])) {
      expires = std::min(expires, call.world.now_ms + *seconds * kSecondMs);
    }
  }
  if (expires <= call.world.now_ms) throw bad_request("invalid", "The expiration lies in the past.");
  return expires;
}

void watch(Call& call, const std::string& resource, const std::string& path) {
  Channel channel;
  channel.id = call.body.value("id", "");
  channel.client_id = call.caller.client_id;
  channel.mail = call.caller.mail;
  channel.key = channel.client_id + " " + channel.id;
  channel.address = call.body.value("address", "");
  channel.token = call.body.value("token", "");
  std::string type = call.body.value("type", "");
  if (channel.id.empty() || channel.id.size() > kChannelIdMax)
    throw bad_request("invalid", "Invalid channel id.");
  if (type != "web_hook" && type != "webhook") {
    throw push_error("push.channelTypeNotSupported", "The channel type is not supported.");
  }
  if (channel.token.size() > kChannelTokenMax) throw bad_request("invalid", "Invalid channel token.");
  check_address(call, channel.address);
  auto existing = call.world.channels.find(channel.key);
  if (existing != call.world.channels.end()) {
    throw push_error("channelIdNotUnique", "Channel id " + channel.id + " not unique");
  }
  channel.expires_ms = expiry_of(call);
  channel.resource = resource;
  Prng named(fingerprint(resource + " " + path));
  channel.resource_id = named.text(27, kUrlSafe);
  channel.resource_uri = "https://www.googleapis.com/calendar/v3/" + path + "?alt=json";
  for (const std::string& event_type : call.all("eventTypes")) channel.event_types.insert(event_type);
  Channel& stored = call.world.channels[channel.key] = channel;
  call.world.queue_notice(stored, "sync",
                          call.world.now_ms + (call.world.switches.sync_message_first ? 0 : 50));
  call.has_committed = true;
  call.result = {{"kind", "api#channel"},
                 {"id", channel.id},
                 {"resourceId", channel.resource_id},
                 {"resourceUri", channel.resource_uri},
                 {"expiration", std::to_string(channel.expires_ms)}};
  if (!channel.token.empty()) call.result["token"] = channel.token;
}

void watch_events(Call& call) {
  Calendar& calendar = call.calendar(kFreeBusyReader);
  bool is_public = calendar.id.find("#holiday@") != std::string::npos ||
                   calendar.id.find("@import.calendar") != std::string::npos;
  if (is_public) {
    throw push_error("pushNotSupportedForRequestedResource",
                     "Push notifications are not supported by this resource.");
  }
  watch(call, "events:" + calendar.id, "calendars/" + percent_encode(calendar.id) + "/events");
}

void watch_acl(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  watch(call, "acl:" + calendar.id, "calendars/" + percent_encode(calendar.id) + "/acl");
}

void stop_channel(Call& call) {
  std::string key = call.caller.client_id + " " + call.body.value("id", "");
  auto found = call.world.channels.find(key);
  bool is_theirs = found != call.world.channels.end() && found->second.mail == call.caller.mail &&
                   found->second.resource_id == call.body.value("resourceId", "") &&
                   found->second.expires_ms > call.world.now_ms;
  if (!is_theirs) {
    throw ApiError{404, "global", "notFound",
                   "Channel '" + call.body.value("id", "") + "' not found for project"};
  }
  // The id stays taken; only the life ends.
  found->second.expires_ms = call.world.now_ms;
  call.has_committed = true;
}

}  // namespace

void add_channel_methods(std::map<std::string, MethodFunction>& methods) {
  methods["events.watch"] = watch_events;
  methods["acl.watch"] = watch_acl;
  methods["calendarList.watch"] = [](Call& call) {
    watch(call, "calendarList:" + call.caller.mail, "users/me/calendarList");
  };
  methods["settings.watch"] = [](Call& call) {
    watch(call, "settings:" + call.caller.mail, "users/me/settings");
  };
  methods["channels.stop"] = stop_channel;
}

}  // namespace kalends::emulator
