// SPDX-License-Identifier: Apache-2.0
// What a card and an event share: the fields that Kalends owns in an event. Everything else in an event is
// foreign and survives untouched.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/time/wall_time.h"
#include "core/wire/codec.h"

namespace kalends {

struct EventFacet {
  std::string title;  // without the mark that shows "done"
  bool is_done = false;
  When start;  // both all-day or both timed
  When end;    // exclusive: a one-day all-day event ends on the next date
  std::string description;
  std::string location;
  std::string colour;  // a name of the palette, or empty for the calendar's own
  friend bool operator==(const EventFacet&, const EventFacet&) = default;
};

enum class FacetField : uint8_t {
  kTitle = 0,
  kDone = 1,
  kDates = 2,
  kDescription = 3,
  kLocation = 4,
  kColour = 5
};
inline constexpr std::array kFacetFields = {FacetField::kTitle,    FacetField::kDone,
                                            FacetField::kDates,    FacetField::kDescription,
                                            FacetField::kLocation, FacetField::kColour};

// A set of facet fields.
struct FacetMask {
  uint8_t bits = 0;
  bool has(FacetField field) const { return bits >> static_cast<int>(field) & 1; }
  void add(FacetField field) { bits = static_cast<uint8_t>(bits | 1 << static_cast<int>(field)); }
  bool empty() const { return bits == 0; }
  friend bool operator==(const FacetMask&, const FacetMask&) = default;
};

bool same(const EventFacet& a, const EventFacet& b, FacetField field);
void copy_field(EventFacet& target, const EventFacet& source, FacetField field);
// Fields of `mask` in which the two differ.
FacetMask differing(const EventFacet& a, const EventFacet& b, FacetMask mask);
std::string_view facet_field_name(FacetField field);

void write_facet(Writer& out, const EventFacet& facet);
EventFacet read_facet(Reader& in);

}  // namespace kalends
