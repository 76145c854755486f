// SPDX-License-Identifier: Apache-2.0
// Commands to operations. Each command is checked, then its operations are folded in at once, so that the
// next command of the transaction sees them; when a command fails, everything is put back.
#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/model/rank.h"
#include "core/replica/conflicts.h"
#include "core/replica/replica.h"

namespace kalends {

namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

std::vector<OpId> ids_of(const std::vector<RegisterValue>& values) {
  std::vector<OpId> ids;
  for (const RegisterValue& value : values) insert_sorted(ids, value.op);
  return ids;
}

std::vector<OpId> ids_of(const std::vector<Deletion>& deletions) {
  std::vector<OpId> ids;
  for (const Deletion& deletion : deletions) insert_sorted(ids, deletion.op);
  return ids;
}

std::string rank_of(const Entity& entity) {
  const auto* position = std::get_if<Position>(&entity.value(Field::kPosition));
  return position ? position->rank : std::string();
}

bool has_text_field(EntityType type) { return type == EntityType::kCard || type == EntityType::kItem; }
Field text_field(EntityType type) { return type == EntityType::kCard ? Field::kDescription : Field::kText; }

}  // namespace

class Transaction {
 public:
  Transaction(Replica& replica, const EditContext& context)
      : replica_(replica),
        document_(replica.document_),
        context_(context),
        first_(document_.version.of(replica.options_.replica) + 1) {}

  Result<EditResult> run(const std::vector<Command>& commands) {
    for (size_t i = 0; i < commands.size(); ++i) {
      child_ = {};
      Status status = std::visit([&](const auto& command) { return perform(command); }, commands[i]);
      if (!status.ok()) return roll_back(status.error(), i, commands.size());
      result_.created.push_back(child_);
    }
    for (const auto& [id, saved] : saved_) {
      Status status = check_dates(id);
      if (!status.ok()) return roll_back(status.error(), commands.size() - 1, commands.size());
    }
    replica_.log_.insert(replica_.log_.end(), result_.ops.begin(), result_.ops.end());
    return std::move(result_);
  }

 private:
  const Entity* find(const Target& target) const { return document_.find(target.entity, target.child); }

  // The entity and, for a child, its card must be there and alive.
  Result<const Entity*> live(const Target& target) const {
    const Entity* parent = document_.find(target.entity);
    const Entity* entity = find(target);
    bool is_root = target.entity == document_.id.raw && target.child.is_nil();
    if (!is_root && (!entity || !entity->is_created() || !parent->is_created()))
      return not_found("There is nothing with this id in the document.");
    // The bridge brings edits that were made without knowing of the deletion: they keep the card, the
    // deletion stays open.
    bool may_be_deleted = context_.cause == Cause::kBridge;
    if (!is_root && !may_be_deleted && (entity->is_deleted() || parent->is_deleted()))
      return Error{ErrorCode::kConflict, "It was deleted. Restore it first, then change it.", 0};
    bool is_here = is_root || context_.cause == Cause::kHub || lives_here(document_, *parent);
    if (!is_here)
      return Error{ErrorCode::kConflict, "The card was moved to another board. Change it there.", 0};
    return entity;
  }

  EntityType type_of(const Target& target) const {
    if (target.entity == document_.id.raw && target.child.is_nil())
      return document_.kind == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace;
    const Entity* entity = find(target);
    return entity ? entity->type : EntityType::kUnknown;
  }

  Result<const FieldSpec*> field_spec(EntityType type, const FieldValue& field, Merge merge) const {
    const FieldSpec* spec = find_field(type, field.field);
    if (!spec || spec->merge != merge)
      return invalid("A " + std::string(entity_name(type)) + " has no such field.");
    if ((field.field == Field::kCustom) == field.key.is_nil())
      return invalid("A custom value is named by its custom field's id.");
    return spec;
  }

