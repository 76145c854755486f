// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what all boards share: members, labels, sequences.
#include <algorithm>

#include "core/api/view.h"
#include "worker/api/address.h"
#include "worker/api/context.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

Result<Json> workspace_json(const ApiServices& services, const Caller& caller) {
  KALENDS_TRY(OpenDocument * open, services.hub.open(workspace_key(caller)));
  return to_json(view_workspace(open->replica));
}

std::string name_of(const MemberRow& row) {
  auto profile = parse_json(as_text(row.profile));
  return profile.ok() ? json_text_or_empty(*profile, "name") : std::string();
}

Result<Json> members_json(const ApiServices& services, const Caller& caller) {
  KALENDS_TRY(auto txn, services.ports.store.begin());
  KALENDS_TRY(std::vector<MemberRow> rows, txn->members(caller.workspace));
  Json members = Json::array();
  for (const MemberRow& row : rows) members.push_back({{"id", to_hex(row.member)}, {"name", name_of(row)}});
  return members;
}

// The member's opaque id goes into the workspace document, the name beside it, in one transaction.
Result<MemberId> add_member(const ApiServices& services, const Caller& caller, const std::string& name) {
  MemberId member{services.ports.entropy.new_id()};
  EditContext context{caller.member, Cause::kApi, services.ports.clock.now_ms()};
  auto also = [&](Txn& txn) {
    return txn.put_member(caller.workspace, {member, to_bytes(json_dump({{"name", name}})), context.now_ms});
  };
  KALENDS_TRY(EditResult edited,
              services.hub.edit(workspace_key(caller), context,
                                {CreateCommand{EntityType::kMember, member.raw, {}, {}, {}}}, also));
  (void)edited;
  return member;
}

// Labels and sequences: the same four verbs on entities of the workspace document.
void add_shared(Router& router, const ApiServices& services, const std::string& plural,
                const std::string& singular) {
  auto one = [services, plural](const Caller& caller, const std::string& id) -> Result<Json> {
    KALENDS_TRY(Json view, workspace_json(services, caller));
    for (const Json& row : view[plural])
      if (row["id"] == id) return row;
    return not_found("There is no such thing in this workspace, or it was deleted.");
  };
  EntityType type = entity_from_name(DocumentKind::kWorkspace, singular);
  std::string collection = "/v1/" + plural;
  std::string item = collection + "/{" + singular + "}";
  add_route(router, services, "GET", collection.c_str(),
            [services, plural](const Caller& caller, const InboundRequest& request,
                               const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(Json view, workspace_json(services, caller));
              KALENDS_TRY(Json page, paged(request, view[plural]));
              return json_response(200, page);
            });
  add_route(router, services, "POST", collection.c_str(),
            [services, singular, one](const Caller& caller, const InboundRequest& request,
                                      const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(Json body, json_body(request));
              std::string id = to_hex(services.ports.entropy.new_id());
              KALENDS_TRY(
                  EditResult edited,
                  edit_document(services, caller, DocumentId{caller.workspace.raw},
                                {{{"do", "create"}, {"type", singular}, {"id", id}, {"fields", body}}}));
              (void)edited;
              KALENDS_TRY(Json view, one(caller, id));
              return json_response(201, view);
            });
  add_route(router, services, "GET", item.c_str(),
            [singular, one](const Caller& caller, const InboundRequest&,
                            const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Json view, one(caller, path.find(singular)->second));
              return json_response(200, view);
            });
  add_route(router, services, "PATCH", item.c_str(),
            [services, singular, type, one](const Caller& caller, const InboundRequest& request,
                                            const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(Id128 entity, entity_at(services, workspace_key(caller), path, {singular, type}));
              std::string id = to_hex(entity);
              Json commands = Json::array();
              for (const auto& [name, value] : body.items())
                commands.push_back({{"do", "set"}, {"entity", id}, {"field", name}, {"value", value}});
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{caller.workspace.raw}, commands));
              (void)edited;
              KALENDS_TRY(Json view, one(caller, id));
              return json_response(200, view);
            });
  add_route(router, services, "DELETE", item.c_str(),
            [services, singular, type](const Caller& caller, const InboundRequest&,
                                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 entity, entity_at(services, workspace_key(caller), path, {singular, type}));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{caller.workspace.raw},
                                                           {{{"do", "delete"}, {"entity", to_hex(entity)}}}));
              (void)edited;
              return text_response(204, "application/json", "");
            });
}

}  // namespace

