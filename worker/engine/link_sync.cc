// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/link_sync.h"

#include <algorithm>

#include "core/reconcile/absorb.h"
#include "core/reconcile/guard.h"
#include "worker/engine/co_try.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/tuning.h"
#include "worker/google/facet_mapping.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

std::optional<Observation> stored_observation(const PairRow& row) {
  if (row.observation.empty()) return std::nullopt;
  auto observation = decode_observation(row.observation);
  return observation.ok() ? std::optional(*observation) : std::nullopt;
}

std::optional<Shadow> stored_shadow(const PairRow& row) {
  if (row.shadow.empty()) return std::nullopt;
  auto shadow = decode_shadow(row.shadow);
  return shadow.ok() ? std::optional(*shadow) : std::nullopt;
}

// What an attempt asked for; after it, newest first, what earlier ones of its kind asked whose answers were
// lost too: any of them may be what the event shows.
constexpr size_t kRequestsKept = 4;

Bytes encode_requests(const EventFacet& facet, const AttemptRow* earlier) {
  Writer out;
  write_facet(out, facet);
  if (!earlier) return out.take();
  Reader in(earlier->request);
  for (size_t kept = 1; kept < kRequestsKept && in.ok() && in.remaining() > 0; ++kept) {
    EventFacet older = read_facet(in);
    if (in.ok()) write_facet(out, older);
  }
  return out.take();
}

void absorb_all(const std::vector<AttemptRow>& attempts, FacetMask mask, Situation& situation) {
  for (const AttemptRow& attempt : attempts) {
    Reader in(attempt.request);
    while (in.ok() && in.remaining() > 0) {
      EventFacet asked = read_facet(in);
      if (in.ok()) absorb({static_cast<RemoteWrite>(attempt.kind), asked}, mask, situation);
    }
  }
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

Bytes explanation(const Plan& plan, int64_t now_ms) {
  static constexpr std::string_view kWrites[] = {"none", "insert", "patch", "delete"};
  Json json = {
      {"at_ms", now_ms}, {"write", kWrites[static_cast<size_t>(plan.write)]}, {"reasons", plan.reasons}};
  return to_bytes(json_dump(json));
}

bool removes_date(const Plan& plan) {
  return plan.change == CardChange::kUnschedule || plan.change == CardChange::kArchive;
}

}  // namespace

LinkSync::LinkSync(LinkEngine& engine, LinkEngine::Link& link)
    : engine_(engine), link_(link), ports_(engine.ports_), identities_(ports_.secrets, link.calendar_id) {}
LinkSync::~LinkSync() = default;

Task<RunReport> LinkSync::run() {
  Status status = hold_lease();
  if (status.ok() && link_.is_pull_wanted) {
    link_.is_pull_wanted = false;
    auto pulling = pull();
    status = co_await pulling;
    if (!status.ok()) link_.is_pull_wanted = true;
  }
  if (status.ok()) {
    auto pushing = push();
    status = co_await pushing;
  }
  if (!status.ok()) report_.error = status.error();
  co_return std::move(report_);
}

Result<RunReport> LinkSync::preview() {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<CardId> cards, txn->dirty_pairs(link_.workspace, link_.id(), SIZE_MAX / 2));
  RunReport report;
  for (CardId card : cards) {
    KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
    if (!row) continue;
    PairFacts pair = judged(*txn, board->replica, *row);
    if (pair.plan.is_nothing()) continue;
    report.inserts += pair.plan.write == RemoteWrite::kInsert;
    report.patches += pair.plan.write == RemoteWrite::kPatch;
    report.deletes += pair.plan.write == RemoteWrite::kDelete;
    report.card_edits += pair.plan.change != CardChange::kNone;
    report.unschedulings += removes_date(pair.plan);
    Entity entity = board->replica.document().find(card.raw);
    std::string title = entity ? entity->text_value(Field::kTitle) : pair.plan.target.title;
    report.plan.push_back("\"" + title + "\": " + joined(pair.plan.reasons));
  }
  return report;
}

