// SPDX-License-Identifier: Apache-2.0
// A dry run: what the next look would do.
#include "worker/engine/link_sync.h"
#include "worker/engine/pair_facts.h"

namespace kalends {

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
    Entity entity = board->replica.document().find(card.raw);
    std::string title = entity ? entity->text_value(Field::kTitle) : pair.plan.target.title;
    report.plan.push_back("\"" + title + "\": " + joined(pair.plan.reasons));
  }
  return report;
}

}  // namespace kalends
