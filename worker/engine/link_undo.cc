// SPDX-License-Identifier: Apache-2.0
// Taking a run back. What it made goes again, and what that was made from stays and is left alone; what it
// changed or removed is again what card and event last agreed on. The card's half are operations of whoever
// asked; the event's half follows from them as from any edit, by the same conditional writes. What somebody
// has changed since is left as it is and told.
#include <algorithm>

#include "core/reconcile/card_side.h"
#include "worker/engine/co_try.h"
#include "worker/engine/ledger_text.h"
#include "worker/engine/left_alone.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/plan_commands.h"

namespace kalends {

// What one run did to one card and its event, all entries of it together.
struct LinkSync::Deeds {
  CardId card;
  std::string title;
  bool is_open = false;                        // an answer has not come
  bool was_made = false, was_deleted = false;  // the card itself
  bool was_restored = false;
  std::vector<FieldChange> changes;  // of each field the first value and the last
  bool has_event_entry = false;
  bool was_event_made = false;              // where there had been none
  FacetMask fields;                         // patched
  std::optional<EventFacet> before, after;  // of the event
  std::string etag;                         // after
  std::optional<Shadow> agreed;
  std::optional<EventFacet> card_then;  // of a removed event: what the card said then
};

// What takes a card's deeds back.
struct LinkSync::Reversal {
  std::vector<Command> commands;
  EntryKind kind = EntryKind::kEditCard;
  bool is_deletion_undone = false;
  bool has_event = false;                                      // the card must be one with an event then
  enum class Alone { kNo, kCard, kEvent } alone = Alone::kNo;  // what stays and is left alone
  PlannedStep step;
  std::string obstacle;  // why nothing is done; empty: it is done
};

namespace {

bool is_shown(const Entity& card, const FieldChange& change, const Value& value) {
  if (change.field == Field::kDescription) return value == Value{card->text()};
  if (change.field == Field::kPosition) {
    const auto* wanted = std::get_if<Position>(&value);
    auto place = card->position();
    return wanted && place && place->list == wanted->list;
  }
  return card->value(change.field) == value;
}

void revert(const FieldChange& change, const Entity& card, const Replica& board,
            std::vector<Command>& commands) {
  Target target{card->id(), {}};
  if (change.is_offer) {
    auto values = card->values(change.field);
    bool is_open = values.size() == 2 && values[1].is_offer && values[1].value == change.after;
    if (is_open) commands.push_back(ResolveCommand{target, change.field, {}, values[0].op});
    return;
  }
  if (change.field == Field::kDescription) {
    const auto* text = std::get_if<std::string>(&change.before);
    commands.push_back(SetTextCommand{target, text ? *text : std::string()});
  } else if (change.field == Field::kPosition) {
    const auto* place = std::get_if<Position>(&change.before);
    Entity list = place ? board.document().find(place->list) : Entity{};
    if (list && list->is_live()) commands.push_back(MoveCommand{target, place->list, {}, {}});
  } else {
    commands.push_back(SetCommand{target, {change.field, {}, change.before}});
  }
}

// The fields of a card that make up a field of its event.
bool is_of(FacetField facet, Field field) {
  switch (facet) {
    case FacetField::kTitle:
      return field == Field::kTitle;
    case FacetField::kDone:
      return field == Field::kDone || field == Field::kPosition;
    case FacetField::kDates:
      return field == Field::kStart || field == Field::kDue;
    case FacetField::kDescription:
      return field == Field::kDescription;
    case FacetField::kLocation:
      return field == Field::kLocation;
    case FacetField::kColour:
      return field == Field::kColour;
  }
  return false;
}

// The run wrote this field of the card; a value that it only put down as a loser does not count.
bool is_set(const std::vector<FieldChange>& changes, FacetField field) {
  return std::any_of(changes.begin(), changes.end(), [field](const FieldChange& change) {
    return !change.is_offer && is_of(field, change.field);
  });
}

}  // namespace

Task<RunReport> LinkSync::undo(UndoRequest request) {
  report_.undone_run = request.run;
  report_.asked_by = request.asked_by;
  is_dry_run_ = request.is_dry_run;
  auto undoing = undo_all(request);
  Status status = co_await undoing;
  if (!status.ok()) report_.error = status.error();
  if (Status closed = close_run(); !closed.ok() && !report_.error) report_.error = closed.error();
  co_return std::move(report_);
}

Task<Status> LinkSync::undo_all(UndoRequest request) {
  if (!request.is_dry_run) {
    // What people have changed meanwhile must be known.
    KALENDS_CO_TRY_VOID(hold_lease());
    auto pulling = pull();
    Status pulled = co_await pulling;
    if (!pulled.ok() || link_.state() != LinkState::kActive) co_return pulled;
  }
  KALENDS_CO_TRY(std::vector<Deeds> all, deeds_of(request.run));
  std::vector<CardId> cards;
  for (const Deeds& deeds : all) {
    KALENDS_CO_TRY(std::optional<PairFacts> pair, facts(deeds.card));
    KALENDS_CO_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
    Reversal reversal = pair ? reversal_of(deeds, *pair, board->replica) : Reversal{};
    if (!pair) reversal.obstacle = "it is no longer kept in step";
    KALENDS_CO_TRY(uint64_t later, later_run(deeds.card, request.run));
    if (later > 0) reversal.obstacle = "run " + std::to_string(later) + " has changed it since";
    reversal.step.card = deeds.card;
    reversal.step.title = deeds.title;
    if (reversal.obstacle.empty() && !request.is_dry_run) {
      Status done = take_back(reversal, *pair, request);
      bool is_of_card = !done.ok() && (done.error().code == ErrorCode::kInvalid ||
                                       done.error().code == ErrorCode::kNotFound);
      if (is_of_card)
        reversal.obstacle = "the card cannot take it: " + done.error().message;
      else if (!done.ok())
        co_return done;
      else
        cards.push_back(deeds.card);
    }
    if (!reversal.obstacle.empty())
      report_.left.push_back({StepKind::kLeftAlone, deeds.card, deeds.title, {}, reversal.obstacle});
    else
      report_.steps.push_back(reversal.step);
  }
  auto settling = settle_all(cards);
  Status status = co_await settling;
  co_return status;
}

// What the run did, card by card, in the order in which it came to them.
Result<std::vector<LinkSync::Deeds>> LinkSync::deeds_of(uint64_t run) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<RunRow> row, txn->run(link_.workspace, link_.id(), run));
  if (!row) return not_found("The ledger has no run of this number: see `kalends runs`.");
  KALENDS_TRY(std::vector<EntryRow> entries, txn->entries(link_.workspace, link_.id(), run, 0, SIZE_MAX / 2));
  std::vector<Deeds> all;
  std::map<CardId, size_t> places;
  for (const EntryRow& entry : entries) {
    auto [place, is_new] = places.emplace(entry.card, all.size());
    if (is_new) all.push_back({});
    Deeds& deeds = all[place->second];
    deeds.card = entry.card;
    KALENDS_TRY(EntryContent content, decode_entry(entry.content));
    deeds.title = content.title;
    auto outcome = static_cast<EntryOutcome>(entry.outcome);
    deeds.is_open = deeds.is_open || outcome == EntryOutcome::kUnknown;
    if (outcome == EntryOutcome::kDone) add_deed(static_cast<EntryKind>(entry.kind), content, deeds);
  }
  return all;
}

