// SPDX-License-Identifier: Apache-2.0
// Before the first write: may this run go?
#include "worker/engine/link_sync.h"

#include <algorithm>

#include "core/reconcile/guard.h"
#include "worker/engine/pair_facts.h"

namespace kalends {

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
  ports_.log.warning("guard_stopped", {{"link", link_.id()},
                                       {"event_deletions", static_cast<uint64_t>(shape.event_deletions)},
                                       {"card_deletions", static_cast<uint64_t>(shape.card_deletions)}});
  return engine_.update_row(link_,
                            [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kStopped); });
}

}  // namespace kalends