void add_workspace_routes(Router& router, const ApiServices& services) {
  add_route(
      router, services, "GET", "/v1/session",
      [services](const Caller& caller, const InboundRequest&, const PathParameters&) -> Result<HttpResponse> {
        KALENDS_TRY(Json members, members_json(services, caller));
        Json me = {{"id", to_hex(caller.member)}, {"name", ""}};
        for (const Json& member : members)
          if (member["id"] == me["id"]) me = member;
        static constexpr std::string_view kRoles[] = {"owner", "member", "viewer"};
        return json_response(200, {{"member", me},
                                   {"workspace", to_hex(caller.workspace)},
                                   {"workspace_document", to_hex(caller.workspace)},
                                   {"role", kRoles[static_cast<size_t>(caller.role)]}});
      });
  add_route(router, services, "GET", "/v1/members",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(Json members, members_json(services, caller));
              KALENDS_TRY(Json page, paged(request, members));
              return json_response(200, page);
            });
  add_route(router, services, "POST", "/v1/members",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              if (caller.role != Role::kOwner)
                return Error{ErrorCode::kForbidden, "Only an owner adds members.", 0};
              KALENDS_TRY(Json body, json_body(request));
              std::string name = json_text_or_empty(body, "name");
              if (name.empty() || name.size() > 200)
                return invalid("A member needs a `name` of at most 200 bytes.");
              KALENDS_TRY(MemberId member, add_member(services, caller, name));
              return json_response(201, {{"id", to_hex(member)}, {"name", name}});
            });
  add_route(router, services, "PATCH", "/v1/members/{member}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 member, path_id(path, "member"));
              if (caller.role != Role::kOwner && caller.member.raw != member)
                return Error{ErrorCode::kForbidden, "Only an owner changes other members.", 0};
              KALENDS_TRY(Json body, json_body(request));
              std::string name = json_text_or_empty(body, "name");
              if (name.empty() || name.size() > 200)
                return invalid("A member needs a `name` of at most 200 bytes.");
              KALENDS_TRY(Json members, members_json(services, caller));
              bool is_known = std::any_of(members.begin(), members.end(),
                                          [&](const Json& row) { return row["id"] == to_hex(member); });
              if (!is_known) return not_found("There is no such member.");
              KALENDS_TRY(auto txn, services.ports.store.begin());
              KALENDS_TRY_VOID(txn->put_member(
                  caller.workspace,
                  {MemberId{member}, to_bytes(json_dump({{"name", name}})), services.ports.clock.now_ms()}));
              KALENDS_TRY_VOID(txn->commit());
              return json_response(200, {{"id", to_hex(member)}, {"name", name}});
            });
  // {member: name or id, role}: the token is shown once; a new name adds a member.
  add_route(router, services, "POST", "/v1/tokens",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              if (caller.role != Role::kOwner)
                return Error{ErrorCode::kForbidden, "Only an owner makes tokens.", 0};
              KALENDS_TRY(Json body, json_body(request));
              std::string name = json_text_or_empty(body, "member");
              std::string role_name = json_text(body, "role").value_or("member");
              if (name.empty() || name.size() > 200)
                return invalid("`member` is a member's name (at most 200 bytes) or id.");
              if (role_name != "owner" && role_name != "member" && role_name != "viewer")
                return invalid("`role` is owner, member or viewer.");
              Role role = role_name == "owner"    ? Role::kOwner
                          : role_name == "viewer" ? Role::kViewer
                                                  : Role::kMember;
              std::optional<MemberId> member;
              KALENDS_TRY(Json members, members_json(services, caller));
              for (const Json& row : members)
                if (row["id"] == name || row["name"] == name)
                  member = MemberId{*id_from_hex(row["id"].get<std::string>())};
              if (!member) {
                KALENDS_TRY(member, add_member(services, caller, name));
              }
              KALENDS_TRY(std::string token,
                          create_token(services.ports, caller.workspace,
                                       {*member, role, json_text_or_empty(body, "label")}));
              return json_response(201, {{"token", token}, {"member", to_hex(*member)}, {"role", role_name}});
            });
  // Several commands on what all boards share, as one transaction: {commands: […]}, as in docs/protocol.md.
  add_route(router, services, "POST", "/v1/edit",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{caller.workspace.raw},
                                                           json_member(body, "commands")));
              return json_response(200, edit_json(edited));
            });
  add_shared(router, services, "labels", "label");
  add_shared(router, services, "sequences", "sequence");
}

}  // namespace kalends
