// SPDX-License-Identifier: Apache-2.0
// How a board's link to a calendar behaves: which cards have events, what an event shows, who wins.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/id.h"
#include "core/base/result.h"
#include "core/calendar/event_facet.h"

namespace kalends {

enum class WhichCards : uint8_t { kAllDated = 0, kWithLabel = 1, kWithAssignee = 2 };
enum class DoneMeans : uint8_t { kFlag = 0, kList = 1 };
enum class DoneMark : uint8_t { kTitle = 0, kColour = 1, kBoth = 2, kNone = 3 };
enum class Details : uint8_t { kFull = 0, kTitle = 1, kBusy = 2 };
enum class OnEventDeleted : uint8_t { kUnschedule = 0, kArchive = 1, kPutBack = 2 };
enum class FieldPolicy : uint8_t { kPreferCard = 0, kPreferEvent = 1, kLaterWins = 2 };

struct LinkPolicy {
  WhichCards which = WhichCards::kAllDated;
  Id128 which_id;  // the label or the assignee
  DoneMeans done = DoneMeans::kFlag;
  Id128 done_list;  // when done means a list
  DoneMark done_mark = DoneMark::kTitle;
  int64_t duration_minutes = 60;  // of an event whose card has one date only
  Details details = Details::kFull;
  std::string time_zone = "UTC";  // the board's: for events without a zone of their own
  Id128 inbox_list;               // receives events that people make; nil: they are left alone
  OnEventDeleted on_event_deleted = OnEventDeleted::kUnschedule;
  std::array<FieldPolicy, kFacetFields.size()> fields{};  // all kPreferCard

  // The fields that are compared and written under this policy.
  FacetMask mask() const;
};

Bytes encode_policy(const LinkPolicy& policy);
Result<LinkPolicy> decode_policy(ByteView bytes);

// The mark that shows "done" in an event's title, and that a person sets there to mark the card done.
inline constexpr std::string_view kDoneTitleMark = "\xE2\x9C\x93 ";  // "✓ "
inline constexpr std::string_view kDoneColour = "graphite";
inline constexpr std::string_view kBusyTitle = "Busy";

// What an event shows, as text: the facet with the marks of the policy.
struct EventText {
  std::string summary;
  std::string colour;
};
EventText render_marks(const EventFacet& facet, const LinkPolicy& policy);
// The other way: takes the marks out of `facet.title` and `facet.colour`.
void parse_marks(EventFacet& facet, const LinkPolicy& policy);

}  // namespace kalends