void LinkSync::add_deed(EntryKind kind, const EntryContent& content, Deeds& deeds) {
  if (is_of_event(kind)) {
    bool is_again = kind == EntryKind::kInsertEvent && content.agreed;  // somebody had deleted it
    if (!deeds.has_event_entry) {
      deeds.before = is_again ? std::optional(content.agreed->theirs) : content.before;
      deeds.agreed = content.agreed;
      deeds.was_event_made = kind == EntryKind::kInsertEvent && !is_again;
    }
    deeds.has_event_entry = true;
    deeds.after = kind == EntryKind::kDeleteEvent ? std::nullopt : content.after;
    deeds.etag = content.etag;
    deeds.card_then = content.card;
    if (kind == EntryKind::kPatchEvent || is_again) deeds.fields.bits |= content.fields.bits;
    return;
  }
  deeds.was_made = deeds.was_made || kind == EntryKind::kCreateCard;
  deeds.was_deleted = deeds.was_deleted || kind == EntryKind::kDeleteCard;
  deeds.was_restored = deeds.was_restored || content.is_deletion_undone;
  for (const FieldChange& change : content.changes) {
    auto earlier = std::find_if(deeds.changes.begin(), deeds.changes.end(), [&](const FieldChange& one) {
      return one.field == change.field && one.is_offer == change.is_offer;
    });
    if (earlier == deeds.changes.end())
      deeds.changes.push_back(change);
    else
      earlier->after = change.after;
  }
}

