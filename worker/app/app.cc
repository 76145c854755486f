// SPDX-License-Identifier: Apache-2.0
#include "worker/app/app.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "worker/api/context.h"
#include "worker/api/openapi.h"
#include "worker/app/folder_lock.h"
#include "worker/app/loop_effects.h"
#include "worker/app/system_clock.h"
#include "worker/base/url.h"
#include "worker/crypto/aes_gcm_secret_box.h"
#include "worker/crypto/key_file.h"
#include "worker/crypto/system_entropy.h"
#include "worker/engine/health_watch.h"
#include "worker/google/json.h"
#include "worker/http/static_files.h"
#include "worker/net/http_client.h"
#include "worker/store/store.h"

namespace kalends {
namespace {

Status write_private_file(const std::string& path, const std::string& text) {
  std::string temporary = path + ".new";
  int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool is_fine = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                 ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  is_fine = is_fine && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!is_fine)
    return Error{ErrorCode::kUnavailable,
                 "The file " + path + " cannot be written: " + std::strerror(errno) + ".", 0};
  return {};
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string local_server_path(const std::string& data_dir) { return data_dir + "/local-server.json"; }

}  // namespace

class App::Parts {
 public:
  Parts(const Settings& settings, Log& log, FolderLock lock)
      : settings_(settings), log_(log), lock_(std::move(lock)) {}

  // Everything is in the store already; this only spares the next start some work.
  void close() {
    if (watch_) watch_->stop();
    if (links_) links_->stop();
    tasks_.drop_all();
    if (hub_) hub_->close_all();
    std::error_code ignored;
    std::filesystem::remove(local_server_path(settings_.data_dir), ignored);
  }

  Status prepare() {
    KALENDS_TRY(Bytes key, load_or_make_key(settings_.key_path(), entropy_));
    secrets_ = std::make_unique<AesGcmSecretBox>(key, entropy_);
    KALENDS_TRY(store_, SqliteStore::open({settings_.database_path()}));
    ServerOptions options;
    options.host = settings_.listen_host;
    options.port = settings_.listen_port;
    options.websocket_path = "/v1/live";
    options.body_bytes_max = 64 * 1024 * 1024;  // an import; other routes read at most 16 MB
    options.is_public_https = settings_.public_url.substr(0, 8) == "https://";
    if (!settings_.web_dir.empty()) {
      KALENDS_TRY(StaticFiles files, StaticFiles::load(settings_.web_dir));
      files_ = std::make_unique<StaticFiles>(std::move(files));
    }
    KALENDS_TRY(server_, HttpServer::open(
                             options,
                             [this](InboundRequest request, Respond respond) {
                               handle(std::move(request), std::move(respond));
                             },
                             [this](const InboundRequest& request, std::shared_ptr<WebSocket> socket) {
                               return open_socket(request, std::move(socket));
                             },
                             log_));
    // Port 0: the system has picked one.
    bool is_default_url =
        settings_.public_url.empty() || settings_.public_url == "http://" + settings_.listen;
    if (is_default_url) settings_.public_url = "http://" + url_host() + ":" + std::to_string(server_->port());
    for (const std::string& origin : page_origins()) server_->allow_origin(origin);
    effects_ = std::make_unique<LoopEffects>(http_, *server_);
    hub_ = std::make_unique<ReplicaHub>(ports(), static_cast<size_t>(settings_.open_boards));
    OauthClient client{settings_.google_client_id,  settings_.google_client_secret,
                       settings_.google_auth_url,   settings_.google_token_url,
                       settings_.google_revoke_url, settings_.oauth_callback_url(),
                       settings_.request_timeout_ms};
    accounts_ = std::make_unique<Accounts>(
        ports(), AccountsOptions{client, settings_.google_certs_url, settings_.has_google_client()});
    EngineOptions engine;
    engine.google_api_url = settings_.google_api_url;
    if (settings_.can_receive_push()) engine.webhook_url = settings_.webhook_url();
    engine.request_timeout_ms = settings_.request_timeout_ms;
    engine.poll_ms = settings_.poll_seconds * 1000;
    engine.probe_ms = settings_.probe_seconds * 1000;
    engine.channel_life_seconds = settings_.channel_life_seconds;
    engine.holder = lease_holder();
    engine.backoff_min_ms = settings_.backoff_min_ms;
    engine.backoff_max_ms = settings_.backoff_max_ms;
    engine.quota = {settings_.google_quota_user_per_minute, settings_.google_quota_project_per_minute};
    links_ = std::make_unique<LinkEngine>(ports(), *hub_, *accounts_, engine);
    KALENDS_TRY_VOID(ensure_workspace());
    HealthWatchOptions watch;
    watch.alert_url = settings_.alert_webhook_url;
    watch.server_url = settings_.public_url;
    watch.tick_ms = settings_.health_seconds * 1000;
    watch_ = std::make_unique<HealthWatch>(ports(), *links_, watch);
    ApiServices services{ports(), *hub_, *accounts_, *links_, tasks_, settings_.public_url, watch_.get()};
    add_board_routes(router_, services);
    add_workspace_routes(router_, services);
    add_google_routes(router_, services);
    add_porting_routes(router_, services);
    add_health_routes(router_, services);
    add_openapi_route(router_);
    KALENDS_TRY_VOID(links_->start());
    return watch_->start();
  }

