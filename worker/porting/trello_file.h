// SPDX-License-Identifier: Apache-2.0
// A board as Trello exports it (Menu > Print, export and share > Export as JSON), in plain values. Everything
// that an import uses is checked here, so that what follows cannot fail half way; what Trello holds and
// Kalends does not is counted in the report. Dates are instants: seconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "worker/porting/fidelity_report.h"

namespace kalends {

struct TrelloLabel {
  std::string id, name, colour;
};  // colour: Trello's word, empty for none
struct TrelloMember {
  std::string id, name;
  bool is_on_board = true;
};
struct TrelloList {
  std::string id, name, colour;
  bool is_closed = false;
};
struct TrelloItem {
  std::string name;
  bool is_complete = false;
  std::optional<int64_t> due;
  std::string member;  // id; empty for none
};
struct TrelloChecklist {
  std::string id, name;
  std::vector<TrelloItem> items;
};
struct TrelloAttachment {
  std::string name, url;
  bool is_upload = false;
};
struct TrelloComment {
  std::string author;
  int64_t at = 0;
  std::string text;
};  // author: a name, may be empty
struct TrelloCustomField {
  std::string id, name;
};
struct TrelloCustomValue {
  std::string field;  // id of a custom field in the file
  std::string text;
  std::optional<int64_t> date;  // instead of `text`
};

struct TrelloCard {
  std::string id, name, description, list;
  std::string location;
  bool is_closed = false;
  bool is_done = false;
  std::optional<int64_t> start, due;
  std::optional<int64_t> reminder_minutes;   // before the due date
  std::vector<std::string> labels, members;  // ids of labels and members of the file, each once
  std::vector<TrelloChecklist> checklists;
  std::vector<TrelloComment> comments;  // oldest first
  std::vector<TrelloAttachment> attachments;
  std::vector<TrelloCustomValue> custom_values;
};

// Lists, cards of a list, checklists, items and attachments stand in the order in which Trello shows them.
struct TrelloFile {
  std::string id, name;
  std::vector<TrelloLabel> labels;
  std::vector<TrelloMember> members;
  std::vector<TrelloList> lists;
  std::vector<TrelloCard> cards;
  std::vector<TrelloCustomField> custom_fields;
};

// kInvalid with the place and the reason. Adds what the file holds and Kalends does not to `report`.
Result<TrelloFile> read_trello_file(std::string_view json, FidelityReport& report);

}  // namespace kalends
