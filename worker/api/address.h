// SPDX-License-Identifier: Apache-2.0
// What an address names. A route for cards is for cards only, so that no address of one kind of thing changes
// another.
#pragma once

#include "worker/api/context.h"

namespace kalends {

enum class Liveness : uint8_t { kLive, kDeletedToo };

// kNotFound: the workspace's directory has no such board, or it was deleted.
Result<Id128> board_at(const ApiServices& services, const Caller& caller, const PathParameters& path,
                       Liveness liveness = Liveness::kLive);

// The thing of a document that `name` stands for in the path. kNotFound: none of this type, or it was
// deleted.
struct Named {
  std::string_view name;
  EntityType type;
};
Result<Id128> entity_at(const ApiServices& services, const DocumentKey& document, const PathParameters& path,
                        const Named& named, Liveness liveness = Liveness::kLive);

// {kind}: comments, checklists, items or attachments.
Result<EntityType> child_type_at(const PathParameters& path);
// {kind}/{child} of a card.
Result<OpId> child_at(const ApiServices& services, const DocumentKey& board, const Id128& card,
                      const PathParameters& path);

}  // namespace kalends
