// SPDX-License-Identifier: Apache-2.0
// The life of an event: made, changed, cancelled, brought back, moved; with the copies in guests' calendars
// and the exceptions of series. API methods and persons in the page go through these same functions.
#pragma once

#include <string>

#include "tests/emulator/event_rules.h"
#include "tests/emulator/world.h"

namespace kalends::emulator {

struct Author {
  Actor actor = Actor::kApi;
  std::string mail;
};

// Makes an event from a client's body (which may carry an id). Throws 400 and 409.
EventRecord& insert_event(World& world, Calendar& calendar, Json body, const Author& author,
                          const WriteOptions& options);

// Makes or, by the same iCalUID, replaces a private copy.
EventRecord& import_event(World& world, Calendar& calendar, Json body, const Author& author,
                          const WriteOptions& options);

// Replaces what `before` was by `after` (already merged for a patch). `before` may be a computed instance,
// which becomes a stored exception. Nothing is committed when nothing changed; the answer is then `before`
// itself.
EventRecord change_event(World& world, Calendar& calendar, const EventRecord& before, Json after,
                         const Author& author, const WriteOptions& options);

// Requires: not cancelled already.
void cancel_event(World& world, Calendar& calendar, const EventRecord& before, const Author& author);

// A tombstone in `source`, the same id in `target`.
EventRecord& move_event(World& world, Calendar& source, Calendar& target, const EventRecord& before,
                        const Author& author);

std::string make_event_id(World& world, const Calendar& calendar);

}  // namespace kalends::emulator
