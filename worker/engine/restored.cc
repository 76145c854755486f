// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/restored.h"

#include <algorithm>

#include "core/calendar/card_content.h"
#include "worker/engine/co_try.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/plan_commands.h"

namespace kalends {

Result<RestoredCounts> mark_restored(Store& store, int64_t now_ms) {
  RestoredCounts counts;
  KALENDS_TRY(auto txn, store.begin());
  KALENDS_TRY(std::vector<WorkspaceId> workspaces, txn->workspaces());
  for (WorkspaceId workspace : workspaces) {
    KALENDS_TRY_VOID(txn->raise_epochs(workspace));
    KALENDS_TRY_VOID(txn->end_leases(workspace));  // whoever held one is gone: the backup is of another time
    KALENDS_TRY(std::vector<DocumentHead> documents, txn->documents(workspace));
    counts.documents += documents.size();
    KALENDS_TRY(std::vector<LinkRow> links, txn->links(workspace));
    counts.links += links.size();
    for (LinkRow& row : links) {
      KALENDS_TRY(LinkLease lease, txn->acquire_lease(workspace, row.link, {ReplicaId{}, 0}));
      row.state = static_cast<int64_t>(LinkState::kStopped);
      row.last_error = to_bytes(kRestoredMark);
      KALENDS_TRY_VOID(txn->update_link(lease, row));
      KALENDS_TRY(std::optional<CursorRow> cursor, txn->cursor(workspace, row.link));
      KALENDS_TRY_VOID(txn->put_cursor(lease, {{}, true, cursor ? cursor->updated_ms : now_ms}));
      // Google has ended them, or rings for a later worker's.
      KALENDS_TRY(std::vector<ChannelRow> channels, txn->channels(workspace, row.link));
      for (const ChannelRow& channel : channels)
        KALENDS_TRY_VOID(txn->delete_channel(lease, channel.channel));
      KALENDS_TRY_VOID(txn->release_lease(lease));
    }
  }
  KALENDS_TRY_VOID(txn->commit());
  return counts;
}

// Everything but writing: the calendar is read whole, and the plan says what a run would do.
Task<RunReport> LinkSync::look() {
  Status status = hold_lease();
  // Another worker may have let a person approve meanwhile.
  if (status.ok() && !link_.waits_for_approval()) co_return std::move(report_);
  if (status.ok()) {
    auto pulling = pull();
    status = co_await pulling;
  }
  bool is_read = status.ok() && link_.is_listing_plausible;
  if (is_read) status = foresee();
  if (!status.ok()) report_.error = status.error();
  if (Status closed = close_run(); !closed.ok() && !report_.error) report_.error = closed.error();
  co_return std::move(report_);
}

// What the first run would do, by what the store knows now.
Status LinkSync::foresee() {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(Prospect now, prospect(*txn, board->replica));
  report_.guard = objection(now);
  remember_shown(now);
  return {};
}

std::string LinkSync::restored_reason(const Prospect& prospect) const {
  size_t inserts = 0, patches = 0, card_edits = 0;
  for (const PairFacts& pair : prospect.pairs) {
    inserts += pair.plan.write == RemoteWrite::kInsert;
    patches += pair.plan.write == RemoteWrite::kPatch;
    card_edits += pair.plan.change != CardChange::kNone;
  }
  return "This server was restored from a backup. The first run would make " + std::to_string(inserts) +
         " events, change " + std::to_string(patches) + ", remove " +
         std::to_string(prospect.shape.event_deletions) + ", and change " + std::to_string(card_edits) +
         " cards, " + std::to_string(prospect.shape.card_deletions) +
         " of which would lose their date. Let people with unsent edits connect first, look at the plan, "
         "then approve it.";
}

// An event of ours that was never agreed on here is from after the backup: its card had that date then, or
// was made then. It gets it again, instead of losing the event too.
void LinkSync::take_later_event(const Replica& board, PairFacts& pair) const {
  const Situation& situation = pair.situation;
  bool is_later = situation.event && situation.event->presence == EventPresence::kLive && !situation.shadow &&
                  !situation.card.wanted && !situation.card.is_deleted;
  if (!is_later) return;
  Plan plan;
  if (!situation.card.exists) {
    if (pair.plan.change == CardChange::kCreate) return;
    bool is_ours = situation.event->event_id == identities_.event_id({pair.row.card, pair.row.generation});
    for (const Entity& list : board.ordered(EntityType::kList)) {
      if (!is_ours || !list.is_live() || list.bool_value(Field::kArchived)) continue;
      plan.change = CardChange::kCreate;
      plan.target = situation.event->facet;
      plan.reasons.push_back("the event is newer than the restored backup: its card is made again");
      pair.plan = std::move(plan);
      pair.list = list.id();
      return;
    }
    return;
  }
  Entity card = board.document().find(pair.row.card.raw);
  if (!lives_here(board.document(), card)) return;  // it has moved on, and its event goes
  bool lacks_only_its_date = link_.policy.which == WhichCards::kAllDated && !dates_of(card).start &&
                             !dates_of(card).due && !card.bool_value(Field::kArchived);
  if (!lacks_only_its_date) return;
  plan.change = CardChange::kEdit;
  plan.target = situation.event->facet;
  for (FacetField field : kFacetFields)
    if (link_.policy.mask().has(field) && !same(situation.card.facet, situation.event->facet, field))
      plan.edits.push_back({field, false, true});
  plan.reasons.push_back("the event is newer than the restored backup: the card takes what it says");
  pair.plan = std::move(plan);
}

Task<void> LinkEngine::look_after_restore(Key key) {
  auto yielding = ports_.effects.slept(0);
  co_await yielding;
  for (int64_t wait = options_.backoff_min_ms;; wait = std::min(wait * 2, options_.backoff_max_ms)) {
    auto it = links_.find(key);
    bool is_due = it != links_.end() && !it->second->is_removed && it->second->waits_for_approval() &&
                  it->second->state() == LinkState::kStopped && !it->second->is_running;
    if (!is_due) co_return;
    Link& link = *it->second;
    link.is_running = true;
    std::optional<LinkError> before = std::exchange(link.error, std::nullopt);
    RunReport report;
    {
      LinkSync sync(*this, link);
      auto looking = sync.look();
      report = co_await looking;
    }
    link.is_running = false;
    link.is_elsewhere = report.is_elsewhere;
    if (!link.waits_for_approval() || link.state() != LinkState::kStopped) {
      kick(link);  // approved meanwhile; or broken: its repair begins anew
      co_return;
    }
    if (!report.error) {
      KALENDS_CHECK(report.guard);
      link.guard = report.guard;
      ports_.log.info("restored_link_waits", {{"link", link.id()}});
      co_return;
    }
    if (report.is_elsewhere)
      link.error = before;  // another worker looks
    else if (!link.error)
      link.error = LinkError{std::string(error_code_name(report.error->code)), report.error->message,
                             "It is tried again by itself."};
    auto sleeping = ports_.effects.slept(wait);
    co_await sleeping;
  }
}

}  // namespace kalends
