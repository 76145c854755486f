// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/board_rows.h"

#include "worker/google/zones.h"

namespace kalends {

std::vector<ListRow> board_rows(const Replica& board) {
  const Document& document = board.document();
  std::vector<ListRow> rows;
  auto add = [&](const Id128& id, const Entity& list) {
    ListRow row{id, list, {}};
    for (const Entity& card : board.cards(id))
      if (card.is_live() && lives_here(document, card)) row.cards.push_back({card.id(), card});
    if ((list && list->is_live()) || !row.cards.empty()) rows.push_back(std::move(row));
  };
  for (const Entity& list : board.ordered(EntityType::kList)) add(list.id(), list);
  for (const Id128& id : board.lists_with_cards()) {
    Entity list = document.find(id);
    if (!list || list->type() != EntityType::kList) add(id, {});
  }
  return rows;
}

Names label_names(const Document& workspace) {
  Names names;
  for (const Entity& entity : workspace.all())
    if (entity.type() == EntityType::kLabel && entity.is_live())
      names.emplace(entity.id(), entity.text_value(Field::kTitle));
  return names;
}

std::string moment_text(int64_t instant_seconds, std::string_view zone) {
  auto found = to_wall(instant_seconds, zone);
  std::string text = to_text(found ? found->wall : WallTime{instant_seconds});
  if (text.size() < 16) return text;
  text[10] = ' ';
  text.resize(16);
  return text;
}

}  // namespace kalends
