// SPDX-License-Identifier: Apache-2.0
// Keeps boards and calendars in step: which links there are, when each is looked at, and what the API may ask
// of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/calendar/link_policy.h"
#include "worker/engine/accounts.h"
#include "worker/engine/google_client.h"
#include "worker/engine/health.h"
#include "worker/engine/probe_budget.h"
#include "worker/engine/replica_hub.h"
#include "worker/engine/run_ledger.h"

namespace kalends {

// Do not renumber: stored.
enum class LinkState : int64_t {
  kActive = 0,
  kPaused = 1,   // by a person
  kStopped = 2,  // by the guard: waits for approve
  kBroken = 3,   // the account or the calendar is gone: waits for a person
};

struct LinkError {
  std::string code;  // an error code, or Google's reason
  std::string message;
  std::string what_to_do;
};

// What the guard stopped, for the person who decides.
struct GuardReport {
  uint64_t event_deletions = 0;
  uint64_t card_deletions = 0;
  uint64_t recent_event_deletions = 0;  // of the last minutes, which count too
  uint64_t recent_card_deletions = 0;
  uint64_t pairs = 0;
  std::string reason;
  std::string plan;  // names exactly these deletions: an approval says it
  bool is_listing_doubted = false;
  friend bool operator==(const GuardReport&, const GuardReport&) = default;
};

// One thing that a run would do, as a person reads it.
enum class StepKind : uint8_t { kNewEvent, kChangedEvent, kDeletedEvent, kNewCard, kChangedCard, kLeftAlone };
struct PlannedStep {
  StepKind kind = StepKind::kLeftAlone;
  CardId card;  // nil: an event without a card
  std::string title;
  struct Change {
    std::string field, before, after;
  };
  std::vector<Change> changes;
  std::string why;
};

struct LinkView {
  LinkId link;
  DocumentId board;
  AccountId account;
  std::string calendar_id;
  std::string calendar_summary;
  LinkPolicy policy;
  LinkState state = LinkState::kActive;
  int64_t last_verified_ms = 0;
  uint64_t dirty = 0;  // pairs that wait to be looked at
  uint64_t pairs = 0;
  std::optional<LinkError> last_error;
  std::optional<GuardReport> guard;
  bool has_push = false;
  bool is_running = false;
  uint64_t unmanaged = 0;  // recurring and other events that are left alone, seen since the start
  LinkHealth health;
  bool is_token_dead = false;
  int64_t channel_until_ms = 0;  // 0: there is no channel
};

// Since the start.
struct EngineCounters {
  uint64_t runs = 0;
  uint64_t failed_runs = 0;
  uint64_t guard_stops = 0;
  uint64_t deletions_stopped = 0;
  uint64_t full_listings = 0;
  uint64_t deaf_channels = 0;       // that did not ring when they should have, and were replaced
  uint64_t probes = 0;              // events that were read by their id, now and then
  uint64_t probe_differences = 0;   // that were not as they were known
  uint64_t listings_distrusted = 0;  // and no listing told of it: a full listing became due
};

struct LinkRequest {
  WorkspaceId workspace;
  DocumentId board;
  AccountId account;
  std::string calendar_id;       // empty: make a calendar
  std::string calendar_summary;  // of the calendar to make
  LinkPolicy policy;
};

enum class OnUnlink : uint8_t { kLeaveEvents, kRemoveEvents };

// What one look at a link did, or would do.
struct RunReport {
  uint64_t inserts = 0, patches = 0, deletes = 0, card_edits = 0, cards_created = 0, conflicts = 0;
  std::vector<std::string> plan;   // of a dry run: a line for each card, as a person reads it
  std::vector<PlannedStep> steps;  // of a dry run: the same in parts
  std::string deletions;           // of a dry run: names the deletions among them, for an approval
  std::optional<Error> error;
  std::optional<GuardReport> guard;  // what stopped it; of a dry run: what would
  uint64_t run = 0;                  // its number in the ledger; 0: it changed nothing
  uint64_t undone_run = 0;           // of an undo: which run it takes back
  MemberId asked_by;                 // of an undo
  std::vector<PlannedStep> left;     // of an undo: what is left as it is, and why
  bool is_elsewhere = false;         // another worker has the link, or had it meanwhile
};

struct UndoRequest {
  uint64_t run = 0;
  MemberId asked_by;
  bool is_dry_run = false;
};

// A run as the ledger tells it.
struct EntryView {
  uint64_t run = 0;
  uint64_t entry = 0;
  CardId card;
  EntryKind kind = EntryKind::kEditCard;
  EntryOutcome outcome = EntryOutcome::kDone;
  int64_t at_ms = 0;
  EntryContent content;
  std::string text;  // a sentence
};
struct RunView {
  uint64_t run = 0;
  int64_t started_ms = 0;
  std::optional<int64_t> finished_ms;  // none: it is under way, or was cut off
  RunReport report;
  uint64_t undone_by = 0;          // the run that took it back
  std::vector<EntryView> entries;  // of one run that was asked for
};

struct EngineOptions {
  ReplicaId holder;  // this worker, to leases: no other living worker has it
  std::string google_api_url;
  std::string webhook_url;  // empty: no push, polling is all there is
  int64_t request_timeout_ms = 20'000;
  int64_t poll_ms = 60'000;
  int64_t channel_life_seconds = 604'800;
  int64_t backoff_min_ms = 500;
  int64_t backoff_max_ms = 64'000;
  int64_t probe_ms = 0;  // between two probes of one link, as far as the budget lets; 0: none
  QuotaLimits quota;
};

class LinkSync;

class LinkEngine final : public DocumentObserver {
 public:
  LinkEngine(const Ports& ports, ReplicaHub& hub, Accounts& accounts, EngineOptions options);
  ~LinkEngine() override;

