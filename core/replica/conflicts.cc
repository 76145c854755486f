// SPDX-License-Identifier: Apache-2.0
#include "core/replica/conflicts.h"

#include <algorithm>

#include "core/base/sort.h"

namespace kalends {
namespace {

class Collecting {
 public:
  Collecting(const Entity& entity, std::vector<Conflict>& conflicts)
      : document_(entity.document()), entity_(entity), conflicts_(conflicts) {}

  void run() {
    if (!entity_.is_live()) return;
    collect_values();
    collect_text();
    collect_deletion();
    collect_dates();
  }

 private:
  // Two places differ to a person when the list differs; an order within one list is not worth a question.
  static bool is_same_to_a_person(const Stored& a, const Stored& b) {
    if (a.kind == ValueKind::kPosition && b.kind == ValueKind::kPosition)
      return a.place->list == b.place->list && a.place->parent == b.place->parent;
    return same(a, b);
  }

  bool merges_as(Merge merge, Field field) const {
    const FieldSpec* spec = find_field(entity_.type(), field);
    return spec && spec->merge == merge;
  }

  ConflictValue shown(const Cell& cell, bool is_winner) const {
    return {document_.names.op_id(cell.op), unstore(document_.names, cell.value),
            MemberId{document_.names.ids[cell.author]}, cell.stamp.ms(), is_winner};
  }

  Conflict& open(ConflictKind kind, Field field, IdRef key = 0) {
    conflicts_.push_back({kind, entity_.child(), entity_.type(), field, document_.names.ids[key], {}});
    return conflicts_.back();
  }

  void collect_values() {
    const auto& cells = entity_.record().cells;
    // Most registers hold one value: nothing to sort, nothing to say.
    std::vector<const Cell*> open_cells;
    for (const Cell* a = cells.begin(); a != cells.end(); ++a) {
      // The hub decides where a card lives; fields that only a newer version knows are its to decide.
      if (a->is_add || a->field == Field::kHome || !merges_as(Merge::kRegister, a->field)) continue;
      for (const Cell* b = cells.begin(); b != cells.end(); ++b)
        if (a != b && a->field == b->field && a->key == b->key && !b->is_add) {
          open_cells.push_back(a);
          break;
        }
    }
    if (open_cells.empty()) return;
    sort(open_cells, [&](const Cell* a, const Cell* b) {
      if (a->field != b->field) return a->field < b->field;
      if (a->key != b->key) return document_.names.ids[a->key] < document_.names.ids[b->key];
      return wins(document_, *a, *b);
    });
    for (size_t begin = 0; begin < open_cells.size();) {
      size_t end = begin;
      std::vector<const Cell*> different;
      for (; end < open_cells.size() && open_cells[end]->field == open_cells[begin]->field &&
             open_cells[end]->key == open_cells[begin]->key;
           ++end) {
        bool is_new = std::none_of(different.begin(), different.end(), [&](const Cell* kept) {
          return is_same_to_a_person(kept->value, open_cells[end]->value);
        });
        if (is_new) different.push_back(open_cells[end]);
      }
      if (different.size() > 1) {
        Conflict& conflict = open(ConflictKind::kValue, different[0]->field, different[0]->key);
        for (const Cell* cell : different) conflict.values.push_back(shown(*cell, conflict.values.empty()));
      }
      begin = end;
    }
  }

  void collect_text() {
    std::vector<const Cell*> offers;
    for (const Cell& cell : entity_.record().cells)
      if (cell.is_offer && (cell.value.kind == ValueKind::kText || cell.is_redacted) &&
          merges_as(Merge::kText, cell.field))
        offers.push_back(&cell);
    if (offers.empty()) return;
    sort(offers, [&](const Cell* a, const Cell* b) { return wins(document_, *a, *b); });
    Conflict& conflict = open(ConflictKind::kText, offers[0]->field);
    conflict.values.push_back({OpId{}, entity_.text(), entity_.creator(), entity_.created_at().ms(), true});
    for (const Cell* offer : offers) conflict.values.push_back(shown(*offer, false));
  }

  void collect_deletion() {
    if (!entity_.has_open_deletion()) return;
    std::vector<const Deletion*> deletions;
    for (const Deletion& deletion : entity_.rarities().deletions) deletions.push_back(&deletion);
    const ReplicaOrder order = document_.names.order();
    sort(deletions, [&](const Deletion* a, const Deletion* b) { return order.less(a->op, b->op); });
    Conflict& conflict = open(ConflictKind::kDeletion, Field::kTitle);
    for (const Deletion* deletion : deletions)
      conflict.values.push_back({document_.names.op_id(deletion->op), std::monostate{},
                                 MemberId{document_.names.ids[deletion->author]}, deletion->stamp.ms(), false});
  }

  void collect_dates() {
    const Cell* start = entity_.winner_cell(Field::kStart);
    const Cell* due = entity_.winner_cell(Field::kDue);
    bool are_both = start && due && start->value.kind == ValueKind::kWhen && due->value.kind == ValueKind::kWhen;
    if (!are_both || !is_start_after_due(unstore_when(*start->value.when), unstore_when(*due->value.when))) return;
    Conflict& conflict = open(ConflictKind::kDates, Field::kDue);
    conflict.values.push_back(shown(*start, true));
    conflict.values.push_back(shown(*due, true));
  }

  const Document& document_;
  const Entity& entity_;
  std::vector<Conflict>& conflicts_;
};

bool may_be_open(const Document& document, const EntityRecord& record) {
  if (record.rarities != kNoSlot && !document.rarities[record.rarities]->deletions.empty()) return true;
  uint64_t seen = 0;
  const StoredWhen* start = nullptr;
  const StoredWhen* due = nullptr;
  for (const Cell* cell = record.cells.begin(); cell != record.cells.end(); ++cell) {
    if (cell->is_add || cell->field == Field::kHome) continue;
    if (cell->is_offer) return true;
    if (cell->key != 0) {
      for (const Cell* other = record.cells.begin(); other != cell; ++other)
        if (!other->is_add && other->field == cell->field && other->key == cell->key) return true;
      continue;
    }
    uint64_t bit = uint64_t{1} << (static_cast<uint32_t>(cell->field) % 64);
    if ((seen & bit) != 0) return true;
    seen |= bit;
    if (cell->value.kind != ValueKind::kWhen) continue;
    if (cell->field == Field::kStart) start = cell->value.when;
    if (cell->field == Field::kDue) due = cell->value.when;
  }
  return start && due && is_start_after_due(unstore_when(*start), unstore_when(*due));
}

}  // namespace

bool may_have_conflicts(const Entity& entity) {
  const Document& document = entity.document();
  if (may_be_open(document, entity.record())) return true;
  for (uint32_t child = entity.record().first_child; child != kNoSlot; child = document.entities[child].next_sibling)
    if (may_be_open(document, document.entities[child])) return true;
  return false;
}

std::vector<Conflict> conflicts_of(const Entity& entity) {
  std::vector<Conflict> conflicts;
  if (!entity.is_live()) return conflicts;
  Collecting(entity, conflicts).run();
  if (entity.record().first_child != kNoSlot)
    for (const Entity& child : entity.children()) Collecting(child, conflicts).run();
  return conflicts;
}

}  // namespace kalends
