// SPDX-License-Identifier: Apache-2.0
// What people ask of links: make one, end it, change it, look at it.
#include <algorithm>

#include "worker/engine/co_try.h"
#include "worker/engine/event_identity.h"
#include "worker/engine/ledger_text.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/pair_facts.h"
#include "worker/engine/plan_commands.h"
#include "worker/engine/tuning.h"
#include "worker/google/json.h"

namespace kalends {

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
    for (const Entity& entity : document->replica.document().all())
      if (entity.type() == EntityType::kCard && project(document->replica.document(), entity, request.policy))
        KALENDS_CO_TRY_VOID(
            txn->mark_pair_dirty(request.workspace, row.link, CardId{entity.id()}, row.created_ms));
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
  while (link->is_running || link->readers > 0) {
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
  bool waits = link->waits_for_approval();
  if (waits && state == LinkState::kActive) state = LinkState::kStopped;  // a pause does not replace the approval
  KALENDS_TRY_VOID(update_row(*link, [state](LinkRow& row) { row.state = static_cast<int64_t>(state); }));
  link->is_pull_wanted = true;
  link->watched_since_ms = ports_.clock.now_ms();
  link->failures = 0;
  if (waits && !link->guard) tasks_.spawn(look_after_restore({workspace, link_id}));
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
  for (const Entity& entity : board->replica.document().all()) {
    Id128 id = entity.id();
    if (entity.type() != EntityType::kCard) continue;
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
  const Shadow nothing = void_agreement();
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
      observation->facet = nothing.theirs;
      row.observation = encode_observation(*observation);
      row.shadow = encode_shadow(nothing);
      row.is_dirty = true;
      KALENDS_TRY_VOID(txn->put_pair(link.lease, row));
    }
  }
  return txn->commit();
}

Status LinkEngine::approve(WorkspaceId workspace, LinkId link_id, const std::string& plan) {
  KALENDS_TRY(Link * link, find(workspace, link_id));
  if (link->state() != LinkState::kStopped)
    return Error{ErrorCode::kConflict, "This link is not stopped: there is nothing to approve.", 0};
  if (link->waits_for_approval() && !link->guard)
    return Error{ErrorCode::kUnavailable,
                 "The calendar is being read after the restore: approve when the link's status says what the "
                 "first run would do.",
                 1000};
  const std::string wanted = plan.empty() && link->guard ? link->guard->plan : plan;
  LinkSync sync(*this, *link);
  KALENDS_TRY(std::optional<std::set<PlannedDeletion>> deletions, sync.named_deletions(wanted));
  if (!deletions)
    return Error{ErrorCode::kConflict,
                 "What would be removed has changed since it was shown: look at it again, then approve it.",
                 0};
  bool is_listing_trusted = link->guard && link->guard->is_listing_doubted && link->guard->plan == wanted;
  if (link->waits_for_approval() && is_listing_trusted) {
    // What the first run would do is not known before that.
    link->is_listing_trusted = true;
    link->guard.reset();
    tasks_.spawn(look_after_restore({workspace, link_id}));
    return {};
  }
  KALENDS_TRY_VOID(update_row(*link, [](LinkRow& row) {
    row.state = static_cast<int64_t>(LinkState::kActive);
    if (!row.last_error.empty()) row.last_error = to_bytes(kApprovedMark);
  }));
  link->approved = std::move(*deletions);
  link->approved_ms = ports_.clock.now_ms();
  link->is_listing_trusted = is_listing_trusted;
  link->watched_since_ms = ports_.clock.now_ms();
  link->guard.reset();
  link->shown.clear();
  kick(*link);
  return {};
}

Result<LinkView> LinkEngine::view_in(Txn& txn, const Link& link) {
  LinkView view;
  view.link = link.id();
  view.board = link.row.board;
  view.account = link.row.account;
  view.calendar_id = link.calendar_id;
  view.calendar_summary = link.calendar_summary;
  view.policy = link.policy;
  view.state = link.state();
  view.last_error = link.error;
  view.guard = link.guard;
  view.is_running = link.is_running;
  view.unmanaged = link.unmanaged;
  KALENDS_TRY(view.last_verified_ms, verified_ms(txn, link));
  KALENDS_TRY(view.channel_until_ms, channel_until_ms(txn, link));
  bool is_deaf = link.is_deaf(ports_.clock.now_ms());
  if (is_deaf) view.channel_until_ms = 0;
  KALENDS_TRY(view.dirty, txn.count_dirty_pairs(link.workspace, link.id()));
  KALENDS_TRY(view.pairs, txn.count_pairs(link.workspace, link.id()));
  KALENDS_TRY(std::optional<AccountRow> account, txn.account(link.workspace, link.row.account));
  view.has_push = view.channel_until_ms > ports_.clock.now_ms() && wants_push();
  view.is_token_dead = !account || account->state == static_cast<int64_t>(AccountState::kBroken);
  KALENDS_TRY(view.health, health_in(txn, link, view.is_token_dead));
  return view;
}

Result<LinkView> LinkEngine::view_of(const Link& link) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  return view_in(*txn, link);
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
    // It may not be unlinked while the calendar is read.
    struct Reading {
      Link& link;
      explicit Reading(Link& of) : link(of) { ++link.readers; }
      ~Reading() { --link.readers; }
    } reading(*link);
    LinkSync sync(*this, *link);
    auto previewing = sync.preview();
    Result<RunReport> report = co_await previewing;
    co_return report;
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

Result<std::string> LinkEngine::explain(WorkspaceId workspace, DocumentId board, CardId card) {
  KALENDS_TRY(OpenDocument * document, hub_.open({workspace, board}));
  Entity entity = document->replica.document().find(card.raw);
  if (!entity || entity->type() != EntityType::kCard) return not_found("This board has no such card.");
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
    entry["history"] = Json::array();
    txn.reset();
    KALENDS_TRY(std::vector<EntryView> told, history(workspace, link->id(), card, tuning::kHistoryShown));
    for (const EntryView& one : told) entry["history"].push_back(entry_json(one));
    links.push_back(std::move(entry));
  }
  return json_dump(
      {{"card", to_hex(card)}, {"title", entity->text_value(Field::kTitle)}, {"links", std::move(links)}});
}

}  // namespace kalends