  void emit(const Target& target, std::vector<OpId> replaced, const OpBody& body) {
    save(target.entity);
    Op op;
    op.id = {replica_.options_.replica, document_.version.of(replica_.options_.replica) + 1};
    op.stamp = replica_.clock_.tick(context_.now_ms);
    op.author = context_.author;
    op.transaction = first_;
    op.cause = context_.cause;
    op.target = target.entity;
    op.child = target.child;
    op.replaced = std::move(replaced);
    op.kind = static_cast<uint16_t>(kind_of(body));
    op.body = encode_body(body);
    KALENDS_CHECK(apply(document_, op, body, result_.changes) == Applied::kNew);
    replica_.order_.update(document_, target.entity);
    result_.ops.push_back(std::move(op));
  }

  uint64_t next_counter() const { return document_.version.of(replica_.options_.replica) + 1; }

  void save(const Id128& entity) {
    if (saved_.count(entity) > 0) return;
    auto it = document_.entities.find(entity);
    saved_.emplace(entity, it == document_.entities.end() ? std::nullopt : std::optional(it->second));
  }

  Error roll_back(Error error, size_t index, size_t count) {
    for (auto& [id, saved] : saved_) {
      if (saved)
        document_.entities[id] = std::move(*saved);
      else
        document_.entities.erase(id);
      replica_.order_.update(document_, id);
    }
    Version version;
    for (const auto& [replica, counter] : document_.version.entries())
      version.raise(replica, replica == replica_.options_.replica ? first_ - 1 : counter);
    document_.version = std::move(version);
    if (count > 1)
      error.message =
          "Command " + std::to_string(index + 1) + " of " + std::to_string(count) + ": " + error.message;
    return error;
  }

  Status check_dates(const Id128& id) const {
    const Entity* card = document_.find(id);
    if (!card || card->type != EntityType::kCard) return {};
    const auto* start = std::get_if<When>(&card->value(Field::kStart));
    const auto* due = std::get_if<When>(&card->value(Field::kDue));
    if (!start || !due || !is_start_after_due(*start, *due)) return {};
    // An edit of something else must not fail because two people's dates crossed before.
    bool is_ours =
        std::any_of(result_.changes.fields.begin(), result_.changes.fields.end(), [&](const auto& field) {
          return field.first == id && (field.second == Field::kStart || field.second == Field::kDue);
        });
    if (!is_ours) return {};
    return invalid("The start would be after the due date. Change both in one edit.");
  }

  // The ranks around a placement among (rank, id) pairs.
  template <typename Row, typename Key>
  Result<std::pair<std::string, std::string>> neighbours(const Row& row, Placement::Where where,
                                                         const Key& after, const Key& self) const {
    std::string left, right;
    bool is_past = where == Placement::Where::kFirst;
    bool is_found = where != Placement::Where::kAfter;
    for (const auto& [rank, key] : row) {
      if (key == self) continue;
      if (is_past) {
        right = rank;
        break;
      }
      left = rank;
      if (where == Placement::Where::kAfter && key == after) is_past = is_found = true;
    }
    if (!is_found) return not_found("The neighbour named by `after` does not stand there.");
    if (where == Placement::Where::kLast) right.clear();
    return std::pair(left, right);
  }

  // Fast path for the end and the beginning; a walk only when a neighbour is named.
  Result<std::string> rank_among(const OrderIndex::Row& row, const Placement& placement,
                                 const Id128& self) const {
    std::string left, right;
    if (placement.where == Placement::Where::kAfter) {
      const Entity* anchor = document_.find(placement.entity);
      auto it = anchor ? row.find({rank_of(*anchor), placement.entity}) : row.end();
      if (it == row.end()) return not_found("The neighbour named by `after` does not stand there.");
      left = it->first;
      ++it;
      if (it != row.end() && it->second == self) ++it;
      if (it != row.end()) right = it->first;
    } else if (placement.where == Placement::Where::kLast) {
      auto it = row.rbegin();
      if (it != row.rend() && it->second == self) ++it;
      if (it != row.rend()) left = it->first;
    } else {
      auto it = row.begin();
      if (it != row.end() && it->second == self) ++it;
      if (it != row.end()) right = it->first;
    }
    return rank_between(left, right, {replica_.options_.replica, next_counter()});
  }

