// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/link_engine.h"

#include <algorithm>

#include "worker/base/encoding.h"
#include "worker/crypto/hash.h"
#include "worker/engine/co_try.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/run_report.h"
#include "worker/engine/tuning.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

Error no_such_link() { return not_found("There is no such link in this workspace."); }

}  // namespace

Result<Bytes> seal_calendar(SecretBox& secrets, WorkspaceId workspace, LinkId link,
                            const StoredCalendar& calendar) {
  Json json = {{"id", calendar.id}, {"summary", calendar.summary}};
  return secrets.seal(as_bytes(json_dump(json)), {workspace, "links", link.raw.bytes, "sealed_calendar", 1});
}

Result<StoredCalendar> open_calendar(SecretBox& secrets, WorkspaceId workspace, const LinkRow& row) {
  KALENDS_TRY(Bytes plain, secrets.open(row.sealed_calendar,
                                        {workspace, "links", row.link.raw.bytes, "sealed_calendar", 1}));
  KALENDS_TRY(Json json, parse_json(as_text(plain)));
  return StoredCalendar{json_text_or_empty(json, "id"), json_text_or_empty(json, "summary")};
}

LinkEngine::LinkEngine(const Ports& ports, ReplicaHub& hub, Accounts& accounts, EngineOptions options)
    : ports_(ports),
      hub_(hub),
      accounts_(accounts),
      options_(std::move(options)),
      google_(ports, accounts,
              {options_.google_api_url, options_.request_timeout_ms, options_.backoff_min_ms,
               options_.backoff_max_ms, options_.quota}),
      probe_budget_(options_.quota),
      alive_(std::make_shared<bool>(true)) {
  hub_.observe(*this);
}

LinkEngine::~LinkEngine() { stop(); }

Status LinkEngine::start() {
  std::vector<std::pair<WorkspaceId, LinkRow>> rows;
  {
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(std::vector<WorkspaceId> workspaces, txn->workspaces());
    for (WorkspaceId workspace : workspaces) {
      KALENDS_TRY(std::vector<LinkRow> links, txn->links(workspace));
      for (LinkRow& row : links) rows.emplace_back(workspace, std::move(row));
    }
  }
  for (const auto& [workspace, row] : rows) adopt(workspace, row);
  for (auto& [key, link] : links_) {
    // What it waited for may have come just before the last worker ended: one try tells.
    if (link->state() == LinkState::kBroken && !link->calendar_id.empty()) tasks_.spawn(revive(key));
    kick(*link);
    if (link->waits_for_approval()) tasks_.spawn(look_after_restore(key));
  }
  return {};
}

void LinkEngine::stop() {
  alive_.reset();
  tasks_.drop_all();
}

void LinkEngine::adopt(WorkspaceId workspace, const LinkRow& row) {
  auto link = std::make_unique<Link>();
  link->workspace = workspace;
  take_row(*link, row);
  link->watched_since_ms = ports_.clock.now_ms();
  link->interval_ms = options_.poll_ms;
  // After a restore nobody knows yet what a run would do: what an older run has said is no answer.
  if (link->state() == LinkState::kStopped && !link->waits_for_approval()) link->guard = stopped_by(*link);
  Key key{workspace, row.link};
  by_board_[link->board()].insert(key);
  links_[key] = std::move(link);
}

void LinkEngine::take_row(Link& link, const LinkRow& row) {
  int64_t verified_ms = std::max(link.row.last_verified_ms, row.last_verified_ms);
  link.row = row;
  link.row.last_verified_ms = verified_ms;
  auto policy = decode_policy(row.settings);
  auto calendar = open_calendar(ports_.secrets, link.workspace, row);
  if (!policy.ok() || !calendar.ok()) {
    ports_.log.error("link_unreadable", {{"link", row.link}});
    link.row.state = static_cast<int64_t>(LinkState::kBroken);
    link.error = LinkError{"corrupt", "The stored settings of this link cannot be read.",
                           "Check the key file in the data folder, or unlink and link again."};
    return;
  }
  link.policy = *policy;
  link.calendar_id = calendar->id;
  link.calendar_summary = calendar->summary;
}

// Why a link is stopped, as its last run has said.
std::optional<GuardReport> LinkEngine::stopped_by(const Link& link) {
  auto txn = ports_.store.begin();
  if (!txn.ok()) return std::nullopt;
  auto runs = (*txn)->runs(link.workspace, link.id(), 1);
  return runs.ok() && !runs->empty() ? decode_report(runs->front().report).guard : std::nullopt;
}