// The newest run after this one that did something to the card; 0: none.
Result<uint64_t> LinkSync::later_run(CardId card, uint64_t run) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<EntryRow> newest, txn->entries_of_card(link_.workspace, link_.id(), card, 8));
  for (const EntryRow& entry : newest)
    if (entry.run > run && entry.outcome != static_cast<int64_t>(EntryOutcome::kRefused)) return entry.run;
  return uint64_t{0};
}

LinkSync::Reversal LinkSync::reversal_of(const Deeds& deeds, const PairFacts& pair,
                                         const Replica& board) const {
  Reversal reversal;
  auto obstacle = [&](std::string why) {
    reversal.obstacle = std::move(why);
    return reversal;
  };
  if (deeds.is_open || !pair.attempts.empty())
    return obstacle("Google has not answered yet: sync, then undo again");
  if (!pair.plan.is_nothing()) return obstacle("the card or its event was changed since");
  Entity card = board.document().find(deeds.card.raw);
  if (!card || !lives_here(board.document(), card)) return obstacle("the card is not on this board any more");
  if (!deeds.has_event_entry && deeds.changes.empty() && !deeds.was_made && !deeds.was_deleted)
    return obstacle("nothing was done to it");
  const std::optional<Observation>& seen = pair.situation.event;
  bool is_event_there = seen && seen->presence != EventPresence::kGone;
  const FacetMask mask = link_.policy.mask();

  if (deeds.was_deleted) {  // the undo of a creation is undone
    if (!card->is_deleted()) return obstacle("the card was taken out of the bin since");
    reversal.commands.push_back(RestoreCommand{{deeds.card.raw, {}}});
    reversal.is_deletion_undone = true;
    reversal.step = {StepKind::kNewCard, {}, {}, {}, "the card comes back"};
    return reversal;
  }
  for (const FieldChange& change : deeds.changes)
    if (!change.is_offer && !is_shown(card, change, change.after))
      return obstacle("the card's " + field_text(change.field) + " was changed since");
  if (deeds.was_made) {
    if (card->is_deleted()) return obstacle("the card was deleted since");
    bool is_untouched = card->children().empty() && !card->bool_value(Field::kArchived);
    if (!is_untouched) return obstacle("people have worked on the card since");
    reversal.commands.push_back(DeleteCommand{{deeds.card.raw, {}}});
    reversal.kind = EntryKind::kDeleteCard;
    reversal.alone = Reversal::Alone::kEvent;
    reversal.step = {StepKind::kChangedCard, {}, {}, {}, "the card goes; the event stays and is left alone"};
    return reversal;
  }

  for (const FieldChange& change : deeds.changes) revert(change, card, board, reversal.commands);
  if (deeds.was_restored) reversal.commands.push_back(DeleteCommand{{deeds.card.raw, {}}});
  reversal.step = {StepKind::kChangedCard, {}, {}, {}, "the card is as it was"};
  for (const FieldChange& change : deeds.changes)
    if (!change.is_offer)
      reversal.step.changes.push_back({field_text(change.field), value_text(board.document(), change.after),
                                       value_text(board.document(), change.before)});
  bool came_and_went = deeds.was_event_made && !deeds.after;
  if (!deeds.has_event_entry || came_and_went) return reversal;
  if (!deeds.was_event_made && !deeds.before)
    return obstacle("it was written anew because the link's settings had changed: change them back");

  if (deeds.before && deeds.after) {  // changed
    if (!is_event_there) return obstacle("the event was removed since");
    if (!deeds.agreed) return obstacle("card and event were not in step before that run");
    Plan edit;
    edit.change = CardChange::kEdit;
    for (FacetField field : kFacetFields) {
      if (!deeds.fields.has(field) || !mask.has(field)) continue;
      if (!same(seen->facet, *deeds.after, field))
        return obstacle("the event's " + std::string(facet_field_name(field)) + " was changed since");
      if (!is_set(deeds.changes, field)) edit.edits.push_back({field});
    }
    auto commands = commands_of(edit, deeds.agreed->ours, deeds.card, board, link_.policy);
    reversal.commands.insert(reversal.commands.end(), commands.begin(), commands.end());
    reversal.step.kind = StepKind::kChangedEvent;
    reversal.step.changes = event_changes(*deeds.after, deeds.agreed->theirs, deeds.fields);
    reversal.step.why = "card and event are as they were";
    return reversal;
  }
  if (deeds.after) {  // made
    if (!is_event_there) return obstacle("the event was removed since");
    if (seen->etag != deeds.etag) return obstacle("the event was changed since");
    // Stays the card dated, it must not bring the event back.
    reversal.alone = Reversal::Alone::kCard;
    reversal.step = {StepKind::kDeletedEvent,
                     {},
                     {},
                     {{"dates", facet_text(seen->facet, FacetField::kDates), "none"}},
                     "the event goes; the card keeps its date and is left alone"};
    return reversal;
  }
  // Removed: the card must be one again that has an event.
  if (is_event_there) return obstacle("the card has an event again");
  if (!left_alone_of(pair.row)) bring_back(deeds, card, board, reversal);
  reversal.has_event = true;
  reversal.step = {StepKind::kNewEvent,
                   {},
                   {},
                   {{"dates", "none", facet_text(*deeds.before, FacetField::kDates)}},
                   "the event is put back"};
  return reversal;
}

