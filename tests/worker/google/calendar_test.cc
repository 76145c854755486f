// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "worker/google/calendar_requests.h"
#include "worker/google/calendar_responses.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

const GoogleApi kApi{"https://www.googleapis.com", "token-1", 5'000};
constexpr std::string_view kCalendar = "a b#holiday@group.v.calendar.google.com";
const std::string kCalendarPath =
    "https://www.googleapis.com/calendar/v3/calendars/a%20b%23holiday%40group.v.calendar.google.com";

GoogleEventWrite timed_write() {
  GoogleEventWrite write;
  write.summary = "Plan";
  write.start = GoogleTime::timed("2026-12-01T09:00:00", "Europe/Berlin");
  write.end = GoogleTime::timed("2026-12-01T10:00:00", "Europe/Berlin");
  return write;
}

TEST_CASE("Every request carries the bearer token and its deadline, and its ids are escaped") {
  HttpRequest request = event_get_request(kApi, kCalendar, "abc/1");
  CHECK(request.method == "GET");
  CHECK(request.url == kCalendarPath + "/events/abc%2F1");
  CHECK(request.headers.get("authorization") == "Bearer token-1");
  CHECK(request.timeout_ms == 5'000);
  CHECK(calendar_get_request(kApi, kCalendar).url == kCalendarPath);
  CHECK(calendar_delete_request(kApi, kCalendar).method == "DELETE");
  CHECK(calendar_list_request(kApi, "p/1").url ==
        "https://www.googleapis.com/calendar/v3/users/me/calendarList?maxResults=250&pageToken=p%2F1");
}

TEST_CASE("A listing asks for masters and tombstones, with the same parameters on every run") {
  std::string full = kCalendarPath + "/events?maxResults=2500&showDeleted=true&singleEvents=false";
  CHECK(events_list_request(kApi, kCalendar, {}).url == full);
  CHECK(events_list_request(kApi, kCalendar, {"s=", "p"}).url == full + "&syncToken=s%3D&pageToken=p");
}

TEST_CASE("An insert mails nobody, brings its own id and names only what is set") {
  GoogleEventWrite write = timed_write();
  write.description = "";
  write.private_properties = {{"kalends", "card"}, {"old", std::nullopt}};
  HttpRequest request = event_insert_request(kApi, kCalendar, "k0abc", write);
  CHECK(request.method == "POST");
  CHECK(request.url == kCalendarPath + "/events?sendUpdates=none");
  CHECK(request.headers.get("Content-Type") == "application/json");
  CHECK(request.body ==
        R"({"end":{"dateTime":"2026-12-01T10:00:00","timeZone":"Europe/Berlin"},)"
        R"("extendedProperties":{"private":{"kalends":"card"}},"id":"k0abc",)"
        R"("start":{"dateTime":"2026-12-01T09:00:00","timeZone":"Europe/Berlin"},"summary":"Plan"})");
}

TEST_CASE("A patch names its etag, nulls what is cleared and leaves the rest alone") {
  GoogleEventWrite write;
  write.color_id = "";
  write.start = GoogleTime::all_day("2026-12-01");
  write.end = GoogleTime::all_day("2026-12-02");
  write.private_properties = {{"old", std::nullopt}};
  HttpRequest request = event_patch_request(kApi, kCalendar, "k0abc", "\"e1\"", write);
  CHECK(request.method == "PATCH");
  CHECK(request.url == kCalendarPath + "/events/k0abc?sendUpdates=none");
  CHECK(request.headers.get("If-Match") == "\"e1\"");
  CHECK(request.body == R"({"colorId":null,"end":{"date":"2026-12-02","dateTime":null,"timeZone":null},)"
                        R"("extendedProperties":{"private":{"old":null}},)"
                        R"("start":{"date":"2026-12-01","dateTime":null,"timeZone":null}})");
  CHECK(event_patch_request(kApi, kCalendar, "k", "", write).headers.find("If-Match") == nullptr);
}

TEST_CASE("A delete names its etag and mails nobody") {
  HttpRequest request = event_delete_request(kApi, kCalendar, "k0abc", "\"e1\"");
  CHECK(request.method == "DELETE");
  CHECK(request.url == kCalendarPath + "/events/k0abc?sendUpdates=none");
  CHECK(request.headers.get("If-Match") == "\"e1\"");
}

TEST_CASE("Channels and calendars are made with what Google asks for") {
  HttpRequest watch = events_watch_request(kApi, kCalendar, {"c1", "https://k.example/webhooks", "t1", 600});
  CHECK(watch.url == kCalendarPath + "/events/watch");
  CHECK(watch.body == R"({"address":"https://k.example/webhooks","id":"c1","params":{"ttl":"600"},)"
                      R"("token":"t1","type":"web_hook"})");
  HttpRequest stop = channel_stop_request(kApi, "c1", "r1");
  CHECK(stop.url == "https://www.googleapis.com/calendar/v3/channels/stop");
  CHECK(stop.body == R"({"id":"c1","resourceId":"r1"})");
  CHECK(calendar_insert_request(kApi, {"Board \"x\"", "", "Europe/Berlin"}).body ==
        R"({"summary":"Board \"x\"","timeZone":"Europe/Berlin"})");
}

constexpr std::string_view kEventBody = R"({
  "kind":"calendar#event","etag":"\"3376\"","id":"k0abc","status":"confirmed","htmlLink":"https://g/e",
  "created":"2026-11-01T00:00:00.000Z","updated":"2026-11-02T00:00:00.000Z","summary":"Plan","description":"d",
  "location":"l","colorId":"11","creator":{"email":"a@b"},"organizer":{"email":"x","self":true},
  "start":{"dateTime":"2026-12-01T09:00:00+01:00","timeZone":"Europe/Berlin"},
  "end":{"dateTime":"2026-12-01T10:00:00+01:00","timeZone":"Europe/Berlin"},
  "iCalUID":"k0abc@google.com","sequence":2,"transparency":"transparent",
  "extendedProperties":{"private":{"kalends":"card","odd":7}},"reminders":{"useDefault":true},
  "eventType":"default","somethingNew":{"deep":[1,2]}})";

