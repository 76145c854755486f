// SPDX-License-Identifier: Apache-2.0
// An event, or a page of them, as Google answers it: what was seen is stored and read again without a change,
// and what a write sends shows as what the same write would send again. Else two sides would correct each
// other for ever.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/mutate_json.h"
#include "worker/google/calendar_responses.h"
#include "worker/google/facet_mapping.h"

namespace kalends {
namespace {

void check(const GoogleEvent& event, const std::string& calendar_zone) {
  struct Shown {
    Details details;
    DoneMark mark;
  };
  for (Shown shown : {Shown{Details::kFull, DoneMark::kTitle},
                      {Details::kFull, DoneMark::kBoth},
                      {Details::kTitle, DoneMark::kColour},
                      {Details::kBusy, DoneMark::kNone}}) {
    LinkPolicy policy;
    policy.details = shown.details;
    policy.done_mark = shown.mark;
    ReadingContext context{policy, calendar_zone, "known", 1};
    Observation seen = observe(event, context);
    auto stored = decode_observation(encode_observation(seen));
    KALENDS_CHECK(stored.ok() && *stored == seen);
    if (seen.presence != EventPresence::kLive) continue;

    GoogleEventWrite write = to_event(seen.facet, policy);
    GoogleEvent written = event;
    written.summary = write.summary;
    written.color_id = write.color_id.value_or("");
    written.description = write.description.value_or("");
    written.location = write.location.value_or("");
    written.start = write.start;
    written.end = write.end;
    Observation back = observe(written, context);
    KALENDS_CHECK(back.presence == EventPresence::kLive);
    GoogleEventWrite again = to_event(back.facet, policy);
    KALENDS_CHECK(again.summary == write.summary && again.color_id == write.color_id);
    KALENDS_CHECK(again.description == write.description && again.location == write.location);
    KALENDS_CHECK(again.start == write.start && again.end == write.end);
  }
}

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view body = as_text({data, size});
  if (auto event = parse_event(body); event.ok()) check(*event, "Europe/Berlin");
  if (auto page = parse_events_page(body); page.ok())
    for (const GoogleEvent& event : page->events) check(event, page->time_zone);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_json(data, size, max_size, random);
}