  void handle(InboundRequest request, Respond respond) {
    if (router_.route(request, respond)) return;
    if (files_)
      if (auto file = files_->answer(request)) return respond(std::move(*file));
    respond(problem_response(
        not_found("There is nothing at this address. The API is described at /openapi.json.")));
  }

  Result<WebSocketHandlers> open_socket(const InboundRequest&, std::shared_ptr<WebSocket> socket) {
    auto authenticate_socket = [this](std::string_view token) -> Result<SignedIn> {
      KALENDS_TRY(Caller caller, authenticate(*store_, token));
      return SignedIn{caller.workspace, caller.member, caller.may_write()};
    };
    auto send = [socket](Bytes frame) { socket->send(std::string(as_text(frame)), true); };
    // Both handlers share it; the end of the connection ends it, whoever still holds a handler.
    auto session = std::make_shared<std::unique_ptr<LiveSession>>(
        std::make_unique<LiveSession>(*hub_, authenticate_socket, send));
    WebSocketHandlers handlers;
    handlers.on_message = [session, socket](std::string message, bool is_binary) {
      if (*session && (!is_binary || !(*session)->receive(as_bytes(message))))
        socket->close(1008, "See the last message.");
    };
    handlers.on_close = [session] { session->reset(); };
    return handlers;
  }

  HttpServer& server() { return *server_; }
  const Settings& settings() const { return settings_; }
  const std::string& local_token() const { return local_token_; }

 private:
  Ports ports() { return {*store_, *effects_, clock_, entropy_, *secrets_, log_}; }

  // This machine's own way to the worker.
  std::string url_host() const {
    bool is_any = settings_.listen_host == "0.0.0.0" || settings_.listen_host == "::";
    if (is_any) return "127.0.0.1";
    return settings_.listen_host.find(':') == std::string::npos ? settings_.listen_host
                                                                : "[" + settings_.listen_host + "]";
  }

  // Our own pages: under the public address, and on this machine under either of its names.
  std::vector<std::string> page_origins() const {
    std::vector<std::string> origins;
    if (auto url = parse_url(settings_.public_url); url.ok()) origins.push_back(url->origin());
    for (const char* name : {"127.0.0.1", "localhost"})
      if (is_loopback_host(settings_.listen_host))
        origins.push_back("http://" + std::string(name) + ":" + std::to_string(server_->port()));
    return origins;
  }

  // The folder's lock lets one worker live at a time, so after a crash the next one takes its leases over at
  // once; the epoch rises all the same.
  ReplicaId lease_holder() const {
    ReplicaId holder;
    std::memcpy(holder.raw.bytes.data(), secrets_->keyed_hash("lease holder", {}).data(), 16);
    return holder;
  }

