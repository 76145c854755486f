// SPDX-License-Identifier: Apache-2.0
// Who may do what, and that no id of one workspace opens anything in another.
#include "tests/worker/api/api_world.h"

namespace kalends::test {
namespace {

std::string filled(const std::string& pattern, const std::map<std::string, std::string>& ids) {
  std::string path = pattern;
  for (const auto& [name, id] : ids)
    for (size_t at; (at = path.find("{" + name + "}")) != std::string::npos;)
      path.replace(at, name.size() + 2, id);
  return path;
}

bool is_open_to_all(const std::string& pattern) {
  return pattern == "/openapi.json" || pattern == "/healthz" || pattern == "/readyz" ||
         pattern == "/metrics" || pattern == "/oauth/google/callback" ||
         pattern == "/webhooks/google/calendar";
}

struct RightsWorld : ApiWorld {
  std::string board = make_board();
  std::string list = make_list(board, "To do");
  std::string card = make_card(board, list, "card");
  std::string label = call("POST", "/v1/labels", {{"name", "Urgent"}}).id();
  std::string sequence = call("POST", "/v1/sequences", {{"title", "Follow up"}}).id();
  std::string comment =
      call("POST", "/v1/boards/" + board + "/cards/" + card + "/comments", {{"text", "hello"}}).id();
  std::map<std::string, std::string> ids = {{"board", board},
                                            {"list", list},
                                            {"card", card},
                                            {"kind", "comments"},
                                            {"child", comment},
                                            {"label", label},
                                            {"sequence", sequence},
                                            {"member", to_hex(owner)},
                                            {"account", std::string(32, '1')},
                                            {"link", std::string(32, '1')}};

