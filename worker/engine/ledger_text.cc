// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/ledger_text.h"

namespace kalends {
namespace {

std::string when_text(const When& when) {
  if (when.is_all_day) return to_text(when.date);
  return to_text(when.wall) + (when.zone.empty() ? "" : " " + when.zone);
}

std::string quoted(const std::string& text) { return text.empty() ? "none" : "\"" + text + "\""; }

// Long texts are told by their beginning.
std::string cut(const std::string& text) {
  constexpr size_t kShown = 80;
  if (text.size() <= kShown) return text;
  size_t end = kShown;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string event_sentence(EntryKind kind, const EntryContent& content) {
  switch (kind) {
    case EntryKind::kInsertEvent:
      return "An event was made" +
             (content.after ? ": " + facet_text(*content.after, FacetField::kDates) : std::string());
    case EntryKind::kPatchEvent:
      if (!content.before || !content.after) return "The event was written anew";
      return "The event was changed: " +
             changes_text(event_changes(*content.before, *content.after, content.fields));
    default:
      return "The event was removed" +
             (content.before ? ": it was " + facet_text(*content.before, FacetField::kDates) : std::string());
  }
}

std::string card_sentence(const Document& board, EntryKind kind, const EntryContent& content) {
  std::string changes = changes_text(card_changes(board, content.changes));
  switch (kind) {
    case EntryKind::kUnscheduleCard:
      return "The card lost its date: " + changes;
    case EntryKind::kArchiveCard:
      return "The card was archived";
    case EntryKind::kCreateCard:
      return "The card was made from an event";
    case EntryKind::kDeleteCard:
      return "The card was deleted";
    case EntryKind::kLeaveAlone:
      return "Card and event are left as they are until somebody changes them";
    default:
      return (content.is_deletion_undone ? "The card was taken out of the bin" : "The card was changed") +
             (changes.empty() ? std::string() : ": " + changes);
  }
}

}  // namespace

std::string facet_text(const EventFacet& facet, FacetField field) {
  switch (field) {
    case FacetField::kTitle:
      return quoted(facet.title);
    case FacetField::kDone:
      return facet.is_done ? "done" : "not done";
    case FacetField::kDates: {
      if (!facet.start.is_all_day) return when_text(facet.start) + " to " + when_text(facet.end);
      std::string first = to_text(facet.start.date), last = to_text(CivilDate{facet.end.date.days - 1});
      return first == last ? first : first + " to " + last;
    }
    case FacetField::kDescription:
      return quoted(cut(facet.description));
    case FacetField::kLocation:
      return quoted(facet.location);
    case FacetField::kColour:
      return facet.colour.empty() ? "none" : facet.colour;
  }
  return {};
}

std::string field_text(Field field) {
  switch (field) {
    case Field::kStart:
      return "start";
    case Field::kDue:
      return "due date";
    case Field::kPosition:
      return "list";
    default:
      break;
  }
  const FieldSpec* spec = find_field(EntityType::kCard, field);
  return spec ? std::string(spec->name) : "field";
}

std::string value_text(const Document& board, const Value& value) {
  if (const auto* fact = std::get_if<bool>(&value)) return *fact ? "yes" : "no";
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(cut(*text));
  if (const auto* when = std::get_if<When>(&value)) return when_text(*when);
  if (const auto* place = std::get_if<Position>(&value)) {
    Entity list = board.find(place->list);
    return quoted(list ? list->text_value(Field::kTitle) : std::string());
  }
  return "none";
}

std::vector<PlannedStep::Change> event_changes(const EventFacet& before, const EventFacet& after,
                                               FacetMask fields) {
  std::vector<PlannedStep::Change> changes;
  for (FacetField field : kFacetFields)
    if (fields.has(field) && !same(before, after, field))
      changes.push_back(
          {std::string(facet_field_name(field)), facet_text(before, field), facet_text(after, field)});
  return changes;
}

std::vector<PlannedStep::Change> card_changes(const Document& board,
                                              const std::vector<FieldChange>& changes) {
  std::vector<PlannedStep::Change> told;
  for (const FieldChange& change : changes) {
    std::string name = field_text(change.field);
    std::string after = value_text(board, change.after);
    if (change.is_offer) after += ", put down as the other value";
    told.push_back({name, value_text(board, change.before), after});
  }
  return told;
}

std::string changes_text(const std::vector<PlannedStep::Change>& changes) {
  std::string text;
  for (const PlannedStep::Change& change : changes)
    text += (text.empty() ? "" : "; ") + change.field + " " + change.before + " → " + change.after;
  return text;
}

std::string entry_text(const Document& board, EntryKind kind, EntryOutcome outcome,
                       const EntryContent& content) {
  std::string text = is_of_event(kind) ? event_sentence(kind, content) : card_sentence(board, kind, content);
  if (outcome == EntryOutcome::kUnknown) text += " (asked of Google; the answer has not come yet)";
  if (outcome == EntryOutcome::kRefused) text += " (tried, and not done)";
  std::string why;
  for (const std::string& reason : content.reasons) why += (why.empty() ? "" : "; ") + reason;
  return text + "." + (why.empty() ? "" : " Why: " + why + ".");
}

Json entry_json(const EntryView& entry) {
  static constexpr std::string_view kKinds[] = {"",
                                                "insert_event",
                                                "patch_event",
                                                "delete_event",
                                                "edit_card",
                                                "unschedule_card",
                                                "archive_card",
                                                "create_card",
                                                "delete_card",
                                                "leave_alone"};
  static constexpr std::string_view kOutcomes[] = {"unknown", "done", "refused"};
  static constexpr std::string_view kActors[] = {"bridge", "member", "calendar"};
  const EntryContent& content = entry.content;
  auto hash = [](const std::optional<EventFacet>& facet) {
    return facet ? Json(facet_hash(*facet)) : Json();
  };
  return {{"id", std::to_string(entry.run) + "." + std::to_string(entry.entry)},
          {"run", entry.run},
          {"entry", entry.entry},
          {"at_ms", entry.at_ms},
          {"card", to_hex(entry.card)},
          {"title", content.title},
          {"kind", kKinds[static_cast<size_t>(entry.kind)]},
          {"outcome", kOutcomes[static_cast<size_t>(entry.outcome)]},
          {"by", kActors[static_cast<size_t>(content.actor)]},
          {"member", content.member.raw.is_nil() ? Json() : Json(to_hex(content.member))},
          {"before", hash(content.before)},
          {"after", hash(content.after)},
          {"reasons", content.reasons},
          {"text", entry.text}};
}

}  // namespace kalends
