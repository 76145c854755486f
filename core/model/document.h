// SPDX-License-Identifier: Apache-2.0
// The state of one document: what its operations add up to. It is a function of the *set* of operations,
// never of their order (docs/algebra.md), and it keeps what a later operation may still need: losers,
// tombstones, versions. How it lies in memory: docs/memory-layout.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/u64_map.h"
#include "core/model/op_id.h"
#include "core/model/schema.h"
#include "core/model/stored.h"
#include "core/model/text_sequence.h"
#include "core/model/value.h"
#include "core/time/hlc.h"

namespace kalends {

// One value of a multi-value register, or one add of a set.
struct Cell {
  OpRef op;
  Hlc stamp;  // capped by a bound operation, if there is one
  IdRef author = 0;
  Field field{};
  bool is_offer = false;  // put there to be kept as a loser: never wins against a value that is not an offer
  bool is_redacted = false;
  bool is_add = false;  // of a set
  IdRef key = 0;        // of a custom value; the element of a set
  Stored value;
};

// A deletion and the operations on the entity that it had seen: per replica, all up to a counter.
struct Deletion {
  OpRef op;
  Hlc stamp;
  IdRef author = 0;
  std::vector<OpRef> seen;
};

// A value that was replaced by an operation seen before it. Once `op` was seen, it says nothing any more.
struct Early {
  Field field;  // Field{}: whichever the operation wrote
  IdRef key;    // of a custom value; the element of a set
  OpRef op;
};

// What few entities have.
struct Rarities {
  std::vector<Deletion> deletions;  // not undone
  std::vector<OpRef> restored_early;
  std::vector<Early> replaced_early;  // values of registers
  std::vector<Early> removed_early;   // adds of sets
  std::vector<OpRef> other_makers;    // creations with the same id that came second
  bool empty() const;
};

// A growing list in the document's arena.
template <typename T>
struct Run {
  T* items = nullptr;
  uint32_t count = 0;
  uint32_t capacity = 0;
  T* begin() const { return items; }
  T* end() const { return items + count; }
  void push(Arena& arena, const T& item) {
    if (count == capacity) {
      uint32_t grown = capacity == 0 ? 4 : capacity * 2;
      T* moved = arena.array<T>(grown);
      for (uint32_t i = 0; i < count; ++i) moved[i] = items[i];
      items = moved;
      capacity = grown;
    }
    items[count++] = item;
  }
  void erase(uint32_t index) {
    for (uint32_t i = index + 1; i < count; ++i) items[i - 1] = items[i];
    --count;
  }
};

inline constexpr uint32_t kNoSlot = UINT32_MAX;

// An entity or a child of one.
struct EntityRecord {
  IdRef id = 0;      // of the entity; of the entity around a child
  OpRef child;       // nil: the entity itself
  EntityType type = EntityType::kUnknown;
  IdRef creator = 0;
  OpRef created_by;  // the smallest creating op; nil while unknown
  Hlc created_at;
  uint32_t parent = kNoSlot;  // of a child
  uint32_t first_child = kNoSlot;
  uint32_t next_sibling = kNoSlot;
  uint32_t text = kNoSlot;      // the entity's text field, if it has one: place in Document::texts
  uint32_t rarities = kNoSlot;  // place in Document::rarities
  Run<Cell> cells;
  Run<OpRef> touched;  // every operation here but deletions: per replica, the greatest counter

  bool is_created() const { return type != EntityType::kUnknown; }
};

class Document;

// A register's value as callers see it.
struct RegisterValue {
  OpId op;
  Hlc stamp;
  MemberId author;
  Value value;
  bool is_offer = false;
  bool is_redacted = false;
};

// An entity of a document, to read. Good until the document changes; false when there is none.
class Entity {
 public:
  Entity() = default;
  Entity(const Document& document, uint32_t slot) : document_(&document), slot_(slot) {}

  explicit operator bool() const { return document_ != nullptr && slot_ != kNoSlot; }
  // Reads like a pointer that may be null.
  const Entity* operator->() const { return this; }
  const Entity& operator*() const { return *this; }
  const EntityRecord& record() const;
  uint32_t slot() const { return slot_; }
  const Document& document() const { return *document_; }

  EntityType type() const { return record().type; }
  Id128 id() const;
  OpId child() const;
  OpId created_by() const;
  Hlc created_at() const { return record().created_at; }
  MemberId creator() const;
  bool is_created() const { return record().is_created(); }
  // Some deletion had seen every other operation here.
  bool is_deleted() const;
  // Alive although a deletion was made: somebody edited without knowing of it.
  bool has_open_deletion() const;
  bool is_live() const { return is_created() && !is_deleted(); }

  // The shown value; nullptr when the register is empty.
  const Cell* winner_cell(Field field, IdRef key = 0) const;
  std::optional<RegisterValue> winner(Field field, Id128 key = {}) const;
  // All values that no operation has replaced: the winner first, then the open losers.
  std::vector<RegisterValue> values(Field field, Id128 key = {}) const;
  Value value(Field field, Id128 key = {}) const;  // null value when empty
  std::string_view text_view(Field field) const;   // "" when it is not a text
  std::string text_value(Field field) const { return std::string(text_view(field)); }
  bool bool_value(Field field) const;
  std::optional<When> when_value(Field field) const;
  std::optional<Position> position() const;
  const StoredPlace* place() const;  // nullptr when it has no position
  std::vector<Id128> elements(Field field) const;
  bool has_element(Field field, const Id128& element) const;
  std::string text() const;  // what is written together; "" when there is none
  const TextSequence* sequence() const;
  const Rarities& rarities() const;
  std::vector<Entity> children() const;

