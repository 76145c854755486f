// SPDX-License-Identifier: Apache-2.0
// The API's description tells the truth: it names the routes that there are and no others, and what the
// worker answers is what it says.
#include <set>

#include "tests/worker/api/api_world.h"

namespace kalends::test {
namespace {

class Description {
 public:
  Description() : root_(*parse_json(openapi_text())) {}
  const Json& root() const { return root_; }

  const Json& resolved(const Json& node) const {
    const Json* found = &node;
    while (found->is_object() && found->contains("$ref"))
      found = &root_.at(Json::json_pointer((*found)["$ref"].get<std::string>().substr(1)));
    return *found;
  }

  // What `value` has that the schema does not say, or lacks; empty when it fits. `place` for the message.
  std::string misfit(const Json& schema_node, const Json& value, const std::string& place = "") const {
    const Json& schema = resolved(schema_node);
    if (schema.contains("anyOf")) {
      std::string reasons;
      for (const Json& choice : schema["anyOf"]) {
        std::string reason = misfit(choice, value, place);
        if (reason.empty()) return "";
        reasons += reason + "; ";
      }
      return reasons;
    }
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
      return place + " is none of the values: " + value.dump();
    std::string type = schema.value("type", "");
    bool is_type = type.empty() || (type == "object" && value.is_object()) ||
                   (type == "array" && value.is_array()) || (type == "string" && value.is_string()) ||
                   (type == "integer" && value.is_number_integer()) ||
                   (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null());
    if (!is_type) return place + " is no " + type + ": " + value.dump().substr(0, 80);
    if (type == "array") {
      for (const Json& item : value)
        if (std::string reason = misfit(schema["items"], item, place + "[]"); !reason.empty()) return reason;
    }
    if (type == "object") {
      for (const Json& name : schema.value("required", Json::array()))
        if (!value.contains(name.get<std::string>())) return place + " lacks " + name.get<std::string>();
      for (const auto& [name, member] : value.items()) {
        const Json properties = schema.value("properties", Json::object());
        const Json extra = schema.value("additionalProperties", Json(true));
        if (properties.contains(name)) {
          if (std::string reason = misfit(properties[name], member, place + "." + name); !reason.empty())
            return reason;
        } else if (extra.is_object()) {
          if (std::string reason = misfit(extra, member, place + "." + name); !reason.empty()) return reason;
        } else if (extra == false) {
          return place + " has an undescribed " + name;
        }
      }
    }
    return "";
  }

  // The schema of an answer.
  const Json& answer_schema(const std::string& method, const std::string& pattern, int status) const {
    const Json& response =
        resolved(root_["paths"].at(pattern).at(method).at("responses").at(std::to_string(status)));
    return response.at("content").begin().value().at("schema");
  }

 private:
  Json root_;
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

template <typename Visit>
void for_each_node(const Json& node, const std::string& place, Visit visit) {
  visit(node, place);
  if (node.is_object())
    for (const auto& [name, member] : node.items()) for_each_node(member, place + "/" + name, visit);
  if (node.is_array())
    for (const Json& item : node) for_each_node(item, place + "/-", visit);
}

// Calls the API and holds each answer against the description.
struct CheckedWorld : ApiWorld {
  Description description;
  std::set<std::string> checked;

