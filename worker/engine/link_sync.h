// SPDX-License-Identifier: Apache-2.0
// One look at one link: read what is new in the calendar, decide for every pair that may have work, carry it
// out. A crash at any wait leaves only facts behind, from which the next look derives the same decisions.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "core/reconcile/reconcile.h"
#include "worker/engine/event_identity.h"
#include "worker/engine/link_state.h"
#include "worker/google/facet_mapping.h"

namespace kalends {

class LinkSync {
 public:
  LinkSync(LinkEngine& engine, LinkEngine::Link& link);
  ~LinkSync();
  LinkSync(const LinkSync&) = delete;

  Task<RunReport> run();
  // What run() would do with what is known now, a line for each card.
  Result<RunReport> preview();
  // Reads the calendar, then says what run() would do. Nothing is written to Google.
  Task<Result<RunReport>> look();
  // Takes or renews the link's lease; everything that is written names it.
  Status hold_lease();

 private:
  // Facts of one pair, read together.
  struct PairFacts {
    PairRow row;
    std::vector<AttemptRow> attempts;
    Situation situation;
    Plan plan;
    std::optional<Id128> list;  // for a card that the plan makes, instead of the inbox
  };

  Task<Status> pull();
  Task<Status> list(bool is_full);
  Task<Status> confirm_missing(std::set<Bytes> seen);
  Status observe_page(const GoogleEventsPage& page, bool is_full, std::set<Bytes>& seen);
  Status observe_event(Txn& txn, const GoogleEvent& event);
  Task<Result<GoogleEvent>> get_event(std::string event_id);

  Task<Status> push();
  Task<void> lane(std::function<void()> done);
  Task<Status> settle(CardId card);
  Result<std::optional<PairFacts>> facts(CardId card);
  PairFacts judged(Txn& txn, const Replica& board, PairRow row);
  Status judge_run(bool& may_go);
  void take_later_event(const Replica& board, PairFacts& pair) const;

  Task<Status> read_again(CardId card, PairFacts facts);
  Task<Status> settle_here(CardId card, PairFacts facts);
  Task<Status> write_remote(CardId card, PairFacts facts);
  Status record_written(CardId card, const EventFacet& target, const GoogleEvent& event);
  Status record_deleted(CardId card);
  Status record_observation(CardId card, const Observation& observation, uint64_t generation_at_least);
  Status card_refused(const PairFacts& pair, const Error& error);
  Status record_refusal(CardId card, const GoogleAnswer& answer);
  Status failed(const GoogleAnswer& answer);
  ReadingContext reading(const PairRow* known) const;

  LinkEngine& engine_;
  LinkEngine::Link& link_;
  Ports& ports_;
  EventIdentities identities_;
  RunReport report_;
  std::deque<CardId> queue_;
  std::set<CardId> tried_;
  size_t lanes_open_ = 0;
  size_t settled_ = 0;
  Status lane_status_;
  TaskSet lanes_;
};

}  // namespace kalends
