// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/trello_import.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/base/text.h"
#include "core/replica/conflicts.h"
#include "core/wire/codec.h"
#include "worker/google/zones.h"
#include "worker/porting/board_rows.h"
#include "worker/porting/trello_colours.h"
#include "worker/porting/trello_file.h"

namespace kalends {
namespace {

Id128 member_id(WorkspaceId workspace, std::string_view trello_id) {
  Writer out;
  out.text("kalends trello member 1");
  out.id(workspace.raw);
  out.text(trello_id);
  return derive_id(out.view());
}

bool is_web_address(std::string_view url) {
  std::string scheme(url.substr(0, url.find(':')));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return scheme.size() < url.size() && (scheme == "http" || scheme == "https" || scheme == "mailto");
}

class Builder {
 public:
  Builder(const TrelloFile& file, const TrelloOptions& options, FidelityReport report)
      : file_(file), options_(options) {
    import_.report = std::move(report);
  }

  TrelloImport build() {
    import_.board = DocumentId{derived("board", file_.id)};
    import_.time_zone = options_.time_zone;
    import_.title = title(file_.name);
    import_.report.board_title = import_.title;
    for (const char* what : kOrder) import_.report.carry(what, 0);
    add_labels();
    add_members();
    set_root(Field::kTitle, import_.title);
    set_root(Field::kTimeZone, import_.time_zone);
    add_custom_fields();
    add_lists();
    for (const TrelloCard& card : file_.cards) add_card(card);
    import_.workspace_commands.push_back(CreateCommand{
        EntityType::kBoardEntry, import_.board.raw, {{Field::kTitle, {}, import_.title}}, {}, {}});
    auto& carried = import_.report.carried;
    carried.erase(
        std::remove_if(carried.begin(), carried.end(), [](const auto& row) { return row.count == 0; }),
        carried.end());
    import_.report.absent = {"automation (Butler rules, scheduled commands, card buttons)",
                             "the files themselves that were uploaded", "reactions to comments",
                             "actions older than the newest 1,000"};
    return std::move(import_);
  }

 private:
  // The order of the report.
  static constexpr std::array kOrder = {"lists",
                                        "archived lists",
                                        "cards",
                                        "cards with a date",
                                        "cards done",
                                        "archived cards",
                                        "labels made",
                                        "labels of the workspace used again",
                                        "members",
                                        "assignments",
                                        "labels on cards",
                                        "checklists",
                                        "checklist items",
                                        "comments",
                                        "attachments",
                                        "custom fields",
                                        "values of custom fields",
                                        "reminders",
                                        "places"};

  Id128 derived(std::string_view kind, std::string_view trello_id) const {
    Writer out;
    out.text("kalends trello import 1");
    out.text(options_.import_id);
    out.text(kind);
    out.text(trello_id);
    return derive_id(out.view());
  }

  size_t push(Command command) {
    import_.board_commands.push_back(std::move(command));
    return import_.board_commands.size() - 1;
  }

  void set_root(Field field, std::string value) {
    push(SetCommand{{import_.board.raw, {}}, {field, {}, std::move(value)}});
  }

  // What a field can hold: no NUL, at most `bytes_max` bytes, cut between characters.
  std::string fitting(std::string text, size_t bytes_max, const char* what) {
    if (text.find('\0') != std::string::npos) {
      text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
      import_.report.lose("NUL characters", "no text can hold them");
    }
    if (text.size() <= bytes_max) return text;
    size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    import_.report.lose(std::string("ends of ") + what,
                        "they are longer than " + std::to_string(bytes_max) + " bytes");
    return text;
  }
  std::string title(const std::string& text) { return fitting(text, kTitleBytesMax, "titles"); }
  std::string words(const std::string& text) { return fitting(text, kTextBytesMax, "texts"); }

  void add_labels() {
    std::map<std::pair<std::string, std::string>, Id128> known;
    for (const ExistingLabel& label : options_.labels)
      known.emplace(std::pair(label.name, label.colour), label.id.raw);
    std::set<std::string> used;
    for (const TrelloCard& card : file_.cards) used.insert(card.labels.begin(), card.labels.end());
    std::set<Id128> reused;
    std::set<Id128> made;
    for (const TrelloLabel& label : file_.labels) {
      if (label.name.empty() && used.count(label.id) == 0) {
        import_.report.lose("labels without a name that no card has",
                            "they would only fill the workspace's list of labels");
        continue;
      }
      std::string name = title(label.name);
      std::string colour = colour_from_trello(title(label.colour));
      auto [it, is_new] = known.try_emplace({name, colour}, derived("label", label.id));
      labels_[label.id] = it->second;
      if (is_new) {
        made.insert(it->second);
        import_.report.carry("labels made");
        import_.workspace_commands.push_back(
            CreateCommand{EntityType::kLabel,
                          it->second,
                          {{Field::kTitle, {}, name}, {Field::kColour, {}, colour}},
                          {},
                          {}});
      } else if (made.count(it->second) > 0) {
        import_.report.change("labels with the name and the colour of another one",
                              "they come over as one label");
      } else if (reused.insert(it->second).second) {
        import_.report.carry("labels of the workspace used again");
      }
    }
  }

