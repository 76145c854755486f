// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/link_sync.h"

#include <algorithm>

#include "core/calendar/project.h"
#include "worker/engine/co_try.h"
#include "worker/engine/left_alone.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/run_report.h"
#include "worker/engine/tuning.h"

namespace kalends {

LinkSync::LinkSync(LinkEngine& engine, LinkEngine::Link& link)
    : engine_(engine),
      link_(link),
      ports_(engine.ports_),
      identities_(ports_.secrets, link.calendar_id),
      ledger_(ports_) {}
LinkSync::~LinkSync() = default;

Task<RunReport> LinkSync::run() {
  Status status = hold_lease();
  if (status.ok() && link_.state() != LinkState::kActive) co_return std::move(report_);
  if (status.ok() && link_.is_pull_wanted) {
    link_.is_pull_wanted = false;
    auto pulling = pull();
    status = co_await pulling;
    // After doubts the calendar is read again as soon as the link may go on.
    if (!status.ok() || link_.state() != LinkState::kActive) link_.is_pull_wanted = true;
  }
  if (status.ok() && link_.state() == LinkState::kActive) {
    auto pushing = push();
    status = co_await pushing;
  }
  if (!status.ok()) report_.error = status.error();
  if (Status closed = close_run(); !closed.ok() && !report_.error) report_.error = closed.error();
  co_return std::move(report_);
}

// What was begun and not finished is a run that a crash, or another worker, has ended.
Status LinkSync::close_run() {
  if (!ledger_.is_begun()) return {};
  report_.run = ledger_.run();
  ports_.log.info("run_finished", {{"link", link_.id()},
                                   {"run", report_.run},
                                   {"inserts", report_.inserts},
                                   {"patches", report_.patches},
                                   {"deletes", report_.deletes},
                                   {"card_edits", report_.card_edits}});
  KALENDS_TRY_VOID(hold_lease());
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(ledger_.finish(*txn, link_.lease, encode_report(report_)));
  return txn->commit();
}

Status LinkSync::hold_lease() {
  // Whose lease it is the store's clock decides; this side only remembers, by a clock that nobody sets, until
  // when it need not ask.
  int64_t now_ms = ports_.clock.monotonic_ms();
  bool is_held = link_.lease.epoch > 0 && link_.lease_until_ms > now_ms;
  const Error taken_over{ErrorCode::kConflict, "Another worker has had this link meanwhile: look again.", 0};
  if (!leases_lost_) leases_lost_ = link_.leases_lost;
  if (*leases_lost_ != link_.leases_lost) {
    report_.is_elsewhere = true;
    return taken_over;
  }
  if (is_held && link_.lease_until_ms > now_ms + tuning::kLeaseMs / 2) {
    has_begun_ = true;
    return {};
  }
  KALENDS_TRY(auto txn, ports_.store.begin());
  if (is_held) {
    KALENDS_TRY_VOID(txn->renew_lease(link_.lease, tuning::kLeaseMs));
    KALENDS_TRY_VOID(txn->commit());
    link_.lease_until_ms = now_ms + tuning::kLeaseMs;
    has_begun_ = true;
    return {};
  }
  auto acquired =
      txn->acquire_lease(link_.workspace, link_.id(), {engine_.options_.holder, tuning::kLeaseMs});
  report_.is_elsewhere = !acquired.ok() && acquired.error().code == ErrorCode::kConflict;
  KALENDS_TRY(LinkLease lease, acquired);
  // Another worker may have had the link meanwhile.
  KALENDS_TRY(std::optional<LinkRow> row, txn->link(link_.workspace, link_.id()));
  KALENDS_TRY_VOID(txn->commit());
  bool was_away = link_.lease.epoch > 0 && lease.epoch != link_.lease.epoch + 1;
  link_.lease = lease;
  link_.lease_until_ms = now_ms + tuning::kLeaseMs;
  if (row) engine_.take_row(link_, *row);
  if (was_away) ++link_.leases_lost;
  report_.is_elsewhere = was_away && has_begun_;
  if (report_.is_elsewhere) return taken_over;
  leases_lost_ = link_.leases_lost;
  has_begun_ = true;
  return {};
}

ReadingContext LinkSync::reading(const PairRow* known) const {
  ReadingContext context{link_.policy, link_.calendar_zone, {}, ports_.clock.now_ms()};
  if (known)
    if (auto observation = stored_observation(*known)) context.known_title = observation->facet.title;
  return context;
}

Task<Status> LinkSync::push() {
  if (link_.waits_for_approval()) co_return Status{};
  bool may_go = false;
  KALENDS_CO_TRY_VOID(judge_run(may_go));
  if (!may_go) co_return Status{};
  while (true) {
    {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY(std::vector<CardId> cards,
                     txn->dirty_pairs(link_.workspace, link_.id(), tuning::kPairsPerRound + tried_.size()));
      queue_.clear();
      for (CardId card : cards)
        if (tried_.insert(card).second) queue_.push_back(card);
    }
    if (queue_.empty()) break;
    auto settling = settle_queue();
    Status status = co_await settling;
    if (!status.ok()) co_return status;
  }
  co_return Status{};
}

Task<Status> LinkSync::settle_all(std::vector<CardId> cards) {
  queue_.assign(cards.begin(), cards.end());
  if (queue_.empty()) co_return Status{};
  auto settling = settle_queue();
  Status status = co_await settling;
  co_return status;
}

// A few lanes work the queue off.
Task<Status> LinkSync::settle_queue() {
  lane_status_ = {};
  lanes_open_ = std::min(tuning::kWritesAtOnce, queue_.size());
  Callback<bool> all_done([this](auto done) {
    auto finish = [this, done] {
      // Later, from the loop: the last lane is still on the stack now.
      if (--lanes_open_ == 0) ports_.effects.sleep(0, [done] { done(true); });
    };
    for (size_t i = lanes_open_; i > 0; --i) lanes_.spawn(lane(finish));
  });
  co_await all_done;
  co_return lane_status_;
}

Task<void> LinkSync::lane(std::function<void()> done) {
  while (!queue_.empty() && lane_status_.ok() && !link_.is_removed && link_.state() == LinkState::kActive) {
    CardId card = queue_.front();
    queue_.pop_front();
    auto settling = settle(card);
    Status status = co_await settling;
    if (!status.ok()) lane_status_ = status;
    if (++settled_ % 20 == 0) {  // decisions without a write must not hold up the loop
      auto yielding = ports_.effects.slept(0);
      co_await yielding;
    }
  }
  done();
}

// Where the card lives now; cards move on and come back.
Result<DocumentKey> LinkSync::home_of(CardId card) {
  DocumentKey home = link_.board();
  for (int moves = 0; moves < tuning::kMovesFollowed; ++moves) {
    auto board = engine_.hub_.open(home);
    if (!board.ok() && board.error().code == ErrorCode::kNotFound) break;
    KALENDS_TRY(OpenDocument * opened, board);
    Entity entity = opened->replica.document().find(card.raw);
    if (!entity || entity->type() != EntityType::kCard || lives_here(opened->replica.document(), *entity))
      return home;
    home.document = DocumentId{std::get<Id128>(entity->value(Field::kHome))};
  }
  return link_.board();
}

LinkSync::PairFacts LinkSync::judged(Txn& txn, const Replica& board, PairRow row, const Replica* home) {
  PairFacts facts;
  facts.row = std::move(row);
  if (auto attempts = txn.attempts_of_card(link_.workspace, link_.id(), facts.row.card); attempts.ok())
    facts.attempts = *attempts;
  facts.situation.card = card_side(board.document(), facts.row.card, link_.policy);
  if (home)
    if (Entity entity = home->document().find(facts.row.card.raw))
      facts.situation.card.facet = facet_of(entity, link_.policy);
  facts.situation.event = stored_observation(facts.row);
  facts.situation.shadow = stored_shadow(facts.row);
  absorb_all(facts.attempts, link_.policy.mask(), facts.situation);
  bool is_alone = false;
  if (auto left = left_alone_of(facts.row)) {
    is_alone = leave_alone(*left, link_.policy.mask(), facts.situation);
    // Kept in step again, with the next thing that is stored of the pair.
    if (!is_alone) facts.row.left_alone.clear();
  }
  facts.plan = reconcile(facts.situation, link_.policy);
  if (is_alone)
    facts.plan.reasons = {"a run was undone: what stayed is left alone until somebody changes it"};
  else if (link_.is_restored())
    take_later_event(board, facts);
  return facts;
}

Result<std::optional<LinkSync::PairFacts>> LinkSync::facts(CardId card) {
  KALENDS_TRY(DocumentKey home_key, home_of(card));
  KALENDS_TRY(OpenDocument * home, engine_.hub_.open(home_key));
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  bool is_away = home_key != link_.board();
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return std::optional<PairFacts>{};
  PairFacts facts = judged(*txn, board->replica, std::move(*row), is_away ? &home->replica : nullptr);
  facts.home = home_key;
  facts.home_seq = home->seq;
  return std::optional(std::move(facts));
}

Task<Status> LinkSync::settle(CardId card) {
  for (int round = 0; round <= tuning::kConflictRoundsMax; ++round) {
    KALENDS_CO_TRY_VOID(hold_lease());
    KALENDS_CO_TRY(std::optional<PairFacts> pair, facts(card));
    if (!pair || !pair->row.is_dirty) co_return Status{};
    Status status;
    bool is_outcome_unknown = !pair->attempts.empty() && round == 0;
    if (pair->plan.write == RemoteWrite::kNone && is_outcome_unknown) {
      // Nothing seems left to do, but the last sight of the event is older than a write whose answer was
      // lost.
      auto reading_event = read_again(card, std::move(*pair));
      status = co_await reading_event;
    } else if (pair->plan.write == RemoteWrite::kNone) {
      auto settling = settle_here(card, std::move(*pair));
      status = co_await settling;
    } else {
      auto writing = write_remote(card, std::move(*pair));
      status = co_await writing;
    }
    if (!status.ok()) co_return status;
  }
  co_return Status{};  // still moving: the next look goes on
}

Status LinkSync::failed(const GoogleAnswer& answer) {
  Error error = to_error(answer.verdict);
  if (!answer.token_error.empty()) error.message = answer.token_error;
  if (is_dry_run_) return error;
  LinkError told{std::string(google_move_name(answer.verdict.move)), error.message,
                 "It is tried again by itself."};
  bool is_broken = true;
  switch (answer.verdict.move) {
    case GoogleMove::kAuth:
      told.what_to_do = "Connect the Google account again.";
      break;
    case GoogleMove::kNotFound:
    case GoogleMove::kGone:
      told.message = "The calendar is gone, or it is no longer shared with the account.";
      told.what_to_do = "Link the board to another calendar. The cards keep their dates.";
      break;
    case GoogleMove::kForbidden:
      told.what_to_do = "Ask the calendar's owner for the right to change events, or link another calendar.";
      break;
    case GoogleMove::kInsufficientScope:
      told.what_to_do = "Connect the Google account again and allow access to calendars.";
      break;
    default:
      is_broken = false;
  }
  if (answer.verdict.move == GoogleMove::kQuotaExceeded)
    told.what_to_do = "Google has stopped new events of this account for some hours. It goes on by itself.";
  link_.error = told;
  if (is_broken) {
    auto status =
        engine_.update_row(link_, [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kBroken); });
    if (!status.ok()) return status;
  }
  if (error.retry_after_ms == 0 && answer.verdict.move == GoogleMove::kQuotaExceeded)
    error.retry_after_ms = 3600 * 1000;
  return error;
}

}  // namespace kalends
