// SPDX-License-Identifier: Apache-2.0
// Reading the calendar: what is new becomes observations, and pairs that may have work.
#include "worker/engine/link_sync.h"

#include <algorithm>

#include "core/reconcile/guard.h"
#include "worker/engine/co_try.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/tuning.h"
#include "worker/google/facet_mapping.h"

namespace kalends {

Task<Status> LinkSync::pull() {
  std::optional<CursorRow> cursor;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(cursor, txn->cursor(link_.workspace, link_.id()));
  }
  // Once a day the whole calendar is read: an answer that lacked something is made good then.
  int64_t now_ms = ports_.clock.monotonic_ms();
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
  bool has_end = false;
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
    has_end = !page.next_sync_token.empty();
    if (page.is_last()) break;
    query.page_token = page.next_page_token;
  }
  if (is_full) {
    link_.is_listing_complete = has_end;
    auto confirming = confirm_missing(std::move(seen));
    Status status = co_await confirming;
    if (!status.ok() || !link_.is_listing_plausible) co_return status;
    link_.is_listing_trusted = false;
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
      bool is_newer =
          row && link_.is_restored() && !event.is_cancelled() && identity->generation > row->generation;
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

Result<LinkSync::Missing> LinkSync::missing_from(const std::set<Bytes>& seen) {
  Missing missing;
  KALENDS_TRY(auto txn, ports_.store.begin());
  CardId after;
  while (true) {
    KALENDS_TRY(std::vector<PairRow> rows, txn->pairs(link_.workspace, link_.id(), after, 500));
    if (rows.empty()) return missing;
    after = rows.back().card;
    for (PairRow& row : rows) {
      auto observation = stored_observation(row);
      if (!row.event_key || !observation || observation->presence == EventPresence::kGone) continue;
      ++missing.live;
      if (seen.count(*row.event_key) == 0) missing.rows.push_back(std::move(row));
    }
  }
}

// A full listing tells no deletions. Each event that it lacks is asked for by its id; only the answer counts.
Task<Status> LinkSync::confirm_missing(std::set<Bytes> seen) {
  KALENDS_CO_TRY(Missing found, missing_from(seen));
  const std::vector<PairRow>& missing = found.rows;
  const size_t live = found.live;
  std::optional<GuardReport> doubt;
  auto doubting = doubt_listing(missing, live, doubt);
  Status doubted = co_await doubting;
  if (!doubted.ok()) co_return doubted;
  link_.is_listing_plausible = !doubt;
  if (doubt) co_return stop_run(*doubt);
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

}  // namespace kalends
