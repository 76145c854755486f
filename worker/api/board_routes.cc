// SPDX-License-Identifier: Apache-2.0
// Boards, lists, cards, what is inside cards, and conflicts.
#include <algorithm>

#include "core/api/view.h"
#include "core/replica/session.h"
#include "worker/api/address.h"
#include "worker/api/context.h"
#include "worker/google/json.h"
#include "worker/google/zones.h"

namespace kalends {
namespace {

Result<Json> board_json(const ApiServices& services, const Caller& caller, const Id128& board) {
  KALENDS_TRY(OpenDocument * open, services.hub.open({caller.workspace, DocumentId{board}}));
  if (open->replica.document().kind != DocumentKind::kBoard) return not_found("There is no such board.");
  return to_json(view_board(open->replica));
}

Result<Json> card_json(const ApiServices& services, const Caller& caller, const Id128& board,
                       const Id128& card) {
  KALENDS_TRY(OpenDocument * open, services.hub.open({caller.workspace, DocumentId{board}}));
  Cbor view = view_card(open->replica.document(), card);
  if (view.is_null()) return not_found("This board has no such card, or it was deleted.");
  return to_json(view);
}

Result<Id128> card_at(const ApiServices& services, const Caller& caller, const Id128& board,
                      const PathParameters& path, Liveness liveness = Liveness::kLive) {
  return entity_at(services, {caller.workspace, DocumentId{board}}, path, {"card", EntityType::kCard},
                   liveness);
}

Json new_id(const ApiServices& services) { return to_hex(services.ports.entropy.new_id()); }

// A member of the body as a command's placement: `after` absent, null or an id.
void copy_placement(const Json& body, Json& command) {
  if (body.contains("after")) command["after"] = body["after"];
}

// {field: value, …} as commands on one entity. Sets are given whole: what is missing goes, what is new comes.
Result<Json> patch_commands(const Json& body, const std::string& entity, const Json& now) {
  Json commands = Json::array();
  for (const auto& [name, value] : body.items()) {
    if (name == "after") continue;
    if (name == "list") {
      Json move = {{"do", "move"}, {"entity", entity}, {"list", value}};
      copy_placement(body, move);
      commands.push_back(move);
    } else if (name == "description") {
      commands.push_back({{"do", "text"}, {"entity", entity}, {"value", value}});
    } else if (name == "labels" || name == "assignees") {
      if (!value.is_array()) return invalid("`" + name + "` is a list of ids.");
      if (!now.contains(name)) return invalid("Only cards have `" + name + "`.");
      for (const Json& id : value)
        if (std::find(now[name].begin(), now[name].end(), id) == now[name].end())
          commands.push_back({{"do", "add"}, {"entity", entity}, {"field", name}, {"value", id}});
      for (const Json& id : now[name])
        if (std::find(value.begin(), value.end(), id) == value.end())
          commands.push_back({{"do", "remove"}, {"entity", entity}, {"field", name}, {"value", id}});
    } else if (name == "custom") {
      if (!value.is_object()) return invalid("`custom` is a map from custom field id to text.");
      for (const auto& [key, text] : value.items())
        commands.push_back(
            {{"do", "set"}, {"entity", entity}, {"field", "custom"}, {"key", key}, {"value", text}});
    } else {
      commands.push_back({{"do", "set"}, {"entity", entity}, {"field", name}, {"value", value}});
    }
  }
  if (body.contains("after") && !body.contains("list")) {
    Json move = {{"do", "move"}, {"entity", entity}};
    copy_placement(body, move);
    commands.push_back(move);
  }
  if (commands.empty()) return invalid("Name at least one field to change.");
  return commands;
}

void add_boards(Router& router, const ApiServices& services) {
  add_route(router, services, "GET", "/v1/boards",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters&) -> Result<HttpResponse> {
              KALENDS_TRY(OpenDocument * open, services.hub.open(workspace_key(caller)));
              KALENDS_TRY(Json page, paged(request, to_json(view_workspace(open->replica))["boards"]));
              return json_response(200, page);
            });
  add_route(
      router, services, "POST", "/v1/boards",
      [services](const Caller& caller, const InboundRequest& request,
                 const PathParameters&) -> Result<HttpResponse> {
        KALENDS_TRY(Json body, json_body(request));
        std::string title = json_text_or_empty(body, "title");
        std::string zone = json_text(body, "time_zone").value_or("UTC");
        if (title.empty()) return invalid("A board needs a `title`.");
        if (!is_known_zone(zone)) return invalid("`time_zone` must be an IANA name such as Europe/Berlin.");
        DocumentId board{services.ports.entropy.new_id()};
        EditContext context{caller.member, Cause::kApi, services.ports.clock.now_ms()};
        std::vector<Command> commands;
        commands.push_back(SetCommand{{board.raw, {}}, {Field::kTitle, {}, title}});
        commands.push_back(SetCommand{{board.raw, {}}, {Field::kTimeZone, {}, zone}});
        for (const Json& list : json_member(body, "lists")) {
          if (!list.is_string()) return invalid("`lists` is a list of titles.");
          commands.push_back(CreateCommand{EntityType::kList,
                                           services.ports.entropy.new_id(),
                                           {{Field::kTitle, {}, list.get<std::string>()}},
                                           {},
                                           {}});
        }
        DocumentKey key{caller.workspace, board};
        KALENDS_TRY(ReplicaHub::Origin origin,
                    services.hub.draft(key, DocumentKind::kBoard, context, commands));
        auto also = [&](Txn& txn) { return services.hub.create_in(txn, key, origin); };
        KALENDS_TRY(
            EditResult added,
            services.hub.edit(
                workspace_key(caller), context,
                {CreateCommand{EntityType::kBoardEntry, board.raw, {{Field::kTitle, {}, title}}, {}, {}}},
                also));
        (void)added;
        KALENDS_TRY(Json view, board_json(services, caller, board.raw));
        return json_response(201, view);
      });
  add_route(router, services, "GET", "/v1/boards/{board}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json view, board_json(services, caller, board));
              view.erase("cards");
              return json_response(200, view);
            });
  add_route(router, services, "PATCH", "/v1/boards/{board}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json body, json_body(request));
              Json in_board = body, in_directory = Json::object();
              in_board.erase("archived");
              for (const char* name : {"title", "archived"})
                if (body.contains(name)) in_directory[name] = body[name];
              if (in_board.contains("time_zone") && !is_known_zone(json_text_or_empty(in_board, "time_zone")))
                return invalid("`time_zone` must be an IANA name such as Europe/Berlin.");
              bool is_fine = (!body.contains("archived") || body["archived"].is_boolean()) &&
                             (!body.contains("title") || body["title"].is_string());
              if (!is_fine) return invalid("`title` is a text, `archived` true or false.");
              if (in_board.empty() && in_directory.empty())
                return invalid("Name at least one field to change.");
              if (!in_board.empty()) {
                KALENDS_TRY(Json commands, patch_commands(in_board, to_hex(board), Json::object()));
                KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board}, commands));
                (void)edited;
              }
              if (!in_directory.empty()) {
                KALENDS_TRY(Json commands, patch_commands(in_directory, to_hex(board), Json::object()));
                KALENDS_TRY(EditResult edited,
                            edit_document(services, caller, DocumentId{caller.workspace.raw}, commands));
                (void)edited;
              }
              KALENDS_TRY(Json view, board_json(services, caller, board));
              view.erase("cards");
              return json_response(200, view);
            });
  add_route(router, services, "DELETE", "/v1/boards/{board}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(std::vector<LinkView> links,
                          services.links.list(caller.workspace, DocumentId{board}));
              if (!links.empty())
                return Error{ErrorCode::kConflict, "This board is linked to a calendar: unlink it first.", 0};
              // Out of the directory; the board's own document stays, so that a restore brings everything
              // back.
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{caller.workspace.raw},
                                                           {{{"do", "delete"}, {"entity", to_hex(board)}}}));
              (void)edited;
              return text_response(204, "application/json", "");
            });
  add_route(router, services, "POST", "/v1/boards/{board}/restore",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path, Liveness::kDeletedToo));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{caller.workspace.raw},
                                                           {{{"do", "restore"}, {"entity", to_hex(board)}}}));
              (void)edited;
              KALENDS_TRY(Json view, board_json(services, caller, board));
              view.erase("cards");
              return json_response(200, view);
            });
}

