// SPDX-License-Identifier: Apache-2.0
// Boards in and out.
#include "worker/api/address.h"
#include "worker/api/context.h"
#include "worker/base/encoding.h"
#include "worker/base/sha256.h"
#include "worker/google/json.h"
#include "worker/porting/board_export.h"
#include "worker/porting/board_rows.h"
#include "worker/porting/csv_export.h"
#include "worker/porting/ics_export.h"
#include "worker/porting/trello_import.h"

namespace kalends {
namespace {

// The board's document and its entry in the workspace come in one transaction: all of the import, or nothing.
Result<HttpResponse> import_trello(const ApiServices& services, const Caller& caller,
                                   const InboundRequest& request) {
  TrelloOptions options;
  options.import_id = hex_encode(sha256(as_bytes(request.body)));
  options.workspace = caller.workspace;
  if (std::string zone = query_value(request, "time_zone"); !zone.empty()) options.time_zone = zone;
  {
    KALENDS_TRY(OpenDocument * workspace, services.hub.open(workspace_key(caller)));
    take_existing(options, workspace->replica.document());
  }
  KALENDS_TRY(TrelloImport import, parse_trello(request.body, options));
  EditContext context{caller.member, Cause::kImport, services.ports.clock.now_ms()};
  DocumentKey board{caller.workspace, import.board};
  if (services.hub.open(board).ok())
    return Error{ErrorCode::kConflict,
                 "This file was imported before, as board " + to_hex(import.board) +
                     ". Restore that board if it was deleted, or change the file.",
                 0};
  KALENDS_TRY(ReplicaHub::Origin origin,
              services.hub.draft(board, DocumentKind::kBoard, context, import.board_commands));
  auto also = [&](Txn& txn) -> Status {
    KALENDS_TRY_VOID(services.hub.create_in(txn, board, origin));
    for (const ImportedMember& member : import.members)
      if (member.is_new)
        KALENDS_TRY_VOID(txn.put_member(
            caller.workspace, {member.id, to_bytes(json_dump({{"name", member.name}})), context.now_ms}));
    return {};
  };
  KALENDS_TRY(EditResult edited,
              services.hub.edit(workspace_key(caller), context, import.workspace_commands, also));
  (void)edited;
  return json_response(201, {{"board", to_hex(import.board)},
                             {"title", import.title},
                             {"report", report_json(import.report)},
                             {"report_text", report_text(import.report)}});
}

Result<Names> member_names(const ApiServices& services, const Caller& caller) {
  KALENDS_TRY(auto txn, services.ports.store.begin());
  KALENDS_TRY(std::vector<MemberRow> rows, txn->members(caller.workspace));
  Names names;
  for (const MemberRow& row : rows)
    if (auto profile = parse_json(as_text(row.profile)); profile.ok())
      names[row.member.raw] = json_text_or_empty(*profile, "name");
  return names;
}

HttpResponse download(std::string content_type, const std::string& name, std::string body) {
  HttpResponse response = text_response(200, std::move(content_type), std::move(body));
  response.headers.set("Content-Disposition", "attachment; filename=\"" + name + "\"");
  return response;
}

Result<HttpResponse> export_board(const ApiServices& services, const Caller& caller,
                                  const InboundRequest& request, const Id128& board) {
  std::string format = query_value(request, "format");
  if (format.empty()) format = "json";
  if (format != "json" && format != "ics" && format != "csv") return invalid("`format` is json, ics or csv.");
  KALENDS_TRY(Names members, member_names(services, caller));
  DocumentKey key{caller.workspace, DocumentId{board}};
  KALENDS_TRY(Replica replica, services.hub.with_history(key));
  if (replica.document().kind != DocumentKind::kBoard) return not_found("There is no such board.");
  KALENDS_TRY(OpenDocument * workspace, services.hub.open(workspace_key(caller)));
  int64_t now_ms = services.ports.clock.now_ms();
  std::string name = "board-" + to_hex(board).substr(0, 8) + "." + format;
  if (format == "csv")
    return download("text/csv; charset=utf-8", name,
                    export_csv(replica, {label_names(workspace->replica.document()), members}));
  if (format == "json") {
    ExportInput input;
    input.workspace = &workspace->replica;
    input.boards = {&replica};
    input.members = members;
    input.now_ms = now_ms;
    input.version = KALENDS_VERSION;
    return download("application/json", name, export_json(input));
  }
  IcsOptions options;
  options.now_ms = now_ms;
  options.labels = label_names(workspace->replica.document());
  Entity root = replica.document().find(board);
  if (root && !root->text_value(Field::kTimeZone).empty())
    options.policy.time_zone = root->text_value(Field::kTimeZone);
  return download("text/calendar; charset=utf-8", name, export_ics(replica, options));
}

Result<HttpResponse> import_export(const ApiServices& services, const Caller& caller,
                                   const InboundRequest& request) {
  // Its history comes over as it is, with other members as authors: only who may speak for all may vouch for
  // it.
  if (caller.role != Role::kOwner)
    return Error{ErrorCode::kForbidden, "Only an owner takes an export in.", 0};
  KALENDS_TRY(KalendsExport file, parse_export(request.body));
  if (file.boards.empty()) return invalid("The file holds no board.");
  Json boards = Json::array();
  for (const ExportedDocument& board : file.boards) {
    if (services.hub.open({caller.workspace, board.id}).ok())
      return Error{ErrorCode::kConflict,
                   "The board " + to_hex(board.id) +
                       " is in this workspace already: nothing was changed. Restore it if it was deleted.",
                   0};
    boards.push_back(
        {{"board", to_hex(board.id)}, {"title", board.title}, {"state_hash", to_hex(board.hash)}});
  }
  EditContext context{caller.member, Cause::kImport, services.ports.clock.now_ms()};
  KALENDS_TRY(Names known, member_names(services, caller));
  KALENDS_TRY(OpenDocument * workspace, services.hub.open(workspace_key(caller)));
  std::vector<Command> commands = missing_in(workspace->replica.document(), file);
  auto also = [&](Txn& txn) -> Status {
    for (const ExportedDocument& board : file.boards)
      KALENDS_TRY_VOID(
          services.hub.create_in(txn, {caller.workspace, board.id}, {board.kind, board.ops, board.snapshot}));
    for (const ExportedMember& member : file.members)
      if (known.count(member.id.raw) == 0)
        KALENDS_TRY_VOID(txn.put_member(
            caller.workspace, {member.id, to_bytes(json_dump({{"name", member.name}})), context.now_ms}));
    return {};
  };
  KALENDS_TRY(EditResult edited, services.hub.edit(workspace_key(caller), context, commands, also));
  (void)edited;
  Json answer = boards[0];
  answer["boards"] = boards;
  return json_response(201, answer);
}

}  // namespace

void add_porting_routes(Router& router, const ApiServices& services) {
  add_route(router, services, "POST", "/v1/import/trello",
            [services](const Caller& caller, const InboundRequest& request, const PathParameters&) {
              return import_trello(services, caller, request);
            });
  add_route(router, services, "POST", "/v1/import/export",
            [services](const Caller& caller, const InboundRequest& request, const PathParameters&) {
              return import_export(services, caller, request);
            });
  add_route(router, services, "GET", "/v1/boards/{board}/export",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              return export_board(services, caller, request, board);
            });
}

}  // namespace kalends