Status LinkSync::hold_lease() {
  int64_t now_ms = ports_.clock.now_ms();
  if (link_.lease_until_ms > now_ms + tuning::kLeaseMs / 2) return {};
  KALENDS_TRY(auto txn, ports_.store.begin());
  int64_t until_ms = now_ms + tuning::kLeaseMs;
  if (link_.lease.epoch > 0 && link_.lease_until_ms > now_ms) {
    KALENDS_TRY_VOID(txn->renew_lease(link_.lease, until_ms));
  } else {
    KALENDS_TRY(link_.lease,
                txn->acquire_lease(link_.workspace, link_.id(), {engine_.options_.holder, now_ms, until_ms}));
  }
  KALENDS_TRY_VOID(txn->commit());
  link_.lease_until_ms = until_ms;
  return {};
}

ReadingContext LinkSync::reading(const PairRow* known) const {
  ReadingContext context{link_.policy, link_.calendar_zone, {}, ports_.clock.now_ms()};
  if (known)
    if (auto observation = stored_observation(*known)) context.known_title = observation->facet.title;
  return context;
}

// ---- reading the calendar

Task<Status> LinkSync::pull() {
  std::optional<CursorRow> cursor;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(cursor, txn->cursor(link_.workspace, link_.id()));
  }
  // Once a day the whole calendar is read: an answer that lacked something is made good then.
  int64_t now_ms = ports_.clock.now_ms();
  if (link_.full_listing_ms == 0) link_.full_listing_ms = now_ms;
  bool is_full = !cursor || cursor->full_sync_needed || cursor->sync_token.empty() ||
                 now_ms - link_.full_listing_ms > tuning::kFullListingMs;
  if (is_full) link_.full_listing_ms = now_ms;
  engine_.counters_.full_listings += is_full;
  bool is_by_timer = std::exchange(link_.is_polled, false);
  link_.news = 0;
  auto listing = list(is_full);
  Status status = co_await listing;
  // News that nobody has rung for: a ring is on its way, or the channel is deaf.
  bool is_unrung = is_by_timer && link_.news > 0 && engine_.wants_push() && link_.unrung_since_ms == 0;
  if (is_unrung) link_.unrung_since_ms = ports_.clock.now_ms();
  co_return status;
}

Task<Status> LinkSync::list(bool is_full) {
  EventsListQuery query;
  if (!is_full) {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<CursorRow> cursor, txn->cursor(link_.workspace, link_.id()));
    if (cursor) query.sync_token = std::string(as_text(cursor->sync_token));
  }
  std::set<Bytes> seen;
  while (true) {
    std::string calendar = link_.calendar_id;
    GoogleClient::Call call{link_.workspace, link_.row.account, 1, {!query.sync_token.empty()}};
    auto calling = engine_.google_.call(
        call, [calendar, query](const GoogleApi& api) { return events_list_request(api, calendar, query); });
    GoogleAnswer answer = co_await calling;
    if (answer.verdict.move == GoogleMove::kFullSyncRequired && !is_full) {
      // Observations stay: what is missing from the full listing is looked at one by one.
      {
        KALENDS_CO_TRY(auto txn, ports_.store.begin());
        KALENDS_CO_TRY_VOID(txn->put_cursor(link_.lease, {{}, true, ports_.clock.now_ms()}));
        KALENDS_CO_TRY_VOID(txn->commit());
      }
      ports_.log.info("full_sync_required", {{"link", link_.id()}});
      auto again = list(true);
      Status status = co_await again;
      co_return status;
    }
    if (!answer.verdict.ok()) co_return failed(answer);
    KALENDS_CO_TRY(GoogleEventsPage page, parse_events_page(answer.body));
    if (!page.time_zone.empty()) link_.calendar_zone = page.time_zone;
    KALENDS_CO_TRY_VOID(observe_page(page, is_full, seen));
    if (page.is_last()) break;
    query.page_token = page.next_page_token;
  }
  if (is_full) {
    auto confirming = confirm_missing(std::move(seen));
    Status status = co_await confirming;
    if (!status.ok()) co_return status;
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<CursorRow> cursor, txn->cursor(link_.workspace, link_.id()));
    if (cursor) {
      cursor->full_sync_needed = false;
      KALENDS_CO_TRY_VOID(txn->put_cursor(link_.lease, *cursor));
      KALENDS_CO_TRY_VOID(txn->commit());
    }
  }
  link_.row.last_verified_ms = ports_.clock.now_ms();
  co_return Status{};
}

