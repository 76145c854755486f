// SPDX-License-Identifier: Apache-2.0
// Connected accounts, links, sync, and Google's two doors: the OAuth callback and the push webhook.
#include "core/calendar/policy_names.h"
#include "worker/api/context.h"
#include "worker/engine/co_try.h"
#include "worker/engine/ledger_text.h"
#include "worker/google/json.h"
#include "worker/google/zones.h"

namespace kalends {
namespace {

template <typename Enum, size_t size>
std::string_view name_of(const std::string_view (&names)[size], Enum value) {
  return names[static_cast<size_t>(value)];
}

template <typename Enum, size_t size>
Status read_name(const Json& body, const char* key, const std::string_view (&names)[size], Enum& value) {
  const Json& given = json_member(body, key);
  if (given.is_null()) return {};
  for (size_t i = 0; given.is_string() && i < size; ++i) {
    if (given.get<std::string>() == names[i]) {
      value = static_cast<Enum>(i);
      return {};
    }
  }
  std::string choices;
  for (std::string_view name : names) choices += (choices.empty() ? "" : ", ") + std::string(name);
  return invalid("`" + std::string(key) + "` is one of: " + choices + ".");
}

constexpr std::string_view kStates[] = {"active", "paused", "stopped", "broken"};

Json id_or_null(const Id128& id) { return id.is_nil() ? Json() : Json(to_hex(id)); }

Json policy_json(const LinkPolicy& policy) {
  Json fields = Json::object();
  for (FacetField field : kFacetFields)
    fields[std::string(facet_field_name(field))] =
        name_of(kFieldPolicyNames, policy.fields[static_cast<size_t>(field)]);
  return {{"which", name_of(kWhichNames, policy.which)},
          {"which_id", id_or_null(policy.which_id)},
          {"done", name_of(kDoneNames, policy.done)},
          {"done_list", id_or_null(policy.done_list)},
          {"done_mark", name_of(kDoneMarkNames, policy.done_mark)},
          {"duration_minutes", policy.duration_minutes},
          {"details", name_of(kDetailsNames, policy.details)},
          {"time_zone", policy.time_zone},
          {"inbox_list", id_or_null(policy.inbox_list)},
          {"on_event_deleted", name_of(kOnEventDeletedNames, policy.on_event_deleted)},
          {"fields", fields}};
}

// Changes `policy` by what `body` names; the rest stays.
Status read_policy(const Json& body, LinkPolicy& policy) {
  KALENDS_TRY_VOID(read_name(body, "which", kWhichNames, policy.which));
  KALENDS_TRY_VOID(read_name(body, "done", kDoneNames, policy.done));
  KALENDS_TRY_VOID(read_name(body, "done_mark", kDoneMarkNames, policy.done_mark));
  KALENDS_TRY_VOID(read_name(body, "details", kDetailsNames, policy.details));
  KALENDS_TRY_VOID(read_name(body, "on_event_deleted", kOnEventDeletedNames, policy.on_event_deleted));
  for (FacetField field : kFacetFields)
    KALENDS_TRY_VOID(read_name(json_member(body, "fields"), std::string(facet_field_name(field)).c_str(),
                               kFieldPolicyNames, policy.fields[static_cast<size_t>(field)]));
  auto read_id = [&](const char* name, Id128& id) -> Status {
    if (!body.contains(name)) return {};
    KALENDS_TRY(std::optional<Id128> given, optional_id(body, name));
    id = given.value_or(Id128{});
    return {};
  };
  KALENDS_TRY_VOID(read_id("which_id", policy.which_id));
  KALENDS_TRY_VOID(read_id("done_list", policy.done_list));
  KALENDS_TRY_VOID(read_id("inbox_list", policy.inbox_list));
  if (body.contains("duration_minutes")) {
    policy.duration_minutes = json_integer(body, "duration_minutes").value_or(0);
    if (policy.duration_minutes < 1 || policy.duration_minutes > kDurationMinutesMax)
      return invalid("`duration_minutes` is 1 to 10080.");
  }
  if (body.contains("time_zone")) policy.time_zone = json_text_or_empty(body, "time_zone");
  if (!is_known_zone(policy.time_zone))
    return invalid("`time_zone` must be an IANA name such as Europe/Berlin.");
  if (policy.which != WhichCards::kAllDated && policy.which_id.is_nil())
    return invalid("`which_id` names the label or the assignee.");
  if (policy.done == DoneMeans::kList && policy.done_list.is_nil())
    return invalid("`done_list` names the list that means done.");
  return {};
}

Json guard_json(const GuardReport& guard) {
  return {{"deletes", guard.event_deletions},
          {"cards_losing_date", guard.card_deletions},
          {"recent_deletes", guard.recent_event_deletions},
          {"recent_cards_losing_date", guard.recent_card_deletions},
          {"pairs", guard.pairs},
          {"listing_doubted", guard.is_listing_doubted},
          {"plan", guard.plan},
          {"reason", guard.reason}};
}

Json problem_names(const LinkHealth& health) {
  Json names = Json::array();
  for (HealthProblem problem : health.problems) names.push_back(health_problem_name(problem));
  return names;
}

Json link_json(const LinkView& link) {
  Json error, guard;
  if (link.last_error)
    error = {{"code", link.last_error->code},
             {"message", link.last_error->message},
             {"what_to_do", link.last_error->what_to_do}};
  if (link.guard) guard = guard_json(*link.guard);
  return {{"id", to_hex(link.link)},
          {"board", to_hex(link.board)},
          {"account", to_hex(link.account)},
          {"calendar", {{"id", link.calendar_id}, {"summary", link.calendar_summary}}},
          {"state", name_of(kStates, link.state)},
          {"settings", policy_json(link.policy)},
          {"status",
           {{"last_verified_ms", link.last_verified_ms},
            {"dirty", link.dirty},
            {"pairs", link.pairs},
            {"pending_writes", link.dirty},
            {"running", link.is_running},
            {"left_alone", link.unmanaged},
            {"last_error", error},
            {"guard", guard},
            {"push", link.has_push},
            {"health", health_state_name(link.health.state)},
            {"problems", problem_names(link.health)},
            {"lag_ms", link.health.lag_ms}}}};
}

constexpr std::string_view kStepKinds[] = {"new_event", "changed_event", "deleted_event",
                                           "new_card",  "changed_card",  "left_alone"};

Json change_json(const PlannedStep::Change& change) {
  return {{"field", change.field}, {"before", change.before}, {"after", change.after}};
}

Json step_json(const PlannedStep& step) {
  Json changes = Json::array();
  for (const PlannedStep::Change& change : step.changes) changes.push_back(change_json(change));
  return {{"kind", name_of(kStepKinds, step.kind)},
          {"card", id_or_null(step.card.raw)},
          {"title", step.title},
          {"changes", std::move(changes)},
          {"why", step.why}};
}

Json report_json(const RunReport& report) {
  Json json = {{"inserts", report.inserts},
               {"patches", report.patches},
               {"deletes", report.deletes},
               {"writes", report.inserts + report.patches + report.deletes},
               {"card_edits", report.card_edits},
               {"cards_created", report.cards_created},
               {"run", report.run > 0 ? Json(report.run) : Json()},
               {"plan", report.plan}};
  json["steps"] = Json::array();
  for (const PlannedStep& step : report.steps) json["steps"].push_back(step_json(step));
  if (!report.deletions.empty()) json["deletions"] = report.deletions;
  if (report.error)
    json["error"] = {{"code", error_code_name(report.error->code)}, {"message", report.error->message}};
  if (report.guard) json["guard"] = guard_json(*report.guard);
  return json;
}

Json run_json(const RunView& run) {
  const RunReport& report = run.report;
  Json json = {{"run", run.run},
               {"started_ms", run.started_ms},
               {"finished_ms", run.finished_ms ? Json(*run.finished_ms) : Json()},
               {"inserts", report.inserts},
               {"patches", report.patches},
               {"deletes", report.deletes},
               {"card_edits", report.card_edits},
               {"cards_created", report.cards_created},
               {"undone_run", report.undone_run > 0 ? Json(report.undone_run) : Json()},
               {"undone_by", run.undone_by > 0 ? Json(run.undone_by) : Json()},
               {"asked_by", id_or_null(report.asked_by.raw)}};
  json["guard"] = report.guard ? guard_json(*report.guard) : Json();
  json["error"] = report.error ? Json{{"code", error_code_name(report.error->code)},
                                      {"message", report.error->message}}
                               : Json();
  return json;
}

// A run of a link that the caller's workspace has.
Result<uint64_t> path_run(const ApiServices& services, const Caller& caller, const PathParameters& path,
                          LinkId link) {
  KALENDS_TRY(LinkView view, services.links.view(caller.workspace, link));
  (void)view;
  auto it = path.find("run");
  std::string text = it == path.end() ? std::string() : it->second;
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
    return invalid("`run` is a number.");
  return static_cast<uint64_t>(std::stoull(text));
}

Result<OnUnlink> read_on_unlink(const InboundRequest& request) {
  std::string events = query_value(request, "events");
  if (events.empty() || events == "leave") return OnUnlink::kLeaveEvents;
  if (events == "remove") return OnUnlink::kRemoveEvents;
  return invalid("`events` is leave or remove.");
}

// Lists that the settings name must be on the board, open.
Status check_lists(const ApiServices& services, const Caller& caller, DocumentId board,
                   const LinkPolicy& policy) {
  KALENDS_TRY(OpenDocument * open, services.hub.open({caller.workspace, board}));
  auto is_there = [&](const Id128& id) {
    Entity list = open->replica.document().find(id);
    return list && list->type() == EntityType::kList && list->is_live();
  };
  if (!policy.inbox_list.is_nil() && !is_there(policy.inbox_list))
    return invalid("`inbox_list` is not a list of this board.");
  if (policy.done == DoneMeans::kList && !is_there(policy.done_list))
    return invalid("`done_list` is not a list of this board.");
  return {};
}

// An account is its member's. An owner of the workspace may also end it.
Result<AccountView> own_account(const ApiServices& services, const Caller& caller, const Id128& account,
                                bool is_ending = false) {
  KALENDS_TRY(AccountView view, services.accounts.view(caller.workspace, AccountId{account}));
  bool is_allowed = view.member == caller.member || (is_ending && caller.role == Role::kOwner);
  if (!is_allowed) return not_found("There is no such connected account of yours.");
  return view;
}

void add_accounts(Router& router, const ApiServices& services) {
  add_route(router, services, "GET", "/v1/google/accounts",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(std::vector<AccountView> accounts, services.accounts.list(caller.workspace));
              Json rows = Json::array();
              for (const AccountView& account : accounts)
                rows.push_back({{"id", to_hex(account.account)},
                                {"member", to_hex(account.member)},
                                {"email", account.email},
                                {"state", account.state == AccountState::kConnected ? "connected" : "broken"},
                                {"scopes", account.scopes},
                                {"can_make_calendar", account.can_make_calendar()},
                                {"can_pick_calendar", account.can_pick_calendar()}});
              KALENDS_TRY(Json page, paged(request, rows));
              return json_response(200, page);
            });
  add_route(router, services, "POST", "/v1/google/connect",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(Json body, json_body(request));
              Accounts::ConnectRequest connect{caller.member, json_text_or_empty(body, "login_hint"),
                                               json_is_true(body, "pick"),
                                               json_text_or_empty(body, "return_to")};
              // Back to our own pages only.
              bool is_path = connect.return_to.empty() ||
                             (connect.return_to[0] == '/' && connect.return_to.substr(0, 2) != "//" &&
                              connect.return_to.find_first_of("\\\r\n") == std::string::npos);
              if (!is_path) return invalid("`return_to` is a path of this server.");
              KALENDS_TRY(std::string url, services.accounts.connect_url(caller.workspace, connect));
              return json_response(200, {{"url", url}});
            });
  add_task(
      router, services, "DELETE", "/v1/google/accounts/{account}",
      [services](Caller caller, InboundRequest request, PathParameters path) -> Task<Result<HttpResponse>> {
        KALENDS_CO_TRY(Id128 account, path_id(path, "account"));
        KALENDS_CO_TRY(OnUnlink events, read_on_unlink(request));
        KALENDS_CO_TRY(AccountView owned, own_account(services, caller, account, true));
        (void)owned;
        auto disconnecting = services.links.disconnect(caller.workspace, AccountId{account}, events);
        Status status = co_await disconnecting;
        if (!status.ok()) co_return status.error();
        co_return text_response(204, "application/json", "");
      });
  add_task(
      router, services, "GET", "/v1/google/accounts/{account}/calendars",
      [services](Caller caller, InboundRequest request, PathParameters path) -> Task<Result<HttpResponse>> {
        KALENDS_CO_TRY(Id128 account, path_id(path, "account"));
        KALENDS_CO_TRY(AccountView owned, own_account(services, caller, account));
        (void)owned;
        auto listing = services.links.calendars(caller.workspace, AccountId{account});
        Result<std::vector<GoogleCalendar>> calendars = co_await listing;
        if (!calendars.ok()) co_return calendars.error();
        Json rows = Json::array();
        for (const GoogleCalendar& calendar : *calendars)
          rows.push_back({{"id", calendar.id},
                          {"summary", calendar.summary},
                          {"access_role", calendar.access_role},
                          {"primary", calendar.is_primary},
                          {"time_zone", calendar.time_zone}});
        KALENDS_CO_TRY(Json page, paged(request, rows));
        co_return json_response(200, page);
      });
}

