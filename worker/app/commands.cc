// SPDX-License-Identifier: Apache-2.0
#include "worker/app/commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "worker/app/app.h"
#include "worker/app/maintenance.h"
#include "worker/base/url.h"
#include "worker/google/json.h"
#include "worker/net/http_client.h"

namespace kalends {
namespace {

// Imports and full syncs wait for the worker, not for a person.
constexpr int64_t kAnswerMs = 10 * 60 * 1000;

class ApiClient {
 public:
  explicit ApiClient(LocalServer server) : server_(std::move(server)) {
    while (!server_.token.empty() && (server_.token.back() == '\n' || server_.token.back() == ' '))
      server_.token.pop_back();
  }

  // The parsed answer; an error carries the server's own words.
  Result<Json> call(const std::string& method, const std::string& path, const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = server_.url + path;
    request.headers.set("Authorization", "Bearer " + server_.token);
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    request.body = body;
    request.timeout_ms = kAnswerMs;
    request.max_body_bytes = 256 * 1024 * 1024;
    HttpOutcome outcome = http_.send(request);
    if (!outcome.response.ok())
      return Error{ErrorCode::kUnavailable,
                   "The worker at " + server_.url + " does not answer: start it with `kalends serve`.", 0};
    raw_ = outcome.response->body;
    Json answer;
    if (!raw_.empty()) {
      auto parsed = parse_json(raw_, request.max_body_bytes);
      if (parsed.ok()) answer = std::move(*parsed);
    }
    if (outcome.response->status >= 300)
      return Error{ErrorCode::kInvalid,
                   json_text(answer, "detail")
                       .value_or("The worker answered " + std::to_string(outcome.response->status) + "."),
                   0};
    return answer;
  }
  Result<Json> call(const std::string& method, const std::string& path, const Json& body) {
    return call(method, path, json_dump(body));
  }
  const std::string& raw() const { return raw_; }

  // All pages of a collection.
  Result<Json> all(const std::string& path) {
    Json items = Json::array();
    std::string cursor;
    do {
      std::string joiner = path.find('?') == std::string::npos ? "?" : "&";
      KALENDS_TRY(Json page, call("GET", path + joiner + "limit=500" +
                                             (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor))));
      for (Json& item : page["items"]) items.push_back(std::move(item));
      cursor = json_text_or_empty(page, "next_cursor");
    } while (!cursor.empty());
    return items;
  }

  // By id, by title, or by the beginning of one when that is unique.
  Result<std::string> find(const std::string& path, const std::string& name, const char* what) {
    KALENDS_TRY(Json items, all(path));
    std::vector<std::string> matches;
    for (const Json& item : items) {
      std::string id = json_text_or_empty(item, "id"), title = json_text_or_empty(item, "title");
      if (id == name || title == name) return id;
      if (!name.empty() &&
          (title.compare(0, name.size(), name) == 0 || id.compare(0, name.size(), name) == 0))
        matches.push_back(id);
    }
    if (matches.size() == 1) return matches[0];
    return not_found(std::string(matches.empty() ? "There is no " : "More than one ") + what +
                     (matches.empty() ? " called \"" : " begins with \"") + name +
                     "\". Give its id or its whole title.");
  }