// A page's events and, with the last page, the next token: one transaction, so a crash repeats the page or
// has it.
Status LinkSync::observe_page(const GoogleEventsPage& page, bool is_full, std::set<Bytes>& seen) {
  KALENDS_TRY_VOID(hold_lease());
  KALENDS_TRY(auto txn, ports_.store.begin());
  for (const GoogleEvent& event : page.events) {
    if (is_full) seen.insert(identities_.event_key(event.id));
    KALENDS_TRY_VOID(observe_event(*txn, event));
  }
  if (page.is_last()) {
    // After a full listing the token counts only once the missing events are settled: until then it is said
    // to be due.
    KALENDS_TRY_VOID(txn->put_cursor(
        link_.lease,
        {to_bytes(page.next_sync_token), is_full || page.next_sync_token.empty(), ports_.clock.now_ms()}));
  }
  return txn->commit();
}

Status LinkSync::observe_event(Txn& txn, const GoogleEvent& event) {
  Bytes key = identities_.event_key(event.id);
  KALENDS_TRY(std::optional<PairRow> row, txn.pair_by_event(link_.workspace, link_.id(), key));
  if (!row) {
    if (auto identity = identities_.read(event)) {
      // Ours, though the pair is not known: a lost answer, an earlier link, a restored backup.
      KALENDS_TRY(row, txn.pair(link_.workspace, link_.id(), identity->card));
      // The card has another event already: this one is of an older generation. A newer one is from after the
      // backup that was restored: it takes the other's place.
      bool is_newer = row && link_.is_restored() && !event.is_cancelled() && identity->generation > row->generation;
      if (row && row->event_key && !is_newer) return {};
      if (row && identity->generation < row->generation) {
        // That generation has ended here: a stale listing, or a person who took it out of Google's bin. Left
        // alone.
        if (!event.is_cancelled()) ++link_.unmanaged;
        return {};
      }
      if (!row) row = PairRow{identity->card, identity->generation, {}, {}, {}, {}, false, 0};
      if (event.is_cancelled()) {
        row->generation = std::max(row->generation, identity->generation + 1);
        return txn.put_pair(link_.lease, *row);
      }
      row->generation = std::max(row->generation, identity->generation);
    } else {
      if (event.is_cancelled()) return {};
      Observation fresh = observe(event, reading(nullptr));
      if (fresh.presence == EventPresence::kUnmanaged) {
        ++link_.unmanaged;
        return {};
      }
      if (link_.policy.inbox_list.is_nil()) return {};
      row = PairRow{identities_.adopted_card(event.id), 0, {}, {}, {}, {}, false, 0};
    }
  }
  Observation observation = observe(event, reading(&*row));
  auto known = stored_observation(*row);
  // The echo of our own write, or a page read twice.
  if (known && known->etag == observation.etag && known->presence == observation.presence) return {};
  ++link_.news;
  row->event_key = key;
  row->observation = encode_observation(observation);
  row->is_dirty = true;
  row->updated_ms = ports_.clock.now_ms();
  return txn.put_pair(link_.lease, *row);
}

// A full listing tells no deletions. Each event that it lacks is asked for by its id; only the answer counts.
Task<Status> LinkSync::confirm_missing(std::set<Bytes> seen) {
  std::vector<PairRow> missing;
  size_t live = 0;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    CardId after;
    while (true) {
      KALENDS_CO_TRY(std::vector<PairRow> rows, txn->pairs(link_.workspace, link_.id(), after, 500));
      if (rows.empty()) break;
      after = rows.back().card;
      for (PairRow& row : rows) {
        auto observation = stored_observation(row);
        if (!row.event_key || !observation || observation->presence == EventPresence::kGone) continue;
        ++live;
        if (seen.count(*row.event_key) == 0) missing.push_back(std::move(row));
      }
    }
  }
  if (missing.size() > deletions_allowed(live))
    ports_.log.warning("listing_lacks_many", {{"link", link_.id()},
                                              {"missing", static_cast<uint64_t>(missing.size())},
                                              {"known", static_cast<uint64_t>(live)}});
  for (const PairRow& row : missing) {
    auto observation = stored_observation(row);
    auto getting = get_event(observation->event_id);
    Result<GoogleEvent> event = co_await getting;
    if (event.ok()) {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY_VOID(observe_event(*txn, *event));
      KALENDS_CO_TRY_VOID(txn->commit());
    } else if (event.error().code == ErrorCode::kNotFound) {
      Observation gone = *observation;
      gone.presence = EventPresence::kGone;
      gone.etag.clear();
      KALENDS_CO_TRY_VOID(record_observation(row.card, gone, 0));
    } else {
      co_return event.error();
    }
  }
  co_return Status{};
}

