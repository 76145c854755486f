// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/link_engine.h"

#include <algorithm>

#include "worker/base/encoding.h"
#include "worker/crypto/hash.h"
#include "worker/engine/co_try.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/plan_commands.h"
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
  for (auto& [key, link] : links_) kick(*link);
  return {};
}

void LinkEngine::stop() {
  alive_.reset();
  tasks_.drop_all();
}

void LinkEngine::adopt(WorkspaceId workspace, const LinkRow& row) {
  auto link = std::make_unique<Link>();
  link->workspace = workspace;
  link->row = row;
  auto policy = decode_policy(row.settings);
  auto calendar = open_calendar(ports_.secrets, workspace, row);
  if (!policy.ok() || !calendar.ok()) {
    ports_.log.error("link_unreadable", {{"link", row.link}});
    link->row.state = static_cast<int64_t>(LinkState::kBroken);
    link->error = LinkError{"corrupt", "The stored settings of this link cannot be read.",
                            "Check the key file in the data folder, or unlink and link again."};
  } else {
    link->policy = *policy;
    link->calendar_id = calendar->id;
    link->calendar_summary = calendar->summary;
  }
  Key key{workspace, row.link};
  by_board_[link->board()].insert(key);
  links_[key] = std::move(link);
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
  tasks_.spawn(run({link.workspace, link.id()}));
}

Task<void> LinkEngine::run(Key key) {
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
    {
      LinkSync sync(*this, link);
      auto syncing = sync.run();
      report = co_await syncing;
    }
    if (!report.error) {
      link.failures = 0;
      if (!link.refused.empty())
        link.error = LinkError{
            "invalid", "Google refused the events of " + std::to_string(link.refused.size()) + " cards.",
            "Look at them with `kalends explain` and change them, for example their dates."};
      if (link.is_wanted && !link.is_removed) continue;
    } else if (!link.error) {
      link.error = LinkError{std::string(error_code_name(report.error->code)), report.error->message,
                             "It is tried again by itself."};
    }
    link.is_running = false;
    if (report.error) {
      ++link.failures;
      ports_.log.warning("link_failed",
                         {{"link", link.id()}, {"code", report.error->code}, {"failures", link.failures}});
      if (report.error->code == ErrorCode::kConflict)
        link.lease_until_ms = 0;  // another worker took the lease
    }
    schedule_poll(link);
    co_return;
  }
}

// Polls vary by a quarter, so that a thousand links do not come at once. Where push rings, polling is only
// the safety net and comes less often. After a failure the wait doubles.
void LinkEngine::schedule_poll(Link& link) {
  uint8_t dice = 0;
  ports_.entropy.fill({&dice, 1});
  bool has_push = !options_.webhook_url.empty() && link.channel_until_ms > ports_.clock.now_ms();
  int64_t wait = has_push ? options_.poll_ms * tuning::kPollsSavedByPush : options_.poll_ms;
  if (link.failures > 0) {
    wait = options_.backoff_min_ms;
    for (int i = 1; i < link.failures && wait < options_.backoff_max_ms; ++i) wait *= 2;
    wait = std::min(wait, options_.backoff_max_ms);
  }
  wait += (wait / 4) * (int{dice} - 128) / 128;
  uint64_t timer = ++link.timer;
  Key key{link.workspace, link.id()};
  std::weak_ptr<bool> alive = alive_;
  ports_.effects.sleep(wait, [this, key, timer, alive] {
    if (alive.expired()) return;
    auto it = links_.find(key);
    if (it == links_.end() || it->second->timer != timer) return;
    it->second->is_pull_wanted = true;
    kick(*it->second);
  });
}

