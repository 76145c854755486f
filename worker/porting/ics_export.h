// SPDX-License-Identifier: Apache-2.0
// A board's dated cards as an iCalendar file (RFC 5545): one VEVENT per card, as a linked calendar shows it.
#pragma once

#include <string>
#include <string_view>

#include "core/calendar/link_policy.h"
#include "worker/porting/board_rows.h"

namespace kalends {

struct IcsOptions {
  int64_t now_ms = 0;  // stamped on every event, as the format demands
  LinkPolicy policy;   // which cards, how "done" shows, the length of an event whose card has one date
  Names labels;        // become categories
};

// Archived cards have no event. A card's UID is the same in every export of every board that it moves to.
std::string export_ics(const Replica& board, const IcsOptions& options);

// Parts of the format, for tests: a content line cut into pieces of at most 75 octets, never inside a
// character, each ended by CRLF; and a text value with its special characters escaped and control characters
// left out.
std::string folded_ics_line(std::string_view line);
std::string escaped_ics_text(std::string_view text);

}  // namespace kalends
