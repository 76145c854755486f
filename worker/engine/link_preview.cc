// SPDX-License-Identifier: Apache-2.0
// A dry run: the calendar is read, and what the next look would do is found in a transaction that is never
// committed. Nothing is written, here or there.
#include "core/reconcile/absorb.h"
#include "worker/engine/co_try.h"
#include "worker/engine/ledger_text.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/tuning.h"

namespace kalends {

Task<Result<RunReport>> LinkSync::preview() {
  is_dry_run_ = true;
  Listing listing;
  auto reading_calendar = read_listing(listing);
  Status status = co_await reading_calendar;
  if (!status.ok()) co_return status.error();
  if (listing.doubt) {
    report_.guard = listing.doubt;
    report_.deletions = listing.doubt->plan;
    co_return std::move(report_);
  }
  co_return preview_of(listing);
}

// The same pages that the next look would read, kept in memory.
Task<Status> LinkSync::read_listing(Listing& listing) {
  std::string token;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<CursorRow> cursor, txn->cursor(link_.workspace, link_.id()));
    if (cursor && !cursor->full_sync_needed) token = std::string(as_text(cursor->sync_token));
  }
  EventsListQuery query{token, {}};
  while (true) {
    std::string calendar = link_.calendar_id;
    auto calling = engine_.google_.call(
        {link_.workspace, link_.row.account, 1, {!query.sync_token.empty()}},
        [calendar, query](const GoogleApi& api) { return events_list_request(api, calendar, query); });
    GoogleAnswer answer = co_await calling;
    if (answer.verdict.move == GoogleMove::kFullSyncRequired && !query.sync_token.empty()) {
      listing = {};
      query = {};
      continue;
    }
    if (!answer.verdict.ok()) co_return to_error(answer.verdict);
    KALENDS_CO_TRY(GoogleEventsPage page, parse_events_page(answer.body));
    if (!page.time_zone.empty()) link_.calendar_zone = page.time_zone;
    for (GoogleEvent& event : page.events) listing.events.push_back(std::move(event));
    if (listing.events.size() > tuning::kPreviewEventsMax)
      co_return Error{ErrorCode::kInvalid, "The calendar has too many events for a dry run.", 0};
    listing.has_end = !page.next_sync_token.empty();
    if (page.is_last()) break;
    query.page_token = page.next_page_token;
  }
  listing.is_full = query.sync_token.empty();
  if (!listing.is_full) co_return Status{};
  std::set<Bytes> seen;
  for (const GoogleEvent& event : listing.events) seen.insert(identities_.event_key(event.id));
  KALENDS_CO_TRY(Missing missing, missing_from(seen));
  auto doubting = doubt_listing(missing.rows, missing.live, listing.doubt);
  KALENDS_CO_TRY_VOID(co_await doubting);
  if (listing.doubt) co_return Status{};
  for (const PairRow& row : missing.rows) {
    auto getting = get_event(stored_observation(row)->event_id);
    Result<GoogleEvent> event = co_await getting;
    if (event.ok())
      listing.events.push_back(std::move(*event));
    else if (event.error().code == ErrorCode::kNotFound)
      listing.gone.push_back(row.card);
    else
      co_return event.error();
  }
  co_return Status{};
}

