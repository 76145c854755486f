// SPDX-License-Identifier: Apache-2.0
#include "core/model/interner.h"

#include <cstring>

namespace kalends {
namespace {

uint32_t hash_of(const Id128& id) {
  uint64_t low, high;
  std::memcpy(&low, id.bytes.data(), 8);
  std::memcpy(&high, id.bytes.data() + 8, 8);
  uint64_t mixed = (low ^ (high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
  mixed ^= mixed >> 32;
  return static_cast<uint32_t>(mixed * 0xD6E8FEB86659FD93ull >> 32);
}

}  // namespace

void IdTable::grow(size_t count) {
  size_t size = 16;
  while (size < count * 2) size *= 2;
  places_.assign(size, 0);
  mask_ = static_cast<uint32_t>(size - 1);
  for (IdRef ref = 1; ref < ids_.size(); ++ref) {
    uint32_t at = hash_of(ids_[ref]) & mask_;
    while (places_[at] != 0) at = (at + 1) & mask_;
    places_[at] = ref;
  }
}

void IdTable::reserve(size_t count) {
  ids_.reserve(count + 1);
  if (count * 2 > places_.size()) grow(count);
}

IdRef IdTable::find(const Id128& id) const {
  if (places_.empty()) return 0;
  for (uint32_t at = hash_of(id) & mask_; places_[at] != 0; at = (at + 1) & mask_)
    if (ids_[places_[at]] == id) return places_[at];
  return 0;
}

IdRef IdTable::intern(const Id128& id) {
  if (ids_.size() * 2 >= places_.size()) grow(ids_.size() * 2);
  uint32_t at = hash_of(id) & mask_;
  for (; places_[at] != 0; at = (at + 1) & mask_)
    if (ids_[places_[at]] == id) return places_[at];
  if (id.is_nil()) return 0;
  auto ref = static_cast<IdRef>(ids_.size());
  ids_.push_back(id);
  places_[at] = ref;
  return ref;
}

uint32_t Interner::add_replica(IdRef id) {
  if (id == 0) return 0;
  if (replica_of.size() <= id) replica_of.resize(ids.size());
  replica_of[id] = static_cast<uint32_t>(replica_ids.size());
  replica_ids.push_back(ids[id]);
  replica_refs.push_back(id);
  return replica_of[id];
}

}  // namespace kalends
