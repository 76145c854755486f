// SPDX-License-Identifier: Apache-2.0
#include "worker/google/facet_mapping.h"

#include <cstdlib>

#include "core/model/schema.h"
#include "worker/google/zones.h"

namespace kalends {
namespace {

std::string offset_text(int32_t seconds) {
  int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  auto two = [](int32_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return (seconds < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

GoogleTime to_google_time(const When& when, const LinkPolicy& policy) {
  if (when.is_all_day) return GoogleTime::all_day(to_text(when.date));
  // A floating time is shown in the board's zone; a zone that this machine does not know likewise.
  std::string zone = is_known_zone(when.zone)          ? when.zone
                     : is_known_zone(policy.time_zone) ? policy.time_zone
                                                       : "UTC";
  auto instant = to_instant(when.wall, zone, when.fold);
  WallTime shown{instant->seconds + instant->offset_seconds};  // moves out of a gap
  auto in_force = to_wall(instant->seconds, zone);
  if (in_force) shown = in_force->wall;
  int32_t offset = static_cast<int32_t>(shown.seconds - instant->seconds);
  // An offset with seconds cannot be written: the zone alone says it as exactly.
  return GoogleTime::timed(to_text(shown) + (offset % 60 == 0 ? offset_text(offset) : ""), zone);
}

std::optional<When> to_when(const GoogleTime& time, const std::string& calendar_zone) {
  if (time.day) return When::all_day(civil_date({time.day->year, time.day->month, time.day->day}));
  if (!time.moment) return std::nullopt;
  const GoogleMoment& moment = *time.moment;
  std::string zone = is_known_zone(time.time_zone)  ? time.time_zone
                     : is_known_zone(calendar_zone) ? calendar_zone
                                                    : "UTC";
  WallTime wall{int64_t{civil_date({moment.date.year, moment.date.month, moment.date.day}).days} * 86400 +
                moment.hour * 3600 + moment.minute * 60 + moment.second};
  if (!moment.offset_minutes) return When::timed(wall, zone);
  // An offset has no seconds, but zones had some before they had a standard time: then the wall time counts.
  for (Fold fold : {Fold::kFirst, Fold::kSecond}) {
    auto local = to_instant(wall, zone, fold);
    bool is_cut = local && local->offset_seconds % 60 != 0;
    if (is_cut && std::abs(local->offset_seconds - *moment.offset_minutes * 60) < 60)
      return When::timed(wall, zone, fold);
  }
  // The offset may be another zone's: Google renders in the calendar's zone or in the one that was asked for.
  auto in_zone = to_wall(wall.seconds - *moment.offset_minutes * 60, zone);
  return in_zone ? When::timed(in_zone->wall, zone, in_zone->fold) : When::timed(wall, zone);
}

// Between zones a start may be the later instant although its wall time is the earlier one. Google takes no
// such event: then, as with crossed dates, the end decides.
GoogleTime to_google_start(const EventFacet& facet, const LinkPolicy& policy) {
  GoogleTime start = to_google_time(facet.start, policy);
  GoogleTime end = to_google_time(facet.end, policy);
  auto instant = [](const GoogleTime& time) {
    auto when = time.day ? std::nullopt : to_when(time, {});
    return when ? to_instant(when->wall, when->zone, when->fold) : std::nullopt;
  };
  auto from = instant(start), to = instant(end);
  if (!from || !to || from->seconds <= to->seconds) return start;
  When earlier = facet.end;
  earlier.wall.seconds -= policy.duration_minutes * 60;
  earlier.fold = Fold::kFirst;
  return is_valid_when(earlier) ? to_google_time(earlier, policy) : end;
}

}  // namespace

std::string color_id_of(std::string_view colour) {
  auto names = colour_names();
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == colour) return std::to_string(i + 1);
  return {};
}

std::string colour_of(std::string_view color_id) {
  auto names = colour_names();
  for (size_t i = 0; i < names.size(); ++i)
    if (std::to_string(i + 1) == color_id) return std::string(names[i]);
  return {};
}

GoogleEventWrite to_event(const EventFacet& facet, const LinkPolicy& policy) {
  GoogleEventWrite write;
  EventText text = render_marks(facet, policy);
  write.summary = text.summary;
  if (std::string color = color_id_of(text.colour); !color.empty()) write.color_id = color;
  if (!facet.description.empty()) write.description = facet.description;
  if (!facet.location.empty()) write.location = facet.location;
  write.start = to_google_start(facet, policy);
  write.end = to_google_time(facet.end, policy);
  return write;
}

GoogleEventWrite to_event_patch(const EventFacet& facet, FacetMask fields, const LinkPolicy& policy) {
  GoogleEventWrite write;
  EventText text = render_marks(facet, policy);
  if (fields.has(FacetField::kTitle) || (fields.has(FacetField::kDone) && policy.details != Details::kBusy))
    write.summary = text.summary;
  if (fields.has(FacetField::kColour) || fields.has(FacetField::kDone))
    write.color_id = color_id_of(text.colour);
  if (fields.has(FacetField::kDescription)) write.description = facet.description;
  if (fields.has(FacetField::kLocation)) write.location = facet.location;
  // Written whole after the settings changed: what the event may no longer show goes.
  if (fields == policy.mask() && policy.details != Details::kFull) {
    write.description = "";
    write.location = "";
    write.summary = text.summary;
  }
  if (fields.has(FacetField::kDates)) {
    write.start = to_google_start(facet, policy);
    write.end = to_google_time(facet.end, policy);
  }
  return write;
}

Observation observe(const GoogleEvent& event, const ReadingContext& context) {
  Observation seen;
  seen.event_id = event.id;
  seen.etag = event.etag;
  seen.seen_ms = context.seen_ms;
  seen.facet.start = seen.facet.end = When::all_day({0});
  if (event.is_cancelled()) {
    seen.presence = EventPresence::kGone;
    return seen;
  }
  auto start = event.start ? to_when(*event.start, context.calendar_zone) : std::nullopt;
  auto end = event.end ? to_when(*event.end, context.calendar_zone) : std::nullopt;
  if (start && end && start->is_all_day && end->is_all_day && end->date <= start->date)
    end = When::all_day({start->date.days + 1});  // of the last of all days there is no next one
  bool is_managed = event.event_type == "default" && !event.is_recurring() && !event.is_locked && start &&
                    end && start->is_all_day == end->is_all_day && is_valid_when(*start) &&
                    is_valid_when(*end);
  if (!is_managed) {
    seen.presence = EventPresence::kUnmanaged;
    return seen;
  }
  seen.facet.start = *start;
  seen.facet.end = *end;
  seen.facet.title = event.summary.value_or(context.known_title);
  seen.facet.colour = colour_of(event.color_id);
  if (context.policy.details == Details::kFull) {
    seen.facet.description = event.description;
    seen.facet.location = event.location;
  }
  parse_marks(seen.facet, context.policy);
  if (context.policy.details == Details::kBusy) seen.facet.title.clear();
  return seen;
}

}  // namespace kalends
