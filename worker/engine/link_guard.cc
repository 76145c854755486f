// SPDX-License-Identifier: Apache-2.0
// Before the first write: may this run go? What would be deleted counts together with what was deleted a
// short while ago, and a listing that lacks most of what was known is not believed.
#include <algorithm>

#include "core/base/hash.h"
#include "worker/engine/co_try.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/tuning.h"

namespace kalends {
namespace {

std::string name_of(char kind, const std::set<PlannedDeletion>& deletions) {
  Writer out;
  out.u8(static_cast<uint8_t>(kind));
  for (const PlannedDeletion& deletion : deletions) {
    out.id(deletion.card.raw);
    out.u8(deletion.is_of_event ? 1 : 0);
  }
  return to_hex(digest_of(out.view())).substr(0, 16);
}

std::string counted(size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

// Everything that is planned now, by what the store knows.
Result<LinkSync::Prospect> LinkSync::prospect(Txn& txn, const Replica& board) {
  Prospect prospect;
  KALENDS_TRY(std::vector<CardId> cards, txn.dirty_pairs(link_.workspace, link_.id(), SIZE_MAX / 2));
  for (CardId card : cards) {
    KALENDS_TRY(std::optional<PairRow> row, txn.pair(link_.workspace, link_.id(), card));
    if (!row) continue;
    PairFacts pair = judged(txn, board, std::move(*row));
    if (pair.plan.write == RemoteWrite::kDelete) prospect.deletions.insert({card, true});
    if (removes_date(pair.plan)) prospect.deletions.insert({card, false});
    prospect.pairs.push_back(std::move(pair));
  }
  RunShape& shape = prospect.shape;
  for (const PlannedDeletion& deletion : prospect.deletions)
    ++(deletion.is_of_event ? shape.event_deletions : shape.card_deletions);
  shape.is_listing_complete = link_.is_listing_complete;
  shape.is_listing_plausible = link_.is_listing_plausible;
  prospect.name = name_of('D', prospect.deletions);
  if (prospect.deletions.empty() && !link_.is_restored()) return prospect;
  // Pairs with an event; rows that only remember a generation do not make a deletion look smaller.
  std::set<CardId> in_step;
  CardId after;
  while (true) {
    KALENDS_TRY(std::vector<PairRow> rows, txn.pairs(link_.workspace, link_.id(), after, 500));
    if (rows.empty()) break;
    after = rows.back().card;
    for (const PairRow& row : rows)
      if (!row.shadow.empty()) in_step.insert(row.card);
  }
  shape.pairs = in_step.size();
  // Of one card one deletion counts, however often it came and went, and none that was made good since.
  std::set<PlannedDeletion> recent;
  int64_t since_ms = std::max(ports_.clock.now_ms() - tuning::kDeletionWindowMs, link_.approved_ms);
  KALENDS_TRY(std::vector<EntryRow> entries,
              txn.deleting_entries_since(link_.workspace, link_.id(), since_ms));
  for (const EntryRow& entry : entries) {
    PlannedDeletion deletion{entry.card, is_of_event(static_cast<EntryKind>(entry.kind))};
    if (in_step.count(entry.card) == 0) recent.insert(deletion);
  }
  for (const PlannedDeletion& deletion : recent)
    ++(deletion.is_of_event ? shape.recent_event_deletions : shape.recent_card_deletions);
  return prospect;
}

// What the guard says to it; nothing: it may go.
std::optional<GuardReport> LinkSync::objection(const Prospect& prospect) const {
  const RunShape& shape = prospect.shape;
  GuardVerdict verdict = judge(shape);
  bool is_approved = std::includes(link_.approved.begin(), link_.approved.end(), prospect.deletions.begin(),
                                   prospect.deletions.end());
  // After a restore nothing goes unseen, and then no deletion that was not shown, however few they are.
  bool is_first_look = link_.waits_for_approval();
  bool may_go = verdict == GuardVerdict::kGo && !link_.is_restored();
  if (!is_first_look && (may_go || is_approved)) return std::nullopt;
  GuardReport report;
  report.event_deletions = shape.event_deletions;
  report.card_deletions = shape.card_deletions;
  report.recent_event_deletions = shape.recent_event_deletions;
  report.recent_card_deletions = shape.recent_card_deletions;
  report.pairs = shape.pairs;
  report.plan = prospect.name;
  std::string recent;
  if (size_t count = shape.recent_event_deletions + shape.recent_card_deletions; count > 0)
    recent = ", after " + counted(count, "deletion", "deletions") + " in the last " +
             std::to_string(tuning::kDeletionWindowMs / 60'000) + " minutes";
  report.reason = "This run would remove " + counted(shape.event_deletions, "event", "events") +
                  " and take the date from " + counted(shape.card_deletions, "card", "cards") + ", of " +
                  std::to_string(shape.pairs) + " in step" + recent +
                  ". Look at the plan, then approve it or undo what caused it.";
  if (link_.is_restored()) report.reason = restored_reason(prospect);
  if (verdict == GuardVerdict::kImplausibleListing)
    report.reason = (shape.is_listing_complete ? "Google's list of events lacked most of them. "
                                               : "Google's list of events had no proper end. ") +
                    report.reason;
  return report;
}

// The guard looks at the whole run before its first write.
Status LinkSync::judge_run(bool& may_go) {
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  std::optional<GuardReport> report;
  {
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(Prospect now, prospect(*txn, board->replica));
    report = objection(now);
    // An approval is for what is planned: what is no longer planned is no longer approved.
    std::erase_if(link_.approved,
                  [&](const PlannedDeletion& deletion) { return now.deletions.count(deletion) == 0; });
    if (report) remember_shown(now);
  }
  may_go = !report;
  return may_go ? Status{} : stop_run(*report);
}

void LinkSync::remember_shown(const Prospect& prospect) {
  std::erase_if(link_.shown, [&](const auto& shown) { return shown.first == prospect.name; });
  link_.shown.emplace_back(prospect.name, prospect.deletions);
  while (link_.shown.size() > tuning::kShownKept) link_.shown.pop_front();
}

// What the name stands for: the present plan's deletions, or ones that were shown. Nothing: neither; then the
// link tells the present ones.
Result<std::optional<std::set<PlannedDeletion>>> LinkSync::named_deletions(const std::string& name) {
  using Found = std::optional<std::set<PlannedDeletion>>;
  for (const auto& [shown, deletions] : link_.shown)
    if (shown == name) return Found(deletions);
  if (link_.guard && link_.guard->is_listing_doubted && link_.guard->plan == name)
    return Found(std::set<PlannedDeletion>{});
  KALENDS_TRY(OpenDocument * board, engine_.hub_.open(link_.board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(Prospect now, prospect(*txn, board->replica));
  if (now.name == name) return Found(now.deletions);
  if (auto report = objection(now)) {
    remember_shown(now);
    link_.guard = report;
  }
  return Found{};
}

// Stops, tells, waits for `approve`.
Status LinkSync::stop_run(const GuardReport& report) {
  link_.guard = report;
  report_.guard = report;
  ++engine_.counters_.guard_stops;
  engine_.counters_.deletions_stopped += report.event_deletions + report.card_deletions;
  ports_.log.warning("guard_stopped", {{"link", link_.id()},
                                       {"event_deletions", report.event_deletions},
                                       {"card_deletions", report.card_deletions},
                                       {"listing_doubted", report.is_listing_doubted}});
  {
    KALENDS_TRY_VOID(hold_lease());
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY_VOID(ledger_.begin(*txn, link_.lease));
    KALENDS_TRY_VOID(txn->commit());
  }
  return engine_.update_row(link_,
                            [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kStopped); });
}

// A whole listing that lacks most of what was known: some of what it lacks is asked for by id. If that is
// there, the answer was wrong and nothing that follows from it may happen.
Task<Status> LinkSync::doubt_listing(const std::vector<PairRow>& missing, size_t known,
                                     std::optional<GuardReport>& doubt) {
  if (link_.is_listing_trusted || !is_listing_implausible(known, missing.size())) co_return Status{};
  size_t asked = std::min(tuning::kListingSample, missing.size());
  size_t found = 0;
  for (size_t i = 0; i < asked; ++i) {
    auto observation = stored_observation(missing[i * missing.size() / asked]);
    auto getting = get_event(observation->event_id);
    Result<GoogleEvent> event = co_await getting;
    if (!event.ok() && event.error().code != ErrorCode::kNotFound) co_return event.error();
    found += event.ok() && !event->is_cancelled();
  }
  if (found == 0) co_return Status{};  // truly gone: the guard counts them
  GuardReport report;
  report.pairs = known;
  report.is_listing_doubted = true;
  std::set<PlannedDeletion> names;
  for (const PairRow& row : missing) names.insert({row.card, true});
  report.plan = name_of('L', names);
  report.reason =
      "Google's list lacks " + std::to_string(missing.size()) + " of " + std::to_string(known) +
      " events, but " + std::to_string(found) + " of " + std::to_string(asked) +
      " that were asked for are there: the list is not believed, and nothing was changed. Approve to "
      "read the calendar again and ask for each event that the list lacks.";
  doubt = report;
  co_return Status{};
}

}  // namespace kalends