  Result<std::string> rank_among_children(const Entity& parent, EntityType type, const OpId& checklist,
                                          const Placement& placement, const OpId& self) const {
    std::vector<std::pair<std::string, OpId>> row;
    for (const auto& [id, child] : parent.children) {
      const auto* position = std::get_if<Position>(&child.value(Field::kPosition));
      if (child.type == type && position && position->parent == checklist)
        row.emplace_back(position->rank, id);
    }
    std::sort(row.begin(), row.end());
    KALENDS_TRY(auto pair, neighbours(row, placement.where, placement.child, self));
    return rank_between(pair.first, pair.second, {replica_.options_.replica, next_counter()});
  }

  Status check_fields(EntityType type, const std::vector<FieldValue>& fields) const {
    for (const FieldValue& field : fields) {
      const FieldSpec* spec = find_field(type, field.field);
      if (!spec) return invalid("A " + std::string(entity_name(type)) + " has no such field.");
      if (spec->is_hub_only && context_.cause != Cause::kHub)
        return invalid("Use transfer to move a card to another board.");
      if (field.field == Field::kPosition)
        return invalid("Say where to put it with `after`, not with a position.");
      if (spec->merge == Merge::kText) {
        const auto* text = std::get_if<std::string>(&field.value);
        if (!text || text->size() > kTextBytesMax || !is_valid_text(*text))
          return invalid("The " + std::string(spec->name) + " must be UTF-8 text of at most 262144 bytes.");
        continue;
      }
      if (kind_of(field.value) == ValueKind::kNull && !spec->required) continue;
      KALENDS_TRY_VOID(check_value(*spec, field.value));
      if ((field.field == Field::kCustom) == field.key.is_nil())
        return invalid("A custom value is named by its custom field's id.");
    }
    return {};
  }

  static std::vector<FieldValue> without_nulls(const std::vector<FieldValue>& fields) {
    std::vector<FieldValue> kept;
    for (const FieldValue& field : fields)
      if (kind_of(field.value) != ValueKind::kNull) kept.push_back(field);
    return kept;
  }

  Status perform(const CreateCommand& command) {
    if (is_child(command.type) || document_kind(command.type) != document_.kind)
      return invalid("This document does not hold a " + std::string(entity_name(command.type)) + ".");
    if (command.id.is_nil() || command.id == document_.id.raw)
      return invalid("A new thing needs a new id of 128 random bits.");
    const Entity* existing = document_.find(command.id);
    if (existing && existing->is_created())
      return Error{ErrorCode::kConflict,
                   "There is already something with this id. Make a new id for a new thing.", 0};
    KALENDS_TRY_VOID(check_fields(command.type, command.fields));
    CreateBody body{command.type, without_nulls(command.fields)};
    if (find_field(command.type, Field::kPosition)) {
      Position position;
      if (command.type == EntityType::kCard) {
        const Entity* list = document_.find(command.list);
        if (!list || list->type != EntityType::kList)
          return not_found("A card stands in a list: this board has no list with that id.");
        position.list = command.list;
      }
      const auto& row = command.type == EntityType::kCard ? replica_.order_.cards(command.list)
                                                          : replica_.order_.of(command.type);
      KALENDS_TRY(position.rank, rank_among(row, command.placement, command.id));
      body.fields.push_back({Field::kPosition, {}, position});
    }
    emit({command.id, {}}, {}, body);
    return {};
  }

  Status perform(const AddChildCommand& command) {
    KALENDS_TRY(const Entity* parent, live({command.entity, {}}));
    bool fits = is_child(command.type) && document_kind(command.type) == document_.kind && parent &&
                (parent->type == EntityType::kCard || parent->type == EntityType::kSequence) &&
                (command.type == EntityType::kStep) == (parent->type == EntityType::kSequence);
    if (!fits) return invalid("A " + std::string(entity_name(command.type)) + " cannot be put there.");
    OpId checklist = command.checklist;
    if (command.checklist_made_by) {
      if (!checklist.is_nil())
        return invalid("Name the checklist by its id or by the command that makes it, not by both.");
      if (*command.checklist_made_by >= result_.created.size())
        return invalid("The checklist must be made by an earlier command of the same list.");
      checklist = result_.created[*command.checklist_made_by];
    }
    if (command.type == EntityType::kItem) {
      const Entity* found = document_.find(command.entity, checklist);
      if (!found || found->type != EntityType::kChecklist)
        return not_found("An item needs a checklist of this card.");
    } else if (!checklist.is_nil() || command.checklist_made_by) {
      return invalid("Only an item stands in a checklist.");
    }
    KALENDS_TRY_VOID(check_fields(command.type, command.fields));
    CreateBody body{command.type, without_nulls(command.fields)};
    if (find_field(command.type, Field::kPosition)) {
      Position position;
      position.parent = checklist;
      KALENDS_TRY(position.rank,
                  rank_among_children(*parent, command.type, position.parent, command.placement, {}));
      body.fields.push_back({Field::kPosition, {}, position});
    }
    child_ = {replica_.options_.replica, next_counter()};
    emit({command.entity, {}}, {}, body);
    return {};
  }

