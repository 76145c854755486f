// SPDX-License-Identifier: Apache-2.0
#include "core/replica/order_index.h"

#include <algorithm>

#include "core/base/sort.h"

namespace kalends {
namespace {

uint64_t head_of(const char* rank, uint32_t size) {
  uint64_t head = 0;
  for (uint32_t i = 0; i < 8; ++i) head = head << 8 | (i < size ? static_cast<uint8_t>(rank[i]) : 0);
  return head;
}

}  // namespace

void OrderIndex::reset() { *this = OrderIndex(); }

bool OrderIndex::less(const Document& document, uint32_t a, uint32_t b) const {
  std::string_view left(placed_[a].rank, placed_[a].rank_size);
  std::string_view right(placed_[b].rank, placed_[b].rank_size);
  if (int order = left.compare(right); order != 0) return order < 0;
  return document.names.ids[document.entities[a].id] < document.names.ids[document.entities[b].id];
}

uint32_t OrderIndex::row_for(Document& document, const EntityRecord& record, const StoredPlace* place) {
  uint32_t* entry;
  IdRef list = place ? place->list : 0;
  if (record.type == EntityType::kCard) {
    if (shelf_of_list_.size() <= list) shelf_of_list_.resize(document.names.ids.size());
    entry = &shelf_of_list_[list];
  } else {
    entry = &shelf_of_type_[static_cast<size_t>(record.type)];
  }
  if (*entry == 0) {
    shelves_.emplace_back();
    list_of_shelf_.push_back(record.type == EntityType::kCard ? list : 0);
    *entry = static_cast<uint32_t>(shelves_.size());
  }
  return *entry - 1;
}

// Marks what moved; nothing is sorted yet.
void OrderIndex::refresh(Document& document) {
  document.warm_all();
  if (is_new_) {
    document.moved.clear();
    for (uint32_t slot = 0; slot < document.entities.size(); ++slot)
      if (document.entities[slot].child.is_nil()) document.moved.push_back(slot);
    is_new_ = false;
  }
  if (document.moved.empty()) return;
  if (placed_.size() < document.entities.size()) placed_.resize(document.entities.size());
  for (uint32_t slot : document.moved) {
    if (slot >= document.entities.size()) continue;
    const EntityRecord& record = document.entities[slot];
    if (!record.child.is_nil() || !record.is_created()) continue;
    Placed& placed = placed_[slot];
    auto mark = [&](uint32_t shelf) { shelves_[shelf].pending.push_back(slot); };
    uint32_t row = row_for(document, record, Entity(document, slot).place());
    if (placed.row != kNoRow) mark(placed.row);
    if (placed.row != row) mark(row);
  }
  document.moved.clear();
}

void OrderIndex::settle(Document& document, Shelf& shelf, uint32_t index) {
  if (shelf.pending.empty()) return;
  Row& row = shelf.row;
  auto before = [&](const Entry& a, const Entry& b) { return stands_before(document, a, b); };
  auto belongs = [&](uint32_t slot, const StoredPlace*& place) {
    const EntityRecord& record = document.entities[slot];
    if (!record.is_created()) return false;
    place = Entity(document, slot).place();
    return row_for(document, record, place) == index;
  };
  auto take_place = [&](uint32_t slot, const StoredPlace* place) {
    placed_[slot].row = index;
    placed_[slot].rank = place ? place->rank : nullptr;
    placed_[slot].rank_size = place ? place->rank_size : 0;
    return Entry{head_of(placed_[slot].rank, placed_[slot].rank_size), slot};
  };
  if (shelf.pending.size() <= 8) {
    for (uint32_t slot : shelf.pending) {
      if (placed_[slot].row == index) {
        Entry old{head_of(placed_[slot].rank, placed_[slot].rank_size), slot};
        auto at = std::lower_bound(row.begin(), row.end(), old, before);
        if (at != row.end() && at->slot == slot) row.erase(at);
        placed_[slot].row = kNoRow;
      }
      const StoredPlace* place = nullptr;
      // It may stand on another shelf, whose turn to let it go has not come.
      if (!belongs(slot, place)) continue;
      if (placed_[slot].row != kNoRow) release(document, slot);
      Entry entry = take_place(slot, place);
      row.insert(std::lower_bound(row.begin(), row.end(), entry, before), entry);
    }
    shelf.pending.clear();
    return;
  }
  for (uint32_t slot : shelf.pending) placed_[slot].is_pending = true;
  row.erase(std::remove_if(row.begin(), row.end(), [&](const Entry& entry) { return placed_[entry.slot].is_pending; }),
            row.end());
  for (uint32_t slot : shelf.pending) {
    if (!placed_[slot].is_pending) continue;  // named twice
    placed_[slot].is_pending = false;
    if (placed_[slot].row == index) placed_[slot].row = kNoRow;
    const StoredPlace* place = nullptr;
    if (!belongs(slot, place)) continue;
    if (placed_[slot].row != kNoRow) release(document, slot);
    row.push_back(take_place(slot, place));
  }
  shelf.pending.clear();
  sort(row, before);
}

// Takes a slot from the shelf where it stood.
void OrderIndex::release(Document& document, uint32_t slot) {
  Row& row = shelves_[placed_[slot].row].row;
  Entry old{head_of(placed_[slot].rank, placed_[slot].rank_size), slot};
  auto at = std::lower_bound(row.begin(), row.end(), old,
                             [&](const Entry& a, const Entry& b) { return stands_before(document, a, b); });
  if (at != row.end() && at->slot == slot) row.erase(at);
  placed_[slot].row = kNoRow;
}

const OrderIndex::Row& OrderIndex::cards(Document& document, IdRef list) {
  static const Row kEmpty;
  refresh(document);
  if (list >= shelf_of_list_.size() || shelf_of_list_[list] == 0) return kEmpty;
  uint32_t index = shelf_of_list_[list] - 1;
  settle(document, shelves_[index], index);
  return shelves_[index].row;
}

const OrderIndex::Row& OrderIndex::of(Document& document, EntityType type) {
  static const Row kEmpty;
  refresh(document);
  uint32_t shelf = shelf_of_type_[static_cast<size_t>(type)];
  if (shelf == 0) return kEmpty;
  settle(document, shelves_[shelf - 1], shelf - 1);
  return shelves_[shelf - 1].row;
}

std::vector<IdRef> OrderIndex::lists_with_cards(Document& document) {
  refresh(document);
  std::vector<IdRef> lists;
  for (IdRef list = 0; list < shelf_of_list_.size(); ++list)
    if (shelf_of_list_[list] != 0 && !cards(document, list).empty()) lists.push_back(list);
  sort(lists, [&](IdRef a, IdRef b) { return document.names.ids[a] < document.names.ids[b]; });
  return lists;
}

size_t OrderIndex::place_in(Document& document, const Row& row, uint32_t slot) const {
  if (slot >= placed_.size() || placed_[slot].row == kNoRow) return kNowhere;
  Entry entry{head_of(placed_[slot].rank, placed_[slot].rank_size), slot};
  auto at = std::lower_bound(row.begin(), row.end(), entry,
                             [&](const Entry& a, const Entry& b) { return stands_before(document, a, b); });
  return at != row.end() && at->slot == slot ? static_cast<size_t>(at - row.begin()) : kNowhere;
}

}  // namespace kalends