void add_lists(Router& router, const ApiServices& services) {
  auto list_json = [services](const Caller& caller, const Id128& board,
                              const std::string& list) -> Result<Json> {
    KALENDS_TRY(Json view, board_json(services, caller, board));
    for (const Json& row : view["lists"])
      if (row["id"] == list) return row;
    return not_found("This board has no such list, or it was deleted.");
  };
  add_route(router, services, "GET", "/v1/boards/{board}/lists",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json view, board_json(services, caller, board));
              KALENDS_TRY(Json page, paged(request, view["lists"]));
              return json_response(200, page);
            });
  add_route(router, services, "POST", "/v1/boards/{board}/lists",
            [services, list_json](const Caller& caller, const InboundRequest& request,
                                  const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json body, json_body(request));
              Json id = new_id(services);
              Json command = {{"do", "create"},
                              {"type", "list"},
                              {"id", id},
                              {"fields", {{"title", json_text_or_empty(body, "title")}}}};
              copy_placement(body, command);
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, Json::array({command})));
              (void)edited;
              KALENDS_TRY(Json view, list_json(caller, board, id));
              return json_response(201, view);
            });
  add_route(router, services, "GET", "/v1/boards/{board}/lists/{list}",
            [services, list_json](const Caller& caller, const InboundRequest&,
                                  const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 list, path_id(path, "list"));
              KALENDS_TRY(Json view, list_json(caller, board, to_hex(list)));
              return json_response(200, view);
            });
  add_route(router, services, "PATCH", "/v1/boards/{board}/lists/{list}",
            [services, list_json](const Caller& caller, const InboundRequest& request,
                                  const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 list, entity_at(services, {caller.workspace, DocumentId{board}}, path,
                                                {"list", EntityType::kList}));
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(Json commands, patch_commands(body, to_hex(list), Json::object()));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board}, commands));
              (void)edited;
              KALENDS_TRY(Json view, list_json(caller, board, to_hex(list)));
              return json_response(200, view);
            });
  add_route(router, services, "DELETE", "/v1/boards/{board}/lists/{list}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 list, entity_at(services, {caller.workspace, DocumentId{board}}, path,
                                                {"list", EntityType::kList}));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board},
                                                           {{{"do", "delete"}, {"entity", to_hex(list)}}}));
              (void)edited;
              return text_response(204, "application/json", "");
            });
}