void add_links(Router& router, const ApiServices& services) {
  add_route(router, services, "GET", "/v1/links",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              std::string board_text = query_value(request, "board");
              std::optional<DocumentId> board;
              if (!board_text.empty()) {
                auto id = id_from_hex(board_text);
                if (!id) return invalid("`board` must be an id of 32 hexadecimal digits.");
                board = DocumentId{*id};
              }
              KALENDS_TRY(std::vector<LinkView> links, services.links.list(caller.workspace, board));
              Json rows = Json::array();
              for (const LinkView& link : links) rows.push_back(link_json(link));
              KALENDS_TRY(Json page, paged(request, rows));
              return json_response(200, page);
            });
  add_task(router, services, "POST", "/v1/links",
           [services](Caller caller, InboundRequest request, PathParameters) -> Task<Result<HttpResponse>> {
             KALENDS_CO_TRY(Json body, json_body(request));
             LinkRequest link;
             link.workspace = caller.workspace;
             KALENDS_CO_TRY(std::optional<Id128> board, optional_id(body, "board"));
             KALENDS_CO_TRY(std::optional<Id128> account, optional_id(body, "account"));
             if (!board || !account) co_return invalid("A link needs `board` and `account`.");
             KALENDS_CO_TRY(AccountView owned, own_account(services, caller, *account));
             (void)owned;
             link.board.raw = *board;
             link.account.raw = *account;
             KALENDS_CO_TRY(OpenDocument * open, services.hub.open({caller.workspace, link.board}));
             Entity root = open->replica.document().find(*board);
             std::string zone = root ? root->text_value(Field::kTimeZone) : std::string();
             if (is_known_zone(zone)) link.policy.time_zone = zone;
             KALENDS_CO_TRY_VOID(read_policy(json_member(body, "settings"), link.policy));
             link.calendar_id = json_text_or_empty(body, "calendar");
             if (link.calendar_id.empty()) {
               link.calendar_summary = json_text_or_empty(json_member(body, "create"), "summary");
               if (link.calendar_summary.empty() && root)
                 link.calendar_summary = root->text_value(Field::kTitle);
               if (link.calendar_summary.empty()) link.calendar_summary = "Kalends";
             } else {
               link.calendar_summary = json_text(body, "calendar_summary").value_or(link.calendar_id);
             }
             KALENDS_CO_TRY_VOID(check_lists(services, caller, link.board, link.policy));
             auto creating = services.links.create(link);
             Result<LinkView> view = co_await creating;
             if (!view.ok()) co_return view.error();
             co_return json_response(201, link_json(*view));
           });
  add_route(router, services, "GET", "/v1/links/{link}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 link, path_id(path, "link"));
              KALENDS_TRY(LinkView view, services.links.view(caller.workspace, LinkId{link}));
              return json_response(200, link_json(view));
            });
  add_route(router, services, "PATCH", "/v1/links/{link}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 id, path_id(path, "link"));
              KALENDS_TRY(Json body, json_body(request));
              LinkId link{id};
              KALENDS_TRY(LinkView view, services.links.view(caller.workspace, link));
              // Everything is read before anything is changed.
              LinkPolicy policy = view.policy;
              LinkState state = view.state;
              if (body.contains("settings")) {
                KALENDS_TRY_VOID(read_policy(body["settings"], policy));
                KALENDS_TRY_VOID(check_lists(services, caller, view.board, policy));
              }
              KALENDS_TRY_VOID(read_name(body, "state", kStates, state));
              if (state != view.state && state != LinkState::kActive && state != LinkState::kPaused)
                return invalid("A person sets a link active or paused.");
              if (body.contains("settings"))
                KALENDS_TRY_VOID(services.links.set_policy(caller.workspace, link, policy));
              if (body.contains("state"))
                KALENDS_TRY_VOID(services.links.set_state(caller.workspace, link, state));
              KALENDS_TRY(view, services.links.view(caller.workspace, link));
              return json_response(200, link_json(view));
            });
  add_task(
      router, services, "DELETE", "/v1/links/{link}",
      [services](Caller caller, InboundRequest request, PathParameters path) -> Task<Result<HttpResponse>> {
        KALENDS_CO_TRY(Id128 link, path_id(path, "link"));
        KALENDS_CO_TRY(OnUnlink events, read_on_unlink(request));
        auto unlinking = services.links.unlink(caller.workspace, LinkId{link}, events);
        Status status = co_await unlinking;
        if (!status.ok()) co_return status.error();
        co_return text_response(204, "application/json", "");
      });
  add_route(router, services, "POST", "/v1/links/{link}/approve",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 link, path_id(path, "link"));
              Json body = Json::object();
              if (!request.body.empty()) {
                KALENDS_TRY(body, json_body(request));
              }
              KALENDS_TRY_VOID(
                  services.links.approve(caller.workspace, LinkId{link}, json_text_or_empty(body, "plan")));
              KALENDS_TRY(LinkView view, services.links.view(caller.workspace, LinkId{link}));
              return json_response(200, link_json(view));
            });
  add_task(
      router, services, "POST", "/v1/links/{link}/sync",
      [services](Caller caller, InboundRequest request, PathParameters path) -> Task<Result<HttpResponse>> {
        KALENDS_CO_TRY(Id128 link, path_id(path, "link"));
        KALENDS_CO_TRY(Json body, json_body(request));
        bool is_dry_run = json_is_true(body, "dry_run");
        auto syncing = services.links.sync_once(caller.workspace, LinkId{link}, is_dry_run);
        Result<RunReport> report = co_await syncing;
        if (!report.ok()) co_return report.error();
        co_return json_response(200, report_json(*report));
      });
  add_route(router, services, "GET", "/v1/links/{link}/runs",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 link, path_id(path, "link"));
              KALENDS_TRY(std::vector<RunView> runs,
                          services.links.runs(caller.workspace, LinkId{link}, SIZE_MAX / 2));
              Json rows = Json::array();
              for (const RunView& run : runs) {
                rows.push_back(run_json(run));
                rows.back()["id"] = std::to_string(run.run);
              }
              KALENDS_TRY(Json page, paged(request, rows));
              return json_response(200, page);
            });
  add_route(router, services, "GET", "/v1/links/{link}/runs/{run}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 link, path_id(path, "link"));
              KALENDS_TRY(uint64_t number, path_run(services, caller, path, LinkId{link}));
              KALENDS_TRY(RunView run, services.links.run(caller.workspace, LinkId{link}, number));
              Json json = run_json(run);
              json["id"] = std::to_string(run.run);
              json["entries"] = Json::array();
              for (const EntryView& entry : run.entries) json["entries"].push_back(entry_json(entry));
              return json_response(200, json);
            });
  add_task(
      router, services, "POST", "/v1/links/{link}/runs/{run}/undo",
      [services](Caller caller, InboundRequest request, PathParameters path) -> Task<Result<HttpResponse>> {
        KALENDS_CO_TRY(Id128 link, path_id(path, "link"));
        KALENDS_CO_TRY(uint64_t number, path_run(services, caller, path, LinkId{link}));
        Json body = Json::object();
        if (!request.body.empty()) {
          KALENDS_CO_TRY(body, json_body(request));
        }
        UndoRequest undo{number, caller.member, json_is_true(body, "dry_run")};
        auto undoing = services.links.undo_run(caller.workspace, LinkId{link}, undo);
        Result<RunReport> report = co_await undoing;
        if (!report.ok()) co_return report.error();
        Json json = report_json(*report);
        json["left"] = Json::array();
        for (const PlannedStep& step : report->left) json["left"].push_back(step_json(step));
        co_return json_response(200, json);
      });
  add_route(router, services, "GET", "/v1/boards/{board}/cards/{card}/explain",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, path_id(path, "board"));
              KALENDS_TRY(Id128 card, path_id(path, "card"));
              KALENDS_TRY(std::string text,
                          services.links.explain(caller.workspace, DocumentId{board}, CardId{card}));
              return text_response(200, "application/json", text);
            });
  add_route(
      router, services, "GET", "/v1/sync",
      [services](const Caller& caller, const InboundRequest&, const PathParameters&) -> Result<HttpResponse> {
        KALENDS_TRY(std::vector<LinkView> links, services.links.list(caller.workspace, std::nullopt));
        Json rows = Json::array();
        bool is_at_rest = true;
        for (const LinkView& link : links) {
          rows.push_back(link_json(link));
          is_at_rest = is_at_rest && link.dirty == 0 && !link.is_running;
        }
        return json_response(
            200, {{"at_rest", is_at_rest}, {"api_calls", services.links.api_calls()}, {"links", rows}});
      });
}

