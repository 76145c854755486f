// SPDX-License-Identifier: Apache-2.0
// A board, a calendar and everything between them in one process: the engine and its routes on a folder of
// the test's own, the stand-in for Google without sockets, and one queue of effects in place of threads and
// time.
#pragma once

#include <functional>
#include <queue>

#include "tests/emulator/stand_in.h"
#include "tests/worker/api/api_world.h"

namespace kalends::test {

// Time passes only where a test says so; what is due happens in order.
class QueuedEffects final : public Effects {
 public:
  QueuedEffects(HandClock& clock, emulator::StandIn& google) : clock_(clock), google_(google) {}

  void fetch(HttpRequest request, std::function<void(HttpOutcome)> done) override {
    requests.push_back(request);
    HttpOutcome outcome = before_fetch && !before_fetch(request) ? cut() : answer(request);
    if (after_fetch) after_fetch(request, outcome);
    put(0, [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
  }
  void sleep(int64_t ms, std::function<void()> done) override { put(ms, std::move(done)); }

  // Everything that is due by now; false when there was nothing.
  bool run_due() {
    if (queue_.empty() || queue_.top().due_ms > clock_.now_) return false;
    while (!queue_.empty() && queue_.top().due_ms <= clock_.now_) {
      auto act = queue_.top().act;
      queue_.pop();
      act();
    }
    return true;
  }
  bool run_one() {
    if (queue_.empty() || queue_.top().due_ms > clock_.now_) return false;
    auto act = queue_.top().act;
    queue_.pop();
    act();
    return true;
  }
  void advance(int64_t ms) {
    int64_t until_ms = clock_.now_ + ms;
    run_due();
    while (!queue_.empty() && queue_.top().due_ms <= until_ms) {
      clock_.now_ = std::max(clock_.now_, queue_.top().due_ms);
      run_due();
    }
    clock_.now_ = until_ms;
  }
  void drop_all() { queue_ = {}; }

  static HttpOutcome cut() { return {Error{ErrorCode::kUnavailable, "The connection was cut.", 0}, false}; }

  // False: the request never arrives.
  std::function<bool(const HttpRequest&)> before_fetch;
  // Google has done it; what comes back may be spoilt.
  std::function<void(const HttpRequest&, HttpOutcome&)> after_fetch;
  std::vector<HttpRequest> requests;

 private:
  struct Due {
    int64_t due_ms;
    uint64_t number;
    std::function<void()> act;
    bool operator<(const Due& other) const {
      return std::tie(other.due_ms, other.number) < std::tie(due_ms, number);
    }
  };
  void put(int64_t ms, std::function<void()> act) {
    queue_.push({clock_.now_ + ms, ++number_, std::move(act)});
  }

  HttpOutcome answer(const HttpRequest& request) {
    emulator::Request asked;
    asked.method = request.method;
    size_t path = request.url.find('/', request.url.find("//") + 2);
    emulator::split_target(request.url.substr(path), asked.path, asked.query);
    for (const auto& [name, value] : request.headers.fields()) {
      std::string lower = name;
      for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      asked.headers[lower] = value;
    }
    asked.body = request.body;
    google_.advance_to(clock_.now_);
    emulator::Response answered = google_.handle(asked);
    if (answered.delivery != emulator::Delivery::kSend) return cut();
    HttpResponse response;
    response.status = answered.status;
    for (const auto& [name, value] : answered.headers) response.headers.set(name, value);
    response.body = answered.body;
    return {response, false};
  }

  HandClock& clock_;
  emulator::StandIn& google_;
  uint64_t number_ = 0;
  std::priority_queue<Due> queue_;
};

class SyncWorld {
 public:
  static constexpr const char* kGoogle = "http://127.0.0.1:1";

  SyncWorld()
      : google({kGoogle, 1, {"ann@example.org"}, {}}),
        effects(clock, google),
        secrets(Bytes(32, 7), entropy),
        workspace{entropy.new_id()} {
    google.model().world().switches.quota_per_user = 0;
    google.model().world().switches.quota_per_project = 0;
    begin_worker();
    owner = MemberId{entropy.new_id()};
    REQUIRE(worker->hub
                .create({workspace, DocumentId{workspace.raw}}, DocumentKind::kWorkspace,
                        {owner, Cause::kHub, clock.now_},
                        {CreateCommand{EntityType::kMember, owner.raw, {}, {}, {}}})
                .ok());
    {
      auto txn = worker->store->begin();
      REQUIRE((*txn)->put_member(workspace, {owner, to_bytes(R"({"name":"Ann"})"), clock.now_}).ok());
      REQUIRE((*txn)->commit().ok());
    }
    token = *create_token(worker->ports, workspace, {owner, Role::kOwner, "test"});
    connect();
  }

  // The worker's own half: what a kill takes away and the folder brings back.
  struct Worker {
    Worker(SyncWorld& world)
        : store(*SqliteStore::open({world.folder.path() + "/kalends.db"})),
          ports{*store, world.effects, world.clock, world.entropy, world.secrets, world.log},
          hub(ports, 8),
          accounts(ports, world.accounts_options()),
          links(ports, hub, accounts, world.engine_options()) {
      ApiServices services{ports, hub, accounts, links, tasks, "http://127.0.0.1:2"};
      add_board_routes(router, services);
      add_workspace_routes(router, services);
      add_google_routes(router, services);
      add_porting_routes(router, services);
      REQUIRE(links.start().ok());
    }
    ~Worker() {
      links.stop();
      tasks.drop_all();
    }
    std::unique_ptr<SqliteStore> store;
    Ports ports;
    ReplicaHub hub;
    Accounts accounts;
    TaskSet tasks;
    LinkEngine links;
    Router router;
  };
  void begin_worker() { worker = std::make_unique<Worker>(*this); }
  // The power goes, and comes back: nothing but the folder is left.
  void kill_and_restart() {
    worker.reset();
    effects.drop_all();
    begin_worker();
  }

  // Until nothing is due any more; no time passes.
  void settle() {
    while (effects.run_due()) {
    }
  }

  Answer call(const std::string& method, const std::string& target, const Json& body = nullptr) {
    InboundRequest request;
    request.method = method;
    size_t query = target.find('?');
    request.path = target.substr(0, query);
    if (query != std::string::npos) request.query = target.substr(query + 1);
    request.headers.set("Authorization", "Bearer " + token);
    request.body = body.is_null() ? "" : body.is_string() ? body.get<std::string>() : body.dump();
    Answer answer;
    bool is_answered = false;
    REQUIRE(worker->router.route(request, Respond([&](HttpResponse response) {
                                   answer.response = std::move(response);
                                   is_answered = true;
                                 })));
    for (int round = 0; !is_answered && round < 1000; ++round)
      if (!effects.run_due()) effects.advance(10);
    REQUIRE(is_answered);
    answer.status = answer.response.status;
    auto json = parse_json(answer.response.body);
    if (json.ok()) answer.json = *json;
    INFO(answer.response.body);
    return answer;
  }
  Json ok(const std::string& method, const std::string& target, const Json& body = nullptr) {
    Answer answer = call(method, target, body);
    INFO(method << " " << target << ": " << answer.response.body);
    REQUIRE(answer.status < 300);
    return answer.json;
  }

  // A board with dated cards, in step with a calendar of its own.
  void link_board(int count, const Json& settings = Json::object()) {
    board = ok("POST", "/v1/boards", {{"title", "Launch"}, {"time_zone", "Europe/Berlin"}})["id"];
    list = ok("POST", "/v1/boards/" + board + "/lists", {{"title", "To do"}})["id"];
    for (int i = 0; i < count; ++i) add_card("Card " + std::to_string(i), date_of(i));
    Json wanted = {{"inbox_list", list}, {"time_zone", "Europe/Berlin"}};
    wanted.update(settings);
    Json made = ok(
        "POST", "/v1/links",
        {{"board", board}, {"account", account}, {"create", {{"summary", "Launch"}}}, {"settings", wanted}});
    link = made["id"];
    calendar = made["calendar"]["id"];
    settle();
  }
  static std::string date_of(int i) {
    std::string day = std::to_string(i % 28 + 1);
    return "2026-12-" + std::string(day.size() == 1 ? "0" : "") + day;
  }
  std::string add_card(const std::string& title, const std::string& date) {
    Json card = {{"title", title}, {"list", list}};
    if (!date.empty()) card["due"] = {{"date", date}};
    std::string id = ok("POST", "/v1/boards/" + board + "/cards", card)["id"];
    cards.push_back(id);
    return id;
  }
  std::string card_path(const std::string& card) const { return "/v1/boards/" + board + "/cards/" + card; }
  Json card(const std::string& id) { return ok("GET", card_path(id)); }
  void edit_card(const std::string& id, const Json& change) { ok("PATCH", card_path(id), change); }

  // ---- the calendar, as a person sees and changes it

  Json control(const std::string& method, const std::string& path, const Json& body = nullptr) {
    emulator::Request request;
    request.method = method;
    emulator::split_target("/control/" + path, request.path, request.query);
    request.body = body.is_null() ? "" : body.dump();
    google.advance_to(clock.now_);
    return Json::parse(google.handle(request).body);
  }
  std::string events_path() const {
    return "people/ann%40example.org/calendars/" + emulator::percent_encode(calendar) + "/events";
  }
  std::vector<Json> events() {
    std::vector<Json> live;
    Json state = control("GET", "state?calendar=" + emulator::percent_encode(calendar));
    for (const Json& event : state["calendars"].at(0)["events"])
      if (event.value("status", "") != "cancelled") live.push_back(event);
    return live;
  }
  // The live event of a card; null when there is none.
  Json event_of(const std::string& card) {
    for (const Json& event : events()) {
      std::string marker = event.value("/extendedProperties/private/kalends"_json_pointer, std::string());
      if (marker.substr(0, 32) == card) return event;
    }
    return nullptr;
  }
  void change_event(const std::string& card, const Json& change) {
    control("PATCH", events_path() + "/" + event_of(card)["id"].get<std::string>(), change);
  }
  void remove_event(const std::string& card) {
    control("DELETE", events_path() + "/" + event_of(card)["id"].get<std::string>());
  }
  // The calendar is looked at now.
  Json sync() { return ok("POST", "/v1/links/" + link + "/sync", Json::object()); }
  Json link_now() { return ok("GET", "/v1/links/" + link); }
  uint64_t writes() { return control("GET", "stats")["writes"]; }

  // Both sides in one value, for comparing: titles, dates and presence of each card and its event.
  Json both_sides() {
    Json shown = Json::object();
    for (const std::string& id : cards) {
      Answer now = call("GET", card_path(id));
      Json card_side = nullptr, event_side = nullptr;
      if (now.status == 200)
        card_side = {{"title", now.json["title"]},       {"start", now.json["start"]},
                     {"due", now.json["due"]},           {"done", now.json["done"]},
                     {"archived", now.json["archived"]}, {"description", now.json["description"]},
                     {"list", now.json["list"]}};
      Json event = event_of(id);
      if (event.is_object())
        event_side = {{"summary", event["summary"]},
                      {"start", event["start"]},
                      {"end", event["end"]},
                      {"description", event.value("description", "")}};
      shown[id] = {card_side, event_side};
    }
    return shown;
  }

  TemporaryFolder folder;
  HandClock clock;
  SeededEntropy entropy;
  SilentLog log;
  emulator::StandIn google;
  QueuedEffects effects;
  AesGcmSecretBox secrets;
  WorkspaceId workspace;
  std::unique_ptr<Worker> worker;
  MemberId owner;
  std::string token, account, board, list, link, calendar;
  std::vector<std::string> cards;

 private:
  AccountsOptions accounts_options() {
    OauthClient client;
    client.client_id = google.oauth().client_id();
    client.client_secret = google.oauth().client_secret();
    client.auth_url = std::string(kGoogle) + "/o/oauth2/v2/auth";
    client.token_url = std::string(kGoogle) + "/token";
    client.revoke_url = std::string(kGoogle) + "/revoke";
    client.redirect_uri = "http://127.0.0.1:2/oauth/google/callback";
    return {client, std::string(kGoogle) + "/oauth2/v3/certs", true};
  }
  EngineOptions engine_options() {
    EngineOptions options;
    options.holder = ReplicaId{Id128{{9}}};  // the same worker after a restart
    options.google_api_url = kGoogle;
    options.quota = {100'000, 1'000'000};
    return options;
  }
  void connect() {
    std::string url = ok("POST", "/v1/google/connect", {{"login_hint", "ann@example.org"}})["url"];
    emulator::Request consent;
    consent.method = "GET";
    emulator::split_target(url.substr(std::string(kGoogle).size()) + "&test_consent=all", consent.path,
                           consent.query);
    google.advance_to(clock.now_);
    std::string back = google.handle(consent).headers["location"];
    InboundRequest request;
    request.method = "GET";
    request.path = "/oauth/google/callback";
    request.query = back.substr(back.find('?') + 1);
    REQUIRE(worker->router.route(request, Respond([](HttpResponse) {})));
    settle();
    Json accounts = ok("GET", "/v1/google/accounts")["items"];
    REQUIRE(accounts.size() == 1);
    account = accounts[0]["id"];
  }
};

}  // namespace kalends::test
