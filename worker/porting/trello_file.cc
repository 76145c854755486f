// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/trello_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "worker/google/event.h"
#include "worker/porting/json_file.h"
#include "worker/porting/trello_members.h"

namespace kalends {
namespace {

// The first and the last instant that is a date of the years 1 to 9999 in every zone.
constexpr int64_t kInstantMin = -62135510400;
constexpr int64_t kInstantMax = 253402214400;

template <typename Row>
struct Placed {
  double pos = 0;
  Row row;
};

// Trello orders by `pos`; what has none, or the same, keeps the order of the file.
template <typename Row>
std::vector<Row> in_order(std::vector<Placed<Row>> placed) {
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.pos < b.pos; });
  std::vector<Row> rows;
  rows.reserve(placed.size());
  for (auto& entry : placed) rows.push_back(std::move(entry.row));
  return rows;
}

class Reading {
 public:
  explicit Reading(FidelityReport& report) : report_(report) {}

  Result<TrelloFile> read(const Json& json) {
    JsonNode top{&json, {}};
    if (!json.contains("lists") || !json.contains("cards") || !json.contains("name"))
      return invalid(
          "This is not a board exported by Trello: it has no `name`, `lists` or `cards`. In Trello: Menu > "
          "Print, "
          "export and share > Export as JSON.");
    file_.id = in_.text(top, "id");
    file_.name = in_.text(top, "name");
    read_board_rest(top);
    read_labels(top);
    read_members(top);
    read_lists(top);
    read_custom_fields(top);
    read_cards(top);
    read_checklists(top);
    read_actions(top);
    if (!in_.ok()) return in_.status().error();
    return std::move(file_);
  }

 private:
  void count_unknown(const JsonNode& object, TrelloThing thing) {
    for (const auto& [name, value] : object.json->items()) {
      if (is_empty_json(value) || is_known_trello_member(thing, name)) continue;
      // A file can hold any number of invented names: after some, they are counted together.
      bool is_new = unknown_.insert({thing, name}).second;
      if (is_new && unknown_.size() > kUnknownNamesMax)
        report_.lose("other members that Kalends does not know",
                     "they are newer than this version of Kalends");
      else if (unknown_.size() <= kUnknownNamesMax || !is_new)
        report_.lose("`" + name.substr(0, 60) + "` of a " + std::string(trello_thing_name(thing)),
                     "Kalends does not know what this is");
    }
  }

  std::string id_of(const JsonNode& object, std::set<std::string>& taken) {
    std::string id = in_.text(object, "id");
    if (in_.ok() && id.empty()) in_.refuse(object.at + "/id", "this must not be empty.");
    if (in_.ok() && !taken.insert(id).second)
      in_.refuse(object.at + "/id", "this id stands in the file twice.");
    return id;
  }

  double position_of(const JsonNode& object) {
    return in_.maybe_number(object, "pos").value_or(std::numeric_limits<double>::infinity());
  }

  std::optional<int64_t> instant(const JsonNode& object, std::string_view name) {
    auto text = in_.maybe_text(object, name);
    if (!text) return std::nullopt;
    auto moment = parse_google_moment(*text);
    auto ms = moment ? moment->instant_ms() : std::nullopt;
    int64_t seconds = ms ? (*ms >= 0 ? *ms / 1000 : (*ms - 999) / 1000) : 0;
    if (!ms || seconds < kInstantMin || seconds > kInstantMax) {
      in_.refuse(object.member(name).at, "this must be a date and time such as 2026-12-01T09:00:00.000Z.");
      return std::nullopt;
    }
    return seconds;
  }

  void read_board_rest(const JsonNode& top) {
    count_unknown(top, TrelloThing::kBoard);
    if (!in_.maybe_text(top, "desc").value_or("").empty())
      report_.lose("description of the board", "a board in Kalends has a title only");
    JsonNode prefs = top.member("prefs");
    if (!is_empty_json(*prefs.member("background").json))
      report_.lose("background of the board", "boards have no background");
    size_t power_ups = in_.objects(top, "pluginData").size() +
                       (top.member("powerUps").json->is_array() ? top.member("powerUps").json->size() : 0);
    if (power_ups > 0)
      report_.lose("settings of power-ups", "only a power-up can read what it keeps", power_ups);
    size_t roles = 0;
    for (const JsonNode& membership : in_.objects(top, "memberships"))
      if (in_.maybe_text(membership, "memberType").value_or("normal") != "normal") ++roles;
    if (roles > 0) report_.lose("roles of members (admin, observer)", "rights are given in Kalends", roles);
    if (in_.flag(top, "closed")) report_.change("closed board", "it comes over as an open one");
  }