  // Reads the links of all workspaces and begins to keep them in step.
  Status start();
  // Ends all jobs where they stand; nothing is lost, everything is derived again at the next start.
  void stop();

  Task<Result<LinkView>> create(LinkRequest request);
  Task<Status> unlink(WorkspaceId workspace, LinkId link, OnUnlink events);
  Status set_state(WorkspaceId workspace, LinkId link, LinkState state);  // kActive or kPaused
  Status set_policy(WorkspaceId workspace, LinkId link, const LinkPolicy& policy);
  // Lets the run that the guard has stopped go on: with the deletions that `plan` names (of a guard's report
  // or a dry run; empty: the report that the link shows), and no others. kConflict: the plan has changed
  // since.
  Status approve(WorkspaceId workspace, LinkId link, const std::string& plan = {});
  Result<LinkView> view(WorkspaceId workspace, LinkId link);
  Result<std::vector<LinkView>> list(WorkspaceId workspace, std::optional<DocumentId> board);
  // One look at the calendar and the cards, now. A dry run changes nothing, here or there.
  Task<Result<RunReport>> sync_once(WorkspaceId workspace, LinkId link, bool is_dry_run);
  // Newest first; runs that changed nothing are none.
  Result<std::vector<RunView>> runs(WorkspaceId workspace, LinkId link, size_t limit);
  Result<RunView> run(WorkspaceId workspace, LinkId link, uint64_t run);
  // What sync did to a card under a link, newest first.
  Result<std::vector<EntryView>> history(WorkspaceId workspace, LinkId link, CardId card, size_t limit);
  // Takes a run back: a run of its own. What somebody has changed since is left and told.
  Task<Result<RunReport>> undo_run(WorkspaceId workspace, LinkId link, UndoRequest request);
  // Why a card's event looks as it does: a JSON text of link, shadow, both sides and the last plan.
  Result<std::string> explain(WorkspaceId workspace, DocumentId board, CardId card);
  // The calendars that the account may write to. kForbidden: the scopes for that were not granted.
  Task<Result<std::vector<GoogleCalendar>>> calendars(WorkspaceId workspace, AccountId account);
  // Ends the account's links, stops its channels, then revokes it.
  Task<Status> disconnect(WorkspaceId workspace, AccountId account, OnUnlink events);

  // A person has given the permission (again): links that waited for it go on.
  void account_connected(WorkspaceId workspace, AccountId account);

  // A push notice: a doorbell, never data. False: not one of ours (answer 404).
  bool ring(std::string_view channel_id, std::string_view token);

  // Other workers may have left work: looks at the cards of every link, not at the calendars.
  void look_again();

  // The board's links have no work waiting and no job running.
  bool is_at_rest() const;
  uint64_t api_calls() const { return google_.calls(); }
  bool wants_push() const { return !options_.webhook_url.empty(); }
  const GoogleCounters& google_counters() const { return google_.counters(); }
  const EngineCounters& counters() const { return counters_; }

  // The links of all workspaces, for the operator's eyes: alerts and metrics.
  Result<std::vector<std::pair<WorkspaceId, LinkView>>> watch();
  // Reads an event here and there by its id, within the budget, and holds it against what is known. Nothing
  // is written to Google. To be called every few seconds.
  void probe_some();

  Status on_changes(Txn& txn, const OpenDocument& document, const Changes& changes) override;
  void after_commit(const DocumentKey& document) override;

 private:
  friend class LinkSync;
  struct Link;
  using Key = std::pair<WorkspaceId, LinkId>;

  Result<Link*> find(WorkspaceId workspace, LinkId link);
  Result<LinkView> view_of(const Link& link);
  void adopt(WorkspaceId workspace, const LinkRow& row);
  // What is stored of a link, into what the engine holds of it.
  void take_row(Link& link, const LinkRow& row);
  std::optional<LinkRow> stored_row(const Key& key);
  std::optional<GuardReport> stopped_by(const Link& link);
  void kick(Link& link);
  void schedule_poll(Link& link);
  void wake(Link& link, int64_t wait_ms);
  int64_t longest_interval_ms() const;
  Task<void> keep_running(Key key);
  Task<void> revive(Key key);
  Task<void> probe(Key key);
  Task<void> look_after_restore(Key key);
  Status settle_doubts(Link& link);
  Result<LinkView> view_in(Txn& txn, const Link& link);
  Result<LinkHealth> health_in(Txn& txn, const Link& link, bool is_token_dead);
  Status note_waiting(Txn& txn, Link& link);
  Result<int64_t> verified_ms(Txn& txn, const Link& link);
  Result<int64_t> channel_until_ms(Txn& txn, const Link& link);
  Task<Status> ensure_channel(Key key);
  Task<void> stop_channels(Key key);
  // The member who connected the account: the author of what comes from the calendar.
  MemberId bridge_author(const Link& link);
  Status forget_agreements(Link& link);
  Status update_row(Link& link, const std::function<void(LinkRow&)>& change);

  Ports ports_;
  ReplicaHub& hub_;
  Accounts& accounts_;
  EngineOptions options_;
  GoogleClient google_;
  std::map<Key, std::unique_ptr<Link>> links_;
  std::map<DocumentKey, std::set<Key>> by_board_;
  EngineCounters counters_;
  ProbeBudget probe_budget_;
  TaskSet tasks_;
  std::shared_ptr<bool> alive_;
};

}  // namespace kalends
