// SPDX-License-Identifier: Apache-2.0
// The lists and cards of a board as a person sees them: what is alive and lives here, in order.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/replica/replica.h"

namespace kalends {

struct CardRow {
  Id128 id;
  Entity card;
};

// A list is shown when it is alive or still holds a card: no card is ever out of sight.
struct ListRow {
  Id128 id;
  Entity list;  // none: cards stand in a list that was never made
  std::vector<CardRow> cards;
  std::string title() const { return list ? list->text_value(Field::kTitle) : std::string(); }
};

// Lives as long as `board` is not changed.
std::vector<ListRow> board_rows(const Replica& board);

// Names for the ids that a board holds; an id without a name is left out or shown as hexadecimal digits.
using Names = std::map<Id128, std::string>;
// Of the labels of a workspace document that are alive.
Names label_names(const Document& workspace);

// For a sentence, "2026-12-01 09:00", of an instant in seconds since 1970; in UTC where the zone is unknown.
std::string moment_text(int64_t instant_seconds, std::string_view zone);

}  // namespace kalends