void add_cards(Router& router, const ApiServices& services) {
  add_route(router, services, "GET", "/v1/boards/{board}/cards",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json view, board_json(services, caller, board));
              std::string only_list = query_value(request, "list");
              Json cards = Json::array();
              for (const Json& list : view["lists"])
                if (only_list.empty() || list["id"] == only_list)
                  for (const Json& id : list["cards"]) cards.push_back(view["cards"][id.get<std::string>()]);
              KALENDS_TRY(Json page, paged(request, cards));
              return json_response(200, page);
            });
  add_route(router, services, "POST", "/v1/boards/{board}/cards",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json body, json_body(request));
              // A caller that chooses the id can repeat the request safely: the second one answers 409.
              Json id = body.contains("id") ? body["id"] : new_id(services);
              if (!id.is_string()) return invalid("`id` must be an id of 32 hexadecimal digits.");
              Json command = {{"do", "create"}, {"type", "card"}, {"id", id}};
              copy_placement(body, command);
              body.erase("after");
              body.erase("id");
              command["fields"] = body;
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, Json::array({command})));
              (void)edited;
              KALENDS_TRY(Json view, card_json(services, caller, board, *id_from_hex(id.get<std::string>())));
              return json_response(201, view);
            });
  add_route(router, services, "GET", "/v1/boards/{board}/cards/{card}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(Json view, card_json(services, caller, board, card));
              return json_response(200, view);
            });
  add_route(router, services, "PATCH", "/v1/boards/{board}/cards/{card}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(Json now, card_json(services, caller, board, card));
              KALENDS_TRY(Json commands, patch_commands(body, to_hex(card), now));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board}, commands));
              (void)edited;
              KALENDS_TRY(Json view, card_json(services, caller, board, card));
              return json_response(200, view);
            });
  add_route(router, services, "DELETE", "/v1/boards/{board}/cards/{card}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board},
                                                           {{{"do", "delete"}, {"entity", to_hex(card)}}}));
              (void)edited;
              return text_response(204, "application/json", "");
            });
  add_route(router, services, "POST", "/v1/boards/{board}/cards/{card}/restore",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path, Liveness::kDeletedToo));
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board},
                                                           {{{"do", "restore"}, {"entity", to_hex(card)}}}));
              (void)edited;
              KALENDS_TRY(Json view, card_json(services, caller, board, card));
              return json_response(200, view);
            });
  // {board, list}: to another board, with its history.
  add_route(
      router, services, "POST", "/v1/boards/{board}/cards/{card}/transfer",
      [services](const Caller& caller, const InboundRequest& request,
                 const PathParameters& path) -> Result<HttpResponse> {
        KALENDS_TRY(Id128 board, board_at(services, caller, path));
        KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
        KALENDS_TRY(Json body, json_body(request));
        KALENDS_TRY(std::optional<Id128> target, optional_id(body, "board"));
        KALENDS_TRY(std::optional<Id128> list, optional_id(body, "list"));
        if (!target || !list) return invalid("Name the `board` and the `list` that the card goes to.");
        KALENDS_TRY(Id128 target_board, board_at(services, caller, {{"board", to_hex(*target)}}));
        KALENDS_TRY_VOID(services.hub.transfer({caller.workspace, CardId{card}, DocumentId{board},
                                                DocumentId{target_board}, ListId{*list}, caller.member}));
        KALENDS_TRY(Json view, card_json(services, caller, *target, card));
        return json_response(200, view);
      });
  // Comments, checklists, items and attachments of a card.
  add_route(router, services, "POST", "/v1/boards/{board}/cards/{card}/{kind}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(EntityType type, child_type_at(path));
              Json command = {{"do", "add_child"}, {"entity", to_hex(card)}, {"type", entity_name(type)}};
              copy_placement(body, command);
              if (body.contains("checklist")) command["checklist"] = body["checklist"];
              body.erase("after");
              body.erase("checklist");
              command["fields"] = body;
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, Json::array({command})));
              return json_response(201, {{"id", op_id_text(edited.created.at(0))}});
            });
  add_route(router, services, "PATCH", "/v1/boards/{board}/cards/{card}/{kind}/{child}",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(OpId child, child_at(services, {caller.workspace, DocumentId{board}}, card, path));
              Json commands = Json::array();
              for (const auto& [name, value] : body.items()) {
                bool is_move = name == "after" || name == "checklist";
                if (!is_move)
                  commands.push_back({{"do", "set"},
                                      {"entity", to_hex(card)},
                                      {"child", op_id_text(child)},
                                      {"field", name},
                                      {"value", value}});
              }
              if (body.contains("after") || body.contains("checklist")) {
                Json move = {{"do", "move"}, {"entity", to_hex(card)}, {"child", op_id_text(child)}};
                copy_placement(body, move);
                if (body.contains("checklist")) move["checklist"] = body["checklist"];
                commands.push_back(move);
              }
              KALENDS_TRY(EditResult edited, edit_document(services, caller, DocumentId{board}, commands));
              (void)edited;
              KALENDS_TRY(Json view, card_json(services, caller, board, card));
              return json_response(200, view);
            });
  add_route(router, services, "DELETE", "/v1/boards/{board}/cards/{card}/{kind}/{child}",
            [services](const Caller& caller, const InboundRequest&,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Id128 card, card_at(services, caller, board, path));
              KALENDS_TRY(OpId child, child_at(services, {caller.workspace, DocumentId{board}}, card, path));
              Json command = {{"do", "delete"}, {"entity", to_hex(card)}, {"child", op_id_text(child)}};
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, Json::array({command})));
              (void)edited;
              return text_response(204, "application/json", "");
            });
}

