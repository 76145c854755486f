// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/trello_members.h"

#include <algorithm>
#include <initializer_list>

namespace kalends {
namespace {

using Names = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view name, Names names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view trello_thing_name(TrelloThing thing) {
  switch (thing) {
    case TrelloThing::kBoard:
      return "board";
    case TrelloThing::kLabel:
      return "label";
    case TrelloThing::kMember:
      return "member";
    case TrelloThing::kList:
      return "list";
    case TrelloThing::kCustomField:
      return "custom field";
    case TrelloThing::kCard:
      return "card";
    case TrelloThing::kAttachment:
      return "attachment";
    case TrelloThing::kChecklist:
      return "checklist";
    case TrelloThing::kItem:
      return "checklist item";
    case TrelloThing::kComment:
      return "comment";
  }
  return "thing";
}

bool is_known_trello_member(TrelloThing thing, std::string_view name) {
  if (is_one_of(name, {"id", "nodeId", "idBoard", "limits", "creationMethod", "creationMethodError",
                       "creationMethodLoadingStartedAt"}))
    return true;
  switch (thing) {
    case TrelloThing::kBoard:
      return is_one_of(name, {"name",
                              "desc",
                              "descData",
                              "closed",
                              "dateClosed",
                              "idOrganization",
                              "idEnterprise",
                              "pinned",
                              "starred",
                              "url",
                              "prefs",
                              "shortLink",
                              "subscribed",
                              "labelNames",
                              "powerUps",
                              "dateLastActivity",
                              "dateLastView",
                              "shortUrl",
                              "idTags",
                              "datePluginDisable",
                              "ixUpdate",
                              "enterpriseOwned",
                              "idBoardSource",
                              "idMemberCreator",
                              "type",
                              "premiumFeatures",
                              "templateGallery",
                              "actions",
                              "cards",
                              "labels",
                              "lists",
                              "members",
                              "checklists",
                              "customFields",
                              "memberships",
                              "pluginData",
                              "organization",
                              "dateCreated"});
    case TrelloThing::kLabel:
      return is_one_of(name, {"name", "color", "uses"});
    case TrelloThing::kMember:
      return is_one_of(name, {"fullName",
                              "username",
                              "avatarHash",
                              "avatarUrl",
                              "initials",
                              "memberType",
                              "status",
                              "confirmed",
                              "activityBlocked",
                              "bio",
                              "bioData",
                              "url",
                              "idEnterprise",
                              "idEnterprisesDeactivated",
                              "idEnterprisesImplicitDeactivated",
                              "idMemberReferrer",
                              "idPremOrgsAdmin",
                              "nonPublic",
                              "nonPublicAvailable",
                              "products",
                              "nonPublicModified",
                              "aaId"});
    case TrelloThing::kList:
      return is_one_of(name, {"name", "closed", "color", "pos", "softLimit", "subscribed", "status", "type",
                              "datasource", "idOrganization"});
    case TrelloThing::kCustomField:
      return is_one_of(name, {"name", "type", "pos", "options", "idModel", "modelType", "fieldGroup",
                              "display", "isSuggestedField"});
    case TrelloThing::kCard:
      return is_one_of(name, {"name",
                              "desc",
                              "descData",
                              "idList",
                              "pos",
                              "closed",
                              "dateClosed",
                              "due",
                              "dueComplete",
                              "dateCompleted",
                              "dueReminder",
                              "start",
                              "idLabels",
                              "labels",
                              "idMembers",
                              "idChecklists",
                              "checkItemStates",
                              "attachments",
                              "customFieldItems",
                              "address",
                              "locationName",
                              "coordinates",
                              "staticMapUrl",
                              "idMembersVoted",
                              "stickers",
                              "pluginData",
                              "cover",
                              "idAttachmentCover",
                              "manualCoverAttachment",
                              "subscribed",
                              "isTemplate",
                              "cardRole",
                              "mirrorSourceId",
                              "badges",
                              "dateLastActivity",
                              "email",
                              "idShort",
                              "shortLink",
                              "shortUrl",
                              "url",
                              "idOrganization",
                              "agent"});
    case TrelloThing::kAttachment:
      return is_one_of(name, {"name", "url", "isUpload", "pos", "bytes", "date", "edgeColor", "idMember",
                              "mimeType", "previews", "fileName", "isMalicious"});
    case TrelloThing::kChecklist:
      return is_one_of(name, {"name", "idCard", "pos", "checkItems"});
    case TrelloThing::kItem:
      return is_one_of(name,
                       {"name", "nameData", "pos", "state", "due", "dueReminder", "idMember", "idChecklist"});
    case TrelloThing::kComment:
      return is_one_of(name,
                       {"idMemberCreator", "data", "type", "date", "memberCreator", "appCreator", "member"});
  }
  return false;
}

bool is_empty_json(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded:
      return true;
    case Json::value_t::boolean:
      return !value.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return value == 0;
    case Json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case Json::value_t::array:
    case Json::value_t::object:
      return value.empty();
    case Json::value_t::binary:
      return false;
  }
  return false;
}

}  // namespace kalends
