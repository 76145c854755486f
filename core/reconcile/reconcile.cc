// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/reconcile.h"

#include "core/reconcile/merge_text.h"

namespace kalends {
namespace {

class Planner {
 public:
  Planner(const Situation& situation, const LinkPolicy& policy)
      : card_(situation.card),
        event_(situation.event),
        shadow_(situation.shadow),
        policy_(policy),
        mask_(policy.mask()) {}

  Plan run() {
    bool is_live = event_ && event_->presence == EventPresence::kLive;
    bool is_gone = event_ && event_->presence == EventPresence::kGone;
    if (event_ && event_->presence == EventPresence::kUnmanaged) {
      say("the event is of a kind that is left alone");
      return plan_;
    }
    if (is_live) return card_.wanted ? both() : event_only();
    if (card_.wanted) return card_only(is_gone);
    if (shadow_ || event_) {
      plan_.forget = true;
      say("neither a dated card nor an event is left");
    }
    return plan_;
  }

 private:
  void say(std::string reason) { plan_.reasons.push_back(std::move(reason)); }
  // `what` goes on after "the title was".
  void say(FacetField field, const char* what) {
    say("the " + std::string(facet_field_name(field)) + (field == FacetField::kDates ? " were" : " was") +
        what);
  }

  Plan both() {
    merge_fields(*card_.wanted);
    if (!plan_.fields.empty()) {
      plan_.write = RemoteWrite::kPatch;
    } else {
      plan_.agree = true;
    }
    return plan_;
  }

  // Fills edits of the card and fields to send; `plan_.target` is what both should show.
  void merge_fields(const EventFacet& card) {
    const EventFacet& event = event_->facet;
    plan_.target = card;
    for (FacetField field : kFacetFields) {
      if (!mask_.has(field)) continue;
      bool card_changed = !shadow_ || !same(card, shadow_->ours, field);
      bool event_changed = !shadow_ || !same(event, shadow_->theirs, field);
      if (same(card, event, field) || (!card_changed && !event_changed)) continue;
      if (card_changed && !event_changed) {
        send(field, " changed on the card");
      } else if (!card_changed) {
        take(field, false, " changed in the calendar");
      } else {
        decide(field, card, event);
      }
    }
  }

  void send(FacetField field, const char* why) {
    plan_.fields.add(field);
    say(field, why);
  }

  void take(FacetField field, bool keep_loser, const char* why) {
    copy_field(plan_.target, event_->facet, field);
    plan_.change = CardChange::kEdit;
    plan_.edits.push_back({field, false, keep_loser});
    say(field, why);
  }

  void decide(FacetField field, const EventFacet& card, const EventFacet& event) {
    if (field == FacetField::kDescription && shadow_ &&
        shadow_->ours.description == shadow_->theirs.description) {
      if (auto merged = merge_text(shadow_->ours.description, card.description, event.description)) {
        plan_.target.description = *merged;
        plan_.merged_description = *merged;
        plan_.has_merged_description = true;
        if (*merged != card.description) {
          plan_.change = CardChange::kEdit;
          plan_.edits.push_back({field});
        }
        if (*merged != event.description) plan_.fields.add(field);
        return say(field, " changed on both sides, in different places: merged");
      }
    }
    FieldPolicy rule = policy_.fields[static_cast<size_t>(field)];
    bool event_wins =
        rule == FieldPolicy::kPreferEvent ||
        (rule == FieldPolicy::kLaterWins && event_->seen_ms > card_.changed_ms[static_cast<size_t>(field)]);
    if (event_wins)
      return take(field, true, " changed on both sides: the calendar's is shown, the card's kept open");
    plan_.fields.add(field);
    // Two values of "done" have no loser worth a question: the other one is its negation.
    if (field != FacetField::kDone) {
      plan_.change = CardChange::kEdit;
      plan_.edits.push_back({field, true, false});
    }
    say(field, " changed on both sides: the card's is shown, the calendar's kept open");
  }

  // The event is there, but the card should have none.
  Plan event_only() {
    if (!card_.exists) {
      if (policy_.inbox_list.is_nil() || shadow_) {
        say("an event without a card is left alone");
        return plan_;
      }
      plan_.change = CardChange::kCreate;
      plan_.target = event_->facet;
      say("a person made this event: it becomes a card");
      return plan_;
    }
    FacetMask edited = shadow_ ? differing(event_->facet, shadow_->theirs, mask_) : FacetMask{};
    if (card_.is_deleted && !edited.empty()) {
      // Edited without knowing of the deletion: the edit wins, the deletion stays open on the card.
      plan_.change = CardChange::kEdit;
      plan_.target = event_->facet;
      for (FacetField field : kFacetFields)
        if (edited.has(field)) plan_.edits.push_back({field});
      say("the card was deleted while its event was edited: the card is kept, the deletion stays open");
      return plan_;
    }
    // What a person changed in the event meanwhile goes to the card before the event goes.
    for (FacetField field : kFacetFields) {
      if (!edited.has(field) || same(card_.facet, event_->facet, field)) continue;
      bool card_changed = !same(card_.facet, shadow_->ours, field);
      plan_.change = CardChange::kEdit;
      plan_.edits.push_back({field, card_changed || field == FacetField::kDates, false});
    }
    plan_.write = RemoteWrite::kDelete;
    say("the card is undated, archived, deleted or not chosen: its event goes");
    return plan_;
  }

  // The card should have an event, and there is none.
  Plan card_only(bool is_gone) {
    plan_.target = *card_.wanted;
    bool was_there = shadow_.has_value() && is_gone;
    if (!was_there) {
      plan_.write = RemoteWrite::kInsert;
      plan_.is_next_generation = is_gone;
      say("the card has a date and no event");
      return plan_;
    }
    bool card_changed = !differing(*card_.wanted, shadow_->ours, mask_).empty();
    if (card_changed || policy_.on_event_deleted == OnEventDeleted::kPutBack) {
      plan_.write = RemoteWrite::kInsert;
      plan_.is_next_generation = true;
      plan_.offer_unscheduling = card_changed && policy_.on_event_deleted != OnEventDeleted::kPutBack;
      say(card_changed
              ? "the event was deleted while the card was edited: the edit wins, the deletion stays open"
              : "the event was deleted and is put back");
      return plan_;
    }
    plan_.change =
        policy_.on_event_deleted == OnEventDeleted::kArchive ? CardChange::kArchive : CardChange::kUnschedule;
    plan_.forget = true;
    say(plan_.change == CardChange::kArchive ? "the event was deleted: the card is archived"
                                             : "the event was deleted: the card loses its date");
    return plan_;
  }

  const CardSide& card_;
  const std::optional<Observation>& event_;
  const std::optional<Shadow>& shadow_;
  const LinkPolicy& policy_;
  FacetMask mask_;
  Plan plan_;
};

}  // namespace

Plan reconcile(const Situation& situation, const LinkPolicy& policy) {
  return Planner(situation, policy).run();
}

}  // namespace kalends