 private:
  const Document* document_ = nullptr;
  uint32_t slot_ = kNoSlot;
};

// Entities that wait in encoded form until somebody asks for one.
class ColdBlocks {
 public:
  virtual ~ColdBlocks() = default;
  // Puts every entity of a block in its slot. A block that cannot be read leaves the document damaged.
  virtual void load(Document& document, uint32_t block) = 0;
  virtual uint32_t block_count() const = 0;
  // The entity that an operation made; 0 when no cold entity was made by it.
  virtual IdRef made_by(const OpRef& op) const = 0;
};

class Document {
 public:
  Document() = default;
  Document(DocumentId id, DocumentKind kind);
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  DocumentId id;
  DocumentKind kind = DocumentKind::kBoard;
  Interner names;
  std::vector<uint32_t> counters;  // by replica number: operations of this document, gap-free per replica
  std::vector<EntityRecord> entities;
  std::vector<TextSequence> texts;
  std::vector<std::unique_ptr<Rarities>> rarities;
  // Few and far between, in the canonical order of ids.
  std::set<OpId> carried;     // operations that came with a card from another document, and only so
  std::map<OpId, Hlc> bounds;  // capped stamps
  std::set<OpId> redactions;
  std::set<OpId> voids;          // operations that were refused; a void stands in their place
  std::map<OpId, Bytes> opaque;  // whole operations that this version does not know, byte for byte

  // Slots whose position or creation changed since somebody put them in order (order_index.h).
  std::vector<uint32_t> moved;

  // Some text was longer than kTextLengthBound when something was put into it. Whoever merges sets it back.
  bool has_long_text = false;

  // By replica number: the stamp of its last operation.
  std::vector<Hlc> stamps;

  uint32_t counter_of(uint32_t replica) const { return replica < counters.size() ? counters[replica] : 0; }
  void raise(const OpRef& op, Hlc stamp) {
    if (counters.size() <= op.replica) {
      counters.resize(names.replica_ids.size());
      stamps.resize(names.replica_ids.size());
    }
    counters[op.replica] = op.counter;
    stamps[op.replica] = stamp;
  }
  bool has_seen(const OpRef& op) const {
    return op.counter <= counter_of(op.replica) || (!carried.empty() && carried.count(names.op_id(op)) > 0);
  }
  Version version() const;

  Entity find(const Id128& entity, const OpId& child = {}) const;
  Entity root() const { return find(id.raw); }
  // Every entity, not children, in the order of their ids.
  std::vector<Entity> all() const;

  // kNoSlot when there is none. Reads the entity's block when it waits.
  uint32_t slot_of(IdRef entity) const {
    if (entity >= slots_.size()) return kNoSlot;
    uint32_t slot = slots_[entity];
    return slot < kColdBit ? slot - 1 : warm(entity);  // 0 becomes kNoSlot
  }
  uint32_t child_of(uint32_t entity, const OpRef& child) const;
  uint32_t entity_slot(IdRef entity);                       // makes it
  uint32_t child_slot(uint32_t entity, const OpRef& child);  // makes it
  Rarities& rarities_of(uint32_t slot);
  TextSequence& text_of(uint32_t slot);
  bool has_seen_all(uint32_t slot, const std::vector<OpRef>& seen) const;
  void touch(uint32_t slot, const OpRef& op);
  // The entity that an operation made; 0 when there is none.
  IdRef made_by(const OpRef& op) const;
  void note_maker(const OpRef& op, IdRef entity) {
    if (has_makers_) makers_.at(op.packed()) = entity;
  }

  // Cold entities.
  void set_cold(ColdBlocks* cold) { cold_ = cold; }
  void set_cold_entity(IdRef entity, uint32_t block);
  void warm_all() const;
  uint32_t warmed() const { return warmed_; }  // blocks that were read
  bool is_warm() const { return !cold_ || warmed_ == cold_->block_count(); }
  bool is_damaged() const { return is_damaged_; }
  void set_damaged() { is_damaged_ = true; }

  // Forgets entities beyond `count` slots: what a transaction that failed had made.
  void truncate(uint32_t count);

 private:
  static constexpr uint32_t kColdBit = 0x80000000;
  uint32_t warm(IdRef entity) const;
  void load_block(uint32_t block) const;
  void grow_children();

  std::vector<uint32_t> slots_;     // by IdRef: slot + 1, kColdBit | block, or 0
  std::vector<uint32_t> children_;  // slot + 1 of children, open addressing over (parent, op)
  uint32_t child_count_ = 0;
  mutable U64Map<IdRef> makers_;  // filled when it is first asked for
  mutable bool has_makers_ = false;
  ColdBlocks* cold_ = nullptr;  // owned by the replica
  std::vector<uint8_t> is_loaded_;
  uint32_t warmed_ = 0;
  bool is_damaged_ = false;
};

// The order that decides between concurrent values; a total order. True when `a` wins.
bool wins(const Document& document, const Cell& a, const Cell& b);

// A card that was moved to another board stays in this document, unseen: it lives where its home says.
bool lives_here(const Document& document, const Entity& entity);

inline const EntityRecord& Entity::record() const { return document_->entities[slot_]; }

}  // namespace kalends
