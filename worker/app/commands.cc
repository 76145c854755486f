// SPDX-License-Identifier: Apache-2.0
#include "worker/app/commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
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
    sync->add_flag("--once", is_once_, "Look once and report (serve looks all the time)")->required();
    sync->add_flag("--dry-run", is_dry_run_, "Only say what would be done");
    sync->add_option("link", link_, "Id of the link");
    on(sync, [this](ApiClient& api) { return run_sync(api); });
    auto* approve = app.add_subcommand("approve", "Show what the guard has stopped, and let it go on");
    approve->add_option("link", link_, "Id of the link")->required();
    approve->add_flag("--yes", is_sure_, "Do not ask");
    on(approve, [this](ApiClient& api) { return run_approve(api); });
    auto* explain = app.add_subcommand("explain", "Why a card's event looks as it does");
    explain->add_option("card", card_, "Title or id of the card")->required();
    explain->add_option("--board", board_, "Title or id of its board; needed when there are several");
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
      for (const Json& line : report["plan"]) print(line.get<std::string>());
      report.erase("plan");
      print(json_text_or_empty(link, "id") + " " + json_dump(report));
    }
    return {};
  }

  Status run_approve(ApiClient& api) {
    KALENDS_TRY(Json link, api.call("GET", "/v1/links/" + link_));
    print(link_line(link));
    KALENDS_TRY(Json plan, api.call("POST", "/v1/links/" + link_ + "/sync", Json{{"dry_run", true}}));
    for (const Json& line : plan["plan"]) print("  " + line.get<std::string>());
    if (!is_sure_) {
      std::printf("Let this go on? Type yes: ");
      std::fflush(stdout);
      std::string answer;
      std::getline(std::cin, answer);
      if (answer != "yes") return Error{ErrorCode::kCancelled, "Nothing was approved.", 0};
    }
    KALENDS_TRY(link, api.call("POST", "/v1/links/" + link_ + "/approve"));
    print("Approved.");
    return {};
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
      print(answer.dump(2));
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
  std::string key_;
  bool is_with_key_ = false;
  bool wants_to_pick_ = false, is_removing_ = false, is_once_ = false, is_dry_run_ = false, is_sure_ = false;
};

Commands::Commands(CLI::App& app, const Settings& settings)
    : parts_(std::make_unique<Parts>(app, settings)) {}
Commands::~Commands() = default;
int Commands::run() { return parts_->run(); }

}  // namespace kalends