Status LinkEngine::on_changes(Txn& txn, const OpenDocument& document, const Changes& changes) {
  auto it = by_board_.find(document.key);
  if (it == by_board_.end()) return {};
  int64_t now_ms = ports_.clock.now_ms();
  for (const Key& key : it->second) {
    Link& link = *links_.at(key);
    for (const Id128& id : changes.entities) {
      const Entity* entity = document.replica.document().find(id);
      if (!entity || entity->type != EntityType::kCard) continue;
      bool has_work = project(document.replica.document(), *entity, link.policy).has_value();
      if (!has_work) {
        KALENDS_TRY(std::optional<PairRow> row, txn.pair(link.workspace, link.id(), CardId{id}));
        has_work = row && row->event_key.has_value();
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

bool LinkEngine::ring(std::string_view channel_id, std::string_view token) {
  // The token carries workspace and link: nothing of another tenant is looked at.
  auto workspace = token.size() > 66 && token[32] == '.' && token[65] == '.'
                       ? id_from_hex(token.substr(0, 32))
                       : std::nullopt;
  auto link_id = workspace ? id_from_hex(token.substr(33, 32)) : std::nullopt;
  auto channel = channel_id.size() == 36 || channel_id.size() == 32 ? id_from_hex(channel_id) : std::nullopt;
  if (!workspace || !link_id || !channel) return false;
  auto it = links_.find({WorkspaceId{*workspace}, LinkId{*link_id}});
  if (it == links_.end()) return false;
  {
    auto txn = ports_.store.begin();
    if (!txn.ok()) return true;  // busy: the poll will see it
    auto row = (*txn)->channel(WorkspaceId{*workspace}, ChannelId{*channel});
    bool is_ours = row.ok() && *row && (*row)->first.raw == *link_id &&
                   equal_in_constant_time((*row)->second.token_hash, sha256(as_bytes(token)));
    if (!is_ours) return false;
  }
  it->second->is_pull_wanted = true;
  kick(*it->second);
  return true;
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
    if (link->state() == LinkState::kBroken &&
        update_row(*link, [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kActive); }).ok())
      link->error.reset();
    link->is_pull_wanted = true;
    kick(*link);
  }
}

// ---- push channels

Task<Status> LinkEngine::ensure_channel(Key key) {
  Link* link = links_.at(key).get();
  int64_t now_ms = ports_.clock.now_ms();
  int64_t life_ms = options_.channel_life_seconds * 1000;
  int64_t renew_before = std::min(tuning::kChannelRenewBeforeMs, life_ms / 4);
  if (options_.webhook_url.empty() ||
      (!link->must_renew_channel && link->channel_until_ms - renew_before > now_ms))
    co_return Status{};
  {
    LinkSync sync(*this, *link);
    KALENDS_CO_TRY_VOID(sync.hold_lease());
  }
  std::vector<ChannelRow> old;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(old, txn->channels(key.first, key.second));
  }
  for (const ChannelRow& row : old) {
    bool is_good =
        !link->must_renew_channel && !row.resource.empty() && row.expires_ms - renew_before > now_ms;
    if (is_good) {
      link->channel_until_ms = row.expires_ms;
      co_return Status{};
    }
  }
  link->must_renew_channel = false;
  // The row comes first: Google's first message may overtake its answer.
  ChannelRow row;
  row.channel = new_id<ChannelId>(ports_.entropy);
  std::string token =
      to_hex(key.first) + "." + to_hex(key.second) + "." + base64url_encode(ports_.entropy.bytes(24));
  row.token_hash = sha256(as_bytes(token));
  row.expires_ms = now_ms + life_ms;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->put_channel(link->lease, row));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  std::string calendar = link->calendar_id;
  ChannelRequest request{to_hex(row.channel), options_.webhook_url, token, options_.channel_life_seconds};
  auto watching = google_.call(
      {key.first, link->row.account, 1, {}},
      [calendar, request](const GoogleApi& api) { return events_watch_request(api, calendar, request); });
  GoogleAnswer answer = co_await watching;
  link = links_.at(key).get();
  if (!answer.verdict.ok()) {
    ports_.log.warning("watch_failed", {{"link", key.second}});
    if (!answer.is_unknown) {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY_VOID(txn->delete_channel(link->lease, row.channel));
      KALENDS_CO_TRY_VOID(txn->commit());
    }
    // Not before the next poll but one: a calendar that cannot be watched is polled.
    link->channel_until_ms = now_ms + renew_before + options_.poll_ms * 2;
    co_return Status{};
  }
  KALENDS_CO_TRY(GoogleChannel channel, parse_channel(answer.body));
  row.resource = to_bytes(channel.resource_id);
  if (channel.expires_ms > 0) row.expires_ms = channel.expires_ms;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->put_channel(link->lease, row));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  link->channel_until_ms = row.expires_ms;
  link->is_pull_wanted = true;  // what happened before the channel was there
  // The old ones overlap until the new one is known to be there.
  for (const ChannelRow& before : old) {
    if (!before.resource.empty()) {
      std::string id = to_hex(before.channel), resource(as_text(before.resource));
      auto stopping = google_.call(
          {key.first, link->row.account, 1, {}},
          [id, resource](const GoogleApi& api) { return channel_stop_request(api, id, resource); });
      GoogleAnswer stopped = co_await stopping;
      if (stopped.is_unknown) continue;
    } else if (before.expires_ms > now_ms) {
      continue;  // its watch may have happened: kept until it has expired
    }
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->delete_channel(link->lease, before.channel));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  co_return Status{};
}

