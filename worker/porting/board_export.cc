// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/board_export.h"

#include <algorithm>
#include <set>

#include "core/api/view.h"
#include "core/base/text.h"
#include "worker/base/encoding.h"
#include "worker/porting/json_file.h"

namespace kalends {
namespace {

std::string root_title(const Document& document) {
  Entity root = document.find(document.id.raw);
  return root ? root->text_value(Field::kTitle) : std::string();
}

Json as_json(const Cbor& cbor) {
  Json json = Json::from_cbor(encode_cbor(cbor), true, false);
  KALENDS_CHECK(!json.is_discarded());
  return json;
}

Json document_json(const Replica& replica) {
  return {{"id", to_hex(replica.document().id)},
          {"kind", replica.document().kind == DocumentKind::kBoard ? "board" : "workspace"},
          {"state_hash", to_hex(replica.hash())},
          {"snapshot", base64url_encode(replica.base())},
          {"operations", base64url_encode(encode_chunk(replica.log()))}};
}

// The ids that the visible cards of a board name.
std::set<Id128> named_ids(const std::vector<const Replica*>& boards, Field field) {
  std::set<Id128> ids;
  for (const Replica* board : boards)
    for (const ListRow& list : board_rows(*board))
      for (const CardRow& row : list.cards)
        for (const Id128& id : row.card->elements(field)) ids.insert(id);
  return ids;
}

Json workspace_json(const ExportInput& input) {
  std::set<Id128> labels = named_ids(input.boards, Field::kLabels);
  std::set<Id128> members = named_ids(input.boards, Field::kAssignees);
  if (input.with_workspace) {
    for (const Entity& entity : input.workspace->document().all()) {
      if (!entity.is_live()) continue;
      if (entity.type() == EntityType::kLabel) labels.insert(entity.id());
      if (entity.type() == EntityType::kMember) members.insert(entity.id());
    }
  }
  Json label_rows = Json::array();
  for (const Id128& id : labels) {
    Entity label = input.workspace->document().find(id);
    if (label && label->is_live())
      label_rows.push_back({{"id", to_hex(id)},
                            {"name", label->text_value(Field::kTitle)},
                            {"colour", label->text_value(Field::kColour)}});
  }
  Json member_rows = Json::array();
  for (const Id128& id : members) {
    auto name = input.members.find(id);
    member_rows.push_back(
        {{"id", to_hex(id)}, {"name", name == input.members.end() ? std::string() : name->second}});
  }
  return {{"labels", std::move(label_rows)},
          {"members", std::move(member_rows)},
          {"document", input.with_workspace ? document_json(*input.workspace) : Json()}};
}

// Reads a document of the file; errors name its place.
class DocumentReader {
 public:
  explicit DocumentReader(JsonFileReader& in) : in_(in) {}

  ExportedDocument read(const JsonNode& node, DocumentKind kind) {
    ExportedDocument document;
    document.kind = kind;
    document.id = DocumentId{id(node, "id")};
    if (in_.text(node, "kind") != (kind == DocumentKind::kBoard ? "board" : "workspace"))
      in_.refuse(node.at + "/kind", "this is another kind of document.");
    document.base = bytes(node, "snapshot");
    Bytes chunk = bytes(node, "operations");
    std::string hash = in_.text(node, "state_hash");
    if (!in_.ok()) return document;
    auto ops = decode_chunk(chunk);
    if (!ops.ok()) {
      in_.refuse(node.at + "/operations", "the operations are damaged.");
      return document;
    }
    document.ops = std::move(ops).value();
    // Nobody writes under this replica id: it only reads.
    auto replica = Replica::open({document.id, kind, ReplicaId{derive_id(as_bytes("kalends export reader"))}},
                                 document.base, document.ops);
    if (!replica.ok()) {
      in_.refuse(node.at, "the document is damaged: its snapshot and its operations do not fit together.");
      return document;
    }
    document.snapshot = replica->snapshot();
    document.hash = replica->hash();
    document.title = root_title(replica->document());
    if (to_hex(document.hash) != hash)
      in_.refuse(node.at + "/state_hash", "the document is damaged: its bytes give another hash.");
    return document;
  }

  Id128 id(const JsonNode& node, std::string_view name) {
    auto found = id_from_hex(in_.text(node, name));
    if (!found || found->is_nil())
      in_.refuse(node.member(name).at, "this must be an id of 32 hexadecimal digits.");
    return found.value_or(Id128{});
  }