  void add_members() {
    for (const TrelloMember& member : file_.members) {
      ImportedMember imported;
      imported.id = MemberId{member_id(options_.workspace, member.id)};
      imported.name = title(member.name);
      imported.is_new = options_.members.count(imported.id) == 0;
      names_[member.id] = imported.name;
      import_.report.carry("members");
      if (!member.is_on_board)
        import_.report.change("people who left the board",
                              "they come over as members, because cards name them");
      if (imported.is_new)
        import_.workspace_commands.push_back(CreateCommand{EntityType::kMember, imported.id.raw, {}, {}, {}});
      import_.members.push_back(std::move(imported));
    }
  }

  void add_custom_fields() {
    for (const TrelloCustomField& field : file_.custom_fields) {
      push(CreateCommand{EntityType::kCustomField,
                         derived("custom field", field.id),
                         {{Field::kTitle, {}, title(field.name)}},
                         {},
                         {}});
      import_.report.carry("custom fields");
    }
  }

  void add_lists() {
    for (const TrelloList& list : file_.lists) {
      std::vector<FieldValue> fields{{Field::kTitle, {}, title(list.name)}};
      if (!list.colour.empty()) fields.push_back({Field::kColour, {}, title(list.colour)});
      if (list.is_closed) fields.push_back({Field::kArchived, {}, true});
      push(CreateCommand{EntityType::kList, derived("list", list.id), std::move(fields), {}, {}});
      import_.report.carry("lists");
      if (list.is_closed) import_.report.carry("archived lists");
    }
  }

  When wall(int64_t instant) const {
    auto found = to_wall(instant, options_.time_zone);
    KALENDS_CHECK(found.has_value());  // the zone was looked up before
    return When::timed(found->wall, options_.time_zone, found->fold);
  }
  std::string wall_text(int64_t instant) const { return moment_text(instant, options_.time_zone); }

  void add_card(const TrelloCard& card) {
    std::vector<FieldValue> fields;
    std::string description = card.description;
    if (card.name.size() > kTitleBytesMax) {
      description = card.name + (description.empty() ? "" : "\n\n" + description);
      import_.report.change("long titles of cards", "the whole title stands at the top of the description");
    }
    fields.push_back({Field::kTitle, {}, title(card.name)});
    if (!description.empty()) fields.push_back({Field::kDescription, {}, words(description)});
    add_dates(card, fields);
    if (card.is_done) fields.push_back({Field::kDone, {}, true});
    if (card.is_closed) fields.push_back({Field::kArchived, {}, true});
    if (!card.location.empty()) {
      fields.push_back({Field::kLocation, {}, title(card.location)});
      import_.report.carry("places");
    }
    std::set<Id128> labels;  // two of Trello's labels can be one here
    for (const std::string& label : card.labels) labels.insert(labels_.at(label));
    for (const Id128& label : labels) fields.push_back({Field::kLabels, {}, label});
    for (const std::string& member : card.members)
      fields.push_back({Field::kAssignees, {}, member_id(options_.workspace, member)});
    add_custom_values(card, fields);

    Id128 id = derived("card", card.id);
    push(CreateCommand{EntityType::kCard, id, std::move(fields), derived("list", card.list), {}});
    import_.report.carry("cards");
    if (card.start || card.due) import_.report.carry("cards with a date");
    if (card.is_done) import_.report.carry("cards done");
    if (card.is_closed) import_.report.carry("archived cards");
    import_.report.carry("labels on cards", labels.size());
    import_.report.carry("assignments", card.members.size());
    add_checklists(id, card);
    add_comments(id, card);
    add_attachments(id, card);
  }

