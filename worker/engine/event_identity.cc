// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/event_identity.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/wire/codec.h"
#include "worker/base/encoding.h"
#include "worker/crypto/hash.h"

namespace kalends {
namespace {

constexpr size_t kEventIdBytes = 20;
constexpr size_t kMacBytes = 15;

}  // namespace

std::string EventIdentities::event_id(const EventIdentity& identity) const {
  Writer input;
  input.id(identity.card.raw);
  input.text(calendar_id_);
  input.varint(identity.generation);
  Bytes hash = secrets_.keyed_hash("event id", input.view());
  return base32hex_encode(ByteView(hash).first(kEventIdBytes));
}

std::string EventIdentities::marker(const EventIdentity& identity) const {
  std::string text = to_hex(identity.card) + "." + std::to_string(identity.generation);
  Bytes mac =
      secrets_.keyed_hash("event marker", as_bytes(text + "." + event_id(identity) + "." + calendar_id_));
  return text + "." + base32hex_encode(ByteView(mac).first(kMacBytes));
}

std::optional<EventIdentity> EventIdentities::read(const GoogleEvent& event) const {
  auto it = event.private_properties.find(std::string(kMarkerName));
  if (it == event.private_properties.end() || it->second.size() < 34 || it->second[32] != '.')
    return std::nullopt;
  const std::string& text = it->second;
  auto card = id_from_hex(std::string_view(text).substr(0, 32));
  EventIdentity identity;
  auto [end, problem] = std::from_chars(text.data() + 33, text.data() + text.size(), identity.generation);
  if (!card || problem != std::errc()) return std::nullopt;
  identity.card.raw = *card;
  bool is_ours =
      equal_in_constant_time(as_bytes(text), as_bytes(marker(identity))) && event.id == event_id(identity);
  return is_ours ? std::optional(identity) : std::nullopt;
}

Bytes EventIdentities::event_key(std::string_view event_id) const {
  return secrets_.keyed_hash("event key", as_bytes(event_id));
}

CardId EventIdentities::adopted_card(std::string_view event_id) const {
  Writer input;
  input.text(calendar_id_);
  input.text(event_id);
  Bytes hash = secrets_.keyed_hash("adopted card", input.view());
  CardId card;
  std::memcpy(card.raw.bytes.data(), hash.data(), 16);
  return card;
}

}  // namespace kalends
