// SPDX-License-Identifier: Apache-2.0
#include "core/calendar/event_facet.h"

#include "core/model/value.h"

namespace kalends {

bool same(const EventFacet& a, const EventFacet& b, FacetField field) {
  switch (field) {
    case FacetField::kTitle:
      return a.title == b.title;
    case FacetField::kDone:
      return a.is_done == b.is_done;
    case FacetField::kDates:
      return a.start == b.start && a.end == b.end;
    case FacetField::kDescription:
      return a.description == b.description;
    case FacetField::kLocation:
      return a.location == b.location;
    case FacetField::kColour:
      return a.colour == b.colour;
  }
  return true;
}

void copy_field(EventFacet& target, const EventFacet& source, FacetField field) {
  switch (field) {
    case FacetField::kTitle:
      target.title = source.title;
      return;
    case FacetField::kDone:
      target.is_done = source.is_done;
      return;
    case FacetField::kDates:
      target.start = source.start;
      target.end = source.end;
      return;
    case FacetField::kDescription:
      target.description = source.description;
      return;
    case FacetField::kLocation:
      target.location = source.location;
      return;
    case FacetField::kColour:
      target.colour = source.colour;
      return;
  }
}

FacetMask differing(const EventFacet& a, const EventFacet& b, FacetMask mask) {
  FacetMask result;
  for (FacetField field : kFacetFields)
    if (mask.has(field) && !same(a, b, field)) result.add(field);
  return result;
}

std::string_view facet_field_name(FacetField field) {
  static constexpr std::string_view kNames[] = {"title",       "done",     "dates",
                                                "description", "location", "colour"};
  return kNames[static_cast<size_t>(field)];
}

void write_facet(Writer& out, const EventFacet& facet) {
  out.text(facet.title);
  out.u8(facet.is_done);
  write_value(out, facet.start);
  write_value(out, facet.end);
  out.text(facet.description);
  out.text(facet.location);
  out.text(facet.colour);
}

EventFacet read_facet(Reader& in) {
  EventFacet facet;
  auto when = [&] {
    Value value = read_value(in);
    const auto* found = std::get_if<When>(&value);
    if (!found) in.fail();
    return found ? *found : When{};
  };
  facet.title = std::string(in.text());
  facet.is_done = in.boolean();
  facet.start = when();
  facet.end = when();
  facet.description = std::string(in.text());
  facet.location = std::string(in.text());
  facet.colour = std::string(in.text());
  return facet;
}

}  // namespace kalends