Result<LinkEngine::Link*> LinkEngine::find(WorkspaceId workspace, LinkId link) {
  auto it = links_.find({workspace, link});
  if (it == links_.end() || it->second->is_removed) return no_such_link();
  return it->second.get();
}

MemberId LinkEngine::bridge_author(const Link& link) {
  auto txn = ports_.store.begin();
  if (!txn.ok()) return {};
  auto row = (*txn)->account(link.workspace, link.row.account);
  return row.ok() && *row ? (*row)->member : MemberId{};
}

// ---- scheduling

void LinkEngine::kick(Link& link) {
  if (link.is_removed || link.state() != LinkState::kActive) return;
  if (link.is_running) {
    link.is_wanted = true;
    return;
  }
  link.is_running = true;
  tasks_.spawn(keep_running({link.workspace, link.id()}));
}

Task<void> LinkEngine::keep_running(Key key) {
  // Let the caller's transaction and stack end first.
  auto yielding = ports_.effects.slept(0);
  co_await yielding;
  while (true) {
    auto it = links_.find(key);
    if (it == links_.end()) co_return;
    Link& link = *it->second;
    link.is_wanted = false;
    if (link.is_removed || link.state() != LinkState::kActive) {
      link.is_running = false;
      co_return;
    }
    auto ensuring = ensure_channel(key);
    Status channel = co_await ensuring;
    (void)channel;  // polling goes on without
    std::optional<LinkError> before = std::exchange(link.error, std::nullopt);
    RunReport report;
    // A look at the cards alone does not put off the next look at the calendar, however often it happens.
    bool is_poll_due = link.is_pull_wanted || link.wake_due_ms == 0;
    {
      LinkSync sync(*this, link);
      auto syncing = sync.run();
      report = co_await syncing;
    }
    link.is_elsewhere = report.is_elsewhere;
    if (!report.is_elsewhere) {
      ++counters_.runs;
      counters_.failed_runs += report.error.has_value();
    }
    if (!report.error) {
      link.failures = 0;
      bool is_over = link.row.last_error == to_bytes(kApprovedMark) && link.state() == LinkState::kActive;
      if (is_over)
        (void)update_row(link, [](LinkRow& row) { row.last_error.clear(); });  // or after the next run
      if (!link.refused.empty())
        link.error = LinkError{
            "invalid", "Google refused the events of " + std::to_string(link.refused.size()) + " cards.",
            "Look at them with `kalends explain` and change them, for example their dates."};
      if (link.is_wanted && !link.is_removed) continue;
    } else if (report.is_elsewhere) {
      // Another worker has the link, or had it meanwhile: nothing that a person need know of.
      link.error = before;
      link.lease_until_ms = 0;
      link.interval_ms = longest_interval_ms();  // the other worker's
      link.is_running = false;
      wake(link, report.error->retry_after_ms + options_.backoff_min_ms);
      co_return;
    } else if (!link.error) {
      link.error = LinkError{std::string(error_code_name(report.error->code)), report.error->message,
                             "It is tried again by itself."};
    }
    link.is_running = false;
    if (report.error) {
      ++link.failures;
      ports_.log.warning("link_failed",
                         {{"link", link.id()}, {"code", report.error->code}, {"failures", link.failures}});
    }
    if (report.error || is_poll_due) schedule_poll(link);
    co_return;
  }
}

// Polls vary by a quarter, so that a thousand links do not come at once. Where push rings, polling is only
// the safety net and comes less often. After a failure the wait doubles.
void LinkEngine::schedule_poll(Link& link) {
  uint8_t dice = 0;
  ports_.entropy.fill({&dice, 1});
  int64_t now_ms = ports_.clock.now_ms();
  bool has_push =
      !options_.webhook_url.empty() && link.channel_until_ms > now_ms && link.unrung_since_ms == 0;
  int64_t wait = has_push ? longest_interval_ms() : options_.poll_ms;
  link.interval_ms = wait;
  if (link.failures > 0) {
    wait = options_.backoff_min_ms;
    for (int i = 1; i < link.failures && wait < options_.backoff_max_ms; ++i) wait *= 2;
    wait = std::min(wait, options_.backoff_max_ms);
  }
  wake(link, wait + (wait / 4) * (int{dice} - 128) / 128);
}

int64_t LinkEngine::longest_interval_ms() const {
  return wants_push() ? options_.poll_ms * tuning::kPollsSavedByPush : options_.poll_ms;
}