  Answer ask(const std::string& method, const std::string& pattern,
             const std::map<std::string, std::string>& ids, const Json& body = nullptr,
             const std::string& query = "") {
    std::string path = pattern;
    for (const auto& [name, id] : ids)
      for (size_t at; (at = path.find("{" + name + "}")) != std::string::npos;)
        path.replace(at, name.size() + 2, id);
    if (!body.is_null()) {
      const Json& schema = description.root()["paths"][pattern][lower(method)]["requestBody"]["content"]
                                             ["application/json"]["schema"];
      INFO(method << " " << pattern << " is asked with " << body.dump());
      CHECK(description.misfit(schema, body) == "");
    }
    Answer answer = call(method, path + query, body);
    check(method, pattern, answer);
    return answer;
  }
  void check(const std::string& method, const std::string& pattern, const Answer& answer) {
    INFO(method << " " << pattern << " -> " << answer.status << " " << answer.response.body.substr(0, 2000));
    const Json& responses = description.root()["paths"][pattern][lower(method)]["responses"];
    REQUIRE(responses.contains(std::to_string(answer.status)));
    if (answer.status != 204)
      CHECK(description.misfit(description.answer_schema(lower(method), pattern, answer.status),
                               answer.json) == "");
    checked.insert(method + " " + pattern + " " + std::to_string(answer.status));
  }
};

}  // namespace

TEST_CASE("every route is described, and every description is a route") {
  ApiWorld world;
  Description description;
  std::set<std::string> routes, described;
  for (const auto& route : world.router.list()) routes.insert(lower(route.method) + " " + route.pattern);
  for (const auto& [path, operations] : description.root()["paths"].items())
    for (const auto& [method, operation] : operations.items()) described.insert(method + " " + path);
  CHECK(routes == described);
}

TEST_CASE("the description is whole in itself") {
  Description description;
  const Json& root = description.root();
  CHECK(root["openapi"] == "3.1.0");
  CHECK(root["info"]["version"] == KALENDS_VERSION);
  CHECK(root["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer");
  std::set<std::string> used, operation_ids;
  for_each_node(root, "", [&](const Json& node, const std::string& place) {
    if (!node.is_object() || !node.contains("$ref")) return;
    INFO(place);
    std::string pointer = node["$ref"].get<std::string>();
    REQUIRE(pointer.substr(0, 2) == "#/");
    CHECK(root.contains(Json::json_pointer(pointer.substr(1))));
    used.insert(pointer);
  });
  for (const char* kind : {"schemas", "responses", "parameters"})
    for (const auto& [name, component] : root["components"][kind].items()) {
      INFO(kind << " " << name);
      CHECK(used.count("#/components/" + std::string(kind) + "/" + name) == 1);
    }
  for (const auto& [path, operations] : root["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      INFO(method << " " << path);
      CHECK(operation_ids.insert(operation["operationId"]).second);
      CHECK_FALSE(operation["summary"].get<std::string>().empty());
      std::set<std::string> named, in_path;
      for (const Json& parameter : operation.value("parameters", Json::array()))
        if (const Json& found = description.resolved(parameter); found["in"] == "path")
          named.insert(found["name"]);
      for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1))
        in_path.insert(path.substr(at + 1, path.find('}', at) - at - 1));
      CHECK(named == in_path);
      bool is_open = operation.contains("security") && operation["security"].empty();
      CHECK(is_open != operation["responses"].contains("401"));
    }
}

TEST_CASE("the examples of the description fit their schemas") {
  Description description;
  size_t examples = 0;
  for_each_node(
      description.root()["components"]["schemas"], "", [&](const Json& node, const std::string& place) {
        bool is_schema =
            node.is_object() && node.contains("example") && (node.contains("type") || node.contains("anyOf"));
        if (!is_schema) return;
        INFO(place);
        CHECK(description.misfit(node, node["example"]) == "");
        ++examples;
      });
  CHECK(examples >= 20);
}

TEST_CASE("what the worker answers is what the description says") {
  CheckedWorld world;
  std::map<std::string, std::string> ids;
  ids["board"] = world
                     .ask("POST", "/v1/boards", {},
                          {{"title", "Launch"}, {"time_zone", "Europe/Berlin"}, {"lists", {"To do"}}})
                     .id();
  world.check("POST", "/v1/boards", world.call("POST", "/v1/boards", Json::object()));
  ids["list"] = world.ask("POST", "/v1/boards/{board}/lists", ids, {{"title", "Doing"}}).id();
  ids["label"] = world.ask("POST", "/v1/labels", ids, {{"name", "Urgent"}, {"colour", "red"}}).id();
  ids["sequence"] =
      world.ask("POST", "/v1/sequences", ids, {{"title", "Follow up"}, {"working_days", 31}}).id();
  world.ask("POST", "/v1/edit", ids,
            {{"commands",
              {{{"do", "add_child"},
                {"entity", ids["sequence"]},
                {"type", "step"},
                {"fields", {{"title", "Mail"}, {"kind", "mail"}}}}}}});
  ids["card"] = world
                    .ask("POST", "/v1/boards/{board}/cards", ids,
                         {{"title", "Ship it"},
                          {"list", ids["list"]},
                          {"labels", {ids["label"]}},
                          {"reminders", {10}},
                          {"start", {{"date", "2026-12-01"}}},
                          {"due", {{"at", "2026-12-03T10:00:00"}, {"zone", "UTC"}}},
                          {"after", nullptr}})
                    .id();
  ids["kind"] = "checklists";
  ids["child"] = world.ask("POST", "/v1/boards/{board}/cards/{card}/{kind}", ids, {{"title", "steps"}}).id();
  world.ask("PATCH", "/v1/boards/{board}/cards/{card}/{kind}/{child}", ids, {{"title", "more steps"}});
  for (auto [kind, body] :
       {std::pair<const char*, Json>{"items", {{"text", "one"}, {"checklist", ids["child"]}}},
        {"comments", {{"text", "hello"}}},
        {"attachments", {{"title", "Plan"}, {"url", "https://example.org"}}}}) {
    auto other = ids;
    other["kind"] = kind;
    world.ask("POST", "/v1/boards/{board}/cards/{card}/{kind}", other, body);
  }
  DocumentKey key{world.workspace, DocumentId{*id_from_hex(ids["board"])}};
  Target target{*id_from_hex(ids["card"]), {}};
  REQUIRE(world.hub
              .edit(key, {world.owner, Cause::kBridge, world.clock.now_},
                    {OfferCommand{target, {Field::kTitle, {}, std::string("offered")}},
                     OfferCommand{target, {Field::kDescription, {}, std::string("other")}}})
              .ok());
  std::string field_id(32, 'a');
  world.ask(
      "POST", "/v1/boards/{board}/edit", ids,
      {{"commands",
        {{{"do", "create"}, {"type", "custom_field"}, {"id", field_id}, {"fields", {{"title", "Cost"}}}}}}});
  world.ask("PATCH", "/v1/boards/{board}/cards/{card}", ids,
            {{"custom", {{field_id, "12"}}}, {"assignees", {to_hex(world.owner)}}});
  ids["member"] = world.ask("POST", "/v1/members", ids, {{"name", "Member B"}}).id();
  world.ask("PATCH", "/v1/members/{member}", ids, {{"name", "Member C"}});
  world.ask("POST", "/v1/tokens", ids, {{"member", "Member C"}, {"role", "viewer"}});
  world.ask("PATCH", "/v1/boards/{board}", ids, {{"title", "Launch 2"}});
  world.ask("PATCH", "/v1/boards/{board}/lists/{list}", ids, {{"title", "Now"}});
  world.ask("PATCH", "/v1/labels/{label}", ids, {{"name", "Now"}});
  world.ask("PATCH", "/v1/sequences/{sequence}", ids, {{"window_start", 540}});
  ids["account"] = ids["link"] = std::string(32, '1');
  world.ask("POST", "/v1/google/connect", ids, {{"login_hint", "a@example.org"}});
  world.ask("POST", "/v1/links", ids, {{"board", ids["board"]}, {"account", ids["account"]}});
  world.ask("PATCH", "/v1/links/{link}", ids, {{"state", "paused"}});
  for (const auto& route : world.router.list()) {
    bool has_json = route.pattern.find("/export") == std::string::npos && route.pattern != "/metrics" &&
                    route.pattern.find("/oauth/") == std::string::npos;
    if (route.method == "GET" && has_json) world.ask("GET", route.pattern, ids);
  }
  Answer conflicts = world.ask("GET", "/v1/boards/{board}/conflicts", ids);
  REQUIRE(conflicts.json["items"].size() == 2);
  for (const Json& conflict : conflicts.json["items"]) {
    const Json& loser = conflict["values"][1];
    world.ask("POST", "/v1/boards/{board}/conflicts/resolve", ids,
              {{"entity", ids["card"]}, {"field", conflict["field"]}, {"op", loser["op"]}});
  }
  Answer other = world.ask("POST", "/v1/boards", {}, {{"title", "Second"}, {"lists", {"Inbox"}}});
  world.ask("POST", "/v1/boards/{board}/cards/{card}/transfer", ids,
            {{"board", other.id()}, {"list", other.json["lists"][0]["id"]}});
  ids["board"] = other.id();
  world.ask("DELETE", "/v1/boards/{board}/cards/{card}/{kind}/{child}", ids);
  world.ask("DELETE", "/v1/boards/{board}/cards/{card}", ids);
  world.ask("GET", "/v1/boards/{board}", ids);
  world.ask("POST", "/v1/boards/{board}/cards/{card}/restore", ids);
  world.ask("DELETE", "/v1/boards/{board}", ids);
  world.ask("POST", "/v1/boards/{board}/restore", ids);
  CHECK(world.checked.size() >= 45);
}

TEST_CASE("the checker of answers finds what a description does not say") {
  Description description;
  const Json card = description.root()["components"]["schemas"]["card"];
  Json good = card["example"];
  CHECK(description.misfit(card, good) == "");
  auto changed = [&](auto change) {
    Json bad = good;
    change(bad);
    return description.misfit(card, bad);
  };
  CHECK(changed([](Json& bad) { bad["surprise"] = 1; }) != "");
  CHECK(changed([](Json& bad) { bad.erase("title"); }) != "");
  CHECK(changed([](Json& bad) { bad["done"] = "yes"; }) != "");
  CHECK(changed([](Json& bad) { bad["colour"] = "mauve"; }) != "");
  CHECK(changed([](Json& bad) { bad["labels"] = Json::array({7}); }) != "");
  CHECK(changed([](Json& bad) { bad["due"] = {{"day", "2026-12-03"}}; }) != "");
}

}  // namespace kalends::test
