// SPDX-License-Identifier: Apache-2.0
// Carrying a plan out: the card's half, the attempt, the write to Google, its answer.
#include "worker/engine/link_sync.h"

#include <algorithm>

#include "core/reconcile/absorb.h"
#include "worker/engine/co_try.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/tuning.h"

namespace kalends {

// Nothing to write to the calendar: the card's changes and the new agreement in one transaction.
Task<Status> LinkSync::settle_here(CardId card, PairFacts pair) {
  KALENDS_CO_TRY(OpenDocument * board, engine_.hub_.open(pair.home));
  EventFacet event = pair.situation.event ? pair.situation.event->facet : EventFacet{};
  LinkPolicy policy = link_.policy;
  if (pair.list) policy.inbox_list = *pair.list;
  std::vector<Command> commands = commands_of(pair.plan, event, card, board->replica, policy);
  std::optional<RunLedger::Entry> entry = card_entry(card, pair, commands, board->replica.document());
  int64_t now_ms = ports_.clock.now_ms();
  auto also = [&](Txn& txn) -> Status {
    if (entry) KALENDS_TRY_VOID(ledger_.append(txn, link_.lease, *entry));
    PairRow row = pair.row;
    row.explain = explanation(pair.plan, now_ms);
    row.updated_ms = now_ms;
    // A plan that only edited the card is planned again: what it became decides.
    bool is_settled = pair.plan.agree || pair.plan.forget || pair.plan.is_nothing();
    if (pair.plan.change == CardChange::kCreate) is_settled = false;
    row.is_dirty = !is_settled;
    if (pair.plan.agree) {
      Entity entity = board->replica.document().find(card.raw);
      EventFacet shown = facet_of(*entity, link_.policy);
      CardDates dates = dates_of(*entity);
      bool are_dates_taken = dates == card_dates(event.start, event.end, dates, link_.policy);
      Shadow agreed = agreed_after(pair.plan, shown, event, are_dates_taken);
      row.is_dirty = !differing(shown, agreed.ours, link_.policy.mask()).empty();
      row.shadow = encode_shadow(agreed);
    }
    if (pair.plan.forget) {
      bool was_there = pair.situation.event.has_value();
      row.generation += was_there ? 1 : 0;
      row.event_key.reset();
      row.shadow.clear();
      row.observation.clear();
    }
    if (is_settled) {
      KALENDS_TRY_VOID(ledger_.overtaken(txn, link_.lease, card, pair.situation.event, link_.policy.mask()));
      KALENDS_TRY_VOID(txn.delete_attempts(link_.lease, card));
    }
    return txn.put_pair(link_.lease, row);
  };
  MemberId author = engine_.bridge_author(link_);
  auto edited =
      engine_.hub_.edit(pair.home, {author, Cause::kBridge, now_ms, true}, commands, also, pair.home_seq);
  if (!edited.ok()) co_return card_refused(pair, edited.error());
  bool is_new_card = pair.plan.change == CardChange::kCreate;
  report_.card_edits += !edited->ops.empty() && !is_new_card;
  report_.cards_created += is_new_card;
  co_return Status{};
}

// What a plan changes on the card, for the ledger; nothing when it changes nothing.
std::optional<RunLedger::Entry> LinkSync::card_entry(CardId card, const PairFacts& pair,
                                                     const std::vector<Command>& commands,
                                                     const Document& board) {
  RunLedger::Entry entry;
  entry.card = card;
  entry.content.changes = changes_of(commands, board.find(card.raw));
  if (entry.content.changes.empty()) return std::nullopt;
  entry.kind = pair.plan.change == CardChange::kUnschedule ? EntryKind::kUnscheduleCard
               : pair.plan.change == CardChange::kArchive  ? EntryKind::kArchiveCard
               : pair.plan.change == CardChange::kCreate   ? EntryKind::kCreateCard
                                                           : EntryKind::kEditCard;
  entry.deletes = removes_date(pair.plan) && !link_.approved.count({card, false});
  describe(pair, board, entry.content);
  entry.content.actor = Actor::kCalendar;
  return entry;
}

// What a plan writes to the calendar.
RunLedger::Entry LinkSync::event_entry(CardId card, const PairFacts& pair, const Document& board) {
  RunLedger::Entry entry;
  entry.card = card;
  entry.outcome = EntryOutcome::kUnknown;
  entry.kind = pair.plan.write == RemoteWrite::kInsert  ? EntryKind::kInsertEvent
               : pair.plan.write == RemoteWrite::kPatch ? EntryKind::kPatchEvent
                                                        : EntryKind::kDeleteEvent;
  entry.deletes = pair.plan.write == RemoteWrite::kDelete && !link_.approved.count({card, true});
  describe(pair, board, entry.content);
  entry.content.fields = pair.plan.write == RemoteWrite::kPatch ? pair.plan.fields : link_.policy.mask();
  if (pair.plan.write != RemoteWrite::kDelete) entry.content.after = pair.plan.target;
  if (pair.plan.write == RemoteWrite::kDelete) entry.content.card = pair.situation.card.facet;
  if (pair.plan.write == RemoteWrite::kInsert) entry.content.before.reset();
  entry.content.member = last_editor(board.find(card.raw));
  entry.content.actor = entry.content.member.raw.is_nil() ? Actor::kBridge : Actor::kMember;
  return entry;
}

void LinkSync::describe(const PairFacts& pair, const Document& board, EntryContent& content) const {
  Entity entity = board.find(pair.row.card.raw);
  content.title = entity ? entity->text_value(Field::kTitle) : std::string();
  if (content.title.empty() && pair.situation.event) content.title = pair.situation.event->facet.title;
  content.reasons = pair.plan.reasons;
  if (pair.situation.event && pair.situation.event->presence == EventPresence::kLive &&
      pair.situation.event->facet != void_agreement().theirs)
    content.before = pair.situation.event->facet;
  if (pair.situation.shadow && !is_void_agreement(*pair.situation.shadow))
    content.agreed = pair.situation.shadow;
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
  RunLedger::Entry entry;
  entry.kind = EntryKind::kEditCard;
  entry.outcome = EntryOutcome::kRefused;
  entry.card = row.card;
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  describe(pair, board->replica.document(), entry.content);
  entry.content.reasons = refused.reasons;
  entry.content.actor = Actor::kCalendar;
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(ledger_.append(*txn, link_.lease, entry));
  KALENDS_TRY_VOID(txn->put_pair(link_.lease, row));
  KALENDS_TRY_VOID(txn->commit());
  ports_.log.warning("card_refused_edit", {{"link", link_.id()}, {"card", row.card}, {"code", error.code}});
  return {};
}

Task<Status> LinkSync::write_remote(CardId card, PairFacts pair) {
  // Google's use limits stop creations, nothing else: the others go on, this pair waits.
  if (pair.plan.write == RemoteWrite::kInsert &&
      ports_.clock.monotonic_ms() < link_.creations_paused_until_ms)
    co_return Status{};
  KALENDS_CO_TRY(OpenDocument * board, engine_.hub_.open(pair.home));
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
  std::optional<RunLedger::Entry> on_card = card_entry(card, pair, commands, board->replica.document());
  RunLedger::Entry on_event = event_entry(card, pair, board->replica.document());
  EntryRow entry;
  auto also = [&](Txn& txn) -> Status {
    if (on_card) KALENDS_TRY_VOID(ledger_.append(txn, link_.lease, *on_card));
    KALENDS_TRY(entry, written_entry(txn, pair, generation, on_event));
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
  auto edited =
      engine_.hub_.edit(pair.home, {author, Cause::kBridge, now_ms, true}, commands, also, pair.home_seq);
  if (!edited.ok()) co_return card_refused(pair, edited.error());
  report_.card_edits += !edited->ops.empty();
  ports_.log.debug("event_write", {{"link", link_.id()},
                                   {"run", entry.run},
                                   {"entry", entry.entry},
                                   {"card", card},
                                   {"kind", entry.kind}});

  std::string calendar = link_.calendar_id;
  LinkPolicy policy = link_.policy;
  std::string marker = identities_.marker({card, generation});
  // Google ignores it; whoever reads traffic finds the entry by it.
  std::string correlation = std::to_string(entry.run) + "." + std::to_string(entry.entry);
  auto make = [plan, calendar, policy, event_id, etag, marker, correlation](const GoogleApi& api) {
    auto request = [&] {
      if (plan.write == RemoteWrite::kDelete) return event_delete_request(api, calendar, event_id, etag);
      if (plan.write == RemoteWrite::kPatch)
        return event_patch_request(api, calendar, event_id, etag,
                                   to_event_patch(plan.target, plan.fields, policy));
      GoogleEventWrite write = to_event(plan.target, policy);
      write.private_properties[std::string(kMarkerName)] = marker;
      return event_insert_request(api, calendar, event_id, write);
    }();
    request.headers.set("X-Kalends-Entry", correlation);
    return request;
  };
  auto calling = engine_.google_.call({link_.workspace, link_.row.account, 1, {}}, make);
  GoogleAnswer answer = co_await calling;
  KALENDS_CO_TRY_VOID(hold_lease());

  switch (answer.verdict.move) {
    case GoogleMove::kOk: {
      if (plan.write == RemoteWrite::kDelete) {
        ++report_.deletes;
        co_return record_deleted(card, false);
      }
      // A cut answer leaves the outcome unknown: the attempt stays, the next look reads the event.
      KALENDS_CO_TRY(GoogleEvent event, parse_event(answer.body));
      report_.inserts += plan.write == RemoteWrite::kInsert;
      report_.patches += plan.write == RemoteWrite::kPatch;
      co_return record_written(card, plan.target, event);
    }
    case GoogleMove::kNotFound:
    case GoogleMove::kGone:
      if (plan.write == RemoteWrite::kDelete) co_return record_deleted(card, true);
      [[fallthrough]];
    case GoogleMove::kDuplicate:
    case GoogleMove::kPreconditionFailed: {
      {
        KALENDS_CO_TRY(auto txn, ports_.store.begin());
        KALENDS_CO_TRY_VOID(ledger_.refused_try(*txn, link_.lease, card));
        KALENDS_CO_TRY_VOID(txn->commit());
      }
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
          ports_.clock.monotonic_ms() + std::max(answer.verdict.retry_after_ms, tuning::kCreationPauseMs);
      (void)failed(answer);  // told to the person; the look goes on
      co_return Status{};
    default:
      co_return failed(answer);
  }
}

// The write's entry: the one of an earlier try of the same write whose answer never came, or a new one.
Result<EntryRow> LinkSync::written_entry(Txn& txn, const PairFacts& pair, uint64_t generation,
                                         const RunLedger::Entry& wanted) {
  CardId card = wanted.card;
  KALENDS_TRY(std::optional<EntryRow> open, txn.unanswered_entry(link_.workspace, link_.id(), card));
  bool is_tried_again =
      open && open->kind == static_cast<int64_t>(wanted.kind) && generation == pair.row.generation;
  if (!is_tried_again) {
    if (open)
      KALENDS_TRY_VOID(ledger_.overtaken(txn, link_.lease, card, pair.situation.event, link_.policy.mask()));
    return ledger_.append(txn, link_.lease, wanted);
  }
  auto content = decode_entry(open->content);
  if (content.ok()) {
    content->after = wanted.content.after;
    content->may_have_arrived = content->may_have_arrived || !content->is_last_try_refused;
    content->is_last_try_refused = false;
    content->fields.bits |= wanted.content.fields.bits;
    for (const std::string& reason : wanted.content.reasons)
      if (std::find(content->reasons.begin(), content->reasons.end(), reason) == content->reasons.end())
        content->reasons.push_back(reason);
    open->content = encode_entry(*content);
    KALENDS_TRY_VOID(txn.update_entry(link_.lease, *open));
  }
  return *open;
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
  KALENDS_TRY_VOID(ledger_.answered(*txn, link_.lease, card, {EntryOutcome::kDone, &observation, {}, false}));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
  return txn->commit();
}

Status LinkSync::record_deleted(CardId card, bool was_gone_already) {
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
  KALENDS_TRY_VOID(ledger_.answered(*txn, link_.lease, card,
                                    {EntryOutcome::kDone, nullptr, "it was gone already", was_gone_already}));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
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
  KALENDS_TRY_VOID(ledger_.answered(*txn, link_.lease, card,
                                    {EntryOutcome::kRefused, nullptr, plan.reasons.front(), false}));
  KALENDS_TRY_VOID(txn->delete_attempts(link_.lease, card));
  KALENDS_TRY_VOID(txn->commit());
  ports_.log.warning("event_refused", {{"link", link_.id()}, {"card", card}});
  link_.refused.insert(card);  // told with the link until it is taken
  return {};
}

}  // namespace kalends