void LinkEngine::wake(Link& link, int64_t wait_ms) {
  uint64_t timer = ++link.timer;
  link.wake_due_ms = ports_.clock.monotonic_ms() + wait_ms;
  Key key{link.workspace, link.id()};
  std::weak_ptr<bool> alive = alive_;
  ports_.effects.sleep(wait_ms, [this, key, timer, alive] {
    if (alive.expired()) return;
    auto it = links_.find(key);
    if (it == links_.end() || it->second->timer != timer) return;
    it->second->is_pull_wanted = true;
    it->second->wake_due_ms = 0;
    it->second->is_polled = true;
    kick(*it->second);
  });
}

Status LinkEngine::on_changes(Txn& txn, const OpenDocument& document, const Changes& changes) {
  auto it = by_board_.find(document.key);
  if (it == by_board_.end()) return {};
  int64_t now_ms = ports_.clock.now_ms();
  for (const Key& key : it->second) {
    Link& link = *links_.at(key);
    for (const Id128& id : changes.entities(document.replica.document())) {
      Entity entity = document.replica.document().find(id);
      if (!entity || entity->type() != EntityType::kCard) continue;
      bool has_work = project(document.replica.document(), *entity, link.policy).has_value();
      if (!has_work) {
        auto row = txn.pair(link.workspace, link.id(), CardId{id});
        if (!row.ok()) return row.error();
        has_work = row->has_value() && (*row)->event_key.has_value();
      }
      if (!has_work) continue;
      KALENDS_TRY_VOID(txn.mark_pair_dirty(link.workspace, link.id(), CardId{id}, now_ms));
      link.has_dirty = true;
    }
  }
  return {};
}

void LinkEngine::after_commit(const DocumentKey& document) {
  auto it = by_board_.find(document);
  if (it == by_board_.end()) return;
  for (const Key& key : it->second) {
    Link& link = *links_.at(key);
    if (std::exchange(link.has_dirty, false)) kick(link);
  }
}

std::optional<LinkRow> LinkEngine::stored_row(const Key& key) {
  auto txn = ports_.store.begin();
  if (!txn.ok()) return std::nullopt;
  auto row = (*txn)->link(key.first, key.second);
  return row.ok() ? *row : std::nullopt;
}

void LinkEngine::look_again() {
  for (auto& [key, link] : links_) {
    if (link->state() != LinkState::kActive && !link->is_running) {
      // Another worker may have let it go on.
      auto row = stored_row(key);
      if (row) take_row(*link, *row);
    }
    kick(*link);
  }
}

bool LinkEngine::is_at_rest() const {
  return std::none_of(links_.begin(), links_.end(),
                      [](const auto& entry) { return entry.second->is_running; });
}

void LinkEngine::account_connected(WorkspaceId workspace, AccountId account) {
  for (auto& [key, link] : links_) {
    if (key.first != workspace || link->row.account != account) continue;
    // Channels of the ended permission may be dead: new ones are made.
    link->must_renew_channel = true;
    if (link->waits_for_approval() && link->state() != LinkState::kBroken)
      tasks_.spawn(look_after_restore(key));
    link->is_pull_wanted = true;
    if (link->state() == LinkState::kBroken)
      tasks_.spawn(revive(key));
    else
      kick(*link);
  }
}

// A link that waited for a permission goes on, however long the store does not take it.
Task<void> LinkEngine::revive(Key key) {
  for (int64_t wait = options_.backoff_min_ms;; wait = std::min(wait * 2, options_.backoff_max_ms)) {
    auto yielding = ports_.effects.slept(wait);
    co_await yielding;
    auto it = links_.find(key);
    if (it == links_.end() || it->second->is_removed) co_return;
    Link& link = *it->second;
    if (link.state() == LinkState::kBroken) {
      auto state = link.waits_for_approval() ? LinkState::kStopped : LinkState::kActive;
      Status status = update_row(link, [state](LinkRow& row) { row.state = static_cast<int64_t>(state); });
      if (!status.ok()) {
        if (status.error().code == ErrorCode::kNotFound) co_return;
        continue;
      }
    }
    link.error.reset();
    if (link.waits_for_approval()) tasks_.spawn(look_after_restore(key));
    kick(link);
    co_return;
  }
}

Status LinkEngine::update_row(Link& link, const std::function<void(LinkRow&)>& change) {
  {
    LinkSync sync(*this, link);
    KALENDS_TRY_VOID(sync.hold_lease());
  }
  LinkRow row = link.row;
  change(row);
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(txn->update_link(link.lease, row));
  KALENDS_TRY_VOID(txn->commit());
  link.row = row;
  return {};
}

}  // namespace kalends
