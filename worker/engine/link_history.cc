// SPDX-License-Identifier: Apache-2.0
// What the ledger tells: the runs of a link, what each did, and what was done to one card.
#include "worker/engine/co_try.h"
#include "worker/engine/ledger_text.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/run_report.h"

namespace kalends {
namespace {

EntryView entry_view(const Document& board, const EntryRow& row) {
  EntryView view;
  view.run = row.run;
  view.entry = row.entry;
  view.card = row.card;
  view.kind = static_cast<EntryKind>(row.kind);
  view.outcome = static_cast<EntryOutcome>(row.outcome);
  view.at_ms = row.at_ms;
  auto content = decode_entry(row.content);
  if (content.ok()) view.content = *content;
  view.text = content.ok() ? entry_text(board, view.kind, view.outcome, view.content)
                           : "This entry cannot be read: it was written by a newer Kalends, or is damaged.";
  return view;
}

}  // namespace

Result<std::vector<RunView>> LinkEngine::runs(WorkspaceId workspace, LinkId link_id, size_t limit) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<RunRow> rows, txn->runs(link->workspace, link_id, limit));
  std::vector<RunView> views;
  std::map<uint64_t, uint64_t> undone_by;
  for (const RunRow& row : rows) {
    RunView view{row.run, row.started_ms, row.finished_ms, decode_report(row.report), 0, {}};
    // An undo comes after the run that it takes back.
    if (auto undo = undone_by.find(row.run); undo != undone_by.end()) view.undone_by = undo->second;
    if (view.report.undone_run > 0) undone_by.emplace(view.report.undone_run, row.run);
    views.push_back(std::move(view));
  }
  return views;
}

Result<RunView> LinkEngine::run(WorkspaceId workspace, LinkId link_id, uint64_t run) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  KALENDS_TRY(OpenDocument * board, hub_.open(link->board()));
  KALENDS_TRY(std::vector<RunView> all, runs(workspace, link_id, SIZE_MAX / 2));
  for (RunView& view : all) {
    if (view.run != run) continue;
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(std::vector<EntryRow> rows, txn->entries(workspace, link_id, run, 0, SIZE_MAX / 2));
    for (const EntryRow& row : rows) view.entries.push_back(entry_view(board->replica.document(), row));
    return std::move(view);
  }
  return not_found("The ledger has no run of this number: see `kalends runs`.");
}

Result<std::vector<EntryView>> LinkEngine::history(WorkspaceId workspace, LinkId link_id, CardId card,
                                                   size_t limit) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  KALENDS_TRY(OpenDocument * board, hub_.open(link->board()));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<EntryRow> rows, txn->entries_of_card(workspace, link_id, card, limit));
  std::vector<EntryView> views;
  for (const EntryRow& row : rows) views.push_back(entry_view(board->replica.document(), row));
  return views;
}

Task<Result<RunReport>> LinkEngine::undo_run(WorkspaceId workspace, LinkId link_id, UndoRequest request) {
  KALENDS_CO_TRY(Link * link, find(workspace, link_id));
  while (link->is_running) {
    auto waiting = ports_.effects.slept(10);
    co_await waiting;
    KALENDS_CO_TRY(link, find(workspace, link_id));  // it may have been unlinked meanwhile
  }
  if (link->state() != LinkState::kActive)
    co_return Error{ErrorCode::kConflict,
                    "The link is paused, stopped or broken: let it go on first, then undo the run.", 0};
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<RunRow> known, txn->run(workspace, link_id, request.run));
    if (!known) co_return not_found("The ledger has no run of this number: see `kalends runs`.");
  }
  link->is_running = true;
  RunReport report;
  {
    LinkSync sync(*this, *link);
    auto undoing = sync.undo(request);
    report = co_await undoing;
  }
  link->is_running = false;
  link->is_wanted = false;
  if (link->state() == LinkState::kActive) kick(*link);
  co_return report;
}

}  // namespace kalends
