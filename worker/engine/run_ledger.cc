// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/run_ledger.h"

#include "core/base/hash.h"
#include "worker/engine/tuning.h"

namespace kalends {
namespace {

// The first byte of an entry's content.
constexpr uint8_t kVersion = 1;

template <typename T, typename Write>
void write_optional(Writer& out, const std::optional<T>& value, Write write) {
  out.u8(value ? 1 : 0);
  if (value) write(out, *value);
}

std::optional<EventFacet> read_optional_facet(Reader& in) {
  if (!in.boolean()) return std::nullopt;
  return read_facet(in);
}

Value shown(const Entity& card, Field field) {
  if (field == Field::kDescription) return card ? Value{card->text()} : Value{std::string()};
  return card ? card->value(field) : Value{};
}

}  // namespace

Bytes encode_entry(const EntryContent& content) {
  Writer out;
  out.u8(kVersion);
  out.u8(static_cast<uint8_t>(content.actor));
  out.id(content.member.raw);
  out.text(content.title);
  out.u8(content.fields.bits);
  out.varint(content.reasons.size());
  for (const std::string& reason : content.reasons) out.text(reason);
  write_optional(out, content.before, write_facet);
  write_optional(out, content.after, write_facet);
  out.text(content.etag);
  write_optional(out, content.agreed, [](Writer& to, const Shadow& shadow) {
    write_facet(to, shadow.ours);
    write_facet(to, shadow.theirs);
  });
  write_optional(out, content.card, write_facet);
  out.varint(content.changes.size());
  for (const FieldChange& change : content.changes) {
    out.varint(static_cast<uint64_t>(change.field));
    write_value(out, change.before);
    write_value(out, change.after);
    out.u8(change.is_offer ? 1 : 0);
  }
  for (bool fact : {content.is_deletion_undone, content.is_last_try_refused, content.may_have_arrived})
    out.u8(fact ? 1 : 0);
  return out.take();
}

Result<EntryContent> decode_entry(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kVersion)
    return Error{ErrorCode::kUnsupportedVersion, "This entry was written by a newer Kalends.", 0};
  EntryContent content;
  content.actor = static_cast<Actor>(in.u8());
  content.member.raw = in.id();
  content.title = in.text();
  content.fields.bits = in.u8();
  for (size_t left = in.count(1); left > 0 && in.ok(); --left) content.reasons.emplace_back(in.text());
  content.before = read_optional_facet(in);
  content.after = read_optional_facet(in);
  content.etag = in.text();
  if (in.boolean()) {
    EventFacet ours = read_facet(in);
    content.agreed = Shadow{std::move(ours), read_facet(in)};
  }
  content.card = read_optional_facet(in);
  for (size_t left = in.count(4); left > 0 && in.ok(); --left) {
    FieldChange change;
    change.field = static_cast<Field>(in.varint());
    change.before = read_value(in);
    change.after = read_value(in);
    change.is_offer = in.boolean();
    content.changes.push_back(std::move(change));
  }
  content.is_deletion_undone = in.boolean();
  content.is_last_try_refused = in.boolean();
  content.may_have_arrived = in.boolean();
  if (!in.done() || content.actor > Actor::kCalendar)
    return Error{ErrorCode::kCorrupt, "An entry of the ledger is damaged.", 0};
  return content;
}

std::string facet_hash(const EventFacet& facet) {
  Writer out;
  write_facet(out, facet);
  return to_hex(digest_of(out.view())).substr(0, 16);
}

std::vector<FieldChange> changes_of(const std::vector<Command>& commands, const Entity& card) {
  std::vector<FieldChange> changes;
  auto note = [&](Field field, Value after, bool is_offer = false) {
    FieldChange change{field, shown(card, field), std::move(after), is_offer};
    if (!(change.before == change.after)) changes.push_back(std::move(change));
  };
  for (const Command& command : commands) {
    if (const auto* set = std::get_if<SetCommand>(&command)) note(set->field.field, set->field.value);
    if (const auto* offer = std::get_if<OfferCommand>(&command))
      note(offer->field.field, offer->field.value, true);
    if (const auto* text = std::get_if<SetTextCommand>(&command)) note(Field::kDescription, text->text);
    if (const auto* move = std::get_if<MoveCommand>(&command))
      note(Field::kPosition, Position{move->list, {}, {}});
    if (const auto* create = std::get_if<CreateCommand>(&command))
      for (const FieldValue& field : create->fields) note(field.field, field.value);
  }
  return changes;
}

MemberId last_editor(const Entity& card) {
  if (!card) return {};
  MemberId editor;
  Hlc newest;
  for (Field field : {Field::kTitle, Field::kDone, Field::kStart, Field::kDue, Field::kLocation,
                      Field::kColour, Field::kArchived, Field::kPosition}) {
    auto value = card->winner(field);
    if (!value || value->stamp < newest) continue;
    newest = value->stamp;
    editor = value->author;
  }
  for (const Deletion& deletion : card->rarities().deletions)
    if (!(deletion.stamp < newest)) {
      newest = deletion.stamp;
      editor = MemberId{card->document().names.ids[deletion.author]};
    }
  return editor;
}

