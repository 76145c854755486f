// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/plan_commands.h"

#include "core/reconcile/card_side.h"

namespace kalends {
namespace {

class CommandWriter {
 public:
  CommandWriter(const EventFacet& event, CardId card, const Replica& board, const LinkPolicy& policy)
      : event_(event),
        target_{card.raw, {}},
        card_(board.document().find(card.raw)),
        board_(board),
        policy_(policy) {}

  void edit(const FieldEdit& edit, const Plan& plan) {
    switch (edit.field) {
      case FacetField::kTitle:
        return put(edit, Field::kTitle, event_.title);
      case FacetField::kLocation:
        return put(edit, Field::kLocation, event_.location);
      case FacetField::kColour:
        return put(edit, Field::kColour, event_.colour);
      case FacetField::kDone:
        return edit.is_offer ? void() : set_done();
      case FacetField::kDescription:
        return describe(edit, plan);
      case FacetField::kDates:
        return date(edit);
    }
  }

  void unschedule() {
    for (Field field : {Field::kStart, Field::kDue})
      if (std::holds_alternative<When>(card_->value(field)))
        commands_.push_back(SetCommand{target_, {field, {}, std::monostate{}}});
  }
  void archive() { commands_.push_back(SetCommand{target_, {Field::kArchived, {}, true}}); }
  void offer_unscheduling() {
    for (Field field : {Field::kStart, Field::kDue})
      if (std::holds_alternative<When>(card_->value(field)))
        commands_.push_back(OfferCommand{target_, {field, {}, std::monostate{}}});
  }

  void create(CardId card) {
    CardDates dates = card_dates(event_.start, event_.end, {}, policy_);
    CreateCommand create{EntityType::kCard, card.raw, {}, policy_.inbox_list, {}};
    create.fields.push_back({Field::kTitle, {}, event_.title});
    if (dates.start) create.fields.push_back({Field::kStart, {}, *dates.start});
    if (dates.due) create.fields.push_back({Field::kDue, {}, *dates.due});
    if (event_.is_done && policy_.done == DoneMeans::kFlag) create.fields.push_back({Field::kDone, {}, true});
    if (event_.is_done && policy_.done == DoneMeans::kList) create.list = policy_.done_list;
    if (!event_.description.empty()) create.fields.push_back({Field::kDescription, {}, event_.description});
    if (!event_.location.empty()) create.fields.push_back({Field::kLocation, {}, event_.location});
    if (!event_.colour.empty()) create.fields.push_back({Field::kColour, {}, event_.colour});
    if (policy_.which == WhichCards::kWithLabel)
      create.fields.push_back({Field::kLabels, {}, policy_.which_id});
    if (policy_.which == WhichCards::kWithAssignee)
      create.fields.push_back({Field::kAssignees, {}, policy_.which_id});
    commands_.push_back(std::move(create));
  }

  std::vector<Command> take() { return std::move(commands_); }

 private:
  void put(const FieldEdit& edit, Field field, Value value) {
    if (edit.is_offer)
      commands_.push_back(OfferCommand{target_, {field, {}, std::move(value)}});
    else
      commands_.push_back(SetCommand{target_, {field, {}, std::move(value)}, edit.keep_loser});
  }

  void describe(const FieldEdit& edit, const Plan& plan) {
    if (edit.is_offer)
      return commands_.push_back(OfferCommand{target_, {Field::kDescription, {}, event_.description}});
    if (edit.keep_loser) commands_.push_back(OfferCommand{target_, {Field::kDescription, {}, card_->text()}});
    commands_.push_back(
        SetTextCommand{target_, plan.has_merged_description ? plan.merged_description : event_.description});
  }

  void date(const FieldEdit& edit) {
    CardDates now = dates_of(*card_);
    CardDates dates = card_dates(event_.start, event_.end, now, policy_);
    auto put_date = [&](Field field, const std::optional<When>& when, const std::optional<When>& shown) {
      if (when == shown) return;
      put(edit, field, when ? Value{*when} : Value{});
    };
    put_date(Field::kStart, dates.start, now.start);
    put_date(Field::kDue, dates.due, now.due);
  }

  void set_done() {
    if (policy_.done == DoneMeans::kFlag)
      return commands_.push_back(SetCommand{target_, {Field::kDone, {}, event_.is_done}});
    if (event_.is_done) return commands_.push_back(MoveCommand{target_, policy_.done_list, {}, {}});
    for (const Entity& list : board_.ordered(EntityType::kList))
      if (list.id() != policy_.done_list && list.is_live() && !list.bool_value(Field::kArchived))
        return commands_.push_back(MoveCommand{target_, list.id(), {}, {}});
  }

  const EventFacet& event_;
  Target target_;
  Entity card_;
  const Replica& board_;
  const LinkPolicy& policy_;
  std::vector<Command> commands_;
};

}  // namespace

CardSide card_side(const Document& board, CardId id, const LinkPolicy& policy) {
  Entity card = board.find(id.raw);
  if (!card || card->type() != EntityType::kCard) return {};
  return card_side(content_of(board, card), policy);
}

std::vector<Command> commands_of(const Plan& plan, const EventFacet& event, CardId card, const Replica& board,
                                 const LinkPolicy& policy) {
  CommandWriter writer(event, card, board, policy);
  switch (plan.change) {
    case CardChange::kNone:
      break;
    case CardChange::kEdit:
      for (const FieldEdit& edit : plan.edits) writer.edit(edit, plan);
      break;
    case CardChange::kUnschedule:
      writer.unschedule();
      break;
    case CardChange::kArchive:
      writer.archive();
      break;
    case CardChange::kCreate:
      writer.create(card);
      break;
  }
  if (plan.offer_unscheduling) writer.offer_unscheduling();
  return writer.take();
}

}  // namespace kalends