// Commands that make the card one with an event again, as far as the reverted fields do not.
void LinkSync::bring_back(const Deeds& deeds, const Entity& card, const Replica& board,
                          Reversal& reversal) const {
  Target target{deeds.card.raw, {}};
  auto is_reverted = [&](Field field) {
    return std::any_of(deeds.changes.begin(), deeds.changes.end(),
                       [&](const FieldChange& change) { return change.field == field && !change.is_offer; });
  };
  if (card->is_deleted() && !deeds.was_restored) {
    reversal.commands.insert(reversal.commands.begin(), RestoreCommand{target});
    reversal.is_deletion_undone = true;
  }
  if (card->bool_value(Field::kArchived) && !is_reverted(Field::kArchived))
    reversal.commands.push_back(SetCommand{target, {Field::kArchived, {}, false}});
  bool is_dated = dates_of(card) != CardDates{} || is_reverted(Field::kStart) || is_reverted(Field::kDue);
  if (!is_dated && deeds.before) {
    const EventFacet& was = deeds.agreed ? deeds.agreed->ours : *deeds.before;
    CardDates dates = card_dates(was.start, was.end, {}, link_.policy);
    if (dates.start) reversal.commands.push_back(SetCommand{target, {Field::kStart, {}, *dates.start}});
    if (dates.due) reversal.commands.push_back(SetCommand{target, {Field::kDue, {}, *dates.due}});
  }
  // What the card said otherwise than the event, and says still, goes back to what both said.
  if (deeds.agreed && deeds.card_then) {
    EventFacet now = facet_of(card, link_.policy);
    Plan edit;
    edit.change = CardChange::kEdit;
    for (FacetField field : kFacetFields) {
      if (is_set(deeds.changes, field) || !link_.policy.mask().has(field)) continue;
      if (field == FacetField::kDates && dates_of(card) == CardDates{}) continue;
      bool is_as_then = same(now, *deeds.card_then, field);
      if (is_as_then && !same(now, deeds.agreed->ours, field)) edit.edits.push_back({field});
    }
    auto commands = commands_of(edit, deeds.agreed->ours, deeds.card, board, link_.policy);
    reversal.commands.insert(reversal.commands.end(), commands.begin(), commands.end());
  }
  if (link_.policy.which == WhichCards::kWithLabel &&
      !card->has_element(Field::kLabels, link_.policy.which_id))
    reversal.commands.push_back(AddCommand{target, Field::kLabels, link_.policy.which_id});
  if (link_.policy.which == WhichCards::kWithAssignee &&
      !card->has_element(Field::kAssignees, link_.policy.which_id))
    reversal.commands.push_back(AddCommand{target, Field::kAssignees, link_.policy.which_id});
}

