// SPDX-License-Identifier: Apache-2.0
#include "worker/google/facet_mapping.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

EventFacet meeting(std::string start, std::string end, const std::string& zone) {
  EventFacet facet;
  facet.title = "Meeting";
  facet.start = When::timed(*parse_wall_time(start), zone);
  facet.end = When::timed(*parse_wall_time(end), zone);
  return facet;
}

EventFacet seen(const GoogleEventWrite& write) {
  GoogleEvent event;
  event.id = "k1";
  event.summary = write.summary;
  event.start = write.start;
  event.end = write.end;
  return observe(event, {LinkPolicy{}, "UTC", "", 0}).facet;
}

TEST_CASE("Times from before a zone had whole minutes keep their seconds on the way to an event and back") {
  // Liberia was 44 minutes and 30 seconds behind until January 1972, Berlin 53:28 ahead until April 1893.
  for (const char* zone : {"Africa/Monrovia", "Europe/Berlin"}) {
    EventFacet facet = meeting("1850-12-01T09:00:00", "1850-12-01T10:00:00", zone);
    GoogleEventWrite write = to_event(facet, {});
    CHECK(write.start->date_time == "1850-12-01T09:00:00");
    CHECK(write.start->time_zone == zone);
    CHECK(seen(write).start == facet.start);
    CHECK(seen(write).end == facet.end);
  }
}

TEST_CASE("An offset that was cut to minutes is that of the zone") {
  GoogleEventWrite shown;
  shown.start = GoogleTime::timed("1850-12-01T09:00:00+00:53", "Europe/Berlin");
  shown.end = GoogleTime::timed("1850-12-01T09:00:00Z", "Europe/Berlin");
  CHECK(seen(shown).start.wall == *parse_wall_time("1850-12-01T09:00:00"));
  CHECK(seen(shown).end.wall == *parse_wall_time("1850-12-01T09:53:28"));
}

TEST_CASE("An event whose dates cross in the first hour of all dates begins where it ends") {
  EventFacet facet = meeting("2026-12-01T09:00:00", "0001-01-01T00:30:00", "UTC");
  CHECK(seen(to_event(facet, {})).start == facet.end);
}

TEST_CASE("An event of the last of all days, which has no end that is a date, is left alone") {
  GoogleEvent event;
  event.id = "k1";
  event.start = event.end = GoogleTime::all_day("9999-12-31");
  Observation observation = observe(event, {LinkPolicy{}, "UTC", "", 0});
  CHECK(observation.presence == EventPresence::kUnmanaged);
  CHECK(decode_observation(encode_observation(observation)).ok());
}

}  // namespace
}  // namespace kalends