 private:
  LocalServer server_;
  HttpClient http_;
  std::string raw_;
};

Result<std::string> read_whole_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return not_found(path + " is not a file. Give the file that was exported.");
  std::ifstream in(path, std::ios::binary);
  if (!in) return not_found("The file " + path + " cannot be read.");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void print(const std::string& text) { std::printf("%s\n", text.c_str()); }

std::string link_line(const Json& link) {
  const Json& status = link["status"];
  std::string line = json_text_or_empty(link, "id") + "  " + json_text_or_empty(link, "state") + "  " +
                     json_text_or_empty(link["calendar"], "summary") + "  " +
                     std::to_string(status["pairs"].get<uint64_t>()) + " pairs, " +
                     std::to_string(status["dirty"].get<uint64_t>()) + " waiting, push " +
                     (status["push"] == true ? "on" : "off");
  if (status["last_error"].is_object())
    line += "\n    error: " + json_text_or_empty(status["last_error"], "message") + " " +
            json_text_or_empty(status["last_error"], "what_to_do");
  if (status["guard"].is_object()) line += "\n    guard: " + json_text_or_empty(status["guard"], "reason");
  return line;
}

// Members by their ids.
using Names = std::map<std::string, std::string>;

std::string moment_text(const Json& ms) {
  std::time_t seconds = static_cast<std::time_t>(ms.is_number_integer() ? ms.get<int64_t>() / 1000 : 0);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string counted(const Json& count, const char* one, const char* many) {
  uint64_t number = count.is_number_integer() ? count.get<uint64_t>() : 0;
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

std::string run_line(const Json& run) {
  std::string line = "run " + std::to_string(json_integer(run, "run").value_or(0)) + "  " +
                     moment_text(run["started_ms"]) + "  " + counted(run["inserts"], "event", "events") +
                     " made, " + counted(run["patches"], "event", "events") + " changed, " +
                     counted(run["deletes"], "event", "events") + " removed, " +
                     counted(run["card_edits"], "card", "cards") + " changed, " +
                     counted(run["cards_created"], "card", "cards") + " made";
  if (run["undone_run"].is_number()) line += "  (takes back run " + run["undone_run"].dump() + ")";
  if (run["undone_by"].is_number()) line += "  (taken back by run " + run["undone_by"].dump() + ")";
  if (run["finished_ms"].is_null()) line += "  (under way, or cut off)";
  if (run["guard"].is_object()) line += "\n    stopped: " + json_text_or_empty(run["guard"], "reason");
  if (run["error"].is_object()) line += "\n    failed: " + json_text_or_empty(run["error"], "message");
  return line;
}

std::string entry_line(const Json& entry, const Names& names) {
  std::string by = json_text_or_empty(entry, "by");
  auto name = names.find(json_text_or_empty(entry, "member"));
  std::string who = by == "calendar"      ? "somebody in the calendar"
                    : name != names.end() ? name->second
                                          : "Kalends";
  return json_text_or_empty(entry, "text") + " For: " + who + ". (" + json_text_or_empty(entry, "id") + ")";
}

void print_steps(const Json& steps, const char* kind, const char* heading) {
  size_t count = 0;
  for (const Json& step : steps) count += json_text_or_empty(step, "kind") == kind;
  if (count == 0) return;
  print(std::string(heading) + " (" + std::to_string(count) + ")");
  for (const Json& step : steps) {
    if (json_text_or_empty(step, "kind") != kind) continue;
    std::string line = "  \"" + json_text_or_empty(step, "title") + "\"";
    for (const Json& change : step["changes"])
      line += "  " + json_text_or_empty(change, "field") + ": " + json_text_or_empty(change, "before") +
              " → " + json_text_or_empty(change, "after");
    std::string why = json_text_or_empty(step, "why");
    print(line + (why.empty() ? "" : "  (" + why + ")"));
  }
}

void print_all_steps(const Json& steps) {
  print_steps(steps, "new_event", "New events");
  print_steps(steps, "changed_event", "Events that change");
  print_steps(steps, "deleted_event", "Events that go");
  print_steps(steps, "new_card", "New cards");
  print_steps(steps, "changed_card", "Cards that change");
  print_steps(steps, "left_alone", "Left alone");
}

void print_plan(const Json& report) {
  print_all_steps(report["steps"]);
  print(counted(report["writes"], "write", "writes") + " to Google, " +
        counted(report["card_edits"], "card", "cards") + " changed, " +
        counted(report["cards_created"], "card", "cards") + " made. " +
        (report.contains("guard")
             ? "The guard would stop it: " + json_text_or_empty(report["guard"], "reason")
             : "The guard would let it go."));
}

void print_undo(const Json& report) {
  if (report["steps"].empty()) print("There is nothing to take back.");
  print_all_steps(report["steps"]);
  print_steps(report["left"], "left_alone", "Left as it is");
}

void print_explanation(const Json& answer, const Names& names) {
  print("\"" + json_text_or_empty(answer, "title") + "\"");
  if (answer["links"].empty()) print("Its board is linked to no calendar.");
  for (const Json& link : answer["links"]) {
    bool has_event = link["event"].is_object() && json_text_or_empty(link["event"], "presence") == "live";
    print("In the calendar \"" + json_text_or_empty(link, "calendar") + "\": " +
          (has_event ? "from " + json_text_or_empty(link["event"], "start") + " to " +
                           json_text_or_empty(link["event"], "end")
                     : std::string("no event")) +
          (link.value("dirty", false) ? ", waits to be looked at" : ""));
    if (link.contains("last_plan"))
      for (const Json& reason : link["last_plan"]["reasons"]) print("  now: " + reason.get<std::string>());
    for (const Json& entry : link["history"])
      print("  " + moment_text(entry["at_ms"]) + "  " + entry_line(entry, names));
  }
}

}  // namespace

class Commands::Parts {
 public:
  Parts(CLI::App& app, const Settings& settings) : settings_(settings) {
    app.add_option("--server", server_url_,
                   "Address of the worker to talk to instead of the one in the data folder (with --token)");
    app.add_option("--token", token_, "Token for --server")->envname("KALENDS_TOKEN");

    auto* token = app.add_subcommand("token", "Access tokens")->require_subcommand(1);
    auto* create = token->add_subcommand("create", "Make a token that acts as a member, and print it once");
    create->add_option("--member", member_, "Name or id of the member; a new name adds a member")->required();
    create->add_option("--role", role_, "owner, member or viewer")
        ->check(CLI::IsMember({"owner", "member", "viewer"}))
        ->capture_default_str();
    on(create, [this](ApiClient& api) -> Status {
      KALENDS_TRY(Json answer, api.call("POST", "/v1/tokens", Json{{"member", member_}, {"role", role_}}));
      print(json_text_or_empty(answer, "token"));
      return {};
    });

    auto* connect =
        app.add_subcommand("connect", "Print the address to open in order to connect a Google account");
    connect->add_option("--login-hint", login_hint_, "Mail address of the account");
    connect->add_flag("--pick", wants_to_pick_, "Also ask for what picking an existing calendar needs");
    on(connect, [this](ApiClient& api) -> Status {
      KALENDS_TRY(Json answer, api.call("POST", "/v1/google/connect",
                                        Json{{"login_hint", login_hint_}, {"pick", wants_to_pick_}}));
      print(json_text_or_empty(answer, "url"));
      return {};
    });
    auto* disconnect = app.add_subcommand(
        "disconnect",
        "Unlink everything of a Google account, stop its channels, revoke the permission at Google");
    disconnect->add_option("account", account_, "Mail address or id")->required();
    disconnect->add_flag("--remove-events", is_removing_, "Also remove the events that Kalends made");
    on(disconnect, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string account, find_account(api));
      KALENDS_TRY(Json answer, api.call("DELETE", "/v1/google/accounts/" + account +
                                                      (is_removing_ ? "?events=remove" : "")));
      print("Disconnected.");
      return {};
    });

    auto* import = app.add_subcommand("import", "Bring a board in")->require_subcommand(1);
    auto* trello =
        import->add_subcommand("trello", "A board exported from Trello as JSON: all of it, or nothing");
    trello->add_option("file", file_, "The export")->required();
    trello->add_option("--time-zone", time_zone_, "IANA zone in which the board's dates are shown")
        ->capture_default_str();
    on(trello, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string text, read_whole_file(file_));
      KALENDS_TRY(Json answer,
                  api.call("POST", "/v1/import/trello?time_zone=" + percent_encode(time_zone_), text));
      print("Board " + json_text_or_empty(answer, "board"));
      print(json_text_or_empty(answer, "report_text"));
      return {};
    });
    auto* import_export = import->add_subcommand("export", "A board that `kalends export` wrote");
    import_export->add_option("file", file_, "The export")->required();
    on(import_export, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string text, read_whole_file(file_));
      KALENDS_TRY(Json answer, api.call("POST", "/v1/import/export", text));
      print("Board " + json_text_or_empty(answer, "board") + ", state " +
            json_text_or_empty(answer, "state_hash"));
      return {};
    });
    auto* export_command = app.add_subcommand("export", "Write a board to standard output");
    export_command->add_option("board", board_, "Title or id")->required();
    export_command->add_option("--format", format_, "json (comes back as it was), ics or csv")
        ->check(CLI::IsMember({"json", "ics", "csv"}))
        ->capture_default_str();
    on(export_command, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string board, api.find("/v1/boards", board_, "board"));
      KALENDS_TRY(Json answer, api.call("GET", "/v1/boards/" + board + "/export?format=" + format_));
      std::fwrite(api.raw().data(), 1, api.raw().size(), stdout);
      return {};
    });

    auto* link = app.add_subcommand("link", "Keep a board and a calendar in step");
    link->add_option("board", board_, "Title or id of the board")->required();
    link->add_option("calendar", calendar_, "Id of a calendar, or \"new\" for one that Kalends makes")
        ->required();
    link->add_option("--account", account_,
                     "Mail address or id of the connected account; needed when there are several");
    link->add_option("--inbox", inbox_, "List that receives the events which people make in the calendar");
    link->add_option("--details", details_, "What events show: full, title or busy")
        ->check(CLI::IsMember({"full", "title", "busy"}))
        ->capture_default_str();
    on(link, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string board, api.find("/v1/boards", board_, "board"));
      KALENDS_TRY(std::string account, find_account(api));
      Json body = {{"board", board}, {"account", account}, {"settings", {{"details", details_}}}};
      if (!inbox_.empty()) {
        KALENDS_TRY(std::string list, api.find("/v1/boards/" + board + "/lists", inbox_, "list"));
        body["settings"]["inbox_list"] = list;
      }
      if (calendar_ != "new") body["calendar"] = calendar_;
      KALENDS_TRY(Json answer, api.call("POST", "/v1/links", body));
      print(link_line(answer));
      return {};
    });
    auto* unlink = app.add_subcommand("unlink", "End a link; the cards keep their dates");
    unlink->add_option("link", link_, "Id of the link")->required();
    unlink->add_flag("--remove-events", is_removing_, "Also remove the events that Kalends made");
    on(unlink, [this](ApiClient& api) -> Status {
      KALENDS_TRY(Json answer,
                  api.call("DELETE", "/v1/links/" + link_ + (is_removing_ ? "?events=remove" : "")));
      print("Unlinked.");
      return {};
    });
    for (const char* state : {"pause", "resume"}) {
      auto* command = app.add_subcommand(
          state, std::string(state) == "pause" ? "Stop a link for a while" : "Let a paused link go on");
      command->add_option("link", link_, "Id of the link")->required();
      std::string wanted = std::string(state) == "pause" ? "paused" : "active";
      on(command, [this, wanted](ApiClient& api) -> Status {
        KALENDS_TRY(Json answer, api.call("PATCH", "/v1/links/" + link_, Json{{"state", wanted}}));
        print(link_line(answer));
        return {};
      });
    }
    auto* sync = app.add_subcommand("sync", "Look at all links, or at one, now");
    sync->add_flag("--once", is_once_,
                   "Look once and report (serve looks all the time; there is no other way)");
    sync->add_flag("--dry-run", is_dry_run_,
                   "Read the calendar and say what would be done; write nothing, here or there");
    sync->add_option("link", link_, "Id of the link");
    on(sync, [this](ApiClient& api) { return run_sync(api); });
    auto* approve = app.add_subcommand("approve", "Show what the guard has stopped, and let it go on");
    approve->add_option("link", link_, "Id of the link")->required();
    approve->add_flag("--yes", is_sure_, "Do not ask");
    on(approve, [this](ApiClient& api) { return run_approve(api); });
    auto* runs = app.add_subcommand("runs", "What sync did under a link: its runs, newest first");
    runs->add_option("link", link_, "Id of the link")->required();
    on(runs, [this](ApiClient& api) -> Status {
      KALENDS_TRY(Json items, api.all("/v1/links/" + link_ + "/runs"));
      if (items.empty()) print("Nothing was changed yet.");
      for (const Json& run : items) print(run_line(run));
      return {};
    });
    auto* run = app.add_subcommand("run", "What one run did, entry by entry");
    run->add_option("number", run_, "Number of the run")->required();
    run->add_option("--link", link_, "Id of the link; needed when there are several");
    on(run, [this](ApiClient& api) -> Status {
      KALENDS_TRY(std::string link, only_link(api));
      KALENDS_TRY(Json told, api.call("GET", "/v1/links/" + link + "/runs/" + std::to_string(run_)));
      KALENDS_TRY(Names names, member_names(api));
      print(run_line(told));
      for (const Json& entry : told["entries"])
        print("  \"" + json_text_or_empty(entry, "title") + "\"  " + entry_line(entry, names));
      return {};
    });
    auto* undo = app.add_subcommand("undo-run", "Show what taking a run back would do, and do it");
    undo->add_option("link", link_, "Id of the link")->required();
    undo->add_option("run", run_, "Number of the run")->required();
    undo->add_flag("--yes", is_sure_, "Do not ask");
    undo->add_flag("--dry-run", is_dry_run_, "Only say what would be done");
    on(undo, [this](ApiClient& api) { return run_undo(api); });
    auto* explain =
        app.add_subcommand("explain", "What sync did to a card, and why its event looks as it does");
    explain->add_option("card", card_, "Title or id of the card")->required();
    explain->add_option("--board", board_, "Title or id of its board; needed when there are several");
    explain->add_flag("--json", is_json_, "All that is known, as JSON");
    on(explain, [this](ApiClient& api) { return run_explain(api); });
    auto* backup = app.add_subcommand(
        "backup", "Copy the database into a new file, also while the worker runs; the copy is checked");
    backup->add_option("file", file_, "The new file")->required();
    backup->add_flag("--with-key", is_with_key_, "Also write the key, as FILE.key");
    on_folder(backup, [this]() -> Status {
      KALENDS_TRY(std::string told, back_up(settings_, file_, is_with_key_));
      print(told);
      return {};
    });
    auto* restore_command = app.add_subcommand(
        "restore", "Put a backup in the place of the database; no worker may run in the data folder");
    restore_command->add_option("file", file_, "What `kalends backup` wrote")->required();
    restore_command->add_option("--key", key_,
                                "The key that belongs to the backup, when the folder has another one");
    on_folder(restore_command, [this]() -> Status {
      KALENDS_TRY(std::string told, restore(settings_, file_, key_));
      print(told);
      return {};
    });
    auto* status = app.add_subcommand("status", "Boards, accounts, links and their health");
    on(status, [](ApiClient& api) -> Status {
      KALENDS_TRY(Json boards, api.all("/v1/boards"));
      for (const Json& board : boards)
        print("board    " + json_text_or_empty(board, "id") + "  " + json_text_or_empty(board, "title"));
      KALENDS_TRY(Json accounts, api.all("/v1/google/accounts"));
      for (const Json& account : accounts)
        print("account  " + json_text_or_empty(account, "id") + "  " + json_text_or_empty(account, "email") +
              "  " + json_text_or_empty(account, "state"));
      KALENDS_TRY(Json links, api.all("/v1/links"));
      for (const Json& row : links) print("link     " + link_line(row));
      return {};
    });
  }

  int run() {
    for (auto& [command, action] : folder_actions_)
      if (command->parsed()) return done(action());
    for (auto& [command, action] : actions_) {
      if (!command->parsed()) continue;
      Status status = [&]() -> Status {
        if (!server_url_.empty()) {
          ApiClient api({server_url_, token_});
          return action(api);
        }
        KALENDS_TRY(LocalServer server, find_local_server(settings_.data_dir));
        ApiClient api(server);
        return action(api);
      }();
      return done(status);
    }
    return 2;
  }

 private:
  static int done(const Status& status) {
    if (status.ok()) return 0;
    std::fprintf(stderr, "kalends: %s\n", status.error().message.c_str());
    return 1;
  }

  using Action = std::function<Status(ApiClient&)>;
  // Needs no worker: works in the data folder itself.
  void on_folder(CLI::App* command, std::function<Status()> action) {
    folder_actions_.emplace_back(command, std::move(action));
  }
  void on(CLI::App* command, Action action) { actions_.emplace_back(command, std::move(action)); }

  Result<std::string> find_account(ApiClient& api) {
    KALENDS_TRY(Json accounts, api.all("/v1/google/accounts"));
    if (accounts.empty()) return not_found("No Google account is connected: run `kalends connect`.");
    if (account_.empty() && accounts.size() == 1) return accounts[0]["id"].get<std::string>();
    for (const Json& account : accounts)
      if (account["id"] == account_ || account["email"] == account_) return account["id"].get<std::string>();
    return not_found("Name one of the connected accounts (see `kalends status`).");
  }

  Status run_sync(ApiClient& api) {
    Json links = Json::array();
    if (link_.empty()) {
      KALENDS_TRY(links, api.all("/v1/links"));
    } else {
      links.push_back({{"id", link_}});
    }
    for (const Json& link : links) {
      KALENDS_TRY(Json report, api.call("POST", "/v1/links/" + json_text_or_empty(link, "id") + "/sync",
                                        Json{{"dry_run", is_dry_run_}}));
      if (is_dry_run_) {
        print(json_text_or_empty(link, "id") + ":");
        print_plan(report);
        continue;
      }
      report.erase("plan");
      report.erase("steps");
      print(json_text_or_empty(link, "id") + " " + json_dump(report));
    }
    return {};
  }

  Status run_approve(ApiClient& api) {
    KALENDS_TRY(Json link, api.call("GET", "/v1/links/" + link_));
    print(link_line(link));
    KALENDS_TRY(Json plan, api.call("POST", "/v1/links/" + link_ + "/sync", Json{{"dry_run", true}}));
    print_plan(plan);
    if (!is_sure("Let this go on?")) return Error{ErrorCode::kCancelled, "Nothing was approved.", 0};
    // What was shown, and nothing else.
    KALENDS_TRY(link, api.call("POST", "/v1/links/" + link_ + "/approve",
                               Json{{"plan", json_text_or_empty(plan, "deletions")}}));
    print("Approved.");
    return {};
  }

  Status run_undo(ApiClient& api) {
    std::string path = "/v1/links/" + link_ + "/runs/" + std::to_string(run_) + "/undo";
    KALENDS_TRY(Json plan, api.call("POST", path, Json{{"dry_run", true}}));
    print_undo(plan);
    if (is_dry_run_ || plan["steps"].empty()) return {};
    if (!is_sure("Take this back?")) return Error{ErrorCode::kCancelled, "Nothing was changed.", 0};
    KALENDS_TRY(Json report, api.call("POST", path, Json::object()));
    if (report.contains("error"))
      return Error{ErrorCode::kUnavailable,
                   json_text_or_empty(report["error"], "message") + " What is left is done by itself.", 0};
    if (report.contains("guard"))
      return Error{ErrorCode::kConflict,
                   "Nothing was taken back. " + json_text_or_empty(report["guard"], "reason"), 0};
    if (report["steps"].size() != plan["steps"].size()) print_undo(report);
    print("Undone by run " + std::to_string(json_integer(report, "run").value_or(0)) + ".");
    return {};
  }

  bool is_sure(const char* question) const {
    if (is_sure_) return true;
    std::printf("%s Type yes: ", question);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "yes";
  }

  Result<std::string> only_link(ApiClient& api) {
    if (!link_.empty()) return link_;
    KALENDS_TRY(Json links, api.all("/v1/links"));
    if (links.size() == 1) return json_text_or_empty(links[0], "id");
    return not_found("Name the link with --link (see `kalends status`).");
  }

  static Result<Names> member_names(ApiClient& api) {
    KALENDS_TRY(Json members, api.all("/v1/members"));
    Names names;
    for (const Json& member : members)
      names[json_text_or_empty(member, "id")] = json_text_or_empty(member, "name");
    return names;
  }

  Status run_explain(ApiClient& api) {
    std::string board = board_;
    KALENDS_TRY(Json boards, api.all("/v1/boards"));
    if (!board.empty()) {
      KALENDS_TRY(board, api.find("/v1/boards", board_, "board"));
    }
    for (const Json& candidate : boards) {
      std::string id = json_text_or_empty(candidate, "id");
      if (!board.empty() && id != board) continue;
      auto card = api.find("/v1/boards/" + id + "/cards", card_, "card");
      if (!card.ok()) continue;
      KALENDS_TRY(Json answer, api.call("GET", "/v1/boards/" + id + "/cards/" + *card + "/explain"));
      if (is_json_) {
        print(answer.dump(2));
        return {};
      }
      KALENDS_TRY(Names names, member_names(api));
      print_explanation(answer, names);
      return {};
    }
    return not_found("No board has a card called \"" + card_ + "\".");
  }

  const Settings& settings_;
  std::vector<std::pair<CLI::App*, Action>> actions_;
  std::vector<std::pair<CLI::App*, std::function<Status()>>> folder_actions_;
  std::string server_url_, token_, member_, role_ = "member", login_hint_, account_, file_,
                                            time_zone_ = "UTC", board_, format_ = "json", calendar_, inbox_,
                                            details_ = "full", link_, card_;
  uint64_t run_ = 0;
  bool is_json_ = false;
  std::string key_;
  bool is_with_key_ = false;
  bool wants_to_pick_ = false, is_removing_ = false, is_once_ = false, is_dry_run_ = false, is_sure_ = false;
};

Commands::Commands(CLI::App& app, const Settings& settings)
    : parts_(std::make_unique<Parts>(app, settings)) {}
Commands::~Commands() = default;
int Commands::run() { return parts_->run(); }

}  // namespace kalends
