// SPDX-License-Identifier: Apache-2.0
// A world of one card and one event, small enough that all its situations can be walked. It carries plans out
// as the worker does: the card's half and an attempt in one transaction, then the write, then its answer.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/reconcile/absorb.h"

namespace kalends::test {

using Reconcile = std::function<Plan(const Situation&, const LinkPolicy&)>;

// The values that the one field under test takes: 0, 1, 2, and 3, which only a server that normalises makes
// (of 0).
struct Domain {
  FacetField field = FacetField::kTitle;
  bool normalises = false;

  size_t size() const { return field == FacetField::kDone ? 2 : normalises ? 4 : 3; }
  void put(EventFacet& facet, size_t index) const {
    static const char* const kTexts[] = {"one two", "ONE two", "one TWO", "one two."};
    static const char* const kColours[] = {"", "sage", "tomato", "basil"};
    switch (field) {
      case FacetField::kTitle:
        facet.title = kTexts[index];
        return;
      case FacetField::kDescription:
        facet.description = kTexts[index];
        return;
      case FacetField::kLocation:
        facet.location = kTexts[index];
        return;
      case FacetField::kColour:
        facet.colour = kColours[index];
        return;
      case FacetField::kDone:
        facet.is_done = index == 1;
        return;
      case FacetField::kDates:
        facet.start = When::all_day({static_cast<int32_t>(100 + index)});
        facet.end = When::all_day({static_cast<int32_t>(101 + index)});
        return;
    }
  }
  EventFacet facet(size_t index) const {
    EventFacet facet;
    facet.start = When::all_day({50});
    facet.end = When::all_day({51});
    put(facet, index);
    return facet;
  }
  std::string text(const EventFacet& facet) const {
    switch (field) {
      case FacetField::kTitle:
        return facet.title;
      case FacetField::kDescription:
        return facet.description;
      case FacetField::kLocation:
        return facet.location;
      case FacetField::kColour:
        return facet.colour;
      case FacetField::kDone:
        return facet.is_done ? "done" : "open";
      case FacetField::kDates:
        return to_text(facet.start.date) + "/" + to_text(facet.end.date);
    }
    return {};
  }
  EventFacet stored(const EventFacet& asked) const {
    EventFacet result = asked;
    if (normalises && same(asked, facet(0), field)) put(result, 3);
    return result;
  }
};

enum class CardState { kAbsent, kUndated, kWanted, kDeleted, kArchived };
enum class EventState { kNever, kLive, kGone };

struct World {
  Domain domain;
  LinkPolicy policy;
  // the card
  CardState card = CardState::kAbsent;
  EventFacet content;            // of the card, dates aside when it is undated
  std::set<std::string> losers;  // open values of the field
  bool has_open_deletion = false;
  bool has_date_offer = false;  // "no date" stays open
  int64_t changed_ms = 0;
  // the calendar
  std::optional<EventFacet> event;
  uint64_t event_generation = 0;
  uint64_t event_version = 0;  // its etag
  std::set<uint64_t> taken;    // generations whose ids deleted events keep
  // what the worker stores
  uint64_t generation = 0;
  std::optional<Observation> observation;
  uint64_t observed_version = 0;
  std::optional<Shadow> shadow;
  std::vector<Attempt> attempts;  // newest first

  std::string card_text() const { return domain.text(content); }
  std::string event_text() const { return event ? domain.text(*event) : "none"; }

  Situation situation() const {
    Situation now;
    now.card.exists = card != CardState::kAbsent;
    now.card.is_deleted = card == CardState::kDeleted;
    now.card.facet = content;
    if (card == CardState::kUndated) now.card.facet.start = now.card.facet.end = When::all_day({0});
    if (card == CardState::kWanted) now.card.wanted = content;
    now.card.changed_ms.fill(changed_ms);
    now.event = observation;
    now.shadow = shadow;
    for (const Attempt& attempt : attempts) absorb(attempt, policy.mask(), now);
    return now;
  }

