// SPDX-License-Identifier: Apache-2.0
// All situations of one card and one event are walked, and the laws of reconcile.h are checked in each. The
// laws are said here a second time, in another form, so that a slip in the planner cannot hide in its own
// words.
#include <catch2/catch.hpp>

#include <iostream>
#include <map>

#include "core/reconcile/merge_text.h"
#include "tests/core/reconcile_world.h"

namespace kalends::test {
namespace {

// What the two sides should show at rest, and what stays open on the card.
struct Expected {
  CardState card = CardState::kAbsent;
  std::string card_text;
  std::string event_text = "none";
  std::set<std::string> losers;
  bool has_open_deletion = false;
  bool has_date_offer = false;
};

class Oracle {
 public:
  explicit Oracle(const World& start) : start_(start), domain_(start.domain) {
    card_ = domain_.text(start.content);
    is_live_ = start.event.has_value();
    is_gone_ = !is_live_ && start.observation.has_value();
    if (is_live_) event_ = domain_.text(*start.event);
    card_changed_ = !start.shadow || !same(start.content, start.shadow->ours, domain_.field);
    event_changed_ = is_live_ && (!start.shadow || !same(*start.event, start.shadow->theirs, domain_.field));
  }

  Expected expected() const {
    Expected result{start_.card, card_, "none", {}, false, false};
    bool is_wanted = start_.card == CardState::kWanted;
    if (is_wanted && is_live_) return both(result);
    if (is_wanted) return card_alone(result);
    if (start_.card == CardState::kAbsent) return event_alone(result);
    if (is_live_) return unwanted(result);
    return result;
  }

 private:
  std::string stored(const EventFacet& asked) const { return domain_.text(domain_.stored(asked)); }

  Expected both(Expected result) const {
    result.event_text = event_;
    if (card_ == event_) return result;
    if (!card_changed_ && !event_changed_) return result;
    if (!event_changed_) {
      result.event_text = stored(start_.content);
      return result;
    }
    if (!card_changed_) {
      result.card_text = event_;
      return result;
    }
    bool is_text = domain_.field == FacetField::kDescription && start_.shadow &&
                   start_.shadow->ours.description == start_.shadow->theirs.description;
    if (is_text) {
      if (auto merged = merge_text(start_.shadow->ours.description, card_, event_)) {
        EventFacet facet = start_.content;
        facet.description = result.card_text = *merged;
        result.event_text = *merged == event_ ? event_ : stored(facet);
        return result;
      }
    }
    FieldPolicy rule = start_.policy.fields[static_cast<size_t>(domain_.field)];
    bool is_event_later = start_.observation->seen_ms > start_.changed_ms;
    bool event_wins =
        rule == FieldPolicy::kPreferEvent || (rule == FieldPolicy::kLaterWins && is_event_later);
    if (event_wins)
      result.card_text = event_;
    else
      result.event_text = stored(start_.content);
    if (domain_.field != FacetField::kDone) result.losers.insert(event_wins ? card_ : event_);
    return result;
  }

  Expected card_alone(Expected result) const {
    bool was_deleted_in_calendar = is_gone_ && start_.shadow;
    bool is_kept = card_changed_ || start_.policy.on_event_deleted == OnEventDeleted::kPutBack;
    if (was_deleted_in_calendar && !is_kept) {
      result.card = start_.policy.on_event_deleted == OnEventDeleted::kArchive ? CardState::kArchived
                                                                               : CardState::kUndated;
      return result;
    }
    result.event_text = stored(start_.content);
    result.has_date_offer =
        was_deleted_in_calendar && start_.policy.on_event_deleted != OnEventDeleted::kPutBack;
    return result;
  }

  Expected event_alone(Expected result) const {
    if (!is_live_) return result;
    result.event_text = event_;
    if (start_.shadow || start_.policy.inbox_list.is_nil()) return result;
    result.card = CardState::kWanted;
    result.card_text = event_;
    return result;
  }

