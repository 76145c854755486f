// SPDX-License-Identifier: Apache-2.0
#include "core/calendar/shadow.h"

namespace kalends {
namespace {

constexpr uint8_t kFormat = 1;  // of both; do not renumber

}  // namespace

Bytes encode_observation(const Observation& observation) {
  Writer out;
  out.u8(kFormat);
  out.u8(static_cast<uint8_t>(observation.presence));
  out.text(observation.event_id);
  out.text(observation.etag);
  write_facet(out, observation.facet);
  out.zigzag(observation.seen_ms);
  return out.take();
}

Result<Observation> decode_observation(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kFormat) in.fail();
  Observation observation;
  uint8_t presence = in.u8();
  if (presence > static_cast<uint8_t>(EventPresence::kUnmanaged)) in.fail();
  observation.presence = static_cast<EventPresence>(presence);
  observation.event_id = std::string(in.text());
  observation.etag = std::string(in.text());
  observation.facet = read_facet(in);
  observation.seen_ms = in.zigzag();
  if (!in.done()) return corrupt("A stored observation is damaged.");
  return observation;
}

Bytes encode_shadow(const Shadow& shadow) {
  Writer out;
  out.u8(kFormat);
  write_facet(out, shadow.ours);
  write_facet(out, shadow.theirs);
  return out.take();
}

Result<Shadow> decode_shadow(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kFormat) in.fail();
  Shadow shadow;
  shadow.ours = read_facet(in);
  shadow.theirs = read_facet(in);
  if (!in.done()) return corrupt("A stored shadow is damaged.");
  return shadow;
}

}  // namespace kalends