  // The calendar is read: what is there is seen.
  void pull() {
    if (event && event_version != observed_version) {
      observation = Observation{EventPresence::kLive, "event", "etag", *event, 0};
      observed_version = event_version;
    }
    if (!event && observation && observation->presence == EventPresence::kLive)
      observation->presence = EventPresence::kGone;
  }

  // The card's half of a plan.
  void change_card(const Plan& plan) {
    const EventFacet seen = observation ? observation->facet : EventFacet{};
    switch (plan.change) {
      case CardChange::kNone:
        break;
      case CardChange::kEdit:
        for (const FieldEdit& edit : plan.edits) edit_card(edit, plan, seen);
        break;
      case CardChange::kUnschedule:
        card = CardState::kUndated;
        break;
      case CardChange::kArchive:
        card = CardState::kArchived;
        break;
      case CardChange::kCreate:
        card = CardState::kWanted;
        content = seen;
        break;
    }
    if (plan.offer_unscheduling) has_date_offer = true;
  }

  // The calendar's half. False: it was refused, the event was read instead, and there is no new agreement.
  bool change_event(const Plan& plan) {
    bool is_stale = plan.write != RemoteWrite::kInsert && (!event || event_version != observed_version);
    if (plan.write == RemoteWrite::kInsert && (event || taken.count(generation) > 0)) is_stale = true;
    if (is_stale) {
      if (event) {
        pull();
      } else {
        Observation gone = observation.value_or(Observation{});
        gone.presence = EventPresence::kGone;
        observation = gone;
      }
      return false;
    }
    if (plan.write == RemoteWrite::kDelete) {
      taken.insert(event_generation);
      event.reset();
      return true;
    }
    EventFacet wanted = plan.write == RemoteWrite::kInsert ? EventFacet{} : *event;
    for (FacetField field : kFacetFields)
      if (plan.write == RemoteWrite::kInsert || plan.fields.has(field))
        copy_field(wanted, plan.target, field);
    event = domain.stored(wanted);
    event_generation = generation;
    ++event_version;
    return true;
  }

  void record_answer(const Plan& plan) {
    attempts.clear();
    if (plan.write == RemoteWrite::kDelete) {
      ++generation;
      observation.reset();
      shadow.reset();
      return;
    }
    pull();
    shadow = Shadow{plan.target, observation->facet};
  }