  Status perform(const SetCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    KALENDS_TRY(const FieldSpec* spec, field_spec(type_of(command.target), command.field, Merge::kRegister));
    if (spec->field == Field::kPosition) return invalid("Use move to change where something stands.");
    if (spec->is_hub_only && context_.cause != Cause::kHub)
      return invalid("Use transfer to move a card to another board.");
    KALENDS_TRY_VOID(check_value(*spec, command.field.value));
    set(command.target, entity, command.field, command.keep_loser);
    return {};
  }

  // Replaces the winner, and what could win against the new value; other losers stay open until somebody
  // resolves them.
  void set(const Target& target, const Entity* entity, const FieldValue& field, bool keep_loser) {
    const RegisterValue* shown = entity ? entity->winner(field.field, field.key) : nullptr;
    if (shown ? shown->value == field.value : kind_of(field.value) == ValueKind::kNull) return;
    std::vector<OpId> replaced;
    if (shown && !keep_loser) {
      Hlc soonest = std::max(Hlc::from(std::max<int64_t>(context_.now_ms, 0), 0), replica_.clock_.last());
      for (const RegisterValue& value : entity->registers.find({field.field, field.key})->second.values)
        if (value.op == shown->op || value.value == field.value || field.field == Field::kHome ||
            (!value.is_offer && value.stamp > soonest))
          insert_sorted(replaced, value.op);
    }
    emit(target, std::move(replaced), SetBody{field});
  }

  Status perform(const MoveCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    EntityType type = type_of(command.target);
    if (!entity || !find_field(type, Field::kPosition)) return invalid("This cannot be moved.");
    Position position;
    if (const auto* old = std::get_if<Position>(&entity->value(Field::kPosition))) position = *old;
    if (is_child(type)) {
      if (!command.checklist.is_nil()) {
        const Entity* checklist = document_.find(command.target.entity, command.checklist);
        if (type != EntityType::kItem || !checklist || checklist->type != EntityType::kChecklist)
          return not_found("An item stands in a checklist of its card.");
        position.parent = command.checklist;
      }
      const Entity* parent = document_.find(command.target.entity);
      KALENDS_TRY(position.rank, rank_among_children(*parent, type, position.parent, command.placement,
                                                     command.target.child));
    } else {
      if (type == EntityType::kCard && !command.list.is_nil()) {
        const Entity* list = document_.find(command.list);
        if (!list || list->type != EntityType::kList)
          return not_found("This board has no list with that id.");
        position.list = command.list;
      }
      const auto& row =
          type == EntityType::kCard ? replica_.order_.cards(position.list) : replica_.order_.of(type);
      if (stays(row, *entity, position, command)) return {};
      KALENDS_TRY(position.rank, rank_among(row, command.placement, command.target.entity));
    }
    auto reg = entity->registers.find({Field::kPosition, {}});
    emit(command.target, reg == entity->registers.end() ? std::vector<OpId>{} : ids_of(reg->second.values),
         SetBody{{Field::kPosition, {}, position}});
    return {};
  }