TEST_CASE("An event is read with all that Kalends looks at") {
  GoogleEvent event = parse_event(kEventBody).value();
  CHECK(event.id == "k0abc");
  CHECK(event.etag == "\"3376\"");
  CHECK_FALSE(event.is_cancelled());
  CHECK(event.summary == "Plan");
  CHECK(event.description == "d");
  CHECK(event.location == "l");
  CHECK(event.color_id == "11");
  CHECK(event.sequence == 2);
  CHECK(event.is_organizer_self);
  CHECK(event.transparency == "transparent");
  CHECK(event.private_properties == std::map<std::string, std::string>{{"kalends", "card"}});
  REQUIRE(event.start);
  CHECK(event.start->time_zone == "Europe/Berlin");
  CHECK(event.start->date_time == "2026-12-01T09:00:00+01:00");
  CHECK(event.start->moment == GoogleMoment{{2026, 12, 1}, 9, 0, 0, 60});
  CHECK(event.start->moment->instant_ms() == 1'796'112'000'000);
  CHECK(event.end->moment->instant_ms() == 1'796'115'600'000);
  CHECK_FALSE(event.is_recurring());
}

TEST_CASE("The rest's hash changes with foreign fields only") {
  GoogleEvent event = parse_event(kEventBody).value();
  Json changed = Json::parse(kEventBody);
  changed["summary"] = "Other";
  changed["etag"] = "\"9\"";
  changed["updated"] = "2027-01-01T00:00:00.000Z";
  CHECK(parse_event(changed.dump()).value().rest_hash == event.rest_hash);
  changed["reminders"]["useDefault"] = false;
  CHECK(parse_event(changed.dump()).value().rest_hash != event.rest_hash);
}

TEST_CASE("Tombstones, untitled, recurring and special events are read as what they are") {
  auto page = parse_events_page(R"({"items":[
    {"id":"gone","status":"cancelled"},
    {"id":"untitled","start":{"date":"2026-12-24"},"end":{"date":"2026-12-25"},"summary":null,"colorId":null},
    {"id":"master","recurrence":["RRULE:FREQ=DAILY"],"start":{"date":"2026-12-24"}},
    {"id":"master_20261224","recurringEventId":"master","status":"cancelled"},
    {"id":"birthday","eventType":"birthday","status":"quantum","organizer":{"email":"z"},"start":{"date":"2026-02-30"}},
    {"summary":"no id"}, 7, null],
    "nextSyncToken":"s1","timeZone":"Europe/Berlin","accessRole":"owner","kind":"calendar#events"})")
                  .value();
  REQUIRE(page.events.size() == 5);
  CHECK(page.unreadable == 3);
  CHECK(page.is_last());
  CHECK(page.next_sync_token == "s1");
  CHECK(page.time_zone == "Europe/Berlin");
  CHECK(page.access_role == "owner");
  CHECK(page.events[0].is_cancelled());
  CHECK_FALSE(page.events[0].start);
  CHECK_FALSE(page.events[1].summary);
  CHECK(page.events[1].start->is_all_day());
  CHECK(page.events[1].start->day == GoogleDate{2026, 12, 24});
  CHECK(page.events[2].is_recurring());
  CHECK(page.events[3].is_recurring());
  CHECK(page.events[4].event_type == "birthday");
  CHECK_FALSE(page.events[4].is_organizer_self);
  CHECK_FALSE(page.events[4].start->is_readable());
  CHECK_FALSE(parse_events_page(R"({"items":[],"nextPageToken":"p"})").value().is_last());
}

