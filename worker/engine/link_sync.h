// SPDX-License-Identifier: Apache-2.0
// One look at one link: read what is new in the calendar, decide for every pair that may have work, carry it
// out. A crash at any wait leaves only facts behind, from which the next look derives the same decisions.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "core/reconcile/guard.h"
#include "core/reconcile/reconcile.h"
#include "worker/engine/event_identity.h"
#include "worker/engine/link_state.h"
#include "worker/engine/run_ledger.h"
#include "worker/google/facet_mapping.h"

namespace kalends {

class LinkSync {
 public:
  LinkSync(LinkEngine& engine, LinkEngine::Link& link);
  ~LinkSync();
  LinkSync(const LinkSync&) = delete;

  Task<RunReport> run();
  // What run() would do now. Reads the calendar; writes nothing, here or there.
  Task<Result<RunReport>> preview();
  // Takes a run back; with is_dry_run it is only said what would be done.
  Task<RunReport> undo(UndoRequest request);
  // The first look after a restore: the calendar is read whole, and what run() would do is told. Nothing is
  // written to Google.
  Task<RunReport> look();
  // Takes or renews the link's lease; everything that is written names it.
  Status hold_lease();
  // The deletions that a person was shown under this name.
  Result<std::optional<std::set<PlannedDeletion>>> named_deletions(const std::string& name);

 private:
  // Facts of one pair, read together.
  struct PairFacts {
    PairRow row;
    std::vector<AttemptRow> attempts;
    Situation situation;
    Plan plan;
    // The board on which the card is edited: the link's, or the one that the card has moved to. Its events here go
    // then, and what people did to them meanwhile goes after the card.
    DocumentKey home;
    uint64_t home_seq = 0;  // the state of it that the plan was made on
    std::optional<Id128> list;  // for a card that the plan makes, instead of the inbox
  };

  Status close_run();

  Task<Status> pull();
  Task<Status> list(bool is_full);
  // Events that are known to be live and that a whole listing lacks.
  struct Missing {
    std::vector<PairRow> rows;
    size_t live = 0;  // all that are known to be live
  };
  Result<Missing> missing_from(const std::set<Bytes>& seen);
  Task<Status> confirm_missing(std::set<Bytes> seen);
  Status observe_page(const GoogleEventsPage& page, bool is_full, std::set<Bytes>& seen);
  Status observe_event(Txn& txn, const GoogleEvent& event);
  Task<Result<GoogleEvent>> get_event(std::string event_id);

  Task<Status> push();
  // Carries out what is planned for these cards, whatever else waits.
  Task<Status> settle_all(std::vector<CardId> cards);
  Task<Status> settle_queue();
  Task<void> lane(std::function<void()> done);
  Task<Status> settle(CardId card);
  Result<std::optional<PairFacts>> facts(CardId card);
  PairFacts judged(Txn& txn, const Replica& board, PairRow row, const Replica* home = nullptr);
  Result<DocumentKey> home_of(CardId card);
  // All that is planned, and how it looks to the guard.
  struct Prospect {
    std::vector<PairFacts> pairs;
    std::set<PlannedDeletion> deletions;
    std::string name;  // of the deletions
    RunShape shape;
  };
  Result<Prospect> prospect(Txn& txn, const Replica& board);
  std::optional<GuardReport> objection(const Prospect& prospect) const;
  void remember_shown(const Prospect& prospect);
  Status judge_run(bool& may_go);
  Status stop_run(const GuardReport& report);
  Task<Status> doubt_listing(const std::vector<PairRow>& missing, size_t known,
                             std::optional<GuardReport>& doubt);

  // What a dry run has read of the calendar.
  struct Listing {
    std::vector<GoogleEvent> events;
    std::vector<CardId> gone;  // whose events were asked for, and are not there
    bool is_full = false;
    bool has_end = false;
    std::optional<GuardReport> doubt;
  };
  Task<Status> read_listing(Listing& listing);
  Result<RunReport> preview_of(const Listing& listing);
  struct Deeds;
  struct Reversal;
  Task<Status> undo_all(UndoRequest request);
  Result<std::vector<Deeds>> deeds_of(uint64_t run);
  static void add_deed(EntryKind kind, const EntryContent& content, Deeds& deeds);
  Result<uint64_t> later_run(CardId card, uint64_t run);
  Reversal reversal_of(const Deeds& deeds, const PairFacts& facts, const Replica& board) const;
  void bring_back(const Deeds& deeds, const Entity& card, const Replica& board, Reversal& reversal) const;
  Status take_back(const Reversal& reversal, const PairFacts& facts, const UndoRequest& request);

  void describe_plan(const PairFacts& facts, const Replica& board);
  Status describe_left_alone(Txn& txn, const Document& board);
  void take_later_event(const Replica& board, PairFacts& pair) const;
  Status foresee();
  std::string restored_reason(const Prospect& prospect) const;

  Task<Status> read_again(CardId card, PairFacts facts);
  Task<Status> settle_here(CardId card, PairFacts facts);
  Task<Status> write_remote(CardId card, PairFacts facts);
  std::optional<RunLedger::Entry> card_entry(CardId card, const PairFacts& facts,
                                             const std::vector<Command>& commands, const Document& board);
  RunLedger::Entry event_entry(CardId card, const PairFacts& facts, const Document& board);
  Result<EntryRow> written_entry(Txn& txn, const PairFacts& facts, uint64_t generation,
                                 const RunLedger::Entry& wanted);
  void describe(const PairFacts& facts, const Document& board, EntryContent& content) const;
  Status record_written(CardId card, const EventFacet& target, const GoogleEvent& event);
  Status record_deleted(CardId card, bool was_gone_already);
  Status record_observation(CardId card, const Observation& observation, uint64_t generation_at_least);
  Status card_refused(const PairFacts& pair, const Error& error);
  Status record_refusal(CardId card, const GoogleAnswer& answer);
  Status failed(const GoogleAnswer& answer);
  ReadingContext reading(const PairRow* known) const;

  LinkEngine& engine_;
  LinkEngine::Link& link_;
  Ports& ports_;
  EventIdentities identities_;
  std::optional<uint64_t> leases_lost_;  // as it was when this look began
  bool has_begun_ = false;               // held the lease once: facts may have been read under it
  bool is_dry_run_ = false;
  RunLedger ledger_;
  RunReport report_;
  std::deque<CardId> queue_;
  std::set<CardId> tried_;
  size_t lanes_open_ = 0;
  size_t settled_ = 0;
  Status lane_status_;
  TaskSet lanes_;
};

}  // namespace kalends