Task<Result<GoogleEvent>> LinkSync::get_event(std::string event_id) {
  std::string calendar = link_.calendar_id;
  auto calling = engine_.google_.call(
      {link_.workspace, link_.row.account, 1, {}},
      [calendar, event_id](const GoogleApi& api) { return event_get_request(api, calendar, event_id); });
  GoogleAnswer answer = co_await calling;
  if (answer.verdict.move == GoogleMove::kNotFound || answer.verdict.move == GoogleMove::kGone) {
    // Gone, or the whole calendar is out of reach: the two look alike for one event, not for the calendar.
    auto checking = engine_.google_.call(
        {link_.workspace, link_.row.account, 1, {}},
        [calendar](const GoogleApi& api) { return calendar_get_request(api, calendar); });
    GoogleAnswer whole = co_await checking;
    if (!whole.verdict.ok()) co_return failed(whole).error();
    co_return not_found("The event is gone.");
  }
  if (!answer.verdict.ok()) co_return failed(answer).error();
  co_return parse_event(answer.body);
}

// ---- deciding and writing

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
    if (!lane_status_.ok()) co_return lane_status_;
  }
  co_return Status{};
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

LinkSync::PairFacts LinkSync::judged(Txn& txn, const Replica& board, PairRow row) {
  PairFacts facts;
  facts.row = std::move(row);
  if (auto attempts = txn.attempts_of_card(link_.workspace, link_.id(), facts.row.card); attempts.ok())
    facts.attempts = *attempts;
  facts.situation.card = card_side(board.document(), facts.row.card, link_.policy);
  facts.situation.event = stored_observation(facts.row);
  facts.situation.shadow = stored_shadow(facts.row);
  absorb_all(facts.attempts, link_.policy.mask(), facts.situation);
  facts.plan = reconcile(facts.situation, link_.policy);
  if (link_.is_restored()) take_later_event(board, facts);
  return facts;
}

Result<std::optional<LinkSync::PairFacts>> LinkSync::facts(CardId card) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return std::optional<PairFacts>{};
  return std::optional(judged(*txn, board->replica, std::move(*row)));
}

// The guard looks at the whole run before its first write.
Status LinkSync::judge_run(bool& may_go) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  RunShape shape;
  {
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(std::vector<CardId> cards, txn->dirty_pairs(link_.workspace, link_.id(), SIZE_MAX / 2));
    if (cards.size() > 5) {  // fewer can never be too many
      for (CardId card : cards) {
        KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
        if (!row) continue;
        PairFacts pair = judged(*txn, board->replica, std::move(*row));
        shape.event_deletions += pair.plan.write == RemoteWrite::kDelete;
        shape.card_deletions += removes_date(pair.plan);
      }
      // Pairs with an event; rows that only remember a generation do not make a deletion look smaller.
      CardId after;
      while (true) {
        KALENDS_TRY(std::vector<PairRow> rows, txn->pairs(link_.workspace, link_.id(), after, 500));
        if (rows.empty()) break;
        after = rows.back().card;
        shape.pairs += static_cast<size_t>(
            std::count_if(rows.begin(), rows.end(), [](const PairRow& row) { return !row.shadow.empty(); }));
      }
    }
  }
  size_t worst = std::max(shape.event_deletions, shape.card_deletions);
  GuardVerdict verdict = judge(shape);
  may_go = verdict == GuardVerdict::kGo || worst <= link_.deletions_approved;
  if (may_go) {
    link_.deletions_approved = 0;
    return {};
  }
  GuardReport guard{shape.event_deletions, shape.card_deletions, shape.pairs,
                    "This run would remove " + std::to_string(shape.event_deletions) +
                        " events and take the date from " + std::to_string(shape.card_deletions) +
                        " cards, of " + std::to_string(shape.pairs) +
                        " in step. Look at the plan, then approve it or undo what caused it."};
  link_.guard = guard;
  report_.guard = guard;
  ++engine_.counters_.guard_stops;
  engine_.counters_.deletions_stopped += shape.event_deletions + shape.card_deletions;
  ports_.log.warning("guard_stopped", {{"link", link_.id()},
                                       {"event_deletions", static_cast<uint64_t>(shape.event_deletions)},
                                       {"card_deletions", static_cast<uint64_t>(shape.card_deletions)}});
  return engine_.update_row(link_,
                            [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kStopped); });
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

