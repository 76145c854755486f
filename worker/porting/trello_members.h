// SPDX-License-Identifier: Apache-2.0
// Which members of Trello's objects an import knows: those it uses, those whose loss it reports by name, and
// Trello's own bookkeeping (addresses, limits, badges), which means nothing elsewhere. Any other member is
// reported.
#pragma once

#include <cstdint>
#include <string_view>

#include "worker/google/json.h"

namespace kalends {

enum class TrelloThing : uint8_t {
  kBoard,
  kLabel,
  kMember,
  kList,
  kCustomField,
  kCard,
  kAttachment,
  kChecklist,
  kItem,
  kComment
};

std::string_view trello_thing_name(TrelloThing thing);
bool is_known_trello_member(TrelloThing thing, std::string_view name);

// Says nothing: null, false, 0, "", [] and {}.
bool is_empty_json(const Json& value);

}  // namespace kalends