  Digest hash(const std::string& document) {
    return (*hub.open({workspace, DocumentId{*id_from_hex(document)}}))->replica.hash();
  }
};

}  // namespace

TEST_CASE("every route but Google's doors and the description asks for a token") {
  RightsWorld world;
  for (const auto& route : world.router.list()) {
    if (is_open_to_all(route.pattern)) continue;
    INFO(route.method << " " << route.pattern);
    for (const std::string& token : {std::string(), std::string("kal_x"), world.owner_token + "x",
                                     "kal_" + std::string(32, '0') + "_" + world.owner_token.substr(37)}) {
      Answer answer = world.call_as(token, route.method, filled(route.pattern, world.ids), "{}");
      CHECK(answer.status == 401);
      CHECK(answer.code() == "unauthenticated");
      CHECK(answer.response.headers.get("WWW-Authenticate") == "Bearer");
    }
  }
}

TEST_CASE("a viewer reads and changes nothing") {
  RightsWorld world;
  std::string viewer = world.token_of(world.owner, Role::kViewer);
  Digest board = world.hash(world.board), directory = world.hash(to_hex(world.workspace));
  for (const auto& route : world.router.list()) {
    if (is_open_to_all(route.pattern) || route.method == "GET") continue;
    INFO(route.method << " " << route.pattern);
    Answer answer = world.call_as(viewer, route.method, filled(route.pattern, world.ids),
                                  R"({"title":"x","name":"x","member":"x"})");
    CHECK(answer.status == 403);
    CHECK(answer.code() == "forbidden");
  }
  CHECK(world.hash(world.board) == board);
  CHECK(world.hash(to_hex(world.workspace)) == directory);
  CHECK(world.call_as(viewer, "GET", "/v1/boards/" + world.board, "").status == 200);
  CHECK(world.call_as(viewer, "GET", "/v1/session", "").json["role"] == "viewer");
}

TEST_CASE("only an owner adds members and makes tokens") {
  RightsWorld world;
  std::string member = world.token_of(world.owner, Role::kMember);
  CHECK(world.call_as(member, "POST", "/v1/members", R"({"name":"Member B"})").status == 403);
  CHECK(world.call_as(member, "POST", "/v1/tokens", R"({"member":"Member B"})").status == 403);
  CHECK(world.call_as(member, "POST", "/v1/boards", R"({"title":"Mine"})").status == 201);
  Answer added = world.call("POST", "/v1/members", {{"name", "Member B"}});
  REQUIRE(added.status == 201);
  CHECK(world.call_as(member, "PATCH", "/v1/members/" + added.id(), R"({"name":"x"})").status == 403);
  CHECK(world.call("PATCH", "/v1/members/" + added.id(), {{"name", "Member C"}}).json["name"] == "Member C");
  CHECK(world.call("GET", "/v1/members").json["items"].size() == 2);
  CHECK(world.call("PATCH", "/v1/members/" + std::string(32, '0'), {{"name", "x"}}).status == 404);
  for (const Json& wrong : {Json::object(), Json({{"name", ""}}), Json({{"name", std::string(201, 'x')}})})
    CHECK(world.call("POST", "/v1/members", wrong).status == 400);
}

TEST_CASE("a token signs its member in with its role, and a name is a member once") {
  RightsWorld world;
  Answer made =
      world.call("POST", "/v1/tokens", {{"member", "Member B"}, {"role", "viewer"}, {"label", "phone"}});
  REQUIRE(made.status == 201);
  std::string token = made.json["token"];
  Answer session = world.call_as(token, "GET", "/v1/session", "");
  CHECK(session.json["member"]["name"] == "Member B");
  CHECK(session.json["member"]["id"] == made.json["member"]);
  CHECK(session.json["role"] == "viewer");
  CHECK(session.json["workspace_document"] == to_hex(world.workspace));
  CHECK(world.call("POST", "/v1/tokens", {{"member", "Member B"}}).json["member"] == made.json["member"]);
  CHECK(world.call("POST", "/v1/tokens", {{"member", "x"}, {"role", "king"}}).status == 400);
  CHECK(world.call("POST", "/v1/tokens", Json::object()).status == 400);

  auto txn = world.store->begin();
  auto tokens = (*txn)->tokens(world.workspace);
  for (const TokenRow& row : *tokens)
    if (to_hex(row.member) == made.json["member"])
      REQUIRE((*txn)->revoke_token(world.workspace, row.token_hash, 5).ok());
  REQUIRE((*txn)->commit().ok());
  txn->reset();
  CHECK(world.call_as(token, "GET", "/v1/session", "").status == 401);
}

TEST_CASE("ids of another workspace open nothing") {
  RightsWorld world;
  WorkspaceId other{world.entropy.new_id()};
  MemberId stranger = world.add_workspace(other);
  std::string token = *create_token(world.ports, other, {stranger, Role::kOwner, "test"});
  Digest board = world.hash(world.board), directory = world.hash(to_hex(world.workspace));
  for (const auto& route : world.router.list()) {
    bool names_nothing = route.pattern.find('{') == std::string::npos;
    if (is_open_to_all(route.pattern) || names_nothing) continue;
    INFO(route.method << " " << route.pattern);
    std::string body = route.pattern.find("/edit") != std::string::npos
                           ? R"({"commands":[{"do":"delete","entity":")" + world.card + R"("}]})"
                           : R"({"title":"x"})";
    if (route.pattern.find("{member}") != std::string::npos) body = R"({"name":"x"})";
    if (route.pattern.find("transfer") != std::string::npos)
      body = R"({"board":")" + world.board + R"(","list":")" + world.list + R"("})";
    Answer answer = world.call_as(token, route.method, filled(route.pattern, world.ids), body);
    INFO(answer.response.body);
    CHECK(answer.status == 404);
  }
  CHECK(world.call_as(token, "GET", "/v1/boards", "").json["items"].empty());
  CHECK(world.call_as(token, "GET", "/v1/labels", "").json["items"].empty());
  CHECK(world.call_as(token, "GET", "/v1/links?board=" + world.board, "").json["items"].empty());
  CHECK(world.hash(world.board) == board);
  CHECK(world.hash(to_hex(world.workspace)) == directory);
}

TEST_CASE("labels and sequences are shared by all boards") {
  RightsWorld world;
  std::string label = "/v1/labels/" + world.label;
  CHECK(world.call("PATCH", label, {{"name", "Very urgent"}, {"colour", "red"}}).json["name"] ==
        "Very urgent");
  CHECK(world.call("GET", label).json["colour"] == "red");
  CHECK(world.call("PATCH", label, {{"nothing", 1}}).status == 400);
  CHECK(world.call("GET", "/v1/labels").json["items"].size() == 1);
  CHECK(world.call("DELETE", label).status == 204);
  CHECK(world.call("GET", label).status == 404);
  CHECK(world.call("DELETE", label).status == 404);
  std::string sequence = "/v1/sequences/" + world.sequence;
  CHECK(world.call("PATCH", sequence, {{"working_days", 31}, {"window_start", 540}}).json["working_days"] ==
        31);
  CHECK(world.call("DELETE", sequence).status == 204);
}

TEST_CASE("Google's doors give nothing away") {
  ApiWorld world;
  CHECK(world.call_as("", "POST", "/webhooks/google/calendar", "").status == 404);
  Answer callback = world.call_as("", "GET", "/oauth/google/callback?state=x&code=y", "");
  CHECK(callback.status == 303);
  CHECK(callback.response.headers.get("Location").find("google=failed") != std::string::npos);
  CHECK(world.call("POST", "/v1/google/connect", {{"return_to", "//evil.example"}}).status == 400);
  CHECK(world.call("POST", "/v1/google/connect", {{"return_to", "https://evil.example"}}).status == 400);
  CHECK(world.effects.fetches.empty());
}

}  // namespace kalends::test
