// SPDX-License-Identifier: Apache-2.0
// Commands to operations. Each command is checked, then its operations are folded in at once, so that the next
// command of the transaction sees them; when a command fails, everything is put back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/replica/replica.h"

namespace kalends {

class Transaction {
 public:
  // `may_fail`: later commands may fail after earlier ones were folded in, so keep what is needed to put it back.
  Transaction(Replica& replica, const EditContext& context, Changes& changes, bool may_fail);

  Result<Edited> run(std::span<const Command> commands);

  // The parts of run(), for callers that make their own operations.
  void emit(uint32_t slot, std::span<const OpRef> replaced, Record& record);
  void emit_field(OpKind kind, uint32_t slot, std::span<const OpRef> replaced, const StoredField& field);
  void erase(uint32_t slot);
  std::vector<OpRef> sorted(std::vector<OpRef> ops) const;
  std::vector<OpRef> deletions_of(const Entity& entity) const;
  Edited commit();

 private:
  Status perform(const CreateCommand& command);
  Status perform(const AddChildCommand& command);
  Status perform(const SetCommand& command);
  Status perform(const MoveCommand& command);
  Status perform(const AddCommand& command);
  Status perform(const RemoveCommand& command);
  Status perform(const SetTextCommand& command);
  Status perform(const SpliceCommand& command);
  Status perform(const DeleteCommand& command);
  Status perform(const RestoreCommand& command);
  Status perform(const ResolveCommand& command);
  Status perform(const OfferCommand& command);
  Status perform(const RedactCommand& command);
  Status perform(const BoundCommand& command);
  Status perform(const CarryCommand& command);

  Entity find(const Target& target) const;
  Entity find_or_make_root(const Target& target);
  // The entity and, for a child, its card must be there and alive.
  Result<Entity> live(const Target& target);
  Result<const FieldSpec*> field_spec(EntityType type, const FieldValue& field, Merge merge) const;
  Status check_fields(EntityType type, const std::vector<FieldValue>& fields) const;
  Status check_dates() const;
  Result<std::string> rank_in_row(const OrderIndex::Row& row, const Placement& placement, uint32_t self,
                                  RankRun& run) const;
  Result<std::string> rank_among_children(const Entity& parent, EntityType type, const OpRef& checklist,
                                          const Placement& placement, const OpRef& self) const;
  bool stays(const OrderIndex::Row& row, const Entity& entity, IdRef list, const Placement& placement) const;
  StoredField position(IdRef list, const OpRef& parent, const std::string& rank);
  const StoredField* stored_fields(const std::vector<FieldValue>& fields, const StoredField* position, uint32_t& count);
  void emit_in_parts(uint32_t slot, std::span<const OpRef> replaced, Record& record);
  void set(const Entity& entity, const StoredField& field, bool keep_loser);
  Status splice(const Entity& entity, const Splice& change, std::vector<OpRef> closes);
  Status resolve_text(const ResolveCommand& command, const Entity& entity);
  void close_offers(const Entity& entity, std::vector<OpRef> offers);
  std::vector<OpRef> cells_of(const Entity& entity, Field field, IdRef key) const;
  uint32_t next_counter() const { return document_.counter_of(replica_.me_) + 1; }

  struct Saved {
    uint32_t slot;
    EntityRecord record;
    std::vector<Cell> cells;
    std::vector<OpRef> touched;
    std::optional<TextSequence> text;
    std::optional<Rarities> rarities;
  };
  void save(uint32_t slot);
  void roll_back();

  Replica& replica_;
  Document& document_;
  const EditContext& context_;
  Changes& changes_;
  const bool may_fail_;
  const uint32_t first_counter_;
  const uint32_t first_slot_;
  const size_t first_record_;
  const size_t first_change_;
  const Hlc first_stamp_;
  IdRef author_;
  OpRef child_;
  std::vector<OpRef> created_;
  std::vector<Saved> saved_;
  bool is_anywhere_ = false;  // a bound, a redaction or a carry was made: what it changed may lie anywhere
};

}  // namespace kalends