TEST_CASE("An answer that is not what it claims to be is corrupt, never an empty calendar") {
  auto body =
      GENERATE("", "{", "[]", "{}", "null", "\"items\"", R"({"items":{}})", R"({"items":null})", "<html>");
  CAPTURE(body);
  CHECK(parse_events_page(body).error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(parse_event(body).ok());
  CHECK_FALSE(parse_channel(body).ok());
  CHECK_FALSE(parse_calendars_page(body).ok());
}

TEST_CASE("A NUL in a text is taken out, and an event with one in its id is unreadable") {
  auto event = parse_event(
      R"({"id":"k1","etag":"\"1\"","summary":"a\u0000b","description":"\u0000","location":"c\u0000"})");
  REQUIRE(event.ok());
  CHECK(event->summary == "ab");
  CHECK(event->description.empty());
  CHECK(event->location == "c");
  auto page = parse_events_page(R"({"items":[{"id":"k\u0000"},{"id":"k2","etag":"\"\u0000\""}]})");
  REQUIRE(page.ok());
  CHECK(page->unreadable == 1);
  REQUIRE(page->events.size() == 1);
  CHECK(page->events[0].etag == "\"\"");
}

TEST_CASE("Calendars and channels are read; an expiry may be text or number") {
  auto page =
      parse_calendars_page(R"({"items":[{"id":"me@x","summary":"Me","summaryOverride":"Mine","primary":true,
    "accessRole":"owner","timeZone":"Europe/Berlin","etag":"e"},{"id":"old","deleted":true}],"nextPageToken":"n"})")
          .value();
  CHECK(page.calendars ==
        std::vector<GoogleCalendar>{{"me@x", "e", "Mine", "Europe/Berlin", "owner", true, false},
                                    {"old", "", "", "", "", false, true}});
  CHECK(page.next_page_token == "n");
  CHECK(parse_calendar(R"({"id":"c","summary":"s"})").value().summary == "s");
  CHECK(parse_channel(R"({"id":"c","resourceId":"r","expiration":"1700000000000"})").value() ==
        GoogleChannel{"c", "r", 1'700'000'000'000});
  CHECK(parse_channel(R"({"id":"c","resourceId":"r","expiration":17})").value().expires_ms == 17);
}

TEST_CASE("RFC 3339 times are read in every spelling Google uses, and others are refused") {
  CHECK(parse_google_moment("1970-01-01T00:00:00Z")->instant_ms() == 0);
  CHECK(parse_google_moment("1970-01-01t00:00:00.123456z")->instant_ms() == 0);
  CHECK(parse_google_moment("1969-12-31T19:30:01-04:30")->instant_ms() == 1'000);
  CHECK_FALSE(parse_google_moment("2026-12-01T09:00:00")->instant_ms());
  CHECK(parse_google_moment("2016-12-31T23:59:60Z")->second == 59);
  CHECK(google_date_text(*parse_google_date("2028-02-29")) == "2028-02-29");
  auto text = GENERATE("", "2026-12-01", "2026-12-01 09:00:00Z", "2026-12-01T24:00:00Z",
                       "2026-12-01T09:60:00Z", "2026-12-01T09:00Z", "2026-02-29T09:00:00Z",
                       "2026-12-01T09:00:00+1:00", "2026-12-01T09:00:00Zx", "2026-12-01T09:00:00.Z",
                       "26-12-01T09:00:00Z", "2026-13-01T00:00:00Z");
  CAPTURE(text);
  CHECK_FALSE(parse_google_moment(text));
  CHECK_FALSE(parse_google_date("2026-12-01T"));
}

TEST_CASE("JSON deeper or larger than any answer of Google's is refused before it is parsed") {
  CHECK(parse_json(std::string(32, '[') + std::string(32, ']')).ok());
  CHECK_FALSE(parse_json(std::string(33, '[') + std::string(33, ']')).ok());
  CHECK(parse_json(R"({"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[["})").ok());
  CHECK_FALSE(parse_json("[1,2,3]", 6).ok());
}

}  // namespace
}  // namespace kalends