  Expected unwanted(Expected result) const {
    bool was_edited = start_.shadow && event_changed_;
    if (!was_edited) return result;
    if (start_.card == CardState::kDeleted) {
      result.card = CardState::kWanted;
      result.card_text = result.event_text = event_;
      result.has_open_deletion = true;
      return result;
    }
    bool is_undated = start_.card == CardState::kUndated && domain_.field == FacetField::kDates;
    if (card_ == event_ && !is_undated) return result;
    bool is_conflict = card_changed_ || domain_.field == FacetField::kDates;
    if (!is_conflict)
      result.card_text = event_;
    else if (domain_.field != FacetField::kDone)
      result.losers.insert(event_);
    return result;
  }

  const World& start_;
  const Domain& domain_;
  std::string card_, event_ = "none";
  bool is_live_ = false, is_gone_ = false, card_changed_ = false, event_changed_ = false;
};

struct Violations {
  size_t situations = 0, runs = 0;
  std::map<std::string, size_t> counts;
  void found(const char* law) { ++counts[law]; }
  size_t total() const {
    size_t sum = 0;
    for (const auto& [law, count] : counts) sum += count;
    return sum;
  }
};

bool shows(const World& world, const Expected& expected) {
  bool is_card_right = world.card == expected.card &&
                       (world.card == CardState::kAbsent || world.card_text() == expected.card_text);
  return is_card_right && world.event_text() == expected.event_text;
}

void check_situation(const World& start, const Reconcile& decide, Violations& violations) {
  ++violations.situations;
  const Expected expected = Oracle(start).expected();

  bool is_agreed = start.card == CardState::kWanted && start.event && start.shadow &&
                   same(start.content, start.shadow->ours, start.domain.field) &&
                   same(*start.event, start.shadow->theirs, start.domain.field);
  if (is_agreed && !decide(start.situation(), start.policy).is_nothing())
    violations.found("quiescence: a pair in agreement plans nothing");

  World end = start;
  ++violations.runs;
  auto rounds = run_to_rest(end, decide, kRoundsMax);
  if (!rounds) return violations.found("convergence: at rest after four rounds");
  if (!look(end, decide)) violations.found("quiescence: rest lasts");
  if (!shows(end, expected)) violations.found("no loss: both sides show the right value");
  if (end.losers != expected.losers) violations.found("no loss: the loser stays open, and nothing else does");
  if (end.has_open_deletion != expected.has_open_deletion || end.has_date_offer != expected.has_date_offer)
    violations.found("no loss: an overruled deletion stays open");

  for (Crash crash : {Crash::kAfterCardHalf, Crash::kAnswerLost, Crash::kAnswerLostUnseen}) {
    for (int at = 0; at < *rounds; ++at) {
      ++violations.runs;
      World crashed = start;
      for (int round = 0; round < at; ++round) {
        look(crashed, decide);
        crashed.pull();
      }
      look(crashed, decide, crash);
      if (!run_to_rest(crashed, decide, kRoundsMax + 2)) {
        violations.found("crash safety: at rest");
        continue;
      }
      // Where the answer was lost, a value that the server has rewritten cannot be told from a person's: it
      // may be taken over, and what it took the place of may stay open.
      bool is_told_apart = !start.domain.normalises;
      bool is_same_card =
          crashed.card == end.card &&
          (is_told_apart || start.domain.stored(crashed.content) == start.domain.stored(end.content));
      if (is_told_apart && crashed.card != CardState::kAbsent)
        is_same_card = is_same_card && crashed.card_text() == end.card_text();
      if (!is_same_card || crashed.event_text() != end.event_text())
        violations.found("crash safety: the same target");
      if (is_told_apart &&
          (crashed.losers != end.losers || crashed.has_open_deletion != end.has_open_deletion ||
           crashed.has_date_offer != end.has_date_offer))
        violations.found("crash safety: the same values stay open");
      for (const std::string& loser : end.losers)
        if (crashed.losers.count(loser) == 0 && crashed.card_text() != loser)
          violations.found("crash safety: no loser is lost");
    }
  }
}

// The card is edited again while the outcome of the last write is unknown: nobody touched the event, so no
// conflict may come of it and the newest value must be shown.
void check_edit_after_crash(const World& start, const Reconcile& decide, Violations& violations) {
  const Domain& domain = start.domain;
  bool is_one_sided = start.event ? start.shadow && same(*start.event, start.shadow->theirs, domain.field)
                                  : !start.observation;
  if (start.shadow && !same(start.shadow->ours, start.shadow->theirs, domain.field)) return;
  if (start.card != CardState::kWanted || domain.normalises || !is_one_sided) return;
  for (Crash crash : {Crash::kAfterCardHalf, Crash::kAnswerLost, Crash::kAnswerLostUnseen})
    for (size_t z = 0; z < domain.size(); ++z)
      for (Crash second : {Crash::kNone, Crash::kAfterCardHalf, Crash::kAnswerLost}) {
        ++violations.runs;
        World world = start;
        look(world, decide, crash);
        domain.put(world.content, z);
        look(world, decide, second);
        domain.put(world.content, 0);
        bool is_at_rest = run_to_rest(world, decide, kRoundsMax + 2).has_value();
        std::string last = domain.text(domain.facet(0));
        if (!is_at_rest || world.card_text() != last || world.event_text() != last || !world.losers.empty())
          violations.found("crash safety: an edit after a lost answer is no conflict");
      }
}

// The card's and the event's places are exchanged: whoever wins here must win there.
void check_mirror(const World& start, const Reconcile& decide, Violations& violations) {
  bool is_fit = start.card == CardState::kWanted && start.event && start.shadow && !start.domain.normalises;
  FieldPolicy rule = start.policy.fields[static_cast<size_t>(start.domain.field)];
  if (!is_fit || rule == FieldPolicy::kLaterWins) return;
  World mirrored = start;
  mirrored.content = *start.event;
  mirrored.event = start.content;
  mirrored.observation->facet = start.content;
  mirrored.shadow = Shadow{start.shadow->theirs, start.shadow->ours};
  mirrored.policy.fields.fill(rule == FieldPolicy::kPreferCard ? FieldPolicy::kPreferEvent
                                                               : FieldPolicy::kPreferCard);
  World end = start;
  ++violations.runs;
  if (!run_to_rest(end, decide, kRoundsMax) || !run_to_rest(mirrored, decide, kRoundsMax))
    return violations.found("mirror: at rest");
  bool is_mirrored = end.card_text() == mirrored.event_text() && end.event_text() == mirrored.card_text() &&
                     end.losers == mirrored.losers;
  if (!is_mirrored) violations.found("mirror: whoever wins here wins there");
}

Violations walk(const Reconcile& decide) {
  Violations violations;
  for_each_start([&](const World& start) {
    check_situation(start, decide, violations);
    check_edit_after_crash(start, decide, violations);
    check_mirror(start, decide, violations);
  });
  return violations;
}

std::string report(const Violations& violations) {
  std::string text;
  for (const auto& [law, count] : violations.counts) text += law + ": " + std::to_string(count) + "\n";
  return text;
}

}  // namespace

TEST_CASE("the laws of reconcile hold in every situation") {
  Violations violations = walk(reconcile);
  INFO(report(violations));
  CHECK(violations.total() == 0);
  CHECK(violations.situations > 40000);
  std::cout << "reconcile: " << violations.situations << " situations, " << violations.runs << " runs\n";
}

TEST_CASE("the checker of reconcile finds planted mistakes") {
  auto mutant = [](auto change) {
    return [change](const Situation& situation, const LinkPolicy& policy) {
      Plan plan = reconcile(situation, policy);
      change(plan);
      return plan;
    };
  };
  SECTION("the loser of a double edit is dropped") {
    auto violations = walk(mutant([](Plan& plan) {
      std::erase_if(plan.edits, [](const FieldEdit& edit) { return edit.is_offer; });
      if (plan.edits.empty() && plan.change == CardChange::kEdit) plan.change = CardChange::kNone;
    }));
    CHECK(violations.counts.count("no loss: the loser stays open, and nothing else does") == 1);
  }
  SECTION("the card's value is not kept when the event's wins") {
    auto violations = walk(mutant([](Plan& plan) {
      for (FieldEdit& edit : plan.edits) edit.keep_loser = false;
    }));
    CHECK(violations.counts.count("no loss: the loser stays open, and nothing else does") == 1);
  }
  SECTION("one side of the shadow is trusted for both") {
    auto violations = walk([](Situation situation, const LinkPolicy& policy) {
      if (situation.shadow) situation.shadow->theirs = situation.shadow->ours;
      return reconcile(situation, policy);
    });
    CHECK(violations.counts.count("quiescence: a pair in agreement plans nothing") == 1);
    CHECK(violations.total() > 0);
  }
  SECTION("an event is put back under the id of the deleted one") {
    auto violations = walk(mutant([](Plan& plan) { plan.is_next_generation = false; }));
    CHECK(violations.counts.count("convergence: at rest after four rounds") == 1);
  }
  SECTION("the deletion that an edit overruled is forgotten") {
    auto violations = walk(mutant([](Plan& plan) { plan.offer_unscheduling = false; }));
    CHECK(violations.counts.count("no loss: an overruled deletion stays open") == 1);
  }
  SECTION("a one-sided edit in the calendar is overwritten") {
    auto violations = walk(mutant([](Plan& plan) {
      if (plan.change == CardChange::kEdit && plan.write == RemoteWrite::kNone && plan.agree)
        plan.edits.clear();
    }));
    CHECK(violations.counts.count("no loss: both sides show the right value") == 1);
  }
  SECTION("agreements are forgotten") {
    auto violations = walk([](Situation situation, const LinkPolicy& policy) {
      situation.shadow.reset();
      return reconcile(situation, policy);
    });
    CHECK(violations.counts.count("crash safety: an edit after a lost answer is no conflict") == 1);
  }
  SECTION("the card always wins against the mirror") {
    auto violations = walk([](const Situation& situation, LinkPolicy policy) {
      policy.fields.fill(FieldPolicy::kPreferCard);
      return reconcile(situation, policy);
    });
    CHECK(violations.counts.count("mirror: whoever wins here wins there") == 1);
  }
}

TEST_CASE("a write whose answer was lost is known again and no person's edit is seen in it") {
  LinkPolicy policy;
  Domain domain{FacetField::kTitle, false};
  Situation situation;
  situation.card.exists = true;
  situation.card.wanted = domain.facet(1);
  situation.card.facet = domain.facet(1);
  situation.event = Observation{EventPresence::kLive, "event", "etag", domain.facet(1), 1};
  situation.shadow = Shadow{domain.facet(0), domain.facet(0)};
  absorb({RemoteWrite::kPatch, domain.facet(1)}, policy.mask(), situation);
  CHECK(situation.shadow == Shadow{domain.facet(1), domain.facet(1)});

  SECTION("what a person wrote over it since is an edit") {
    situation.event->facet = domain.facet(2);
    situation.shadow = Shadow{domain.facet(0), domain.facet(0)};
    absorb({RemoteWrite::kPatch, domain.facet(1)}, policy.mask(), situation);
    CHECK(situation.shadow == Shadow{domain.facet(0), domain.facet(0)});
  }
  SECTION("an event that is gone after we asked for that was not deleted by a person") {
    situation.event->presence = EventPresence::kGone;
    absorb({RemoteWrite::kDelete, {}}, policy.mask(), situation);
    CHECK_FALSE(situation.shadow.has_value());
  }
}

}  // namespace kalends::test
