// SPDX-License-Identifier: Apache-2.0
// How links do, and the probes: now and then an event is read by its id. What differs from what is known
// should be told by the next listing; when it is not, listings are not to be trusted, and the whole calendar
// is read.
#include <algorithm>

#include "core/calendar/shadow.h"
#include "worker/engine/co_try.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"

namespace kalends {
namespace {

// Waiting pairs that are remembered one by one; what waits behind them waits as long at most.
constexpr size_t kWaitingMax = 500;
constexpr size_t kPairsTried = 20;

}  // namespace

// Every listing that came to its end renews the token, whichever worker read it.
Result<int64_t> LinkEngine::verified_ms(Txn& txn, const Link& link) {
  KALENDS_TRY(std::optional<CursorRow> cursor, txn.cursor(link.workspace, link.id()));
  bool is_verified = cursor && !cursor->full_sync_needed && !cursor->sync_token.empty();
  return is_verified ? std::max(link.row.last_verified_ms, cursor->updated_ms) : link.row.last_verified_ms;
}

Result<int64_t> LinkEngine::channel_until_ms(Txn& txn, const Link& link) {
  int64_t until_ms = link.channel_until_ms;
  if (!link.is_elsewhere) return until_ms;
  KALENDS_TRY(std::vector<ChannelRow> channels, txn.channels(link.workspace, link.id()));
  for (const ChannelRow& channel : channels)
    if (!channel.resource.empty()) until_ms = std::max(until_ms, channel.expires_ms);
  return until_ms;
}

Result<LinkHealth> LinkEngine::health_in(Txn& txn, const Link& link, bool is_token_dead) {
  LinkHealthFacts facts;
  facts.now_ms = ports_.clock.now_ms();
  facts.is_paused = link.state() == LinkState::kPaused;
  facts.is_stopped = link.state() == LinkState::kStopped;
  facts.is_broken = link.state() == LinkState::kBroken;
  facts.is_token_dead = is_token_dead;
  facts.watched_since_ms = link.watched_since_ms;
  KALENDS_TRY(facts.last_verified_ms, verified_ms(txn, link));
  facts.interval_ms = link.interval_ms;
  facts.wants_push = !options_.webhook_url.empty();
  KALENDS_TRY(facts.channel_until_ms, channel_until_ms(txn, link));
  if (link.is_deaf(facts.now_ms)) facts.channel_until_ms = 0;
  facts.refused = link.refused.size();
  facts.is_read_only = !ports_.store.read_only_reason().empty();
  KALENDS_TRY(std::vector<CardId> oldest, txn.dirty_pairs(link.workspace, link.id(), 1));
  if (!oldest.empty()) {
    KALENDS_TRY(std::optional<PairRow> row, txn.pair(link.workspace, link.id(), oldest[0]));
    if (row) facts.waiting_since_ms = row->updated_ms;
    // Every try makes the row younger: what was seen waiting before counts from then.
    for (const auto& [card, since_ms] : link.waiting_since)
      facts.waiting_since_ms = std::min(facts.waiting_since_ms, since_ms);
  }
  return health_of(facts);
}

Status LinkEngine::note_waiting(Txn& txn, Link& link) {
  KALENDS_TRY(std::vector<CardId> cards, txn.dirty_pairs(link.workspace, link.id(), kWaitingMax));
  std::map<CardId, int64_t> waiting;
  for (CardId card : cards) {
    auto known = link.waiting_since.find(card);
    waiting[card] = known == link.waiting_since.end() ? ports_.clock.now_ms() : known->second;
  }
  link.waiting_since = std::move(waiting);
  return {};
}

Result<std::vector<std::pair<WorkspaceId, LinkView>>> LinkEngine::watch() {
  std::vector<std::pair<WorkspaceId, LinkView>> views;
  KALENDS_TRY(auto txn, ports_.store.begin());
  for (auto& [key, link] : links_) {
    if (link->is_removed) continue;
    KALENDS_TRY_VOID(note_waiting(*txn, *link));
    KALENDS_TRY(LinkView view, view_in(*txn, *link));
    views.emplace_back(key.first, std::move(view));
  }
  return views;
}

void LinkEngine::probe_some() {
  if (options_.probe_ms <= 0) return;
  int64_t now_ms = ports_.clock.now_ms();
  // Those that wait longest come first, so that a small budget goes round.
  std::vector<Link*> due;
  for (auto& [key, link] : links_) {
    bool is_busy = link->is_removed || link->is_running || link->is_probing || link->is_elsewhere;
    if (is_busy || link->state() != LinkState::kActive) continue;
    if (!link->doubted.empty() && !link->is_pull_wanted) {
      if (Status settled = settle_doubts(*link); !settled.ok())
        ports_.log.warning("probe_failed", {{"link", link->id()}, {"code", settled.error().code}});
      continue;
    }
    if (now_ms - link->probed_ms >= options_.probe_ms) due.push_back(link.get());
  }
  std::stable_sort(due.begin(), due.end(), [](Link* a, Link* b) { return a->probed_ms < b->probed_ms; });
  for (Link* link : due) {
    if (!probe_budget_.take(link->row.account, ports_.clock.monotonic_ms())) continue;
    link->probed_ms = now_ms;
    link->is_probing = true;
    ++counters_.probes;
    tasks_.spawn(probe({link->workspace, link->id()}));
  }
}

Task<void> LinkEngine::probe(Key key) {
  CardId card;
  std::string event_id, etag, calendar = links_.at(key)->calendar_id;
  AccountId account = links_.at(key)->row.account;
  {
    // Any pair with a live event, from a random place on.
    auto txn = ports_.store.begin();
    CardId after{ports_.entropy.new_id()};
    for (int round = 0; txn.ok() && round < 2 && event_id.empty(); ++round, after = CardId{}) {
      auto rows = (*txn)->pairs(key.first, key.second, after, kPairsTried);
      if (!rows.ok()) break;
      for (const PairRow& row : *rows) {
        auto known = decode_observation(row.observation);
        bool is_known = !row.is_dirty && row.event_key && !row.observation.empty() && known.ok() &&
                        known->presence == EventPresence::kLive && !known->etag.empty();
        if (!is_known) continue;
        card = row.card;
        event_id = known->event_id;
        etag = known->etag;
        break;
      }
    }
  }
  auto make = [calendar, event_id](const GoogleApi& api) {
    // Without events the calendar itself tells whether the permission lives.
    return event_id.empty() ? calendar_get_request(api, calendar)
                            : event_get_request(api, calendar, event_id);
  };
  auto calling = google_.call({key.first, account, 1, {}, 0}, make);
  GoogleAnswer answer = co_await calling;
  auto it = links_.find(key);
  if (it == links_.end()) co_return;
  Link& link = *it->second;
  link.is_probing = false;
  bool is_otherwise =
      answer.verdict.move == GoogleMove::kNotFound || answer.verdict.move == GoogleMove::kGone;
  if (answer.verdict.ok() && !event_id.empty()) {
    auto event = parse_event(answer.body);
    is_otherwise = event.ok() && (event->etag != etag || event->is_cancelled());
  }
  bool is_refused = answer.verdict.move == GoogleMove::kAuth ||
                    answer.verdict.move == GoogleMove::kForbidden ||
                    answer.verdict.move == GoogleMove::kInsufficientScope;
  if (!is_otherwise && !is_refused) co_return;
  // An ordinary look comes first: it tells of what has changed, or meets the same refusal.
  if (is_otherwise && !event_id.empty()) {
    ++counters_.probe_differences;
    link.doubted[card] = etag;
  }
  link.is_pull_wanted = true;
  kick(link);
}

// The look is over: whoever is still known by the old etag was not told of.
Status LinkEngine::settle_doubts(Link& link) {
  auto doubted = std::exchange(link.doubted, {});
  bool is_untold = false;
  {
    KALENDS_TRY(auto txn, ports_.store.begin());
    for (const auto& [card, etag] : doubted) {
      KALENDS_TRY(std::optional<PairRow> row, txn->pair(link.workspace, link.id(), card));
      if (!row || row->is_dirty || row->observation.empty()) continue;
      auto known = decode_observation(row->observation);
      is_untold = is_untold || (known.ok() && known->etag == etag && known->presence == EventPresence::kLive);
    }
  }
  if (!is_untold) return {};
  ++counters_.listings_distrusted;
  ports_.log.warning("listing_told_nothing", {{"link", link.id()}});
  {
    LinkSync sync(*this, link);
    KALENDS_TRY_VOID(sync.hold_lease());
  }
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::optional<CursorRow> cursor, txn->cursor(link.workspace, link.id()));
  CursorRow due = cursor.value_or(CursorRow{});
  due.full_sync_needed = true;
  KALENDS_TRY_VOID(txn->put_cursor(link.lease, due));
  KALENDS_TRY_VOID(txn->commit());
  link.is_pull_wanted = true;
  kick(link);
  return {};
}

}  // namespace kalends
