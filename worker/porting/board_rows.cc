// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/board_rows.h"

#include "worker/google/zones.h"

namespace kalends {

std::vector<ListRow> board_rows(const Replica& board) {
  const Document& document = board.document();
  std::vector<ListRow> rows;
  auto add = [&](const Id128& id, const Entity* list) {
    ListRow row{id, list, {}};
    for (const auto& [rank, card_id] : board.order().cards(id)) {
      const Entity* card = document.find(card_id);
      if (card->is_live() && lives_here(document, *card)) row.cards.push_back({card_id, card});
    }
    if ((list && list->is_live()) || !row.cards.empty()) rows.push_back(std::move(row));
  };
  for (const auto& [rank, id] : board.order().of(EntityType::kList)) add(id, document.find(id));
  for (const auto& [id, count] : board.order().list_sizes()) {
    const Entity* list = document.find(id);
    if (!list || list->type != EntityType::kList) add(id, nullptr);
  }
  return rows;
}

Names label_names(const Document& workspace) {
  Names names;
  for (const auto& [id, entity] : workspace.entities)
    if (entity.type == EntityType::kLabel && entity.is_live())
      names.emplace(id, entity.text_value(Field::kTitle));
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
