// SPDX-License-Identifier: Apache-2.0
#include "core/calendar/project.h"

namespace kalends {

CardDates dates_of(const Entity& card) {
  return {card.when_value(Field::kStart), card.when_value(Field::kDue)};
}

CardContent content_of(const Document& board, const Entity& card) {
  auto stamp = [&](Field field) {
    const Cell* value = card.winner_cell(field);
    return value ? value->stamp.ms() : int64_t{0};
  };
  CardContent content;
  content.is_deleted = card.is_deleted();
  content.is_archived = card.bool_value(Field::kArchived);
  content.is_here = card.is_created() && lives_here(board, card);
  content.title = card.text_value(Field::kTitle);
  content.description = card.text();
  content.location = card.text_value(Field::kLocation);
  content.colour = card.text_value(Field::kColour);
  content.is_done = card.bool_value(Field::kDone);
  if (auto position = card.position()) content.list = position->list;
  content.dates = dates_of(card);
  content.labels = card.elements(Field::kLabels);
  content.assignees = card.elements(Field::kAssignees);
  content.changed_ms = {stamp(Field::kTitle), stamp(Field::kDone), stamp(Field::kPosition),
                        stamp(Field::kStart), stamp(Field::kDue),  stamp(Field::kLocation),
                        stamp(Field::kColour)};
  return content;
}

EventFacet facet_of(const Entity& card, const LinkPolicy& policy) {
  return facet_of(content_of(card.document(), card), policy);
}

std::optional<EventFacet> project(const Document& board, const Entity& card, const LinkPolicy& policy) {
  // Most cards of most boards have no date: they are not looked at any further.
  if (card.type() != EntityType::kCard || dates_of(card) == CardDates{}) return std::nullopt;
  return project(content_of(board, card), policy);
}

}  // namespace kalends
