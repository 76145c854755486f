// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/csv_export.h"

#include "core/api/view.h"

namespace kalends {
namespace {

void append_row(std::string& out, const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) out += (i > 0 ? "," : "") + csv_cell(cells[i]);
  out += "\r\n";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

std::string named(const std::vector<Id128>& ids, const Names& names) {
  std::vector<std::string> parts;
  for (const Id128& id : ids) {
    auto name = names.find(id);
    parts.push_back(name == names.end() || name->second.empty() ? to_hex(id) : name->second);
  }
  return joined(parts);
}

// "2026-12-01" or "2026-12-01 09:00".
std::string when_text(const Value& value) {
  const auto* when = std::get_if<When>(&value);
  if (!when) return {};
  if (when->is_all_day) return to_text(when->date);
  std::string text = to_text(when->wall);
  text[10] = ' ';
  return text.substr(0, text.compare(16, 3, ":00") == 0 ? 16 : 19);
}

std::string zone_text(const Entity& card) {
  for (Field field : {Field::kDue, Field::kStart})
    if (auto when = card.when_value(field); when && !when->is_all_day)
      return when->zone;
  return {};
}

std::string checklists_text(const Cbor& view) {
  std::vector<std::string> parts;
  for (const Cbor& checklist : view["checklists"].items())
    for (const Cbor& item : checklist["items"].items())
      parts.push_back((item["done"].as_bool() ? "[x] " : "[ ] ") + item["text"].as_text());
  return joined(parts);
}

std::string texts_of(const Cbor& rows, std::string_view member) {
  std::vector<std::string> parts;
  for (const Cbor& row : rows.items()) parts.push_back(row[member].as_text());
  return joined(parts);
}

std::vector<std::pair<Id128, std::string>> custom_fields(const Replica& board) {
  std::vector<std::pair<Id128, std::string>> fields;
  for (const Entity& field : board.ordered(EntityType::kCustomField))
    if (field.is_live()) fields.emplace_back(field.id(), field.text_value(Field::kTitle));
  return fields;
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string cell;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) cell = "'";
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string export_csv(const Replica& board, const CsvOptions& options) {
  auto fields = custom_fields(board);
  std::vector<std::string> header{
      "id",       "list",   "title",     "description", "start",  "due",      "time_zone",  "done",
      "archived", "labels", "assignees", "location",    "colour", "estimate", "checklists", "comments",
      "attachments"};
  for (const auto& [id, title] : fields) header.push_back(title);
  std::string out;
  append_row(out, header);
  for (const ListRow& list : board_rows(board)) {
    for (const auto& [id, card] : list.cards) {
      Cbor view = view_card(board.document(), id);
      std::vector<std::string> cells{to_hex(id),
                                     list.title(),
                                     card->text_value(Field::kTitle),
                                     card->text(),
                                     when_text(card->value(Field::kStart)),
                                     when_text(card->value(Field::kDue)),
                                     zone_text(*card),
                                     card->bool_value(Field::kDone) ? "yes" : "no",
                                     card->bool_value(Field::kArchived) ? "yes" : "no",
                                     named(card->elements(Field::kLabels), options.labels),
                                     named(card->elements(Field::kAssignees), options.members),
                                     card->text_value(Field::kLocation),
                                     card->text_value(Field::kColour),
                                     view["estimate"].is_null() ? "" : std::to_string(view["estimate"].as_int()),
                                     checklists_text(view),
                                     texts_of(view["comments"], "text"),
                                     texts_of(view["attachments"], "url")};
      for (const auto& [field, title] : fields) {
        Value value = card->value(Field::kCustom, field);
        const auto* text = std::get_if<std::string>(&value);
        cells.push_back(text ? *text : std::string());
      }
      append_row(out, cells);
    }
  }
  return out;
}

}  // namespace kalends