Task<Status> LinkSync::read_again(CardId card, PairFacts pair) {
  auto known = stored_observation(pair.row);
  std::string event_id =
      known && !known->event_id.empty() ? known->event_id : identities_.event_id({card, pair.row.generation});
  auto getting = get_event(event_id);
  Result<GoogleEvent> event = co_await getting;
  if (!event.ok() && event.error().code != ErrorCode::kNotFound) co_return event.error();
  if (!event.ok() && !known) co_return Status{};  // an insert that never arrived
  Observation observation = known.value_or(Observation{});
  if (event.ok())
    observation = observe(*event, reading(&pair.row));
  else
    observation.presence = EventPresence::kGone;
  if (observation.event_id.empty()) observation.event_id = event_id;
  co_return record_observation(card, observation, pair.row.generation);
}

// Nothing to write to the calendar: the card's changes and the new agreement in one transaction.
Task<Status> LinkSync::settle_here(CardId card, PairFacts pair) {
  KALENDS_CO_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  EventFacet event = pair.situation.event ? pair.situation.event->facet : EventFacet{};
  LinkPolicy policy = link_.policy;
  if (pair.list) policy.inbox_list = *pair.list;
  std::vector<Command> commands = commands_of(pair.plan, event, card, board->replica, policy);
  int64_t now_ms = ports_.clock.now_ms();
  auto also = [&](Txn& txn) -> Status {
    PairRow row = pair.row;
    row.explain = explanation(pair.plan, now_ms);
    row.updated_ms = now_ms;
    // A plan that only edited the card is planned again: what it became decides.
    bool is_settled = pair.plan.agree || pair.plan.forget || pair.plan.is_nothing();
    if (pair.plan.change == CardChange::kCreate) is_settled = false;
    row.is_dirty = !is_settled;
    if (pair.plan.agree) {
      Entity entity = board->replica.document().find(card.raw);
      row.shadow = encode_shadow({facet_of(*entity, link_.policy), event});
    }
    if (pair.plan.forget) {
      bool was_there = pair.situation.event.has_value();
      row.generation += was_there ? 1 : 0;
      row.event_key.reset();
      row.shadow.clear();
      row.observation.clear();
    }
    if (is_settled) KALENDS_TRY_VOID(txn.delete_attempts(link_.lease, card));
    return txn.put_pair(link_.lease, row);
  };
  MemberId author = engine_.bridge_author(link_);
  auto edited = engine_.hub_.edit(link_.board(), {author, Cause::kBridge, now_ms}, commands, also);
  if (!edited.ok()) co_return card_refused(pair, edited.error());
  report_.card_edits += !edited->ops.empty();
  report_.cards_created += pair.plan.change == CardChange::kCreate;
  co_return Status{};
}

// What the event says cannot be said on the card (a list that is gone, dates that cross): shown, and tried
// again when either changes. The other cards go on. Any other error is the run's.
Status LinkSync::card_refused(const PairFacts& pair, const Error& error) {
  if (error.code != ErrorCode::kInvalid && error.code != ErrorCode::kNotFound &&
      error.code != ErrorCode::kConflict)
    return error;
  Plan refused = pair.plan;
  refused.reasons.push_back("the card could not take it: " + error.message);
  PairRow row = pair.row;
  row.explain = explanation(refused, ports_.clock.now_ms());
  row.is_dirty = false;
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, row));
  KALENDS_TRY_VOID(txn->commit());
  ports_.log.warning("card_refused_edit", {{"link", link_.id()}, {"card", row.card}, {"code", error.code}});
  return {};
}

