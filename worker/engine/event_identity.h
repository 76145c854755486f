// SPDX-License-Identifier: Apache-2.0
// Identity without metadata: the id of a card's event can be computed, so a repeated insert finds the first
// one, and a marker in the event proves whose it is. A copy that a person makes in Google's page carries the
// marker too, but not the id that the marker speaks of: it is told from the original.
#pragma once

#include <optional>
#include <string>

#include "core/base/id.h"
#include "worker/google/event.h"
#include "worker/ports/secret_box.h"

namespace kalends {

inline constexpr std::string_view kMarkerName = "kalends";

struct EventIdentity {
  CardId card;
  uint64_t generation = 0;
};

class EventIdentities {
 public:
  EventIdentities(const SecretBox& secrets, std::string calendar_id)
      : secrets_(secrets), calendar_id_(std::move(calendar_id)) {}

  // 32 characters of Google's alphabet; each generation of a card has another.
  std::string event_id(const EventIdentity& identity) const;
  std::string marker(const EventIdentity& identity) const;
  // Whose event it is, if its marker is ours and was made for this very event.
  std::optional<EventIdentity> read(const GoogleEvent& event) const;
  // What the store finds an event by.
  Bytes event_key(std::string_view event_id) const;
  // The card that an event becomes which a person made: the same at every attempt.
  CardId adopted_card(std::string_view event_id) const;

 private:
  const SecretBox& secrets_;
  std::string calendar_id_;
};

}  // namespace kalends