Task<void> LinkEngine::stop_channels(Key key) {
  std::vector<ChannelRow> channels;
  AccountId account = links_.at(key)->row.account;
  {
    auto txn = ports_.store.begin();
    if (!txn.ok()) co_return;
    auto rows = (*txn)->channels(key.first, key.second);
    if (rows.ok()) channels = *rows;
  }
  for (const ChannelRow& row : channels) {
    if (row.resource.empty()) continue;
    std::string id = to_hex(row.channel), resource(as_text(row.resource));
    auto stopping = google_.call({key.first, account, 1, {}, 1}, [id, resource](const GoogleApi& api) {
      return channel_stop_request(api, id, resource);
    });
    GoogleAnswer ignored = co_await stopping;  // unknown to Google: stopped already
  }
  links_.at(key)->channel_until_ms = 0;
}

// ---- what the API asks

Status LinkEngine::update_row(Link& link, const std::function<void(LinkRow&)>& change) {
  LinkRow row = link.row;
  change(row);
  if (link.lease.epoch == 0 || link.lease_until_ms <= ports_.clock.now_ms()) {
    LinkSync sync(*this, link);
    KALENDS_TRY_VOID(sync.hold_lease());
  }
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(txn->update_link(link.lease, row));
  KALENDS_TRY_VOID(txn->commit());
  link.row = row;
  return {};
}

