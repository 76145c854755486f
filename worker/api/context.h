// SPDX-License-Identifier: Apache-2.0
// What the REST routes share: who asks, JSON in and out, errors. A route parses, asks the engine, renders; it
// decides nothing itself.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/wire/cbor.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/live_session.h"
#include "worker/http/problem.h"
#include "worker/http/router.h"

namespace kalends {

using Json = nlohmann::json;

// Do not renumber: stored with tokens.
enum class Role : int64_t { kOwner = 0, kMember = 1, kViewer = 2 };

struct Caller {
  WorkspaceId workspace;
  MemberId member;
  Role role = Role::kViewer;
  bool may_write() const { return role != Role::kViewer; }
};

struct ApiServices {
  Ports ports;
  ReplicaHub& hub;
  Accounts& accounts;
  LinkEngine& links;
  TaskSet& tasks;  // for answers that wait for Google
  std::string public_url;
  const class HealthWatch* watch = nullptr;  // none in tests
};

// Tokens: kal_<workspace>_<secret>; the store holds only their hash.
Result<Caller> authenticate(Store& store, std::string_view token);
struct NewToken {
  MemberId member;
  Role role = Role::kMember;
  std::string label;
};
Result<std::string> create_token(const Ports& ports, WorkspaceId workspace, const NewToken& token);

HttpResponse json_response(int status, const Json& body);
Result<Json> json_body(const InboundRequest& request);
std::string query_value(const InboundRequest& request, std::string_view name);

// The same bytes read by both: CBOR of the core and JSON of the API.
Json to_json(const Cbor& value);
Result<Cbor> to_cbor(const Json& value);

Result<Id128> path_id(const PathParameters& path, std::string_view name);
Result<std::optional<Id128>> optional_id(const Json& body, std::string_view name);

// `limit` (1 to 500, 100 by default) and `cursor` (the id of the last item of the page before).
Result<Json> paged(const InboundRequest& request, const Json& items);

// Adds a route for signed-in callers. Writing methods are refused to viewers.
using CallerRoute =
    std::function<Result<HttpResponse>(const Caller&, const InboundRequest&, const PathParameters&)>;
using CallerTask = std::function<Task<Result<HttpResponse>>(Caller, InboundRequest, PathParameters)>;
void add_route(Router& router, const ApiServices& services, const char* method, const char* pattern,
               CallerRoute route);
void add_task(Router& router, const ApiServices& services, const char* method, const char* pattern,
              CallerTask route);

// One transaction on a document, from commands as the browser sends them.
Result<EditResult> edit_document(const ApiServices& services, const Caller& caller, DocumentId document,
                                 const Json& commands);
// {operations: how many, created: [the child each command made, or null]}
Json edit_json(const EditResult& result);
DocumentKey workspace_key(const Caller& caller);

void add_board_routes(Router& router, const ApiServices& services);
void add_workspace_routes(Router& router, const ApiServices& services);
void add_google_routes(Router& router, const ApiServices& services);
void add_porting_routes(Router& router, const ApiServices& services);
void add_health_routes(Router& router, const ApiServices& services);

}  // namespace kalends
