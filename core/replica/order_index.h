// SPDX-License-Identifier: Apache-2.0
// Who stands before whom: cards by list, lists, labels and other entities by kind, ordered by rank. Derived
// from the document; kept up to date entity by entity, so that an insertion does not read the whole board.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/model/document.h"

namespace kalends {

class OrderIndex {
 public:
  // (rank, id): ranks may tie, ids cannot.
  using Row = std::set<std::pair<std::string, Id128>>;

  void rebuild(const Document& document);
  void update(const Document& document, const Id128& entity);

  // Cards of a list, deleted and archived ones included.
  const Row& cards(const Id128& list) const { return row({EntityType::kCard, list}); }
  // Entities of another kind, deleted ones included.
  const Row& of(EntityType type) const { return row({type, {}}); }
  // The lists that hold at least one card, whether or not they were created.
  const std::map<Id128, size_t>& list_sizes() const { return list_sizes_; }

 private:
  using Place = std::pair<EntityType, Id128>;
  const Row& row(const Place& place) const;
  void remove(const Id128& entity);

  std::map<Place, Row> rows_;
  std::map<Id128, std::pair<Place, std::string>> places_;
  std::map<Id128, size_t> list_sizes_;
};

}  // namespace kalends
