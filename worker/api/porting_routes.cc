// SPDX-License-Identifier: Apache-2.0
// Boards in and out.
#include "worker/api/context.h"
#include "worker/base/encoding.h"
#include "worker/base/sha256.h"
#include "worker/google/json.h"
#include "worker/porting/trello_import.h"

namespace kalends {
namespace {

// The board's document comes first, in one transaction; then the workspace lists it. A crash between leaves a document
// that nobody sees, and the same file finds it again.
Result<HttpResponse> import_trello(const ApiServices& services, const Caller& caller, const InboundRequest& request) {
  TrelloOptions options;
  options.import_id = hex_encode(sha256(as_bytes(request.body)));
  options.workspace = caller.workspace;
  if (std::string zone = query_value(request, "time_zone"); !zone.empty()) options.time_zone = zone;
  {
    KALENDS_TRY(OpenDocument* workspace, services.hub.open(workspace_key(caller)));
    take_existing(options, workspace->replica.document());
  }
  KALENDS_TRY(TrelloImport import, parse_trello(request.body, options));
  EditContext context{caller.member, Cause::kImport, services.ports.clock.now_ms()};
  DocumentKey board{caller.workspace, import.board};
  Status created = services.hub.create(board, DocumentKind::kBoard, context, import.board_commands);
  if (!created.ok() && created.error().code != ErrorCode::kConflict) return created.error();
  KALENDS_TRY(OpenDocument* workspace, services.hub.open(workspace_key(caller)));
  const Entity* listed = workspace->replica.document().find(import.board.raw);
  if (listed && listed->is_created())
    return Error{ErrorCode::kConflict, "This file was imported before, as board " + to_hex(import.board) + ". Restore that board if it was deleted, or change the file.", 0};
  auto also = [&](Txn& txn) -> Status {
    for (const ImportedMember& member : import.members)
      if (member.is_new) KALENDS_TRY_VOID(txn.put_member(caller.workspace, {member.id, to_bytes(json_dump({{"name", member.name}})), context.now_ms}));
    return {};
  };
  KALENDS_TRY(EditResult edited, services.hub.edit(workspace_key(caller), context, import.workspace_commands, also));
  (void)edited;
  return json_response(201, {{"board", to_hex(import.board)}, {"title", import.title}, {"report", report_json(import.report)}, {"report_text", report_text(import.report)}});
}

}  // namespace

void add_porting_routes(Router& router, const ApiServices& services) {
  add_route(router, services, "POST", "/v1/import/trello", [services](const Caller& caller, const InboundRequest& request, const PathParameters&) {
    return import_trello(services, caller, request);
  });
}

}  // namespace kalends