Task<Result<LinkView>> LinkEngine::create(LinkRequest request) {
  DocumentKey board{request.workspace, request.board};
  {
    KALENDS_CO_TRY(OpenDocument * document, hub_.open(board));
    if (document->replica.document().kind != DocumentKind::kBoard)
      co_return invalid("Only a board can be linked to a calendar.");
    KALENDS_CO_TRY(AccountView account, accounts_.view(request.workspace, request.account));
    if (request.calendar_id.empty() && !account.can_make_calendar())
      co_return Error{
          ErrorCode::kForbidden,
          "The account did not allow Kalends to make calendars: connect it again and tick that box.", 0};
    if (!request.calendar_id.empty() && !account.can_pick_calendar())
      co_return Error{ErrorCode::kForbidden,
                      "Picking an existing calendar needs one more permission: connect the account again "
                      "with it, or let Kalends make a calendar.",
                      0};
  }
  StoredCalendar calendar{request.calendar_id, request.calendar_summary};
  if (calendar.id.empty()) {
    NewCalendar fresh{calendar.summary, "Made by Kalends: kept in step with a board.",
                      request.policy.time_zone};
    auto making = google_.call({request.workspace, request.account, 1, {}},
                               [fresh](const GoogleApi& api) { return calendar_insert_request(api, fresh); });
    GoogleAnswer answer = co_await making;
    if (!answer.verdict.ok()) {
      Error error = to_error(answer.verdict);
      if (!answer.token_error.empty()) error.message = answer.token_error;
      if (answer.is_unknown)
        error.message =
            "Google did not answer: a calendar may have been made. Look in Google Calendar, then try again.";
      co_return error;
    }
    KALENDS_CO_TRY(GoogleCalendar made, parse_calendar(answer.body));
    calendar = {made.id, made.summary};
  } else {
    std::string id = calendar.id;
    auto reading = google_.call({request.workspace, request.account, 1, {}},
                                [id](const GoogleApi& api) { return events_list_request(api, id, {}); });
    GoogleAnswer answer = co_await reading;
    if (!answer.verdict.ok()) co_return to_error(answer.verdict);
    KALENDS_CO_TRY(GoogleEventsPage page, parse_events_page(answer.body));
    if (page.access_role != "owner" && page.access_role != "writer")
      co_return Error{
          ErrorCode::kForbidden,
          "The account may only read this calendar: ask its owner for the right to change events.", 0};
  }
  LinkRow row;
  row.link = new_id<LinkId>(ports_.entropy);
  row.board = request.board;
  row.account = request.account;
  row.calendar_hash = ports_.secrets.keyed_hash("calendar", as_bytes(calendar.id));
  row.settings = encode_policy(request.policy);
  row.state = static_cast<int64_t>(LinkState::kActive);
  row.created_ms = ports_.clock.now_ms();
  KALENDS_CO_TRY(row.sealed_calendar, seal_calendar(ports_.secrets, request.workspace, row.link, calendar));
  {
    KALENDS_CO_TRY(OpenDocument * document, hub_.open(board));
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    auto created = txn->create_link(request.workspace, row);
    if (!created.ok() && created.error().code == ErrorCode::kConflict)
      co_return Error{ErrorCode::kConflict,
                      "This calendar is linked already: a calendar belongs to one board.", 0};
    KALENDS_CO_TRY_VOID(created);
    for (const auto& [id, entity] : document->replica.document().entities)
      if (entity.type == EntityType::kCard && project(document->replica.document(), entity, request.policy))
        KALENDS_CO_TRY_VOID(txn->mark_pair_dirty(request.workspace, row.link, CardId{id}, row.created_ms));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  adopt(request.workspace, row);
  KALENDS_CO_TRY(Link * link, find(request.workspace, row.link));
  kick(*link);
  ports_.log.info("link_created",
                  {{"workspace", request.workspace}, {"link", row.link}, {"board", row.board}});
  co_return view_of(*link);
}

Task<Status> LinkEngine::unlink(WorkspaceId workspace, LinkId link_id, OnUnlink events) {
  KALENDS_CO_TRY(Link * link, find(workspace, link_id));
  link->is_removed = true;  // a running look ends at its next step
  while (link->is_running) {
    auto waiting = ports_.effects.slept(20);
    co_await waiting;
  }
  link->is_running = true;  // nobody else begins a look while this one takes the link apart
  // Until it is gone, a failure gives the link back as it was.
  struct GiveBack {
    Link* link;
    ~GiveBack() {
      if (link) link->is_removed = link->is_running = false;
    }
  } give_back{link};
  Key key{workspace, link_id};
  auto stopping = stop_channels(key);
  co_await stopping;
  if (events == OnUnlink::kRemoveEvents) {
    std::string calendar = link->calendar_id;
    CardId after;
    while (true) {
      std::vector<PairRow> rows;
      {
        KALENDS_CO_TRY(auto txn, ports_.store.begin());
        KALENDS_CO_TRY(rows, txn->pairs(workspace, link_id, after, 200));
      }
      if (rows.empty()) break;
      after = rows.back().card;
      EventIdentities identities(ports_.secrets, calendar);
      for (const PairRow& row : rows) {
        if (row.observation.empty()) continue;
        auto observation = decode_observation(row.observation);
        // Only what Kalends made: events that people made stay.
        bool is_ours =
            observation.ok() && observation->event_id == identities.event_id({row.card, row.generation});
        if (!is_ours || observation->presence != EventPresence::kLive) continue;
        std::string id = observation->event_id, etag = observation->etag;
        auto deleting =
            google_.call({workspace, link->row.account, 1, {}}, [calendar, id, etag](const GoogleApi& api) {
              return event_delete_request(api, calendar, id, etag);
            });
        GoogleAnswer answer = co_await deleting;
        bool may_stay =
            answer.verdict.move == GoogleMove::kPreconditionFailed;  // edited since: left to its author
        bool is_gone = answer.verdict.ok() || answer.verdict.move == GoogleMove::kGone ||
                       answer.verdict.move == GoogleMove::kNotFound;
        if (!is_gone && !may_stay) {
          co_return Error{to_error(answer.verdict).code,
                          "Some events could not be removed: try again, or unlink and leave them.", 0};
        }
      }
    }
  }
  {
    LinkSync sync(*this, *link);
    KALENDS_CO_TRY_VOID(sync.hold_lease());
  }
  KALENDS_CO_TRY(auto txn, ports_.store.begin());
  KALENDS_CO_TRY_VOID(txn->delete_link(link->lease));
  KALENDS_CO_TRY_VOID(txn->commit());
  give_back.link = nullptr;
  by_board_[link->board()].erase(key);
  links_.erase(key);
  ports_.log.info("link_removed", {{"workspace", workspace}, {"link", link_id}});
  co_return Status{};
}

Status LinkEngine::set_state(WorkspaceId workspace, LinkId link_id, LinkState state) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  if (state != LinkState::kActive && state != LinkState::kPaused)
    return invalid("A person sets a link active or paused.");
  if (link->state() == LinkState::kStopped && state == LinkState::kActive)
    return Error{ErrorCode::kConflict,
                 "The guard has stopped this link: look at what it would remove, then approve it.", 0};
  KALENDS_TRY_VOID(update_row(*link, [state](LinkRow& row) { row.state = static_cast<int64_t>(state); }));
  link->is_pull_wanted = true;
  link->failures = 0;
  kick(*link);
  return {};
}