Status RunLedger::begin(Txn& txn, const LinkLease& lease) {
  // A transaction that failed took the number back with it.
  if (run_ > 0) {
    KALENDS_TRY(std::optional<RunRow> known, txn.run(lease.workspace, lease.link, run_));
    if (known) return {};
  }
  KALENDS_TRY(run_, txn.start_run(lease, ports_.clock.now_ms()));
  return {};
}

Result<EntryRow> RunLedger::append(Txn& txn, const LinkLease& lease, const Entry& entry) {
  KALENDS_TRY_VOID(begin(txn, lease));
  EntryRow row{run_,
               0,
               entry.card,
               static_cast<int64_t>(entry.kind),
               static_cast<int64_t>(entry.outcome),
               entry.deletes,
               ports_.clock.now_ms(),
               encode_entry(entry.content)};
  KALENDS_TRY(row.entry, txn.append_entry(lease, row));
  return row;
}

Status RunLedger::answered(Txn& txn, const LinkLease& lease, CardId card, const Answer& answer) {
  KALENDS_TRY(std::optional<EntryRow> row, txn.unanswered_entry(lease.workspace, lease.link, card));
  if (!row) return {};
  auto content = decode_entry(row->content);
  EntryOutcome outcome = answer.outcome;
  if (content.ok()) {
    if (answer.was_so_already && !content->may_have_arrived) outcome = EntryOutcome::kRefused;
    if (answer.event) {
      content->after = answer.event->facet;
      content->etag = answer.event->etag;
    }
    if (outcome == EntryOutcome::kRefused && !answer.reason.empty())
      content->reasons.push_back(answer.reason);
    content->is_last_try_refused = content->may_have_arrived = false;
    row->content = encode_entry(*content);
  }
  row->outcome = static_cast<int64_t>(outcome);
  bool is_refused = outcome == EntryOutcome::kRefused;
  if (is_refused) row->deletes = false;  // what did not happen is no deletion
  ports_.log.write(is_refused ? LogLevel::kInfo : LogLevel::kDebug, "entry_answered",
                   {{"link", lease.link},
                    {"run", row->run},
                    {"entry", row->entry},
                    {"card", card},
                    {"refused", is_refused}});
  return txn.update_entry(lease, *row);
}

Status RunLedger::refused_try(Txn& txn, const LinkLease& lease, CardId card) {
  KALENDS_TRY(std::optional<EntryRow> row, txn.unanswered_entry(lease.workspace, lease.link, card));
  if (!row) return {};
  KALENDS_TRY(EntryContent content, decode_entry(row->content));
  content.is_last_try_refused = true;
  row->content = encode_entry(content);
  return txn.update_entry(lease, *row);
}

Status RunLedger::overtaken(Txn& txn, const LinkLease& lease, CardId card,
                            const std::optional<Observation>& event, FacetMask mask) {
  KALENDS_TRY(std::optional<EntryRow> row, txn.unanswered_entry(lease.workspace, lease.link, card));
  if (!row) return {};
  auto content = decode_entry(row->content);
  bool is_live = event && event->presence == EventPresence::kLive;
  bool has_arrived = false;
  switch (static_cast<EntryKind>(row->kind)) {
    case EntryKind::kInsertEvent:
      has_arrived = is_live;  // its id was made for this very write
      break;
    case EntryKind::kPatchEvent:
      has_arrived = is_live && content.ok() && content->after;
      for (FacetField field : kFacetFields)
        if (has_arrived && content->fields.has(field) && mask.has(field))
          has_arrived = same(event->facet, *content->after, field);
      break;
    default:
      has_arrived = !is_live;
  }
  if (content.ok() && content->is_last_try_refused && !content->may_have_arrived) has_arrived = false;
  if (has_arrived)
    return answered(txn, lease, card, {EntryOutcome::kDone, is_live ? &*event : nullptr, {}, false});
  return answered(txn, lease, card,
                  {EntryOutcome::kRefused, nullptr, "somebody else was faster, or it did not arrive", false});
}

Status RunLedger::finish(Txn& txn, const LinkLease& lease, ByteView report) {
  int64_t now_ms = ports_.clock.now_ms();
  KALENDS_TRY_VOID(txn.finish_run(lease, run_, now_ms, report));
  if (run_ % tuning::kForgetEveryRuns != 0) return {};
  return txn.forget_runs(lease, {tuning::kRunsKept, now_ms - tuning::kRunsKeptMs, tuning::kEntriesKept});
}

}  // namespace kalends
