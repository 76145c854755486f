// SPDX-License-Identifier: Apache-2.0
#include "worker/api/context.h"

#include <algorithm>
#include <memory>

#include "core/api/commands.h"
#include "core/replica/session.h"
#include "worker/base/encoding.h"
#include "worker/base/url.h"
#include "worker/crypto/hash.h"
#include "worker/google/json.h"
#include "worker/google/zones.h"

namespace kalends {
namespace {

constexpr size_t kTokenPrefix = 4;  // "kal_"
constexpr size_t kBodyMax = 16 * 1024 * 1024;

Error bad_token() {
  return {ErrorCode::kUnauthenticated,
          "Send a valid token: Authorization: Bearer kal_… (make one with `kalends token create`).", 0};
}

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

Result<Caller> admit_caller(const ApiServices& services, const InboundRequest& request) {
  KALENDS_TRY(Caller caller, authenticate(services.ports.store, request.bearer_token()));
  if (!is_reading(request.method) && !caller.may_write())
    return Error{ErrorCode::kForbidden, "This token may read only: ask an owner for one that may write.", 0};
  return caller;
}

}  // namespace

Result<Caller> authenticate(Store& store, std::string_view token) {
  bool has_form = token.size() > kTokenPrefix + 33 && token.substr(0, kTokenPrefix) == "kal_" &&
                  token[kTokenPrefix + 32] == '_';
  auto workspace = has_form ? id_from_hex(token.substr(kTokenPrefix, 32)) : std::nullopt;
  if (!workspace) return bad_token();
  KALENDS_TRY(auto txn, store.begin());
  KALENDS_TRY(std::optional<TokenRow> row, txn->token(WorkspaceId{*workspace}, sha256(as_bytes(token))));
  if (!row || row->revoked_ms) return bad_token();
  return Caller{WorkspaceId{*workspace}, row->member, static_cast<Role>(row->role)};
}

Result<std::string> create_token(const Ports& ports, WorkspaceId workspace, const NewToken& token) {
  std::string text = "kal_" + to_hex(workspace) + "_" + base64url_encode(ports.entropy.bytes(24));
  int64_t now_ms = ports.clock.now_ms();
  KALENDS_TRY(auto txn, ports.store.begin());
  KALENDS_TRY_VOID(txn->ensure_workspace(workspace, now_ms));
  KALENDS_TRY_VOID(
      txn->put_token(workspace, {sha256(as_bytes(text)), token.member, static_cast<int64_t>(token.role),
                                 to_bytes(token.label), now_ms, std::nullopt}));
  KALENDS_TRY_VOID(txn->commit());
  return text;
}

HttpResponse json_response(int status, const Json& body) {
  return text_response(status, "application/json", json_dump(body));
}

Result<Json> json_body(const InboundRequest& request) {
  if (request.body.empty()) return Json::object();
  auto body = parse_json(request.body, kBodyMax);
  if (!body.ok()) return invalid("The body must be JSON.");
  if (!body->is_object()) return invalid("The body must be a JSON object.");
  return body;
}

std::string query_value(const InboundRequest& request, std::string_view name) {
  auto fields = form_decode(request.query);
  const std::string* value = fields ? find_field(*fields, name) : nullptr;
  return value ? *value : std::string();
}

Json to_json(const Cbor& value) {
  Bytes bytes = encode_cbor(value);
  return Json::from_cbor(bytes, true, false);
}

Result<Cbor> to_cbor(const Json& value) {
  std::vector<uint8_t> bytes = Json::to_cbor(value);
  auto cbor = decode_cbor(bytes);
  if (!cbor.ok())
    return invalid(
        "Only whole numbers, text without NUL, true, false, null, lists and maps can be used here.");
  return cbor;
}

Result<Id128> path_id(const PathParameters& path, std::string_view name) {
  auto it = path.find(name);
  auto id = it == path.end() ? std::nullopt : id_from_hex(it->second);
  if (!id) return not_found("There is no such " + std::string(name) + ".");
  return *id;
}

Result<std::optional<Id128>> optional_id(const Json& body, std::string_view name) {
  const Json& value = json_member(body, name);
  if (value.is_null()) return std::optional<Id128>{};
  auto id = value.is_string() ? id_from_hex(value.get<std::string>()) : std::nullopt;
  if (!id) return invalid("`" + std::string(name) + "` must be an id of 32 hexadecimal digits.");
  return id;
}

Result<Json> paged(const InboundRequest& request, const Json& items) {
  std::string limit_text = query_value(request, "limit");
  std::string cursor = query_value(request, "cursor");
  size_t limit = 100;
  if (!limit_text.empty()) {
    bool is_number = limit_text.size() <= 3 && std::all_of(limit_text.begin(), limit_text.end(),
                                                           [](char c) { return c >= '0' && c <= '9'; });
    limit = is_number ? std::stoul(limit_text) : 0;
    if (limit < 1 || limit > 500) return invalid("`limit` is a number from 1 to 500.");
  }
  size_t begin = 0;
  if (!cursor.empty()) {
    auto it = std::find_if(items.begin(), items.end(),
                           [&](const Json& item) { return item.value("id", "") == cursor; });
    if (it == items.end()) return invalid("`cursor` is unknown: begin again without it.");
    begin = static_cast<size_t>(it - items.begin()) + 1;
  }
  size_t end = std::min(items.size(), begin + limit);
  Json page = {{"items", Json::array()}, {"next_cursor", nullptr}};
  for (size_t i = begin; i < end; ++i) page["items"].push_back(items[i]);
  if (end < items.size()) page["next_cursor"] = items[end - 1]["id"];
  return page;
}

void add_route(Router& router, const ApiServices& services, const char* method, const char* pattern,
               CallerRoute route) {
  router.add(
      method, pattern,
      [services, route = std::move(route)](InboundRequest request, PathParameters path, Respond respond) {
        auto answer = [&]() -> Result<HttpResponse> {
          KALENDS_TRY(Caller caller, admit_caller(services, request));
          return route(caller, request, path);
        }();
        respond(answer.ok() ? std::move(answer).value() : problem_response(answer.error()));
      });
}

namespace {

Task<void> answer_later(CallerTask route, Caller caller, InboundRequest request, PathParameters path,
                        Respond respond) {
  auto answering = route(caller, std::move(request), std::move(path));
  Result<HttpResponse> answer = co_await answering;
  respond(answer.ok() ? std::move(answer).value() : problem_response(answer.error()));
}

}  // namespace

void add_task(Router& router, const ApiServices& services, const char* method, const char* pattern,
              CallerTask route) {
  router.add(
      method, pattern,
      [services, route = std::move(route)](InboundRequest request, PathParameters path, Respond respond) {
        auto caller = admit_caller(services, request);
        if (!caller.ok()) return respond(problem_response(caller.error()));
        services.tasks.spawn(
            answer_later(route, *caller, std::move(request), std::move(path), std::move(respond)));
      });
}

Json edit_json(const EditResult& result) {
  Json created = Json::array();
  for (const OpId& id : result.created) created.push_back(id.is_nil() ? Json() : Json(op_id_text(id)));
  return {{"operations", result.ops.size()}, {"created", created}};
}

DocumentKey workspace_key(const Caller& caller) {
  return {caller.workspace, DocumentId{caller.workspace.raw}};
}

namespace {

// The core knows zones by name only; here it is known which there are.
Status check_zones(const Command& command) {
  auto check = [](const FieldValue& field) -> Status {
    const auto* when = std::get_if<When>(&field.value);
    const auto* text = std::get_if<std::string>(&field.value);
    std::string zone = when ? when->zone : text && field.field == Field::kTimeZone ? *text : std::string();
    if (zone.empty() || is_known_zone(zone)) return {};
    return invalid("There is no time zone of this name. Use an IANA name such as Europe/Berlin.");
  };
  if (const auto* set = std::get_if<SetCommand>(&command)) return check(set->field);
  if (const auto* create = std::get_if<CreateCommand>(&command))
    for (const FieldValue& field : create->fields) KALENDS_TRY_VOID(check(field));
  return {};
}

}  // namespace

Result<EditResult> edit_document(const ApiServices& services, const Caller& caller, DocumentId document,
                                 const Json& commands) {
  DocumentKey key{caller.workspace, document};
  KALENDS_TRY(OpenDocument * open, services.hub.open(key));
  KALENDS_TRY(Cbor list, to_cbor(commands));
  KALENDS_TRY(std::vector<Command> parsed, parse_commands(open->replica.document(), list));
  for (const Command& command : parsed) KALENDS_TRY_VOID(check_zones(command));
  return services.hub.edit(key, {caller.member, Cause::kApi, services.ports.clock.now_ms()}, parsed);
}

}  // namespace kalends
