// SPDX-License-Identifier: Apache-2.0
#include "core/model/document.h"

#include <algorithm>

#include "core/base/sort.h"

namespace kalends {
namespace {

const Rarities kNoRarities;

uint32_t child_hash(uint32_t entity, const OpRef& child) {
  uint64_t mixed = (child.packed() ^ uint64_t{entity} << 40) * 0x9E3779B97F4A7C15ull;
  return static_cast<uint32_t>((mixed ^ mixed >> 29) * 0xD6E8FEB86659FD93ull >> 32);
}

}  // namespace

bool Rarities::empty() const {
  return deletions.empty() && restored_early.empty() && replaced_early.empty() &&
         removed_early.empty() && other_makers.empty();
}

bool wins(const Document& document, const Cell& a, const Cell& b) {
  if (a.is_offer != b.is_offer) return b.is_offer;
  if (a.stamp != b.stamp) return a.stamp > b.stamp;
  return document.names.order().less(b.op, a.op);
}

bool lives_here(const Document& document, const Entity& entity) {
  const Cell* home = entity.winner_cell(Field::kHome);
  return !home || home->value.kind != ValueKind::kId ||
         document.names.ids[static_cast<IdRef>(home->value.number)] == document.id.raw;
}

// --- Entity ---

Id128 Entity::id() const { return document_->names.ids[record().id]; }
OpId Entity::child() const { return document_->names.op_id(record().child); }
OpId Entity::created_by() const { return document_->names.op_id(record().created_by); }
MemberId Entity::creator() const { return {document_->names.ids[record().creator]}; }

const Rarities& Entity::rarities() const {
  return record().rarities == kNoSlot ? kNoRarities : *document_->rarities[record().rarities];
}

bool Entity::is_deleted() const {
  if (record().rarities == kNoSlot) return false;
  const auto& deletions = rarities().deletions;
  return std::any_of(deletions.begin(), deletions.end(), [&](const Deletion& deletion) {
    return document_->has_seen_all(slot_, deletion.seen);
  });
}

bool Entity::has_open_deletion() const { return !rarities().deletions.empty() && !is_deleted(); }

const Cell* Entity::winner_cell(Field field, IdRef key) const {
  const Cell* best = nullptr;
  for (const Cell& cell : record().cells)
    if (cell.field == field && cell.key == key && (!best || wins(*document_, cell, *best))) best = &cell;
  return best;
}

namespace {

RegisterValue shown(const Document& document, const Cell& cell) {
  return {document.names.op_id(cell.op), cell.stamp, MemberId{document.names.ids[cell.author]},
          unstore(document.names, cell.value), cell.is_offer, cell.is_redacted};
}

}  // namespace

std::optional<RegisterValue> Entity::winner(Field field, Id128 key) const {
  const Cell* cell = winner_cell(field, document_->names.ids.find(key));
  return cell ? std::optional(shown(*document_, *cell)) : std::nullopt;
}

std::vector<RegisterValue> Entity::values(Field field, Id128 key) const {
  IdRef ref = document_->names.ids.find(key);
  std::vector<const Cell*> cells;
  if (key.is_nil() == (ref == 0))
    for (const Cell& cell : record().cells)
      if (cell.field == field && cell.key == ref) cells.push_back(&cell);
  sort(cells, [&](const Cell* a, const Cell* b) { return wins(*document_, *a, *b); });
  std::vector<RegisterValue> values;
  for (const Cell* cell : cells) values.push_back(shown(*document_, *cell));
  return values;
}

Value Entity::value(Field field, Id128 key) const {
  IdRef ref = document_->names.ids.find(key);
  if (!key.is_nil() && ref == 0) return {};
  const Cell* cell = winner_cell(field, ref);
  return cell ? unstore(document_->names, cell->value) : Value{};
}

std::string_view Entity::text_view(Field field) const {
  const Cell* cell = winner_cell(field);
  return cell ? cell->value.text_view() : std::string_view();
}

bool Entity::bool_value(Field field) const {
  const Cell* cell = winner_cell(field);
  return cell && cell->value.kind == ValueKind::kBool && cell->value.number != 0;
}

std::optional<When> Entity::when_value(Field field) const {
  const Cell* cell = winner_cell(field);
  if (!cell || cell->value.kind != ValueKind::kWhen) return std::nullopt;
  return unstore_when(*cell->value.when);
}

const StoredPlace* Entity::place() const {
  const Cell* cell = winner_cell(Field::kPosition);
  return cell && cell->value.kind == ValueKind::kPosition ? cell->value.place : nullptr;
}

std::optional<Position> Entity::position() const {
  const StoredPlace* found = place();
  if (!found) return std::nullopt;
  return Position{document_->names.ids[found->list], document_->names.op_id(found->parent),
                  std::string(found->rank_text())};
}

std::vector<Id128> Entity::elements(Field field) const {
  std::vector<Id128> elements;
  for (const Cell& cell : record().cells)
    if (cell.field == field) elements.push_back(document_->names.ids[cell.key]);
  sort(elements);
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

bool Entity::has_element(Field field, const Id128& element) const {
  IdRef ref = document_->names.ids.find(element);
  if (ref == 0) return false;
  const auto& cells = record().cells;
  return std::any_of(cells.begin(), cells.end(),
                     [&](const Cell& cell) { return cell.field == field && cell.key == ref; });
}

const TextSequence* Entity::sequence() const {
  return record().text == kNoSlot ? nullptr : &document_->texts[record().text];
}

std::string Entity::text() const {
  const TextSequence* found = sequence();
  return found ? found->text() : std::string();
}

std::vector<Entity> Entity::children() const {
  std::vector<Entity> children;
  for (uint32_t at = record().first_child; at != kNoSlot; at = document_->entities[at].next_sibling)
    children.emplace_back(*document_, at);
  sort(children, [&](const Entity& a, const Entity& b) {
    return document_->names.order().less(a.record().child, b.record().child);
  });
  return children;
}

// --- Document ---

Document::Document(DocumentId document, DocumentKind document_kind) : id(document), kind(document_kind) {
  counters.resize(1);
  stamps.resize(1);
}

Version Document::version() const {
  Version version;
  for (uint32_t replica = 1; replica < counters.size(); ++replica)
    version.raise(ReplicaId{names.replica_ids[replica]}, counters[replica]);
  return version;
}

Entity Document::find(const Id128& entity, const OpId& child) const {
  IdRef ref = names.ids.find(entity);
  uint32_t slot = ref == 0 ? kNoSlot : slot_of(ref);
  if (slot == kNoSlot) return {};
  if (child.is_nil()) return {*this, slot};
  OpRef op = names.find_op(child);
  uint32_t inner = op.is_nil() ? kNoSlot : child_of(slot, op);
  return inner == kNoSlot ? Entity{} : Entity{*this, inner};
}

std::vector<Entity> Document::all() const {
  warm_all();
  std::vector<Entity> all;
  for (uint32_t slot = 0; slot < entities.size(); ++slot)
    if (entities[slot].child.is_nil()) all.emplace_back(*this, slot);
  sort(all, [](const Entity& a, const Entity& b) { return a.id() < b.id(); });
  return all;
}

uint32_t Document::child_of(uint32_t entity, const OpRef& child) const {
  if (children_.empty()) return kNoSlot;
  auto mask = static_cast<uint32_t>(children_.size() - 1);
  for (uint32_t at = child_hash(entity, child) & mask; children_[at] != 0; at = (at + 1) & mask) {
    const EntityRecord& record = entities[children_[at] - 1];
    if (record.child == child && record.parent == entity) return children_[at] - 1;
  }
  return kNoSlot;
}

uint32_t Document::entity_slot(IdRef entity) {
  uint32_t slot = slot_of(entity);
  if (slot != kNoSlot) return slot;
  if (slots_.size() <= entity) slots_.resize(std::max<size_t>(names.ids.size(), entity + 1));
  slot = static_cast<uint32_t>(entities.size());
  entities.emplace_back();
  entities[slot].id = entity;
  // The document's own root exists without being created.
  if (names.ids[entity] == id.raw)
    entities[slot].type = kind == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace;
  slots_[entity] = slot + 1;
  return slot;
}

void Document::grow_children() {
  size_t size = 16;
  while (size < (child_count_ + 1) * size_t{3}) size *= 2;
  children_.assign(size, 0);
  auto mask = static_cast<uint32_t>(size - 1);
  for (uint32_t slot = 0; slot < entities.size(); ++slot) {
    if (entities[slot].child.is_nil()) continue;
    uint32_t at = child_hash(entities[slot].parent, entities[slot].child) & mask;
    while (children_[at] != 0) at = (at + 1) & mask;
    children_[at] = slot + 1;
  }
}

uint32_t Document::child_slot(uint32_t entity, const OpRef& child) {
  uint32_t slot = child_of(entity, child);
  if (slot != kNoSlot) return slot;
  slot = static_cast<uint32_t>(entities.size());
  entities.emplace_back();
  EntityRecord& record = entities[slot];
  record.id = entities[entity].id;
  record.child = child;
  record.parent = entity;
  record.next_sibling = entities[entity].first_child;
  entities[entity].first_child = slot;
  ++child_count_;
  if (child_count_ * size_t{2} > children_.size()) {
    grow_children();
    return slot;
  }
  auto mask = static_cast<uint32_t>(children_.size() - 1);
  uint32_t at = child_hash(entity, child) & mask;
  while (children_[at] != 0) at = (at + 1) & mask;
  children_[at] = slot + 1;
  return slot;
}

Rarities& Document::rarities_of(uint32_t slot) {
  EntityRecord& record = entities[slot];
  if (record.rarities == kNoSlot) {
    record.rarities = static_cast<uint32_t>(rarities.size());
    rarities.push_back(std::make_unique<Rarities>());
  }
  return *rarities[record.rarities];
}

TextSequence& Document::text_of(uint32_t slot) {
  EntityRecord& record = entities[slot];
  if (record.text == kNoSlot) {
    record.text = static_cast<uint32_t>(texts.size());
    texts.emplace_back();
  }
  return texts[record.text];
}

bool Document::has_seen_all(uint32_t slot, const std::vector<OpRef>& seen) const {
  for (const OpRef& touched : entities[slot].touched) {
    bool is_covered = false;
    for (const OpRef& op : seen)
      if (op.replica == touched.replica) is_covered = op.counter >= touched.counter;
    if (!is_covered) return false;
  }
  return true;
}

void Document::touch(uint32_t slot, const OpRef& op) {
  Run<OpRef>& touched = entities[slot].touched;
  for (OpRef& entry : touched)
    if (entry.replica == op.replica) {
      if (entry.counter < op.counter) entry.counter = op.counter;
      return;
    }
  touched.push(names.arena, op);
}

IdRef Document::made_by(const OpRef& op) const {
  if (!has_makers_) {
    has_makers_ = true;
    for (const EntityRecord& record : entities)
      if (record.child.is_nil() && !record.created_by.is_nil()) makers_.at(record.created_by.packed()) = record.id;
  }
  if (const IdRef* made = makers_.find(op.packed())) return *made;
  IdRef made = cold_ ? cold_->made_by(op) : 0;
  if (made != 0) return made;
  // Two people made one thing, and the one who made it second is asked for.
  warm_all();
  for (const EntityRecord& record : entities) {
    if (record.rarities == kNoSlot || !record.child.is_nil()) continue;
    const auto& others = rarities[record.rarities]->other_makers;
    if (std::find(others.begin(), others.end(), op) != others.end()) return record.id;
  }
  return 0;
}

void Document::set_cold_entity(IdRef entity, uint32_t block) {
  if (slots_.size() <= entity) slots_.resize(std::max<size_t>(names.ids.size(), entity + 1));
  slots_[entity] = kColdBit | block;
}

uint32_t Document::warm(IdRef entity) const {
  uint32_t entry = slots_[entity];
  if (entry == 0) return kNoSlot;
  load_block(entry & ~kColdBit);
  entry = slots_[entity];
  return entry == 0 || entry >= kColdBit ? kNoSlot : entry - 1;
}

// Reading a block changes how the state lies in memory, never what it says.
void Document::load_block(uint32_t block) const {
  auto* self = const_cast<Document*>(this);
  if (is_loaded_.empty()) self->is_loaded_.resize(cold_->block_count());
  if (block >= is_loaded_.size() || is_loaded_[block]) return;
  self->is_loaded_[block] = true;
  ++self->warmed_;
  self->cold_->load(*self, block);
}

void Document::warm_all() const {
  if (is_warm()) return;
  for (uint32_t block = 0; block < cold_->block_count(); ++block) load_block(block);
}

void Document::truncate(uint32_t count) {
  for (uint32_t slot = count; slot < entities.size(); ++slot) {
    if (entities[slot].child.is_nil())
      slots_[entities[slot].id] = 0;
    else
      --child_count_;
  }
  bool had_children = entities.size() > count;
  entities.resize(count);
  if (had_children) grow_children();
}

}  // namespace kalends