Status LinkEngine::set_policy(WorkspaceId workspace, LinkId link_id, const LinkPolicy& policy) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  KALENDS_TRY(OpenDocument * board, hub_.open(link->board()));
  KALENDS_TRY_VOID(update_row(*link, [&](LinkRow& row) { row.settings = encode_policy(policy); }));
  bool shows_otherwise = link->policy.details != policy.details || link->policy.done_mark != policy.done_mark;
  link->policy = policy;
  if (shows_otherwise) KALENDS_TRY_VOID(forget_agreements(*link));
  KALENDS_TRY(auto txn, ports_.store.begin());
  for (const auto& [id, entity] : board->replica.document().entities) {
    if (entity.type != EntityType::kCard) continue;
    KALENDS_TRY(std::optional<PairRow> row, txn->pair(workspace, link_id, CardId{id}));
    if (row || project(board->replica.document(), entity, policy))
      KALENDS_TRY_VOID(txn->mark_pair_dirty(workspace, link_id, CardId{id}, ports_.clock.now_ms()));
  }
  KALENDS_TRY_VOID(txn->commit());
  kick(*link);
  return {};
}

// What events show was read and agreed under the old settings. Each pair gets an agreement that nothing
// equals, so that its next plan writes the event anew, whole.
Status LinkEngine::forget_agreements(Link& link) {
  EventFacet nothing;
  nothing.title = nothing.description = nothing.location = nothing.colour = "\x1F";
  nothing.start = nothing.end = When::all_day({0});
  KALENDS_TRY(auto txn, ports_.store.begin());
  CardId after;
  while (true) {
    KALENDS_TRY(std::vector<PairRow> rows, txn->pairs(link.workspace, link.id(), after, 500));
    if (rows.empty()) break;
    after = rows.back().card;
    for (PairRow& row : rows) {
      auto observation = decode_observation(row.observation);
      if (row.observation.empty() || !observation.ok() || observation->presence != EventPresence::kLive)
        continue;
      observation->facet = nothing;
      row.observation = encode_observation(*observation);
      row.shadow = encode_shadow({nothing, nothing});
      row.is_dirty = true;
      KALENDS_TRY_VOID(txn->put_pair(link.lease, row));
    }
  }
  return txn->commit();
}