  // Already where the command wants it, and nobody else wants it elsewhere.
  bool stays(const OrderIndex::Row& row, const Entity& entity, const Position& wanted,
             const MoveCommand& command) const {
    auto reg = entity.registers.find({Field::kPosition, {}});
    if (reg == entity.registers.end() || reg->second.values.size() != 1) return false;
    const auto* old = std::get_if<Position>(&reg->second.values.front().value);
    if (!old || old->list != wanted.list) return false;
    auto self = row.find({old->rank, command.target.entity});
    if (self == row.end()) return false;
    switch (command.placement.where) {
      case Placement::Where::kFirst:
        return self == row.begin();
      case Placement::Where::kLast:
        return std::next(self) == row.end();
      case Placement::Where::kAfter:
        return self != row.begin() && std::prev(self)->second == command.placement.entity;
    }
    return false;
  }

  Status perform(const AddCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    KALENDS_TRY(const FieldSpec* spec,
                field_spec(type_of(command.target), {command.field, {}, {}}, Merge::kSet));
    (void)spec;
    if (command.element.is_nil()) return invalid("The element needs an id.");
    auto set = entity->sets.find(command.field);
    if (set != entity->sets.end() && set->second.adds.count(command.element) > 0) return {};
    emit(command.target, {}, AddBody{command.field, command.element});
    return {};
  }

  Status perform(const RemoveCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    KALENDS_TRY(const FieldSpec* spec,
                field_spec(type_of(command.target), {command.field, {}, {}}, Merge::kSet));
    (void)spec;
    auto set = entity->sets.find(command.field);
    if (set == entity->sets.end()) return {};
    auto adds = set->second.adds.find(command.element);
    if (adds == set->second.adds.end()) return {};
    emit(command.target, adds->second, RemoveBody{command.field, command.element});
    return {};
  }

  Status perform(const SetTextCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    if (!entity || !has_text_field(entity->type))
      return invalid("This has no text that is written together.");
    if (!is_valid_text(command.text)) return invalid("The text must be valid UTF-8 without NUL.");
    return splice(command.target, *entity, difference(entity->text.text(), command.text), {});
  }

  Status perform(const SpliceCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    if (!entity || !has_text_field(entity->type))
      return invalid("This has no text that is written together.");
    if (!is_valid_text(command.splice.inserted)) return invalid("The text must be valid UTF-8 without NUL.");
    uint32_t length = code_point_count(entity->text.text());
    if (command.splice.position > length || command.splice.removed > length - command.splice.position)
      return invalid("The splice reaches beyond the text: it has " + std::to_string(length) +
                     " code points.");
    return splice(command.target, *entity, command.splice, {});
  }

  Status splice(const Target& target, const Entity& entity, const Splice& change, std::vector<OpId> closes) {
    if (change.inserted.size() > kTextBytesMax)
      return invalid("At most 262144 bytes can be inserted at once.");
    // Both are planned on the text as it was: the insertion hangs before what is removed.
    std::vector<CharRange> removed = entity.text.plan_remove(change.position, change.removed);
    if (!change.inserted.empty()) {
      emit(target, closes, TextInsertBody{entity.text.plan_insert(change.position, change.inserted)});
      closes.clear();
    }
    if (!removed.empty()) {
      emit(target, closes, TextRemoveBody{std::move(removed)});
      closes.clear();
    }
    if (!closes.empty())
      emit(target, std::move(closes), OfferBody{{text_field(entity.type), {}, std::monostate{}}});
    return {};
  }

  Status perform(const DeleteCommand& command) {
    if (command.target.entity == document_.id.raw)
      return invalid("The document itself cannot be deleted from inside it.");
    const Entity* entity = find(command.target);
    if (!entity || !entity->is_created()) return not_found("There is nothing with this id in the document.");
    if (entity->is_deleted()) return {};
    if (entity->type == EntityType::kList) {
      auto cards = replica_.order_.cards(command.target.entity);
      for (const auto& [rank, card] : cards)
        if (document_.find(card)->is_live()) erase({card, {}});
    }
    erase(command.target);
    return {};
  }

  void erase(const Target& target) {
    const Entity* entity = find(target);
    emit(target, ids_of(entity->deletions), DeleteBody{entity->touched});
  }

  Status perform(const RestoreCommand& command) {
    const Entity* entity = find(command.target);
    if (!entity || !entity->is_created()) return not_found("There is nothing with this id in the document.");
    if (entity->deletions.empty()) return {};
    emit(command.target, ids_of(entity->deletions), RestoreBody{});
    return {};
  }

