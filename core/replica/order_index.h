// SPDX-License-Identifier: Apache-2.0
// Who stands before whom: cards by list, lists, labels and other entities by kind, ordered by rank. Derived from the
// document when somebody asks: what moved since the last question is put into its place then.
#pragma once

#include <string_view>
#include <vector>

#include "core/model/document.h"
#include "core/model/rank.h"

namespace kalends {

class OrderIndex {
 public:
  struct Entry {
    uint64_t head;  // the first bytes of the rank: most comparisons end there
    uint32_t slot;
  };
  using Row = std::vector<Entry>;

  // Cards of a list, deleted and archived ones included.
  const Row& cards(Document& document, IdRef list);
  // Entities of another kind, deleted ones included.
  const Row& of(Document& document, EntityType type);
  // The lists that hold at least one card, whether or not they were created; in the order of ids.
  std::vector<IdRef> lists_with_cards(Document& document);

  // Where this copy goes on in a row that `cards` or `of` gave: it must have been asked for before.
  RankRun& run_of_list(IdRef list) { return shelf_or_spare(list < shelf_of_list_.size() ? shelf_of_list_[list] : 0); }
  RankRun& run_of_type(EntityType type) { return shelf_or_spare(shelf_of_type_[static_cast<size_t>(type)]); }

  // Index in a row; kNowhere when it does not stand there.
  static constexpr size_t kNowhere = SIZE_MAX;
  size_t place_in(Document& document, const Row& row, uint32_t slot) const;

  // Forgets everything: the next question looks at the whole document.
  void reset();

 private:
  static constexpr uint32_t kNoRow = UINT32_MAX;
  struct Placed {
    uint32_t row = kNoRow;
    const char* rank = nullptr;
    uint32_t rank_size = 0;
    bool is_pending = false;
  };
  struct Shelf {
    Row row;
    std::vector<uint32_t> pending;
    RankRun run;
  };
  RankRun& shelf_or_spare(uint32_t shelf) { return shelf == 0 ? spare_run_ = {} : shelves_[shelf - 1].run; }

  void refresh(Document& document);
  void settle(Document& document, Shelf& shelf, uint32_t index);
  void release(Document& document, uint32_t slot);
  uint32_t row_for(Document& document, const EntityRecord& record, const StoredPlace* place);
  bool less(const Document& document, uint32_t a, uint32_t b) const;
  bool stands_before(const Document& document, const Entry& a, const Entry& b) const {
    return a.head != b.head ? a.head < b.head : less(document, a.slot, b.slot);
  }

  std::vector<Shelf> shelves_;
  std::vector<uint32_t> shelf_of_list_;  // by IdRef: shelf + 1
  std::vector<IdRef> list_of_shelf_;     // 0: not of a list
  uint32_t shelf_of_type_[static_cast<size_t>(kLastEntityType) + 1] = {};
  std::vector<Placed> placed_;  // by slot
  RankRun spare_run_;  // for a row where nothing stands
  bool is_new_ = true;
};

}  // namespace kalends