Status LinkEngine::approve(WorkspaceId workspace, LinkId link_id) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  if (link->state() != LinkState::kStopped)
    return Error{ErrorCode::kConflict, "This link is not stopped: there is nothing to approve.", 0};
  // After a restart of the worker the numbers are looked at anew, by the run that stopped before.
  uint64_t deletions = link->guard ? std::max(link->guard->event_deletions, link->guard->card_deletions) : 0;
  KALENDS_TRY_VOID(
      update_row(*link, [](LinkRow& row) { row.state = static_cast<int64_t>(LinkState::kActive); }));
  link->deletions_approved = deletions;
  link->guard.reset();
  kick(*link);
  return {};
}

Result<LinkView> LinkEngine::view_of(const Link& link) {
  LinkView view;
  view.link = link.id();
  view.board = link.row.board;
  view.account = link.row.account;
  view.calendar_id = link.calendar_id;
  view.calendar_summary = link.calendar_summary;
  view.policy = link.policy;
  view.state = link.state();
  view.last_verified_ms = link.row.last_verified_ms;
  view.last_error = link.error;
  view.guard = link.guard;
  view.has_push = link.channel_until_ms > ports_.clock.now_ms() && !options_.webhook_url.empty();
  view.is_running = link.is_running;
  view.unmanaged = link.unmanaged;
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(view.dirty, txn->count_dirty_pairs(link.workspace, link.id()));
  KALENDS_TRY(view.pairs, txn->count_pairs(link.workspace, link.id()));
  return view;
}

Result<LinkView> LinkEngine::view(WorkspaceId workspace, LinkId link_id) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  return view_of(*link);
}

Result<std::vector<LinkView>> LinkEngine::list(WorkspaceId workspace, std::optional<DocumentId> board) {
  std::vector<LinkView> views;
  for (const auto& [key, link] : links_) {
    if (key.first != workspace || link->is_removed || (board && link->row.board != *board)) continue;
    KALENDS_TRY(LinkView view, view_of(*link));
    views.push_back(std::move(view));
  }
  return views;
}

Task<Result<RunReport>> LinkEngine::sync_once(WorkspaceId workspace, LinkId link_id, bool is_dry_run) {
  KALENDS_CO_TRY(Link * link, find(workspace, link_id));
  if (is_dry_run) {
    LinkSync sync(*this, *link);
    co_return sync.preview();
  }
  if (link->state() != LinkState::kActive)
    co_return Error{ErrorCode::kConflict, "The link is paused, stopped or broken: see its status.", 0};
  while (link->is_running) {
    auto waiting = ports_.effects.slept(10);
    co_await waiting;
    KALENDS_CO_TRY(link, find(workspace, link_id));  // it may have been unlinked meanwhile
  }
  link->is_running = true;
  link->is_pull_wanted = true;
  RunReport report;
  {
    LinkSync sync(*this, *link);
    auto syncing = sync.run();
    report = co_await syncing;
  }
  link->is_running = false;
  if (std::exchange(link->is_wanted, false))
    kick(*link);
  else
    schedule_poll(*link);
  co_return report;
}