Result<RunReport> LinkSync::preview_of(const Listing& listing) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  // What follows is taken back with the transaction; so is what it leaves in the link's memory.
  struct GiveBack {
    LinkEngine::Link& link;
    LinkLease lease = link.lease;
    uint64_t unmanaged = link.unmanaged;
    bool is_listing_complete = link.is_listing_complete;
    ~GiveBack() {
      link.lease = lease;
      link.unmanaged = unmanaged;
      link.is_listing_complete = is_listing_complete;
    }
  } give_back{link_};
  if (link_.lease.epoch == 0 || link_.lease_until_ms <= ports_.clock.monotonic_ms()) {
    KALENDS_TRY(link_.lease, txn->acquire_lease(link_.workspace, link_.id(),
                                                {engine_.options_.holder, tuning::kLeaseMs}));
  }
  if (listing.is_full) link_.is_listing_complete = listing.has_end;
  for (const GoogleEvent& event : listing.events) {
    uint64_t unmanaged = link_.unmanaged;
    KALENDS_TRY_VOID(observe_event(*txn, event));
    bool is_without_inbox =
        link_.policy.inbox_list.is_nil() && !event.is_cancelled() && !identities_.read(event);
    if (link_.unmanaged > unmanaged)
      report_.steps.push_back({StepKind::kLeftAlone,
                               {},
                               event.summary.value_or(""),
                               {},
                               event.is_recurring() ? "it repeats" : "it is of a kind that is left alone"});
    else if (is_without_inbox)
      report_.steps.push_back({StepKind::kLeftAlone,
                               {},
                               event.summary.value_or(""),
                               {},
                               "a person made it, and no list receives such events"});
  }
  for (CardId card : listing.gone) {
    KALENDS_TRY(std::optional<PairRow> row, txn->pair(link_.workspace, link_.id(), card));
    auto observation = row ? stored_observation(*row) : std::nullopt;
    if (!observation) continue;
    observation->presence = EventPresence::kGone;
    observation->etag.clear();
    row->observation = encode_observation(*observation);
    row->is_dirty = true;
    KALENDS_TRY_VOID(txn->put_pair(link_.lease, *row));
  }
  KALENDS_TRY(Prospect now, prospect(*txn, board->replica));
  for (const PairFacts& pair : now.pairs) describe_plan(pair, board->replica);
  KALENDS_TRY_VOID(describe_left_alone(*txn, board->replica.document()));
  report_.deletions = now.name;
  report_.guard = objection(now);
  remember_shown(now);
  return std::move(report_);
}

// One pair's plan, told by the event's side and by the card's.
void LinkSync::describe_plan(const PairFacts& pair, const Replica& board) {
  const Plan& plan = pair.plan;
  CardId card = pair.row.card;
  Entity entity = board.document().find(card.raw);
  std::string title = entity ? entity->text_value(Field::kTitle) : plan.target.title;
  if (title.empty() && pair.situation.event) title = pair.situation.event->facet.title;
  std::string why = joined(plan.reasons);
  EventFacet seen = pair.situation.event ? pair.situation.event->facet : EventFacet{};
  auto add = [&](StepKind kind, std::vector<PlannedStep::Change> changes) {
    report_.steps.push_back({kind, card, title, std::move(changes), why});
  };
  switch (plan.write) {
    case RemoteWrite::kNone:
      break;
    case RemoteWrite::kInsert:
      ++report_.inserts;
      add(StepKind::kNewEvent, {{"dates", "none", facet_text(plan.target, FacetField::kDates)}});
      break;
    case RemoteWrite::kPatch:
      ++report_.patches;
      add(StepKind::kChangedEvent, event_changes(seen, plan.target, plan.fields));
      break;
    case RemoteWrite::kDelete:
      ++report_.deletes;
      add(StepKind::kDeletedEvent, {{"dates", facet_text(seen, FacetField::kDates), "none"}});
      break;
  }
  if (plan.change == CardChange::kCreate) {
    ++report_.cards_created;
    add(StepKind::kNewCard, {{"dates", "none", facet_text(seen, FacetField::kDates)}});
  } else if (plan.change != CardChange::kNone || plan.offer_unscheduling) {
    ++report_.card_edits;
    auto changes = changes_of(commands_of(plan, seen, card, board, link_.policy), entity);
    add(StepKind::kChangedCard, card_changes(board.document(), changes));
  }
  if (!plan.is_nothing()) report_.plan.push_back("\"" + title + "\": " + why);
}

Status LinkSync::describe_left_alone(Txn& txn, const Document& board) {
  CardId after;
  while (true) {
    KALENDS_TRY(std::vector<PairRow> rows, txn.pairs(link_.workspace, link_.id(), after, 500));
    if (rows.empty()) return {};
    after = rows.back().card;
    for (const PairRow& row : rows) {
      auto observation = stored_observation(row);
      bool is_of_kind = observation && observation->presence == EventPresence::kUnmanaged;
      if (!is_of_kind && row.left_alone.empty()) continue;
      Entity entity = board.find(row.card.raw);
      std::string title = entity ? entity->text_value(Field::kTitle) : std::string();
      if (title.empty() && observation) title = observation->facet.title;
      report_.steps.push_back({StepKind::kLeftAlone,
                               row.card,
                               title,
                               {},
                               is_of_kind
                                   ? "the event is of a kind that is left alone"
                                   : "a run was undone: it is left as it is until somebody changes it"});
    }
  }
}

}  // namespace kalends