  // One workspace until accounts come: made on the first run, with an owner and a token for local commands.
  Status ensure_workspace() {
    std::optional<Bytes> known;
    {
      KALENDS_TRY(auto txn, store_->begin());
      KALENDS_TRY(known, txn->meta("workspace"));
    }
    WorkspaceId workspace;
    std::string token_path = settings_.data_dir + "/local-token";
    if (known && known->size() == 16) {
      std::memcpy(workspace.raw.bytes.data(), known->data(), 16);
      local_token_ = read_file(token_path);
    } else {
      workspace.raw = entropy_.new_id();
      MemberId owner{entropy_.new_id()};
      EditContext context{owner, Cause::kHub, clock_.now_ms()};
      KALENDS_TRY_VOID(hub_->create({workspace, DocumentId{workspace.raw}}, DocumentKind::kWorkspace, context,
                                    {CreateCommand{EntityType::kMember, owner.raw, {}, {}, {}}}));
      KALENDS_TRY(auto txn, store_->begin());
      KALENDS_TRY_VOID(
          txn->put_member(workspace, {owner, to_bytes(json_dump({{"name", "Owner"}})), context.now_ms}));
      KALENDS_TRY_VOID(txn->set_meta("workspace", workspace.raw.bytes));
      KALENDS_TRY_VOID(txn->set_meta("owner", owner.raw.bytes));
      KALENDS_TRY_VOID(txn->commit());
    }
    if (!authenticate(*store_, local_token_).ok()) {
      std::optional<Bytes> owner_bytes;
      {
        KALENDS_TRY(auto txn, store_->begin());
        KALENDS_TRY(owner_bytes, txn->meta("owner"));
      }
      MemberId owner;
      if (owner_bytes && owner_bytes->size() == 16)
        std::memcpy(owner.raw.bytes.data(), owner_bytes->data(), 16);
      KALENDS_TRY(local_token_, create_token(ports(), workspace, {owner, Role::kOwner, "local commands"}));
      KALENDS_TRY_VOID(write_private_file(token_path, local_token_));
    }
    Json local = {{"url", "http://" + url_host() + ":" + std::to_string(server_->port())},
                  {"pid", ::getpid()}};
    return write_private_file(local_server_path(settings_.data_dir), json_dump(local));
  }

  Settings settings_;
  Log& log_;
  FolderLock lock_;
  SystemClock clock_;
  SystemEntropy entropy_;
  HttpClient http_;
  std::unique_ptr<AesGcmSecretBox> secrets_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<StaticFiles> files_;
  Router router_;
  std::string local_token_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<LoopEffects> effects_;
  std::unique_ptr<ReplicaHub> hub_;
  std::unique_ptr<Accounts> accounts_;
  TaskSet tasks_;
  std::unique_ptr<LinkEngine> links_;
  std::unique_ptr<HealthWatch> watch_;
};

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;

Result<std::unique_ptr<App>> App::open(const Settings& settings, Log& log) {
  std::error_code problem;
  std::filesystem::create_directories(settings.data_dir, problem);
  if (problem)
    return Error{ErrorCode::kUnavailable,
                 "The data folder " + settings.data_dir + " cannot be made: " + problem.message() + ".", 0};
  ::chmod(settings.data_dir.c_str(), 0700);
  KALENDS_TRY(FolderLock lock, FolderLock::take(settings.data_dir));
  auto parts = std::make_unique<Parts>(settings, log, std::move(lock));
  KALENDS_TRY_VOID(parts->prepare());
  return std::unique_ptr<App>(new App(std::move(parts)));
}

uint16_t App::port() const { return parts_->server().port(); }
std::string App::public_url() const { return parts_->settings().public_url; }
const std::string& App::local_token() const { return parts_->local_token(); }
void App::run() { parts_->server().run(); }
void App::stop() { parts_->server().stop(); }
void App::close() { parts_->close(); }

Result<LocalServer> find_local_server(const std::string& data_dir) {
  auto facts = parse_json(read_file(local_server_path(data_dir)));
  std::string token = read_file(data_dir + "/local-token");
  if (!facts.ok() || token.empty())
    return Error{
        ErrorCode::kUnavailable,
        "No Kalends is running in " + data_dir + ". Start it with `kalends serve`, or give its --data-dir.",
        0};
  return LocalServer{json_text_or_empty(*facts, "url"), token};
}

}  // namespace kalends