Result<std::string> LinkEngine::explain(WorkspaceId workspace, DocumentId board, CardId card) {
  KALENDS_TRY(OpenDocument * document, hub_.open({workspace, board}));
  const Entity* entity = document->replica.document().find(card.raw);
  if (!entity || entity->type != EntityType::kCard) return not_found("This board has no such card.");
  auto show = [](const EventFacet& facet) {
    auto when = [](const When& w) { return w.is_all_day ? to_text(w.date) : to_text(w.wall) + " " + w.zone; };
    return Json{{"title", facet.title},
                {"done", facet.is_done},
                {"start", when(facet.start)},
                {"end", when(facet.end)},
                {"description", facet.description},
                {"location", facet.location},
                {"colour", facet.colour}};
  };
  Json links = Json::array();
  for (const auto& [key, link] : links_) {
    if (key.first != workspace || link->row.board != board) continue;
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(std::optional<PairRow> row, txn->pair(workspace, link->id(), card));
    Json entry = {{"link", to_hex(link->id())},
                  {"calendar", link->calendar_summary},
                  {"wanted", nullptr},
                  {"event", nullptr},
                  {"shadow", nullptr}};
    if (auto wanted = project(document->replica.document(), *entity, link->policy))
      entry["wanted"] = show(*wanted);
    if (row) {
      entry["generation"] = row->generation;
      entry["dirty"] = row->is_dirty;
      if (auto observation = decode_observation(row->observation);
          !row->observation.empty() && observation.ok()) {
        static constexpr std::string_view kPresence[] = {"live", "gone", "left alone"};
        entry["event"] = show(observation->facet);
        entry["event"]["id"] = observation->event_id;
        entry["event"]["presence"] = kPresence[static_cast<size_t>(observation->presence)];
        entry["event"]["seen_ms"] = observation->seen_ms;
      }
      if (auto shadow = decode_shadow(row->shadow); !row->shadow.empty() && shadow.ok())
        entry["shadow"] = {{"ours", show(shadow->ours)}, {"theirs", show(shadow->theirs)}};
      if (auto plan = parse_json(as_text(row->explain)); !row->explain.empty() && plan.ok())
        entry["last_plan"] = *plan;
    }
    links.push_back(std::move(entry));
  }
  return json_dump(
      {{"card", to_hex(card)}, {"title", entity->text_value(Field::kTitle)}, {"links", std::move(links)}});
}

Task<Result<std::vector<GoogleCalendar>>> LinkEngine::calendars(WorkspaceId workspace, AccountId account_id) {
  KALENDS_CO_TRY(AccountView account, accounts_.view(workspace, account_id));
  if (!account.can_pick_calendar())
    co_return Error{ErrorCode::kForbidden,
                    "Listing calendars needs one more permission: connect the account again with it, or let "
                    "Kalends make a calendar.",
                    0};
  std::vector<GoogleCalendar> calendars;
  std::string page_token;
  do {
    auto calling = google_.call({workspace, account_id, 1, {}}, [page_token](const GoogleApi& api) {
      return calendar_list_request(api, page_token);
    });
    GoogleAnswer answer = co_await calling;
    if (!answer.verdict.ok()) {
      Error error = to_error(answer.verdict);
      if (!answer.token_error.empty()) error.message = answer.token_error;
      co_return error;
    }
    KALENDS_CO_TRY(GoogleCalendarsPage page, parse_calendars_page(answer.body));
    for (GoogleCalendar& calendar : page.calendars)
      if (!calendar.is_deleted && (calendar.access_role == "owner" || calendar.access_role == "writer"))
        calendars.push_back(std::move(calendar));
    page_token = page.next_page_token;
  } while (!page_token.empty());
  co_return calendars;
}

Task<Status> LinkEngine::disconnect(WorkspaceId workspace, AccountId account, OnUnlink events) {
  std::vector<LinkId> links;
  for (const auto& [key, link] : links_)
    if (key.first == workspace && link->row.account == account) links.push_back(key.second);
  for (LinkId link : links) {
    auto unlinking = unlink(workspace, link, events);
    Status status = co_await unlinking;
    if (!status.ok()) co_return status;
  }
  auto disconnecting = accounts_.disconnect(workspace, account);
  Status status = co_await disconnecting;
  co_return status;
}

}  // namespace kalends
