// SPDX-License-Identifier: Apache-2.0
#include "worker/api/address.h"

#include "core/replica/session.h"

namespace kalends {
namespace {

Error none_such(std::string_view what) {
  return not_found("There is no such " + std::string(what) + ", or it was deleted.");
}

}  // namespace

Result<Id128> board_at(const ApiServices& services, const Caller& caller, const PathParameters& path,
                       Liveness liveness) {
  return entity_at(services, workspace_key(caller), path, {"board", EntityType::kBoardEntry}, liveness);
}

Result<Id128> entity_at(const ApiServices& services, const DocumentKey& document, const PathParameters& path,
                        const Named& named, Liveness liveness) {
  KALENDS_TRY(Id128 id, path_id(path, named.name));
  KALENDS_TRY(OpenDocument * open, services.hub.open(document));
  Entity entity = open->replica.document().find(id);
  bool is_there =
      entity && entity->type() == named.type && (liveness == Liveness::kDeletedToo || entity->is_live());
  if (!is_there) return none_such(named.name);
  return id;
}

Result<EntityType> child_type_at(const PathParameters& path) {
  static constexpr std::pair<std::string_view, EntityType> kKinds[] = {
      {"comments", EntityType::kComment},
      {"checklists", EntityType::kChecklist},
      {"items", EntityType::kItem},
      {"attachments", EntityType::kAttachment}};
  auto it = path.find("kind");
  for (const auto& [name, type] : kKinds)
    if (it != path.end() && it->second == name) return type;
  return not_found("A card has comments, checklists, items and attachments.");
}

Result<OpId> child_at(const ApiServices& services, const DocumentKey& board, const Id128& card,
                      const PathParameters& path) {
  KALENDS_TRY(EntityType type, child_type_at(path));
  auto it = path.find("child");
  auto child = it == path.end() ? std::nullopt : parse_op_id(it->second);
  if (!child) return none_such(entity_name(type));
  KALENDS_TRY(OpenDocument * open, services.hub.open(board));
  Entity entity = open->replica.document().find(card, *child);
  if (!entity || entity->type() != type || !entity->is_live()) return none_such(entity_name(type));
  return *child;
}

}  // namespace kalends