  void read_labels(const JsonNode& top) {
    std::set<std::string> taken;
    for (const JsonNode& row : in_.objects(top, "labels")) {
      count_unknown(row, TrelloThing::kLabel);
      std::string id = id_of(row, taken);
      file_.labels.push_back(
          {id, in_.maybe_text(row, "name").value_or(""), in_.maybe_text(row, "color").value_or("")});
      labels_.insert(id);
    }
  }

  void read_members(const JsonNode& top) {
    std::set<std::string> taken;
    for (const JsonNode& row : in_.objects(top, "members")) {
      count_unknown(row, TrelloThing::kMember);
      std::string id = id_of(row, taken);
      std::string name = in_.maybe_text(row, "fullName").value_or("");
      if (name.empty()) name = in_.maybe_text(row, "username").value_or("");
      bool has_picture =
          !is_empty_json(*row.member("avatarUrl").json) || !is_empty_json(*row.member("avatarHash").json);
      if (has_picture) report_.lose("pictures of members", "they stay at Trello");
      names_[id] = name;
      file_.members.push_back({id, name, true});
    }
    // People who left the board are named where they did something.
    if (!top.member("actions").json->is_array()) return;
    for (const Json& action : *top.member("actions").json)
      for (const char* role : {"memberCreator", "member"}) {
        const Json& person = json_member(action, role);
        std::string id = json_text_or_empty(person, "id");
        if (!id.empty() && names_.count(id) == 0) former_.emplace(id, json_text_or_empty(person, "fullName"));
      }
  }

  void read_lists(const JsonNode& top) {
    std::set<std::string> taken;
    std::vector<Placed<TrelloList>> placed;
    for (const JsonNode& row : in_.objects(top, "lists")) {
      count_unknown(row, TrelloThing::kList);
      TrelloList list{id_of(row, taken), in_.text(row, "name"), in_.maybe_text(row, "color").value_or(""),
                      in_.flag(row, "closed")};
      if (!is_empty_json(*row.member("softLimit").json))
        report_.lose("limits of lists", "lists have no limit");
      placed.push_back({position_of(row), std::move(list)});
    }
    lists_ = std::move(taken);
    file_.lists = in_order(std::move(placed));
  }

  void read_custom_fields(const JsonNode& top) {
    std::set<std::string> taken;
    std::set<std::string> options_taken;
    std::vector<Placed<TrelloCustomField>> placed;
    for (const JsonNode& row : in_.objects(top, "customFields")) {
      count_unknown(row, TrelloThing::kCustomField);
      std::string id = id_of(row, taken);
      for (const JsonNode& option : in_.objects(row, "options")) {
        JsonNode value = option.member("value");
        options_[id_of(option, options_taken)] = in_.maybe_text(value, "text").value_or("");
      }
      std::string type = in_.maybe_text(row, "type").value_or("text");
      if (type != "text")
        report_.change("custom fields that are not texts", "their values come over as texts");
      placed.push_back({position_of(row), {id, in_.text(row, "name")}});
    }
    custom_fields_ = std::move(taken);
    file_.custom_fields = in_order(std::move(placed));
  }

