// SPDX-License-Identifier: Apache-2.0
#include "core/calendar/link_policy.h"

namespace kalends {
namespace {

constexpr uint8_t kPolicyFormat = 1;  // do not renumber

bool marks_title(const LinkPolicy& policy) {
  return policy.done_mark == DoneMark::kTitle || policy.done_mark == DoneMark::kBoth;
}
bool marks_colour(const LinkPolicy& policy) {
  return policy.done_mark == DoneMark::kColour || policy.done_mark == DoneMark::kBoth;
}

template <typename Enum>
Enum read_enum(Reader& in, Enum last) {
  uint8_t value = in.u8();
  if (value > static_cast<uint8_t>(last)) in.fail();
  return static_cast<Enum>(value);
}

}  // namespace

FacetMask LinkPolicy::mask() const {
  FacetMask mask;
  mask.add(FacetField::kDates);
  mask.add(FacetField::kColour);
  if (done_mark != DoneMark::kNone && !(details == Details::kBusy && done_mark == DoneMark::kTitle))
    mask.add(FacetField::kDone);
  if (details != Details::kBusy) mask.add(FacetField::kTitle);
  if (details == Details::kFull) {
    mask.add(FacetField::kDescription);
    mask.add(FacetField::kLocation);
  }
  return mask;
}

EventText render_marks(const EventFacet& facet, const LinkPolicy& policy) {
  EventText text{facet.title, facet.colour};
  if (policy.details == Details::kBusy)
    text.summary = std::string(kBusyTitle);
  else if (facet.is_done && marks_title(policy))
    text.summary = std::string(kDoneTitleMark) + facet.title;
  if (facet.is_done && marks_colour(policy)) text.colour = std::string(kDoneColour);
  return text;
}

void parse_marks(EventFacet& facet, const LinkPolicy& policy) {
  facet.is_done = false;
  bool title_decides = marks_title(policy) && policy.details != Details::kBusy;
  if (title_decides && facet.title.substr(0, kDoneTitleMark.size()) == kDoneTitleMark) {
    facet.title.erase(0, kDoneTitleMark.size());
    facet.is_done = true;
  }
  if (marks_colour(policy) && facet.colour == kDoneColour) {
    facet.colour.clear();
    if (!title_decides) facet.is_done = true;
  }
  if (marks_colour(policy) && facet.is_done) facet.colour.clear();
}

Bytes encode_policy(const LinkPolicy& policy) {
  Writer out;
  out.u8(kPolicyFormat);
  out.u8(static_cast<uint8_t>(policy.which));
  out.id(policy.which_id);
  out.u8(static_cast<uint8_t>(policy.done));
  out.id(policy.done_list);
  out.u8(static_cast<uint8_t>(policy.done_mark));
  out.zigzag(policy.duration_minutes);
  out.u8(static_cast<uint8_t>(policy.details));
  out.text(policy.time_zone);
  out.id(policy.inbox_list);
  out.u8(static_cast<uint8_t>(policy.on_event_deleted));
  for (FieldPolicy field : policy.fields) out.u8(static_cast<uint8_t>(field));
  return out.take();
}

Result<LinkPolicy> decode_policy(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kPolicyFormat)
    return Error{ErrorCode::kUnsupportedVersion, "The settings of this link were written by another version.",
                 0};
  LinkPolicy policy;
  policy.which = read_enum(in, WhichCards::kWithAssignee);
  policy.which_id = in.id();
  policy.done = read_enum(in, DoneMeans::kList);
  policy.done_list = in.id();
  policy.done_mark = read_enum(in, DoneMark::kNone);
  policy.duration_minutes = in.zigzag();
  policy.details = read_enum(in, Details::kBusy);
  policy.time_zone = std::string(in.text());
  policy.inbox_list = in.id();
  policy.on_event_deleted = read_enum(in, OnEventDeleted::kPutBack);
  for (FieldPolicy& field : policy.fields) field = read_enum(in, FieldPolicy::kLaterWins);
  if (!in.done()) return corrupt("The settings of this link are damaged.");
  return policy;
}

}  // namespace kalends