Task<void> finish_connect(ApiServices services, FormFields query, Respond respond) {
  auto finishing = services.accounts.finish(std::move(query));
  Result<Accounts::Connected> connected = co_await finishing;
  HttpResponse response;
  response.status = 303;
  std::string target = services.public_url + "/";
  if (connected.ok()) {
    services.links.account_connected(connected->workspace, connected->account);
    if (!connected->return_to.empty()) target = services.public_url + connected->return_to;
    target += (target.find('?') == std::string::npos ? "?" : "&") + std::string("google=connected");
  } else {
    target += "?google=failed&reason=" + percent_encode(connected.error().message);
  }
  response.headers.set("Location", target);
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = connected.ok() ? "Connected.\n" : connected.error().message + "\n";
  respond(std::move(response));
}

}  // namespace

void add_google_routes(Router& router, const ApiServices& services) {
  add_accounts(router, services);
  add_links(router, services);
  router.add("GET", "/oauth/google/callback",
             [services](InboundRequest request, PathParameters, Respond respond) {
               auto query = form_decode(request.query);
               if (!query)
                 return respond(problem_response(invalid("The address is malformed: begin again.")));
               services.tasks.spawn(finish_connect(services, std::move(*query), std::move(respond)));
             });
  router.add("POST", "/webhooks/google/calendar",
             [services](InboundRequest request, PathParameters, Respond respond) {
               bool is_ours = services.links.ring(request.headers.get("X-Goog-Channel-ID"),
                                                  request.headers.get("X-Goog-Channel-Token"));
               respond(is_ours ? text_response(204, "text/plain", "")
                               : problem_response(not_found("There is nothing here.")));
             });
}

}  // namespace kalends