  Status perform(const ResolveCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    if (!entity) return not_found("There is nothing with this id in the document.");
    const FieldSpec* spec = find_field(entity->type, command.field);
    if (spec && spec->merge == Merge::kText) return resolve_text(command, *entity);
    if (spec && spec->is_hub_only) return invalid("Where a card lives is not decided by resolving.");
    auto reg = entity->registers.find({command.field, command.key});
    if (reg == entity->registers.end()) return not_found("This field has no open conflict.");
    const auto& values = reg->second.values;
    auto chosen = std::find_if(values.begin(), values.end(),
                               [&](const RegisterValue& v) { return v.op == command.op; });
    if (chosen == values.end())
      return Error{ErrorCode::kConflict,
                   "That value is no longer open: somebody resolved the conflict. Look again.", 0};
    if (values.size() == 1) return {};
    FieldValue field{command.field, command.key, chosen->value};
    emit(command.target, ids_of(values), SetBody{field});
    return {};
  }

  // The nil op stands for the shown text: keep it.
  Status resolve_text(const ResolveCommand& command, const Entity& entity) {
    if (entity.text_offers.empty()) return not_found("This text has no open conflict.");
    std::vector<OpId> offers = ids_of(entity.text_offers);
    if (command.op.is_nil()) {
      emit(command.target, std::move(offers), OfferBody{{text_field(entity.type), {}, std::monostate{}}});
      return {};
    }
    for (const RegisterValue& offer : entity.text_offers) {
      const auto* text = std::get_if<std::string>(&offer.value);
      if (offer.op == command.op && text)
        return splice(command.target, entity, difference(entity.text.text(), *text), std::move(offers));
    }
    return Error{ErrorCode::kConflict,
                 "That value is no longer open: somebody resolved the conflict. Look again.", 0};
  }

  Status perform(const OfferCommand& command) {
    KALENDS_TRY(const Entity* entity, live(command.target));
    const FieldSpec* spec = find_field(type_of(command.target), command.field.field);
    if (!entity || !spec || spec->merge == Merge::kSet)
      return invalid("Such a field keeps no losing values.");
    std::vector<OpId> replaced;
    if (spec->merge == Merge::kText) {
      for (const RegisterValue& offer : entity->text_offers)
        if (offer.value == command.field.value) return {};
    } else {
      KALENDS_TRY_VOID(check_value(*spec, command.field.value));
      auto reg = entity->registers.find({command.field.field, command.field.key});
      bool has_winner = reg != entity->registers.end() && !reg->second.values.empty();
      if (has_winner)
        for (const RegisterValue& value : reg->second.values)
          if (value.value == command.field.value) return {};
      // An offer alone in its field would be what the field shows: "nothing" must be there to win over it.
      if (!has_winner && kind_of(command.field.value) == ValueKind::kNull) return {};
      if (!has_winner)
        emit(command.target, {}, SetBody{{command.field.field, command.field.key, std::monostate{}}});
    }
    emit(command.target, std::move(replaced), OfferBody{command.field});
    return {};
  }

  Status perform(const RedactCommand& command) {
    if (document_.redactions.count(command.op) == 0) emit(command.target, {}, RedactBody{command.op});
    return {};
  }

  Status perform(const BoundCommand& command) {
    if (document_.bounds.count(command.op) == 0)
      emit(command.target, {}, BoundBody{command.op, command.stamp});
    return {};
  }

  Status perform(const CarryCommand& command) {
    CarryBody body;
    for (const Op& op : command.ops)
      if (!document_.has_seen(op.id)) body.ops.push_back(op);
    if (!body.ops.empty()) emit({command.entity, {}}, {}, body);
    return {};
  }

  Replica& replica_;
  Document& document_;
  const EditContext& context_;
  uint64_t first_;
  OpId child_;
  EditResult result_;
  std::map<Id128, std::optional<Entity>> saved_;
};

Result<EditResult> Replica::edit(const EditContext& context, const std::vector<Command>& commands) {
  if (commands.empty()) return EditResult{};
  return Transaction(*this, context).run(commands);
}

}  // namespace kalends
