// SPDX-License-Identifier: Apache-2.0
// The whole worker but its sockets: store, hub, engine and routes on a folder of the test's own. Google is
// not there: what is asked of it is kept and never answered.
#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "tests/worker/temporary_folder.h"
#include "worker/api/context.h"
#include "worker/api/openapi.h"
#include "worker/crypto/aes_gcm_secret_box.h"
#include "worker/google/json.h"
#include "worker/store/store.h"

namespace kalends::test {

class HandClock final : public Clock {
 public:
  int64_t now_ms() const override { return now_; }
  int64_t monotonic_ms() const override { return now_; }
  int64_t now_ = 1'790'000'000'000;
};

class SeededEntropy final : public Entropy {
 public:
  void fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(random_.next());
  }

 private:
  Prng random_{42};
};

class SilentLog final : public Log {
 public:
  void write(LogLevel, LogCode, std::initializer_list<LogField>) override {}
};

class KeptEffects final : public Effects {
 public:
  void fetch(HttpRequest, std::function<void(HttpOutcome)> done) override {
    fetches.push_back(std::move(done));
  }
  void sleep(int64_t, std::function<void()> done) override { sleeps.push_back(std::move(done)); }
  std::vector<std::function<void(HttpOutcome)>> fetches;
  std::vector<std::function<void()>> sleeps;
};

struct Answer {
  int status = 0;
  Json json;
  HttpResponse response;
  std::string id() const { return json.value("id", ""); }
  std::string code() const { return json.is_object() ? json.value("code", "") : ""; }
};

class ApiWorld {
 public:
  explicit ApiWorld(size_t open_max = 8, SqliteOptions options = {})
      : secrets(Bytes(32, 7), entropy),
        store(*SqliteStore::open(placed(std::move(options), folder.path() + "/kalends.db"))),
        ports{*store, effects, clock, entropy, secrets, log},
        hub(ports, open_max),
        accounts(ports, {}),
        links(ports, hub, accounts, {}) {
    workspace = WorkspaceId{entropy.new_id()};
    owner = add_workspace(workspace);
    owner_token = token_of(owner, Role::kOwner);
    ApiServices services{ports, hub, accounts, links, tasks, "http://127.0.0.1:1"};
    add_board_routes(router, services);
    add_workspace_routes(router, services);
    add_google_routes(router, services);
    add_porting_routes(router, services);
    add_health_routes(router, services);
    add_openapi_route(router);
    REQUIRE(links.start().ok());
  }
  ~ApiWorld() {
    links.stop();
    tasks.drop_all();
  }

  static SqliteOptions placed(SqliteOptions options, const std::string& path) {
    options.path = path;
    return options;
  }
  // A workspace with one member; gives the member.
  MemberId add_workspace(WorkspaceId id) {
    MemberId first{entropy.new_id()};
    REQUIRE(hub.create({id, DocumentId{id.raw}}, DocumentKind::kWorkspace, {first, Cause::kHub, clock.now_},
                       {CreateCommand{EntityType::kMember, first.raw, {}, {}, {}}})
                .ok());
    auto txn = store->begin();
    REQUIRE((*txn)->put_member(id, {first, to_bytes(R"({"name":"Owner"})"), clock.now_}).ok());
    REQUIRE((*txn)->commit().ok());
    return first;
  }
  std::string token_of(MemberId member, Role role) {
    return *create_token(ports, workspace, {member, role, "test"});
  }

  Answer call_as(const std::string& token, const std::string& method, const std::string& target,
                 const std::string& body) {
    InboundRequest request;
    request.method = method;
    size_t query = target.find('?');
    request.path = target.substr(0, query);
    if (query != std::string::npos) request.query = target.substr(query + 1);
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    request.body = body;
    Answer answer;
    bool is_routed = router.route(
        request, Respond([&answer](HttpResponse response) { answer.response = std::move(response); }));
    REQUIRE(is_routed);
    answer.status = answer.response.status;
    auto json = parse_json(answer.response.body);
    if (json.ok()) answer.json = *json;
    return answer;
  }
  Answer call(const std::string& method, const std::string& target, const Json& body = nullptr) {
    return call_as(owner_token, method, target, body.is_null() ? "" : body.dump());
  }

  std::string make_board(const std::string& title = "Launch") {
    Answer board = call("POST", "/v1/boards", {{"title", title}, {"time_zone", "Europe/Berlin"}});
    REQUIRE(board.status == 201);
    return board.id();
  }
  std::string make_list(const std::string& board, const std::string& title) {
    Answer list = call("POST", "/v1/boards/" + board + "/lists", {{"title", title}});
    REQUIRE(list.status == 201);
    return list.id();
  }
  std::string make_card(const std::string& board, const std::string& list, const std::string& title) {
    Answer card = call("POST", "/v1/boards/" + board + "/cards", {{"title", title}, {"list", list}});
    INFO(card.response.body);
    REQUIRE(card.status == 201);
    return card.id();
  }

  TemporaryFolder folder;
  HandClock clock;
  SeededEntropy entropy;
  SilentLog log;
  KeptEffects effects;
  AesGcmSecretBox secrets;
  std::unique_ptr<SqliteStore> store;
  Ports ports;
  ReplicaHub hub;
  Accounts accounts;
  TaskSet tasks;
  LinkEngine links;
  Router router;
  WorkspaceId workspace;
  MemberId owner;
  std::string owner_token;
};

}  // namespace kalends::test