 private:
  void edit_card(const FieldEdit& edit, const Plan& plan, const EventFacet& seen) {
    std::string offered = domain.text(seen);
    bool is_tested = edit.field == domain.field;
    if (edit.is_offer) {
      if (is_tested && edit.field != FacetField::kDone && offered != card_text_shown())
        losers.insert(offered);
      return;
    }
    if (is_tested && edit.keep_loser && edit.field != FacetField::kDone) losers.insert(card_text());
    copy_field(content, seen, edit.field);
    if (edit.field == FacetField::kDescription && plan.has_merged_description)
      content.description = plan.merged_description;
    if (card == CardState::kDeleted) {
      card = CardState::kWanted;
      has_open_deletion = true;
    }
    if (card == CardState::kUndated && edit.field == FacetField::kDates) card = CardState::kWanted;
  }
  std::string card_text_shown() const {
    return card == CardState::kUndated && domain.field == FacetField::kDates ? std::string("none")
                                                                             : card_text();
  }
};

// Every start of a world: card, event and shadow, in every state and with every value, under every policy that decides.
template <typename Visit>
void for_each_start(Visit visit) {
  for (bool normalises : {false, true})
    for (FacetField field : kFacetFields) {
      Domain domain{field, normalises};
      if (normalises && field == FacetField::kDone) continue;
      for (int rule = 0; rule < 3; ++rule)
        for (int on_deleted = 0; on_deleted < 3; ++on_deleted)
          for (bool has_inbox : {false, true})
            for (bool is_event_later : {false, true})
              for (int card = 0; card < 5; ++card)
                for (int event = 0; event < 3; ++event)
                  for (size_t x = 0; x < domain.size(); ++x)
                    for (size_t y = 0; y < domain.size(); ++y)
                      for (size_t shadow = 0; shadow <= domain.size() * domain.size(); ++shadow) {
                        World world;
                        world.domain = domain;
                        world.policy.fields.fill(static_cast<FieldPolicy>(rule));
                        world.policy.on_event_deleted = static_cast<OnEventDeleted>(on_deleted);
                        if (has_inbox) world.policy.inbox_list.bytes[0] = 1;
                        world.card = static_cast<CardState>(card);
                        world.content = domain.facet(x);
                        world.changed_ms = 2;
                        bool has_event = static_cast<EventState>(event) != EventState::kNever;
                        // A value that the server rewrites cannot be in the calendar, nor have been seen
                        // there.
                        bool is_possible =
                            !normalises ||
                            ((y != 0 || !has_event) && (shadow == 0 || (shadow - 1) % domain.size() != 0));
                        // Values that are not there need no walk.
                        bool is_repeat = (world.card == CardState::kAbsent && x > 0) ||
                                         (!has_event && y > 0) || (rule != 2 && is_event_later);
                        if (!is_possible || is_repeat) continue;
                        if (has_event) {
                          EventPresence presence = static_cast<EventState>(event) == EventState::kLive
                                                       ? EventPresence::kLive
                                                       : EventPresence::kGone;
                          world.observation =
                              Observation{presence, "event", "etag", domain.facet(y), is_event_later ? 3 : 1};
                          if (presence == EventPresence::kLive)
                            world.event = domain.facet(y);
                          else
                            world.taken.insert(0);
                        }
                        if (shadow > 0)
                          world.shadow = Shadow{domain.facet((shadow - 1) / domain.size()),
                                                domain.facet((shadow - 1) % domain.size())};
                        visit(world);
                      }
    }
}

// Where a run stops, as a crash would.
enum class Crash {
  kNone,
  kAfterCardHalf,     // the card's half and the attempt are stored, the write was not sent
  kAnswerLost,        // the write was carried out, its answer was not stored; the calendar is read again
  kAnswerLostUnseen,  // the same, and the next decision is made before the calendar is read again
};

// One look at the pair. True: it is at rest.
inline bool look(World& world, const Reconcile& decide, Crash crash = Crash::kNone) {
  Situation situation = world.situation();
  Plan plan = decide(situation, world.policy);
  if (plan.write == RemoteWrite::kNone && !world.attempts.empty()) {
    // The last sight of the event is older than a write whose answer was lost.
    world.pull();
    situation = world.situation();
    plan = decide(situation, world.policy);
  }
  if (plan.write == RemoteWrite::kNone) {
    bool is_settled = plan.agree || plan.forget || plan.is_nothing();
    bool was_nothing = plan.is_nothing();
    world.change_card(plan);
    if (plan.agree) world.shadow = Shadow{world.content, world.observation->facet};
    if (plan.forget) {
      world.generation += world.observation ? 1 : 0;
      world.observation.reset();
      world.shadow.reset();
    }
    if (is_settled) world.attempts.clear();
    return was_nothing;
  }
  world.change_card(plan);
  if (plan.write == RemoteWrite::kInsert) {
    world.generation += plan.is_next_generation ? 1 : 0;
    world.observation.reset();
    world.shadow.reset();
  } else if (situation.shadow) {
    world.shadow = taken_up(*situation.shadow, plan, situation.event ? situation.event->facet : EventFacet{});
  }
  world.attempts.insert(world.attempts.begin(), {plan.write, plan.target});
  if (crash == Crash::kAfterCardHalf) return false;
  if (!world.change_event(plan)) return false;
  if (crash == Crash::kAnswerLost) world.pull();
  if (crash == Crash::kNone) world.record_answer(plan);
  return false;
}

inline constexpr int kRoundsMax = 4;

// Looks until rest. The number of looks that did something, or nothing when it did not come to rest.
inline std::optional<int> run_to_rest(World& world, const Reconcile& decide, int limit) {
  for (int round = 0; round <= limit; ++round) {
    if (look(world, decide)) return round;
    world.pull();
  }
  return std::nullopt;
}

}  // namespace kalends::test