void add_conflicts(Router& router, const ApiServices& services) {
  add_route(router, services, "GET", "/v1/boards/{board}/conflicts",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(OpenDocument * open, services.hub.open({caller.workspace, DocumentId{board}}));
              Json rows = Json::array();
              for (const Entity& entity : open->replica.document().all()) {
                Id128 id = entity.id();
                Json conflicts = to_json(view_conflicts(open->replica.document(), id));
                for (size_t i = 0; i < conflicts.size(); ++i) {
                  Json row = conflicts[i];
                  row["entity"] = to_hex(id);
                  row["title"] = entity.text_value(Field::kTitle);
                  row["id"] = to_hex(id) + "." + std::to_string(i);
                  rows.push_back(std::move(row));
                }
              }
              KALENDS_TRY(Json page, paged(request, rows));
              return json_response(200, page);
            });
  // {entity, child?, field, key?, op}: the value of `op` becomes the only one.
  add_route(router, services, "POST", "/v1/boards/{board}/conflicts/resolve",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json body, json_body(request));
              body["do"] = "resolve";
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, Json::array({body})));
              (void)edited;
              return text_response(204, "application/json", "");
            });
  // Several commands as one transaction, all or nothing: {commands: […]}, as in docs/protocol.md.
  add_route(router, services, "POST", "/v1/boards/{board}/edit",
            [services](const Caller& caller, const InboundRequest& request,
                       const PathParameters& path) -> Result<HttpResponse> {
              KALENDS_TRY(Id128 board, board_at(services, caller, path));
              KALENDS_TRY(Json body, json_body(request));
              KALENDS_TRY(EditResult edited,
                          edit_document(services, caller, DocumentId{board}, json_member(body, "commands")));
              return json_response(200, edit_json(edited));
            });
}

}  // namespace

void add_board_routes(Router& router, const ApiServices& services) {
  add_boards(router, services);
  add_lists(router, services);
  add_cards(router, services);
  add_conflicts(router, services);
}

}  // namespace kalends
