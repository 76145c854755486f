// SPDX-License-Identifier: Apache-2.0
#include "core/api/facade.h"

#include <algorithm>

#include "core/api/commands.h"
#include "core/api/view.h"

namespace kalends {
namespace {

constexpr size_t kOpenMax = 1000;

Result<Id128> required_id(const Cbor& request, const char* name) {
  auto id = id_from_hex(request[name].as_text());
  if (!id) return invalid({"`", name, "` must be an id of 32 hexadecimal digits."});
  return *id;
}

Cbor messages(const std::vector<Bytes>& list) {
  Cbor array = Cbor::array();
  for (const Bytes& message : list) array.push(Cbor::bytes(message));
  return array;
}

Cbor view_tray(const Document& document, const std::vector<TrayEntry>& tray) {
  Cbor rows = Cbor::array();
  for (const TrayEntry& entry : tray) {
    Entity entity = document.find(entry.entity);
    const FieldSpec* spec = find_field(entity ? entity.type() : EntityType::kCard, entry.field);
    Cbor row = Cbor::map();
    row.set("op", view_op(entry.op));
    row.set("entity", entry.entity);
    row.set("field", spec ? spec->name : std::string_view("text"));
    row.set("value", view_value(entry.value));
    rows.push(std::move(row));
  }
  return rows;
}

}  // namespace

Bytes Facade::call(ByteView bytes) {
  return answer_of([&]() -> Result<Cbor> {
    KALENDS_TRY(Cbor request, decode_cbor(bytes));
    return dispatch(request);
  }());
}

Result<Cbor> Facade::dispatch(const Cbor& request) {
  const std::string& call = request["call"].as_text();
  if (call == "open") return open(request);
  if (call == "schema") return Cbor(view_schema());
  auto it = open_.find(request["handle"].as_int());
  if (it == open_.end()) return not_found("There is no open document with this handle.");
  Open& open = it->second;
  const Replica& replica = open.replica;
  if (call == "close") return open_.erase(it), Cbor();
  Result<Cbor> answer = ask(open, call, request);
  if (replica.is_damaged())
    return corrupt("The stored document is damaged: fetch it again or restore a backup.");
  return answer;
}

Result<Cbor> Facade::ask(Open& open, const std::string& call, const Cbor& request) {
  const Replica& replica = open.replica;
  if (open.is_read_only) {
    bool is_reading = call == "view" || call == "card" || call == "conflicts" || call == "hash" || call == "version";
    if (!is_reading) return invalid("This is the document as it was: it can be read, not changed.");
  }
  if (call == "edit") return edit(open, request);
  if (call == "undo" || call == "redo") return take_back(open, request, call == "undo");
  if (call == "merge") return merge(open, request);
  if (call == "retract") return retract(open, request);
  if (call == "session_start") return session_start(open, request);
  if (call == "session_receive") return session_receive(open, request);
  if (call == "session_edited") {
    if (!open.session) return invalid("Call session_start first.");
    return Cbor::map({{"send", messages(open.session->pushes())}});
  }
  if (call == "since") {
    KALENDS_TRY(Version version, decode_version(request["version"].as_byte_view()));
    KALENDS_TRY(Bytes ops, replica.chunk_since(version));
    return Cbor::map({{"ops", Cbor::bytes(ops)}});
  }
  if (call == "version") return Cbor::bytes(encode_version(replica.version()));
  if (call == "snapshot") return Cbor::bytes(replica.snapshot());
  if (call == "save") return Cbor::bytes(request["history"].as_bool() ? replica.save() : replica.snapshot());
  if (call == "at") return open_at(replica, request);
  if (call == "compact") return open.replica.compact(), Cbor();
  if (call == "hash") return Cbor(to_hex(replica.hash()));
  if (call == "view")
    return replica.document().kind == DocumentKind::kBoard ? view_board(replica, !request["layout"].as_bool())
                                                           : view_workspace(replica);
  if (call == "card") {
    KALENDS_TRY(Id128 id, required_id(request, "entity"));
    Cbor card = view_card(replica.document(), id);
    if (card.is_null()) return not_found("This board has no such card, or it was deleted.");
    return card;
  }
  if (call == "conflicts" && request["entity"].is_null()) return view_all_conflicts(replica.document());
  if (call == "conflicts" || call == "history" || call == "blame") {
    KALENDS_TRY(Id128 id, required_id(request, "entity"));
    if (call == "history") return view_history(replica, id);
    if (call == "blame") return view_blame(replica, id);
    return view_conflicts(replica.document(), id);
  }
  return invalid("There is no such call.");
}

Result<Cbor> Facade::open(const Cbor& request) {
  if (open_.size() >= kOpenMax)
    return Error{ErrorCode::kConflict, "Too many documents are open: close some.", 0};
  ReplicaOptions options;
  KALENDS_TRY(options.document.raw, required_id(request, "document"));
  KALENDS_TRY(options.replica.raw, required_id(request, "replica"));
  KALENDS_TRY(Id128 author, required_id(request, "author"));
  const std::string& kind = request["kind"].as_text();
  if (kind != "board" && kind != "workspace") return invalid("`kind` must be board or workspace.");
  options.kind = kind == "board" ? DocumentKind::kBoard : DocumentKind::kWorkspace;
  const Cbor& saved = request["bytes"].is_null() ? request["snapshot"] : request["bytes"];
  bool is_taken = request["taken"].as_bool();
  bool is_trusted = request["trusted"].as_bool();
  KALENDS_TRY(Replica replica, is_taken ? Replica::open(options, std::move(taken_), taken_size_, is_trusted)
                                        : Replica::open(options, saved.as_byte_view(), {}, is_trusted));
  taken_size_ = is_taken ? 0 : taken_size_;
  // One chunk or a list of them: what was stored edit by edit is opened in one go.
  const Cbor& chunks = request["ops"];
  size_t held_back = 0;
  auto merge_one = [&](const Cbor& chunk) -> Status {
    MergeResult merged;
    KALENDS_TRY_VOID(replica.merge_stored(chunk.as_byte_view(), merged));
    held_back = merged.held_back;
    return {};
  };
  if (chunks.is_array()) {
    for (const Cbor& chunk : chunks.items()) KALENDS_TRY_VOID(merge_one(chunk));
  } else {
    KALENDS_TRY_VOID(merge_one(chunks));
  }
  if (held_back > 0)
    return corrupt("Operations are missing before the stored ones: fetch the document again.");
  Open opened(std::move(replica));
  opened.author.raw = author;
  return keep(std::move(opened));
}

Cbor Facade::keep(Open opened) {
  int64_t handle = next_handle_++;
  open_.emplace(handle, std::move(opened));
  return Cbor::map({{"handle", handle}});
}

Result<Cbor> Facade::open_at(const Replica& replica, const Cbor& request) {
  if (open_.size() >= kOpenMax)
    return Error{ErrorCode::kConflict, "Too many documents are open: close some.", 0};
  KALENDS_TRY(Version version, decode_version(request["version"].as_byte_view()));
  KALENDS_TRY(Replica then, replica.at(version));
  Open opened(std::move(then));
  opened.is_read_only = true;
  return keep(std::move(opened));
}

Result<Cbor> Facade::edit(Open& open, const Cbor& request) {
  KALENDS_TRY(std::vector<Command> commands, parse_commands(open.replica.document(), request["commands"]));
  EditContext context{open.author, Cause::kPerson, request["now_ms"].as_int(),
                      request["keeps_crossed_dates"].as_bool()};
  Changes changes;
  KALENDS_TRY(Edited edited, open.replica.edit_in_place(context, commands, changes));
  return view_edited(open, edited, changes);
}

Result<Cbor> Facade::take_back(Open& open, const Cbor& request, bool is_undo) {
  EditContext context{open.author, Cause::kPerson, request["now_ms"].as_int()};
  Changes changes;
  KALENDS_TRY(Edited edited,
              is_undo ? open.replica.undo(context, changes) : open.replica.redo(context, changes));
  return view_edited(open, edited, changes);
}

Cbor Facade::view_edited(Open& open, const Edited& edited, const Changes& changes) {
  const Document& document = open.replica.document();
  Cbor created = Cbor::array();
  for (const OpRef& id : edited.created)
    created.push(id.is_nil() ? Cbor() : view_op(document.names.op_id(id)));
  Cbor answer = Cbor::map();
  answer.set("ops", Cbor::bytes(open.replica.chunk_of(edited.records)));
  answer.set("changed", view_changes(document, changes));
  answer.set("created", std::move(created));
  return answer;
}

Result<Cbor> Facade::merge(Open& open, const Cbor& request) {
  MergeResult result;
  KALENDS_TRY_VOID(open.replica.merge_chunk(request["ops"].as_byte_view(), request["now_ms"].as_int(), result));
  Cbor answer = Cbor::map();
  answer.set("changed", view_changes(open.replica.document(), result.changes));
  answer.set("news", result.applied > 0);
  answer.set("held_back", static_cast<int64_t>(result.held_back));
  return answer;
}

Result<Cbor> Facade::retract(Open& open, const Cbor& request) {
  std::vector<Replica::Refusal> refusals;
  for (const Cbor& item : request["ops"].items()) {
    auto op = parse_op_id(item.as_text());
    if (!op) return invalid("`ops` must be a list of operation ids.");
    refusals.push_back({*op, ErrorCode::kCancelled});
  }
  auto retraction = open.replica.retract(refusals);
  Cbor answer = Cbor::map();
  answer.set("changed", view_changes(open.replica.document(), retraction.changes));
  answer.set("tray", view_tray(open.replica.document(), retraction.tray));
  return answer;
}

Result<Cbor> Facade::session_start(Open& open, const Cbor& request) {
  open.session =
      std::make_unique<Session>(open.replica, Cursor{request["epoch"].as_int(), request["seq"].as_int()});
  return Cbor::map({{"send", messages({open.session->start()})}});
}

Result<Cbor> Facade::session_receive(Open& open, const Cbor& request) {
  if (!open.session) return invalid("Call session_start first.");
  KALENDS_TRY(Session::Received received,
              open.session->receive(request["message"].as_byte_view(), request["now_ms"].as_int()));
  const Document& document = open.replica.document();
  Cbor answer = Cbor::map();
  answer.set("send", messages(received.send));
  answer.set("changed", view_changes(document, received.changes));
  if (!received.ops.empty()) answer.set("ops", Cbor::bytes(encode_chunk(received.ops)));
  if (received.is_rewritten) {
    answer.set("replace_snapshot", Cbor::bytes(received.base));
    answer.set("replace_ops", Cbor::bytes(received.log.empty() ? Bytes{} : encode_chunk(received.log)));
  }
  answer.set("cursor",
             Cbor::map({{"epoch", open.session->cursor().epoch}, {"seq", open.session->cursor().seq}}));
  uint64_t made = document.version().of(open.replica.options().replica);
  answer.set("acked", open.session->acked());
  answer.set("pending",
             made - std::min(made, open.session->acked()));
  Cbor refused = Cbor::array();
  for (const auto& refusal : received.refused)
    refused.push(
        Cbor::map({{"op", view_op(refusal.op)}, {"code", refusal.code}, {"message", refusal.message}}));
  answer.set("refused", std::move(refused));
  answer.set("tray", view_tray(document, received.tray));
  if (!received.reload.empty()) answer.set("reload", received.reload);
  answer.set("synced", open.session->is_synced());
  return answer;
}

}  // namespace kalends