  void read_cards(const JsonNode& top) {
    std::set<std::string> taken;
    std::vector<Placed<TrelloCard>> placed;
    for (const JsonNode& row : in_.objects(top, "cards")) {
      if (!in_.ok()) return;
      TrelloCard card;
      card.id = id_of(row, taken);
      card.name = in_.text(row, "name");
      card.description = in_.maybe_text(row, "desc").value_or("");
      card.list = in_.text(row, "idList");
      if (in_.ok() && lists_.count(card.list) == 0)
        in_.refuse(row.at + "/idList", "the card stands in a list that the file does not hold.");
      card.is_closed = in_.flag(row, "closed");
      card.is_done = in_.flag(row, "dueComplete");
      card.start = instant(row, "start");
      card.due = instant(row, "due");
      read_reminder(row, card);
      read_location(row, card);
      read_card_labels(row, card);
      read_card_members(row, card);
      read_attachments(row, card);
      read_custom_values(row, card);
      count_card_losses(row, card);
      for (std::string& id : in_.texts(row, "idChecklists")) wanted_checklists_.insert(std::move(id));
      placed.push_back({position_of(row), std::move(card)});
    }
    file_.cards = in_order(std::move(placed));
    for (size_t i = 0; i < file_.cards.size(); ++i) cards_[file_.cards[i].id] = i;
  }

  void read_reminder(const JsonNode& row, TrelloCard& card) {
    auto minutes = in_.maybe_number(row, "dueReminder");
    if (!minutes || *minutes < 0) return;  // -1: none
    if (*minutes > 40320 || *minutes != std::floor(*minutes)) {
      report_.lose("reminders", "a reminder is at most four weeks before");
      return;
    }
    card.reminder_minutes = static_cast<int64_t>(*minutes);
  }

  void read_location(const JsonNode& row, TrelloCard& card) {
    std::string name = in_.maybe_text(row, "locationName").value_or("");
    std::string address = in_.maybe_text(row, "address").value_or("");
    card.location = name.empty() || name == address ? address
                    : address.empty()               ? name
                                                    : name + ", " + address;
    const Json& place = *row.member("coordinates").json;
    if (is_empty_json(place)) return;
    if (!card.location.empty()) {
      report_.lose("coordinates of places", "the name and the address came over");
      return;
    }
    const Json& latitude = json_member(place, "latitude");
    const Json& longitude = json_member(place, "longitude");
    if (place.is_string())
      card.location = place.get<std::string>();
    else if (latitude.is_number() && longitude.is_number())
      card.location = latitude.dump() + ", " + longitude.dump();
    else
      in_.refuse(row.at + "/coordinates", "this must be a latitude and a longitude.");
  }

  void read_card_labels(const JsonNode& row, TrelloCard& card) {
    // The board's list of labels can be shorter than what its cards carry: each card holds its own in full.
    for (const JsonNode& label : in_.objects(row, "labels")) {
      std::string id = in_.text(label, "id");
      if (in_.ok() && !id.empty() && labels_.insert(id).second)
        file_.labels.push_back(
            {id, in_.maybe_text(label, "name").value_or(""), in_.maybe_text(label, "color").value_or("")});
    }
    for (std::string& id : in_.texts(row, "idLabels")) {
      if (labels_.count(id) == 0)
        report_.lose("labels on cards", "the file does not say what they are");
      else if (std::find(card.labels.begin(), card.labels.end(), id) == card.labels.end())
        card.labels.push_back(std::move(id));
    }
  }

  void read_card_members(const JsonNode& row, TrelloCard& card) {
    for (std::string& id : in_.texts(row, "idMembers")) {
      if (id.empty() || std::find(card.members.begin(), card.members.end(), id) != card.members.end())
        continue;
      if (names_.count(id) == 0) {
        auto former = former_.find(id);
        std::string name = former == former_.end() ? std::string() : former->second;
        if (name.empty()) report_.lose("names of people who left the board", "the file does not name them");
        names_[id] = name;
        file_.members.push_back({id, name, false});
      }
      card.members.push_back(std::move(id));
    }
  }

  void read_attachments(const JsonNode& row, TrelloCard& card) {
    std::vector<Placed<TrelloAttachment>> placed;
    for (const JsonNode& entry : in_.objects(row, "attachments")) {
      count_unknown(entry, TrelloThing::kAttachment);
      TrelloAttachment attachment{in_.maybe_text(entry, "name").value_or(""), in_.text(entry, "url"),
                                  in_.flag(entry, "isUpload")};
      placed.push_back({position_of(entry), std::move(attachment)});
    }
    card.attachments = in_order(std::move(placed));
    auto claimed = in_.maybe_number(row.member("badges"), "attachments").value_or(0);
    if (claimed > static_cast<double>(card.attachments.size()))
      report_.lose("attachments that Trello counts but did not export", "export the board again",
                   static_cast<size_t>(std::min(claimed, 1e6)) - card.attachments.size());
  }