// The card's half and the pair's new standing, in one transaction; the event's half follows.
Status LinkSync::take_back(const Reversal& reversal, const PairFacts& pair, const UndoRequest& request) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  const Document& document = board->replica.document();
  CardId card = pair.row.card;
  int64_t now_ms = ports_.clock.now_ms();
  RunLedger::Entry entry;
  entry.card = card;
  entry.kind = reversal.kind;
  describe(pair, document, entry.content);
  entry.content.before.reset();
  entry.content.reasons = {"run " + std::to_string(request.run) + " is undone"};
  entry.content.actor = Actor::kMember;
  entry.content.member = request.asked_by;
  entry.content.is_deletion_undone = reversal.is_deletion_undone;
  entry.content.changes = changes_of(reversal.commands, document.find(card.raw));
  bool changes_card = !entry.content.changes.empty() || reversal.is_deletion_undone ||
                      reversal.kind == EntryKind::kDeleteCard;
  auto also = [&](Txn& txn) -> Status {
    PairRow row = pair.row;
    row.left_alone.clear();
    row.is_dirty = true;
    row.updated_ms = now_ms;
    CardSide side = card_side(document, card, link_.policy);
    if (reversal.has_event && !side.wanted) return invalid("it has no date, or is not chosen by the link");
    if (reversal.alone == Reversal::Alone::kEvent)
      row.left_alone = encode_left_alone({LeftAlone::Stays::kEvent, side.facet});
    else if (reversal.alone == Reversal::Alone::kCard && side.wanted)
      row.left_alone = encode_left_alone({LeftAlone::Stays::kCard, *side.wanted});
    if (changes_card) KALENDS_TRY_VOID(ledger_.append(txn, link_.lease, entry));
    if (row.left_alone != pair.row.left_alone && reversal.kind != EntryKind::kDeleteCard) {
      RunLedger::Entry alone = entry;
      alone.kind = EntryKind::kLeaveAlone;
      alone.content.changes.clear();
      alone.content.is_deletion_undone = false;
      if (!row.left_alone.empty()) KALENDS_TRY_VOID(ledger_.append(txn, link_.lease, alone));
    }
    // Whoever asked for the undo has asked for this.
    link_.approved.insert({card, true});
    return txn.put_pair(link_.lease, row);
  };
  auto edited =
      engine_.hub_.edit(link_.board(), {request.asked_by, Cause::kApi, now_ms}, reversal.commands, also);
  if (!edited.ok()) return edited.error();
  report_.card_edits += !edited->ops.empty();
  return {};
}

}  // namespace kalends