  void add_dates(const TrelloCard& card, std::vector<FieldValue>& fields) {
    std::optional<When> start, due;
    if (card.start) start = wall(*card.start);
    if (card.due) due = wall(*card.due);
    if (start && due && is_start_after_due(*start, *due)) {
      import_.report.lose("start dates after the due date",
                          "a card starts before it is due; the due date came over");
      start.reset();
    }
    if (start) fields.push_back({Field::kStart, {}, *start});
    if (due) fields.push_back({Field::kDue, {}, *due});
    if (!card.reminder_minutes) return;
    fields.push_back({Field::kReminders, {}, std::vector<int64_t>{*card.reminder_minutes}});
    import_.report.carry("reminders");
  }

  void add_custom_values(const TrelloCard& card, std::vector<FieldValue>& fields) {
    for (const TrelloCustomValue& value : card.custom_values) {
      std::string text = value.date ? wall_text(*value.date) : value.text;
      fields.push_back({Field::kCustom, derived("custom field", value.field), words(text)});
      import_.report.carry("values of custom fields");
    }
  }

  // A date and a member of an item have no field of their own: they are kept in its words.
  std::string item_words(const TrelloItem& item) {
    std::string notes;
    if (!item.member.empty()) {
      auto name = names_.find(item.member);
      if (name != names_.end() && !name->second.empty())
        notes = name->second;
      else
        import_.report.lose("members of checklist items", "the file does not name them");
    }
    if (item.due) notes += (notes.empty() ? "due " : ", due ") + wall_text(*item.due);
    if (notes.empty()) return words(item.name);
    import_.report.change("dates and members of checklist items", "they are noted in the item's text");
    return words(item.name + " (" + notes + ")");
  }

  void add_checklists(const Id128& card_id, const TrelloCard& card) {
    for (const TrelloChecklist& checklist : card.checklists) {
      size_t made_by = push(AddChildCommand{
          card_id, EntityType::kChecklist, {{Field::kTitle, {}, title(checklist.name)}}, {}, {}});
      import_.report.carry("checklists");
      for (const TrelloItem& item : checklist.items) {
        std::vector<FieldValue> fields{{Field::kText, {}, item_words(item)}};
        if (item.is_complete) fields.push_back({Field::kDone, {}, true});
        push(AddChildCommand{card_id, EntityType::kItem, std::move(fields), {}, {}, made_by});
        import_.report.carry("checklist items");
      }
    }
  }

  void add_comments(const Id128& card_id, const TrelloCard& card) {
    for (const TrelloComment& comment : card.comments) {
      std::string author = comment.author.empty() ? "somebody" : comment.author;
      std::string text = "[" + author + ", " + wall_text(comment.at) + "] " + comment.text;
      push(AddChildCommand{card_id, EntityType::kComment, {{Field::kText, {}, words(text)}}, {}, {}});
      import_.report.carry("comments");
      import_.report.change("authors and dates of comments",
                            "they are noted at the beginning of the comment");
    }
  }

  void add_attachments(const Id128& card_id, const TrelloCard& card) {
    for (const TrelloAttachment& attachment : card.attachments) {
      if (!is_web_address(attachment.url) || attachment.url.size() > kUrlBytesMax ||
          !is_valid_text(attachment.url)) {
        import_.report.lose("attachments",
                            "their address is no web address (http, https, mailto) or is too long");
        continue;
      }
      push(AddChildCommand{card_id,
                           EntityType::kAttachment,
                           {{Field::kTitle, {}, title(attachment.name)}, {Field::kUrl, {}, attachment.url}},
                           {},
                           {}});
      import_.report.carry("attachments");
      if (attachment.is_upload)
        import_.report.change("uploaded files",
                              "the link came over; the file stays at Trello and may need a login there");
    }
  }

  const TrelloFile& file_;
  const TrelloOptions& options_;
  TrelloImport import_;
  std::map<std::string, Id128> labels_;       // by Trello's id
  std::map<std::string, std::string> names_;  // of members by Trello's id
};

}  // namespace

void take_existing(TrelloOptions& options, const Document& workspace) {
  for (const Entity& entity : workspace.all()) {
    if (entity.type() == EntityType::kLabel && entity.is_live())
      options.labels.push_back(
          {LabelId{entity.id()}, entity.text_value(Field::kTitle), entity.text_value(Field::kColour)});
    if (entity.type() == EntityType::kMember) options.members.insert(MemberId{entity.id()});
  }
}

Result<TrelloImport> parse_trello(std::string_view json, const TrelloOptions& options) {
  if (!is_known_zone(options.time_zone))
    return invalid("There is no time zone of that name. Use an IANA name such as Europe/Berlin.");
  FidelityReport report;
  KALENDS_TRY(TrelloFile file, read_trello_file(json, report));
  return Builder(file, options, std::move(report)).build();
}

}  // namespace kalends