Task<Status> LinkSync::write_remote(CardId card, PairFacts pair) {
  // Google's use limits stop creations, nothing else: the others go on, this pair waits.
  if (pair.plan.write == RemoteWrite::kInsert && ports_.clock.now_ms() < link_.creations_paused_until_ms)
    co_return Status{};
  KALENDS_CO_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  const Plan plan = pair.plan;
  EventFacet seen = pair.situation.event ? pair.situation.event->facet : EventFacet{};
  uint64_t generation =
      pair.row.generation + (plan.write == RemoteWrite::kInsert && plan.is_next_generation ? 1 : 0);
  std::string event_id = plan.write == RemoteWrite::kInsert ? identities_.event_id({card, generation})
                                                            : pair.situation.event->event_id;
  std::string etag = plan.write == RemoteWrite::kInsert ? std::string() : pair.situation.event->etag;
  int64_t now_ms = ports_.clock.now_ms();

  // Attempt before effect: after a crash the store knows which outcomes are unknown.
  std::vector<Command> commands = commands_of(plan, seen, card, board->replica, link_.policy);
  auto also = [&](Txn& txn) -> Status {
    auto earlier = std::find_if(pair.attempts.begin(), pair.attempts.end(), [&](const AttemptRow& attempt) {
      return attempt.generation == generation && attempt.kind == static_cast<int64_t>(plan.write);
    });
    Bytes request = encode_requests(plan.target, earlier == pair.attempts.end() ? nullptr : &*earlier);
    KALENDS_TRY_VOID(txn.put_attempt(
        link_.lease, {card, generation, static_cast<int64_t>(plan.write), std::move(request), now_ms}));
    PairRow row = pair.row;
    row.generation = generation;
    row.explain = explanation(plan, now_ms);
    if (plan.write == RemoteWrite::kInsert) {
      row.event_key = identities_.event_key(event_id);
      row.observation.clear();
      row.shadow.clear();
    } else if (pair.situation.shadow) {
      row.shadow = encode_shadow(taken_up(*pair.situation.shadow, plan, seen));
    }
    row.is_dirty = true;
    return txn.put_pair(link_.lease, row);
  };
  MemberId author = engine_.bridge_author(link_);
  auto edited = engine_.hub_.edit(link_.board(), {author, Cause::kBridge, now_ms}, commands, also);
  if (!edited.ok()) co_return card_refused(pair, edited.error());
  report_.card_edits += !edited->ops.empty();

  std::string calendar = link_.calendar_id;
  LinkPolicy policy = link_.policy;
  std::string marker = identities_.marker({card, generation});
  auto make = [plan, calendar, policy, event_id, etag, marker](const GoogleApi& api) {
    if (plan.write == RemoteWrite::kDelete) return event_delete_request(api, calendar, event_id, etag);
    if (plan.write == RemoteWrite::kPatch)
      return event_patch_request(api, calendar, event_id, etag,
                                 to_event_patch(plan.target, plan.fields, policy));
    GoogleEventWrite write = to_event(plan.target, policy);
    write.private_properties[std::string(kMarkerName)] = marker;
    return event_insert_request(api, calendar, event_id, write);
  };
  auto calling = engine_.google_.call({link_.workspace, link_.row.account, 1, {}}, make);
  GoogleAnswer answer = co_await calling;
  KALENDS_CO_TRY_VOID(hold_lease());

  switch (answer.verdict.move) {
    case GoogleMove::kOk: {
      if (plan.write == RemoteWrite::kDelete) {
        ++report_.deletes;
        co_return record_deleted(card);
      }
      // A cut answer leaves the outcome unknown: the attempt stays, the next look reads the event.
      KALENDS_CO_TRY(GoogleEvent event, parse_event(answer.body));
      report_.inserts += plan.write == RemoteWrite::kInsert;
      report_.patches += plan.write == RemoteWrite::kPatch;
      co_return record_written(card, plan.target, event);
    }
    case GoogleMove::kNotFound:
    case GoogleMove::kGone:
      if (plan.write == RemoteWrite::kDelete) co_return record_deleted(card);
      [[fallthrough]];
    case GoogleMove::kDuplicate:
    case GoogleMove::kPreconditionFailed: {
      auto getting = get_event(event_id);
      Result<GoogleEvent> event = co_await getting;
      if (event.ok() && plan.write == RemoteWrite::kInsert && !event->is_cancelled() &&
          !identities_.read(*event)) {
        // Somebody else's event has this id: never touch it, take the next one.
        Observation foreign;
        foreign.presence = EventPresence::kGone;
        co_return record_observation(card, foreign, generation + 1);
      }
      if (!event.ok() && event.error().code != ErrorCode::kNotFound) co_return event.error();
      PairRow known = pair.row;
      Observation observation;
      if (event.ok())
        observation = observe(*event, reading(&known));
      else
        observation.presence = EventPresence::kGone;
      if (observation.event_id.empty()) observation.event_id = event_id;
      co_return record_observation(card, observation, generation);
    }
    case GoogleMove::kInvalid:
      co_return record_refusal(card, answer);
    case GoogleMove::kQuotaExceeded:
      if (plan.write != RemoteWrite::kInsert) co_return failed(answer);
      link_.creations_paused_until_ms =
          ports_.clock.now_ms() + std::max(answer.verdict.retry_after_ms, tuning::kCreationPauseMs);
      (void)failed(answer);  // told to the person; the look goes on
      co_return Status{};
    default:
      co_return failed(answer);
  }
}

