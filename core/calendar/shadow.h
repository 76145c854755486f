// SPDX-License-Identifier: Apache-2.0
// What the worker knows of a pair (card, event): what it last saw in the calendar, and what was last agreed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/calendar/event_facet.h"

namespace kalends {

enum class EventPresence : uint8_t {
  kLive = 0,
  kGone = 1,       // a tombstone, a 404 or 410 on it, or an absence confirmed by a complete listing
  kUnmanaged = 2,  // live, but of a kind that is left alone (recurring, a birthday, read-only)
};

// The last sight of an event.
struct Observation {
  EventPresence presence = EventPresence::kLive;
  std::string event_id;
  std::string etag;
  EventFacet facet;     // marks taken out; dates in the event's own zone
  int64_t seen_ms = 0;  // our clock, never Google's
  friend bool operator==(const Observation&, const Observation&) = default;
};

// The last agreement, both sides of it: a server may store a value in another form than it was given, and
// neither form must look like an edit.
struct Shadow {
  EventFacet ours;    // the card's projection at that time
  EventFacet theirs;  // what the event showed then
  friend bool operator==(const Shadow&, const Shadow&) = default;
};

Bytes encode_observation(const Observation& observation);
Result<Observation> decode_observation(ByteView bytes);
Bytes encode_shadow(const Shadow& shadow);
Result<Shadow> decode_shadow(ByteView bytes);

}  // namespace kalends