  void read_custom_values(const JsonNode& row, TrelloCard& card) {
    std::set<std::string> taken;
    for (const JsonNode& entry : in_.objects(row, "customFieldItems")) {
      TrelloCustomValue value;
      value.field = in_.text(entry, "idCustomField");
      if (custom_fields_.count(value.field) == 0 || !taken.insert(value.field).second) {
        report_.lose("values of custom fields", "the file does not hold their field");
        continue;
      }
      JsonNode held = entry.member("value");
      std::string option = in_.maybe_text(entry, "idValue").value_or("");
      if (!option.empty()) {
        auto known = options_.find(option);
        if (known == options_.end()) {
          report_.lose("values of custom fields", "the file does not hold their field");
          continue;
        }
        value.text = known->second;
      } else if (!held.member("date").is_absent()) {
        value.date = instant(held, "date");
      } else if (!held.member("checked").is_absent()) {
        value.text = json_is_true(*held.json, "checked") ? "yes" : "no";
      } else if (!held.member("number").is_absent()) {
        const Json& number = *held.member("number").json;
        value.text = number.is_string() ? number.get<std::string>() : number.dump();
      } else {
        value.text = in_.maybe_text(held, "text").value_or("");
      }
      if (!value.text.empty() || value.date) card.custom_values.push_back(std::move(value));
    }
  }

  void count_card_losses(const JsonNode& row, const TrelloCard& card) {
    count_unknown(row, TrelloThing::kCard);
    auto size = [&](std::string_view name) {
      return row.member(name).json->is_array() ? row.member(name).json->size() : 0;
    };
    if (size_t votes = size("idMembersVoted")) report_.lose("votes", "cards have no votes", votes);
    if (size_t stickers = size("stickers")) report_.lose("stickers", "cards have no stickers", stickers);
    if (size_t data = size("pluginData"))
      report_.lose("data of power-ups on cards", "only a power-up can read what it keeps", data);
    JsonNode cover = row.member("cover");
    bool has_cover = !is_empty_json(*row.member("idAttachmentCover").json) ||
                     !is_empty_json(*cover.member("color").json) ||
                     !is_empty_json(*cover.member("idAttachment").json) ||
                     !is_empty_json(*cover.member("idUploadedBackground").json) ||
                     !is_empty_json(*cover.member("sharedSourceUrl").json);
    if (has_cover) report_.lose("covers", "cards have no cover; its colour means nothing to a calendar");
    if (in_.flag(row, "subscribed")) report_.lose("watched cards", "everybody on a board sees its changes");
    if (in_.flag(row, "isTemplate")) report_.change("template cards", "they come over as plain cards");
    if (!is_empty_json(*row.member("cardRole").json))
      report_.change("cards with a role (separator, link, board, mirror)", "they come over as plain cards");
    if (!is_empty_json(*row.member("mirrorSourceId").json))
      report_.change("mirrored cards", "they come over as cards of their own");
    if (auto comments = in_.maybe_number(row.member("badges"), "comments"))
      claimed_comments_[card.id] = static_cast<size_t>(std::clamp(*comments, 0.0, 1e6));
  }

