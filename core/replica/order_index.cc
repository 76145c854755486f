// SPDX-License-Identifier: Apache-2.0
#include "core/replica/order_index.h"

namespace kalends {

void OrderIndex::rebuild(const Document& document) {
  rows_.clear();
  places_.clear();
  list_sizes_.clear();
  for (const auto& [id, entity] : document.entities) update(document, id);
}

void OrderIndex::update(const Document& document, const Id128& id) {
  const Entity* entity = document.find(id);
  if (!entity || !entity->is_created()) return remove(id);
  Place place{entity->type, {}};
  std::string rank;
  if (const auto* position = std::get_if<Position>(&entity->value(Field::kPosition))) {
    place.second = position->list;
    rank = position->rank;
  }
  auto old = places_.find(id);
  if (old != places_.end()) {
    if (old->second.first == place && old->second.second == rank) return;
    remove(id);
  }
  rows_[place].insert({rank, id});
  places_.emplace(id, std::pair(place, rank));
  if (entity->type == EntityType::kCard) ++list_sizes_[place.second];
}

const OrderIndex::Row& OrderIndex::row(const Place& place) const {
  static const Row kEmpty;
  auto it = rows_.find(place);
  return it == rows_.end() ? kEmpty : it->second;
}

void OrderIndex::remove(const Id128& id) {
  auto it = places_.find(id);
  if (it == places_.end()) return;
  const auto& [place, rank] = it->second;
  auto row = rows_.find(place);
  row->second.erase({rank, id});
  if (row->second.empty()) rows_.erase(row);
  if (place.first == EntityType::kCard && --list_sizes_[place.second] == 0) list_sizes_.erase(place.second);
  places_.erase(it);
}

}  // namespace kalends