 private:
  Bytes bytes(const JsonNode& node, std::string_view name) {
    auto found = base64url_decode(in_.text(node, name));
    if (!found) in_.refuse(node.member(name).at, "this must be base64url without padding.");
    return std::move(found).value_or(Bytes{});
  }

  JsonFileReader& in_;
};

std::string field_text(JsonFileReader& in, const JsonNode& node, std::string_view name) {
  std::string text = in.text(node, name);
  if (text.size() > kTitleBytesMax || !is_valid_text(text))
    in.refuse(node.member(name).at, "this must be a text of at most 4096 bytes without NUL.");
  return text;
}

}  // namespace

std::string export_json(const ExportInput& input) {
  KALENDS_CHECK(input.workspace != nullptr);
  Json boards = Json::array();
  for (const Replica* board : input.boards) {
    Json row = document_json(*board);
    row["title"] = root_title(board->document());
    row["view"] = as_json(view_board(*board));
    boards.push_back(std::move(row));
  }
  Json file = {{"kalends_export", kExportFormat},
               {"made_by", "kalends " + input.version},
               {"exported_at", to_text(WallTime{input.now_ms / 1000}) + "Z"},
               {"workspace", workspace_json(input)},
               {"boards", std::move(boards)}};
  return file.dump(1) + "\n";
}

Result<KalendsExport> parse_export(std::string_view text) {
  KALENDS_TRY(Json json, read_json_file(text, kExportBytesMax));
  JsonNode top{&json, {}};
  const Json& version = *top.member("kalends_export").json;
  if (!version.is_number_integer() || version < 1)
    return invalid("This is not a file of kalends export: it has no `kalends_export`.");
  if (version > kExportFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "The file was made by a newer Kalends. Update this one, then import it.", 0};

  JsonFileReader in;
  DocumentReader documents(in);
  KalendsExport file;
  JsonNode workspace = top.member("workspace");
  if (!workspace.json->is_object()) in.refuse(workspace.at, "this must be an object.");
  std::set<Id128> taken;
  auto fresh_id = [&](const JsonNode& node) {
    Id128 id = documents.id(node, "id");
    if (in.ok() && !taken.insert(id).second) in.refuse(node.at + "/id", "this id stands in the file twice.");
    return id;
  };
  for (const JsonNode& row : in.objects(workspace, "labels"))
    file.labels.push_back(
        {LabelId{fresh_id(row)}, field_text(in, row, "name"), field_text(in, row, "colour")});
  for (const JsonNode& row : in.objects(workspace, "members"))
    file.members.push_back({MemberId{fresh_id(row)}, field_text(in, row, "name")});
  JsonNode document = workspace.member("document");
  if (!document.is_absent()) {
    if (document.json->is_object())
      file.workspace = documents.read(document, DocumentKind::kWorkspace);
    else
      in.refuse(document.at, "this must be a document or null.");
  }
  for (const JsonNode& row : in.objects(top, "boards")) {
    if (!in.ok()) break;
    fresh_id(row);
    file.boards.push_back(documents.read(row, DocumentKind::kBoard));
  }
  if (!in.ok()) return in.status().error();
  if (file.boards.empty() && !file.workspace)
    return invalid("The file holds no board: there is nothing to import.");
  return file;
}

std::vector<Command> missing_in(const Document& workspace, const KalendsExport& file) {
  std::vector<Command> commands;
  auto is_missing = [&](const Id128& id) {
    Entity entity = workspace.find(id);
    return !entity || !entity->is_created();
  };
  for (const ExportedLabel& label : file.labels)
    if (is_missing(label.id.raw))
      commands.push_back(CreateCommand{EntityType::kLabel,
                                       label.id.raw,
                                       {{Field::kTitle, {}, label.name}, {Field::kColour, {}, label.colour}},
                                       {},
                                       {}});
  for (const ExportedMember& member : file.members)
    if (is_missing(member.id.raw))
      commands.push_back(CreateCommand{EntityType::kMember, member.id.raw, {}, {}, {}});
  for (const ExportedDocument& board : file.boards) {
    Entity entry = workspace.find(board.id.raw);
    if (!entry || !entry->is_created())
      commands.push_back(
          CreateCommand{EntityType::kBoardEntry, board.id.raw, {{Field::kTitle, {}, board.title}}, {}, {}});
    else if (entry->is_deleted())
      commands.push_back(RestoreCommand{{board.id.raw, {}}});
  }
  return commands;
}

}  // namespace kalends