  void read_checklists(const JsonNode& top) {
    std::set<std::string> taken;
    std::map<size_t, std::vector<Placed<TrelloChecklist>>> placed;
    for (const JsonNode& row : in_.objects(top, "checklists")) {
      count_unknown(row, TrelloThing::kChecklist);
      TrelloChecklist checklist{id_of(row, taken), in_.text(row, "name"), {}};
      std::string card = in_.text(row, "idCard");
      if (!in_.ok()) return;
      wanted_checklists_.erase(checklist.id);
      std::set<std::string> items_taken;
      std::vector<Placed<TrelloItem>> items;
      for (const JsonNode& entry : in_.objects(row, "checkItems")) {
        count_unknown(entry, TrelloThing::kItem);
        id_of(entry, items_taken);
        TrelloItem item;
        item.name = in_.text(entry, "name");
        std::string state = in_.maybe_text(entry, "state").value_or("incomplete");
        if (state != "complete" && state != "incomplete")
          in_.refuse(entry.at + "/state", "this must be complete or incomplete.");
        item.is_complete = state == "complete";
        item.due = instant(entry, "due");
        item.member = in_.maybe_text(entry, "idMember").value_or("");
        items.push_back({position_of(entry), std::move(item)});
      }
      checklist.items = in_order(std::move(items));
      auto found = cards_.find(card);
      if (found == cards_.end())
        report_.lose("checklists of cards that are not in the file", "Trello did not export their card");
      else
        placed[found->second].push_back({position_of(row), std::move(checklist)});
    }
    for (auto& [card, rows] : placed) file_.cards[card].checklists = in_order(std::move(rows));
    if (!wanted_checklists_.empty())
      report_.lose("checklists that cards name", "the file does not hold them", wanted_checklists_.size());
  }

  void read_actions(const JsonNode& top) {
    struct Found {
      std::string id;
      size_t card;
      TrelloComment comment;
    };
    std::vector<Found> found;
    std::set<std::string> taken;
    for (const JsonNode& row : in_.objects(top, "actions")) {
      std::string type = in_.text(row, "type");
      if (type != "commentCard" && type != "copyCommentCard") {
        report_.lose("entries of the activity log", "Kalends keeps its own history from the import on");
        continue;
      }
      count_unknown(row, TrelloThing::kComment);
      std::string id = id_of(row, taken);
      JsonNode data = row.member("data");
      TrelloComment comment;
      comment.text = in_.text(data, "text");
      auto at = instant(row, "date");
      if (!at) in_.refuse(row.at + "/date", "this is missing.");
      comment.at = at.value_or(0);
      comment.author = author_of(row);
      std::string card = in_.text(data.member("card"), "id");
      if (!in_.ok()) return;
      auto known = cards_.find(card);
      if (known == cards_.end())
        report_.lose("comments on cards that are not in the file", "Trello did not export their card");
      else
        found.push_back({std::move(id), known->second, std::move(comment)});
    }
    std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      return std::tie(a.comment.at, a.id) < std::tie(b.comment.at, b.id);
    });
    for (Found& entry : found) file_.cards[entry.card].comments.push_back(std::move(entry.comment));
    for (const TrelloCard& card : file_.cards)
      if (claimed_comments_[card.id] > card.comments.size())
        report_.lose("comments that Trello counts but did not export",
                     "an export holds the newest 1,000 actions only",
                     claimed_comments_[card.id] - card.comments.size());
  }

  std::string author_of(const JsonNode& action) {
    std::string id = in_.maybe_text(action, "idMemberCreator").value_or("");
    if (auto known = names_.find(id); known != names_.end() && !known->second.empty()) return known->second;
    JsonNode person = action.member("memberCreator");
    std::string name = in_.maybe_text(person, "fullName").value_or("");
    return name.empty() ? in_.maybe_text(person, "username").value_or("") : name;
  }

  static constexpr size_t kUnknownNamesMax = 40;

  FidelityReport& report_;
  JsonFileReader in_;
  TrelloFile file_;
  std::set<std::pair<TrelloThing, std::string>> unknown_;
  std::set<std::string> labels_, lists_, custom_fields_, wanted_checklists_;
  std::map<std::string, std::string> names_;    // of members by id
  std::map<std::string, std::string> former_;   // of people that only actions name
  std::map<std::string, std::string> options_;  // of custom fields by id
  std::map<std::string, size_t> cards_;         // index by id
  std::map<std::string, size_t> claimed_comments_;
};

}  // namespace

Result<TrelloFile> read_trello_file(std::string_view text, FidelityReport& report) {
  KALENDS_TRY(Json json, read_json_file(text));
  FidelityReport found;
  KALENDS_TRY(TrelloFile file, Reading(found).read(json));
  report = std::move(found);
  return file;
}

}  // namespace kalends
