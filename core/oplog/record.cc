// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/record.h"

#include <algorithm>
#include <new>

namespace kalends {
namespace {

template <typename T>
T* place(Interner& names, const T& value) {
  return new (names.arena.take(sizeof(T))) T(value);
}

StoredField stored_field(Interner& names, const FieldValue& field) {
  return {field.field, names.ids.intern(field.key), store(names, field.value)};
}

FieldValue field_of(const Interner& names, const StoredField& field) {
  return {field.field, names.ids[field.key], unstore(names, field.value)};
}

bool fits(const OpId& id) { return id.counter <= kCounterMax; }

// Every id of an operation in a body fits what this version takes.
bool fits(const OpBody& body) {
  auto fits_field = [](const FieldValue& field) {
    const auto* position = std::get_if<Position>(&field.value);
    return !position || fits(position->parent);
  };
  if (std::holds_alternative<UnknownBody>(body)) return true;
  switch (kind_of(body)) {
    case OpKind::kCreate: {
      const auto& fields = std::get_if<CreateBody>(&body)->fields;
      return std::all_of(fields.begin(), fields.end(), fits_field);
    }
    case OpKind::kSet:
      return fits_field(std::get_if<SetBody>(&body)->field);
    case OpKind::kOffer:
      return fits_field(std::get_if<OfferBody>(&body)->field);
    case OpKind::kTextInsert:
      return fits(std::get_if<TextInsertBody>(&body)->insert.parent.op);
    case OpKind::kTextRemove: {
      const auto& ranges = std::get_if<TextRemoveBody>(&body)->ranges;
      return std::all_of(ranges.begin(), ranges.end(), [](const CharRange& range) { return fits(range.op); });
    }
    case OpKind::kBound:
      return fits(std::get_if<BoundBody>(&body)->op);
    case OpKind::kRedact:
      return fits(std::get_if<RedactBody>(&body)->op);
    default:
      return true;
  }
}

Status fill(Interner& names, const OpBody& body, const Bytes& raw, Record& record) {
  auto fields = [&](const std::vector<FieldValue>& list) {
    auto* copy = names.arena.array<StoredField>(list.size());
    for (size_t i = 0; i < list.size(); ++i) copy[i] = stored_field(names, list[i]);
    record.fields = copy;
    record.count = static_cast<uint32_t>(list.size());
  };
  auto one = [&](StoredField field) {
    record.fields = place(names, field);
    record.count = 1;
  };
  if (const auto* create = std::get_if<CreateBody>(&body)) {
    record.detail = static_cast<uint8_t>(create->type);
    fields(create->fields);
  } else if (const auto* set = std::get_if<SetBody>(&body)) {
    one(stored_field(names, set->field));
  } else if (const auto* offer = std::get_if<OfferBody>(&body)) {
    one(stored_field(names, offer->field));
  } else if (const auto* add = std::get_if<AddBody>(&body)) {
    one({add->field, names.ids.intern(add->element), {}});
  } else if (const auto* remove = std::get_if<RemoveBody>(&body)) {
    one({remove->field, names.ids.intern(remove->element), {}});
  } else if (const auto* deletion = std::get_if<DeleteBody>(&body)) {
    auto* seen = names.arena.array<OpRef>(deletion->seen.entries().size());
    for (const auto& [replica, counter] : deletion->seen.entries()) {
      // A counter beyond what exists covers no more than the greatest does.
      seen[record.count++] = names.op({replica, std::min(counter, kCounterMax)});
      if (counter > kCounterMax) return invalid("An operation names a counter beyond what exists.");
    }
    record.ops = seen;
  } else if (const auto* written = std::get_if<TextInsertBody>(&body)) {
    const TextInsert& insert = written->insert;
    record.text = place(names, RecordText{{names.op(insert.parent.op), insert.parent.offset},
                                          insert.side,
                                          static_cast<uint32_t>(insert.text.size()),
                                          names.arena.copy(insert.text)});
  } else if (const auto* erased = std::get_if<TextRemoveBody>(&body)) {
    auto* ranges = names.arena.array<RefRange>(erased->ranges.size());
    for (const CharRange& range : erased->ranges)
      ranges[record.count++] = {names.op(range.op), range.offset, range.length};
    record.ranges = ranges;
  } else if (const auto* bound = std::get_if<BoundBody>(&body)) {
    record.bound = place(names, RecordBound{names.op(bound->op), bound->stamp});
  } else if (const auto* redaction = std::get_if<RedactBody>(&body)) {
    record.ops = place(names, names.op(redaction->op));
    record.count = 1;
  } else if (const auto* refusal = std::get_if<VoidBody>(&body)) {
    record.detail = static_cast<uint8_t>(refusal->reason);
  } else if (const auto* carry = std::get_if<CarryBody>(&body)) {
    auto* carried = names.arena.array<Record>(carry->ops.size());
    for (const Op& op : carry->ops) {
      KALENDS_TRY(Record inner, record_of(names, op));
      if (inner.id == record.id) return invalid("An operation cannot carry itself.");
      new (&carried[record.count++]) Record(inner);
    }
    record.carried = carried;
  } else if (std::holds_alternative<UnknownBody>(body)) {
    record.is_opaque = true;
    record.raw = reinterpret_cast<const uint8_t*>(names.arena.copy(as_text(raw)));
    record.count = static_cast<uint32_t>(raw.size());
  }
  return {};
}

OpBody body_of(const Interner& names, const Record& record) {
  switch (record.op_kind()) {
    case OpKind::kCreate: {
      CreateBody body{static_cast<EntityType>(record.detail), {}};
      for (const StoredField& field : record.field_values()) body.fields.push_back(field_of(names, field));
      return body;
    }
    case OpKind::kSet:
      return SetBody{field_of(names, *record.fields)};
    case OpKind::kOffer:
      return OfferBody{field_of(names, *record.fields)};
    case OpKind::kAdd:
      return AddBody{record.fields->field, names.ids[record.fields->key]};
    case OpKind::kRemove:
      return RemoveBody{record.fields->field, names.ids[record.fields->key]};
    case OpKind::kDelete: {
      DeleteBody body;
      for (uint32_t i = 0; i < record.count; ++i)
        body.seen.raise(ReplicaId{names.replica_ids[record.ops[i].replica]}, record.ops[i].counter);
      return body;
    }
    case OpKind::kRestore:
      return RestoreBody{};
    case OpKind::kTextInsert:
      return TextInsertBody{{{names.op_id(record.text->parent.op), record.text->parent.offset},
                             record.text->side,
                             std::string(record.text->view())}};
    case OpKind::kTextRemove: {
      TextRemoveBody body;
      for (uint32_t i = 0; i < record.count; ++i)
        body.ranges.push_back(
            {names.op_id(record.ranges[i].op), record.ranges[i].offset, record.ranges[i].length});
      return body;
    }
    case OpKind::kBound:
      return BoundBody{names.op_id(record.bound->op), record.bound->stamp};
    case OpKind::kRedact:
      return RedactBody{names.op_id(*record.ops)};
    case OpKind::kVoid:
      return VoidBody{static_cast<ErrorCode>(record.detail)};
    case OpKind::kCarry: {
      CarryBody body;
      for (uint32_t i = 0; i < record.count; ++i) body.ops.push_back(op_of(names, record.carried[i]));
      return body;
    }
    case OpKind::kRun:
      break;
  }
  return UnknownBody{};
}

}  // namespace

Result<Record> record_of(Interner& names, const Op& op) {
  bool all_fit = fits(op.id) && fits(op.child) && std::all_of(op.replaced.begin(), op.replaced.end(),
                                                              [](const OpId& id) { return fits(id); });
  KALENDS_TRY(OpBody body, decode_body(op.kind, op.body));
  if (!all_fit || !fits(body)) return invalid("An operation names a counter beyond what exists.");
  Record record;
  record.id = names.op(op.id);
  record.stamp = op.stamp;
  record.child = names.op(op.child);
  record.target = names.ids.intern(op.target);
  record.author = names.ids.intern(op.author.raw);
  record.back = static_cast<uint32_t>(op.id.counter - op.transaction);
  record.kind = op.kind;
  record.cause = op.cause;
  auto* replaced = names.arena.array<OpRef>(op.replaced.size());
  for (const OpId& id : op.replaced) replaced[record.replaced_count++] = names.op(id);
  record.replaced = replaced;
  KALENDS_TRY_VOID(fill(names, body, op.body, record));
  return record;
}

Op op_of(const Interner& names, const Record& record) {
  Op op;
  op.id = names.op_id(record.id);
  op.stamp = record.stamp;
  op.author.raw = names.ids[record.author];
  op.transaction = op.id.counter - record.back;
  op.cause = record.cause;
  op.target = names.ids[record.target];
  op.child = names.op_id(record.child);
  for (const OpRef& replaced : record.replaced_ops()) op.replaced.push_back(names.op_id(replaced));
  op.kind = record.kind;
  op.body = record.is_opaque ? Bytes(record.raw, record.raw + record.count)
                             : encode_body(body_of(names, record));
  return op;
}

}  // namespace kalends