Status LinkSync::record_written(CardId card, const EventFacet& target, const GoogleEvent& event) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return {};
  Observation observation = observe(event, reading(nullptr));
  row->event_key = identities_.event_key(event.id);
  row->observation = encode_observation(observation);
  row->shadow = encode_shadow({target, observation.facet});
  link_.refused.erase(card);
  row->updated_ms = ports_.clock.now_ms();
  // Edited while the write was under way? Then there is more to do.
  CardSide now = card_side(board->replica.document(), card, link_.policy);
  row->is_dirty = !now.wanted || !differing(*now.wanted, target, link_.policy.mask()).empty();
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, *row));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
  return txn->commit();
}

Status LinkSync::record_deleted(CardId card) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return {};
  ++row->generation;  // Google keeps the id of a deleted event taken
  row->event_key.reset();
  row->observation.clear();
  row->shadow.clear();
  row->updated_ms = ports_.clock.now_ms();
  row->is_dirty = card_side(board->replica.document(), card, link_.policy).wanted.has_value();
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, *row));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
  return txn->commit();
}

Status LinkSync::record_observation(CardId card, const Observation& observation,
                                    uint64_t generation_at_least) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return {};
  row->observation = encode_observation(observation);
  row->generation = std::max(row->generation, generation_at_least);
  row->is_dirty = true;
  row->updated_ms = ports_.clock.now_ms();
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, *row));
  return txn->commit();
}

// Google refuses this event as it is: the others go on, and it is tried again when the card changes.
Status LinkSync::record_refusal(CardId card, const GoogleAnswer& answer) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
  if (!row) return {};
  Plan plan;
  plan.reasons.push_back("Google refused the event (" + answer.verdict.reason +
                         "): change the card, for example its dates");
  row->explain = explanation(plan, ports_.clock.now_ms());
  row->is_dirty = false;
  row->event_key.reset();
  if (!row->observation.empty())
    if (auto known = stored_observation(*row)) row->event_key = identities_.event_key(known->event_id);
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, *row));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
  KALENDS_TRY_VOID(txn->commit());
  ports_.log.warning("event_refused", {{"link", link_.id()}, {"card", card}});
  link_.refused.insert(card);  // told with the link until it is taken
  return {};
}

Status LinkSync::failed(const GoogleAnswer& answer) {
  Error error = to_error(answer.verdict);
  if (!answer.token_error.empty()) error.message = answer.token_error;
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
