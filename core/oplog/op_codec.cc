// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/text.h"
#include "core/oplog/op.h"

namespace kalends {
namespace {

constexpr uint8_t kVersionFormat = 1;  // do not renumber

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

void write_field(Writer& out, const FieldValue& field) {
  out.varint(static_cast<uint64_t>(field.field));
  out.u8(field.key.is_nil() ? 0 : 1);
  if (!field.key.is_nil()) out.id(field.key);
  write_value(out, field.value);
}

Field read_field_number(Reader& in) {
  uint64_t number = in.varint();
  if (number == 0 || number > 0xFFFF) in.fail();
  return static_cast<Field>(number);
}

FieldValue read_field(Reader& in) {
  FieldValue field{read_field_number(in), {}, {}};
  if (in.boolean()) {
    field.key = in.id();
    if (field.key.is_nil()) in.fail();
  }
  field.value = read_value(in);
  return field;
}

void write_versions(Writer& out, const Version& version) {
  out.varint(version.entries().size());
  for (const auto& [replica, counter] : version.entries()) {
    out.id(replica.raw);
    out.varint(counter);
  }
}

Version read_versions(Reader& in) {
  Version version;
  ReplicaId last;
  for (size_t n = in.count(17), i = 0; i < n && in.ok(); ++i) {
    ReplicaId replica{in.id()};
    uint64_t counter = in.varint();
    if (counter == 0 || (i > 0 && replica <= last)) in.fail();
    version.raise(replica, counter);
    last = replica;
  }
  return version;
}

OpId read_some_op(Reader& in) {
  OpId id = read_op_id(in);
  if (id.is_nil()) in.fail();
  return id;
}

uint32_t read_u32(Reader& in) {
  uint64_t value = in.varint();
  if (value > UINT32_MAX) in.fail();
  return static_cast<uint32_t>(value);
}

OpBody read_body(OpKind kind, Reader& in) {
  switch (kind) {
    case OpKind::kCreate: {
      CreateBody body;
      body.type = static_cast<EntityType>(in.u8());
      if (body.type == EntityType::kUnknown) in.fail();
      body.fields.resize(in.count(3));
      if (body.fields.size() > kCreateFieldsMax) in.fail();
      for (FieldValue& field : body.fields) field = read_field(in);
      return body;
    }
    case OpKind::kSet:
      return SetBody{read_field(in)};
    case OpKind::kOffer:
      return OfferBody{read_field(in)};
    case OpKind::kAdd: {
      Field field = read_field_number(in);
      return AddBody{field, in.id()};
    }
    case OpKind::kRemove: {
      Field field = read_field_number(in);
      return RemoveBody{field, in.id()};
    }
    case OpKind::kDelete:
      return DeleteBody{read_versions(in)};
    case OpKind::kRestore:
      return RestoreBody{};
    case OpKind::kTextInsert: {
      TextInsertBody body;
      body.insert.parent.op = read_op_id(in);
      body.insert.parent.offset = read_u32(in);
      body.insert.side = in.boolean() ? Side::kAfter : Side::kBefore;
      body.insert.text = std::string(in.text());
      bool is_start = body.insert.parent.op.is_nil();
      if (body.insert.text.empty() || body.insert.text.size() > kTextBytesMax) in.fail();
      if (is_start && (body.insert.parent.offset != 0 || body.insert.side != Side::kAfter)) in.fail();
      return body;
    }
    case OpKind::kTextRemove: {
      TextRemoveBody body;
      body.ranges.resize(in.count(3));
      for (CharRange& range : body.ranges) {
        range.op = read_some_op(in);
        range.offset = read_u32(in);
        range.length = read_u32(in);
        if (range.length == 0 || range.offset + range.length < range.offset) in.fail();
      }
      if (body.ranges.empty()) in.fail();
      return body;
    }
    case OpKind::kBound: {
      OpId op = read_some_op(in);
      return BoundBody{op, Hlc{in.varint()}};
    }
    case OpKind::kRedact:
      return RedactBody{read_some_op(in)};
    case OpKind::kVoid: {
      uint8_t reason = in.u8();
      if (reason < 1 || reason > 11) in.fail();
      return VoidBody{static_cast<ErrorCode>(reason)};
    }
    case OpKind::kCarry: {
      CarryBody body;
      body.ops.resize(in.count(40));
      for (Op& op : body.ops) {
        op = read_op(in);
        if (op.kind == static_cast<uint16_t>(OpKind::kCarry))
          in.fail();  // carried again: flattened, never nested
      }
      return body;
    }
    case OpKind::kRun:
      break;
  }
  return UnknownBody{};
}

// True when every field and value of the body is one that this version knows. Reading already refused unknown
// values of known kinds only where no newer version could have written them: unknown value tags make the body
// unknown.
bool has_unknown_value_tag(OpKind kind, ByteView body) {
  Reader in(body);
  auto skips = [&](bool is_create) {
    size_t fields = 1;
    if (is_create) {
      in.u8();
      fields = in.count(3);
    }
    for (size_t i = 0; i < fields && in.ok(); ++i) {
      read_field_number(in);
      if (in.boolean()) in.id();
      if (in.remaining() == 0) return false;
      Reader peek = in;
      if (peek.u8() > static_cast<uint8_t>(ValueKind::kPosition)) return in.ok();
      read_value(in);
    }
    return false;
  };
  if (kind == OpKind::kCreate) return skips(true);
  if (kind == OpKind::kSet || kind == OpKind::kOffer) return skips(false);
  return false;
}

}  // namespace

OpBody::OpBody(const OpBody&) = default;
OpBody::OpBody(OpBody&&) noexcept = default;
OpBody& OpBody::operator=(const OpBody&) = default;
OpBody& OpBody::operator=(OpBody&&) noexcept = default;
OpBody::~OpBody() = default;

Bytes encode_body(const OpBody& body) {
  Writer out;
  std::visit(overloaded{
                 [&](const CreateBody& b) {
                   out.u8(static_cast<uint8_t>(b.type));
                   out.varint(b.fields.size());
                   for (const FieldValue& field : b.fields) write_field(out, field);
                 },
                 [&](const SetBody& b) { write_field(out, b.field); },
                 [&](const OfferBody& b) { write_field(out, b.field); },
                 [&](const AddBody& b) {
                   out.varint(static_cast<uint64_t>(b.field));
                   out.id(b.element);
                 },
                 [&](const RemoveBody& b) {
                   out.varint(static_cast<uint64_t>(b.field));
                   out.id(b.element);
                 },
                 [&](const DeleteBody& b) { write_versions(out, b.seen); },
                 [&](const RestoreBody&) {},
                 [&](const TextInsertBody& b) {
                   write_op_id(out, b.insert.parent.op);
                   out.varint(b.insert.parent.offset);
                   out.u8(static_cast<uint8_t>(b.insert.side));
                   out.text(b.insert.text);
                 },
                 [&](const TextRemoveBody& b) {
                   out.varint(b.ranges.size());
                   for (const CharRange& range : b.ranges) {
                     write_op_id(out, range.op);
                     out.varint(range.offset);
                     out.varint(range.length);
                   }
                 },
                 [&](const BoundBody& b) {
                   write_op_id(out, b.op);
                   out.varint(b.stamp.raw);
                 },
                 [&](const RedactBody& b) { write_op_id(out, b.op); },
                 [&](const VoidBody& b) { out.u8(static_cast<uint8_t>(b.reason)); },
                 [&](const CarryBody& b) {
                   out.varint(b.ops.size());
                   for (const Op& op : b.ops) write_op(out, op);
                 },
                 [&](const UnknownBody&) { KALENDS_CHECK(false); },
             },
             body);
  return out.take();
}

OpKind kind_of(const OpBody& body) {
  static constexpr OpKind kKinds[] = {
      OpKind::kCreate,  OpKind::kSet,        OpKind::kAdd,        OpKind::kRemove, OpKind::kDelete,
      OpKind::kRestore, OpKind::kTextInsert, OpKind::kTextRemove, OpKind::kOffer,  OpKind::kBound,
      OpKind::kRedact,  OpKind::kVoid,       OpKind::kCarry};
  KALENDS_CHECK(body.index() < std::size(kKinds));
  return kKinds[body.index()];
}

Result<OpBody> decode_body(uint16_t kind, ByteView bytes) {
  if (kind < 1 || kind > static_cast<uint16_t>(OpKind::kCarry)) return OpBody{UnknownBody{}};
  // A type of entity that only a newer version knows.
  bool is_create = kind == static_cast<uint16_t>(OpKind::kCreate) && !bytes.empty();
  if (is_create && bytes[0] > static_cast<uint8_t>(kLastEntityType)) return OpBody{UnknownBody{}};
  Reader in(bytes);
  OpBody body = read_body(static_cast<OpKind>(kind), in);
  if (in.done()) {
    // A kind of thing that a newer version makes.
    const auto* create = std::get_if<CreateBody>(&body);
    if (create && !document_kind(create->type)) return OpBody{UnknownBody{}};
    return body;
  }
  if (has_unknown_value_tag(static_cast<OpKind>(kind), bytes)) return OpBody{UnknownBody{}};
  return invalid("The body of an operation is malformed.");
}

void write_op(Writer& out, const Op& op) {
  write_op_id(out, op.id);
  out.varint(op.stamp.raw);
  out.id(op.author.raw);
  out.varint(op.id.counter - op.transaction);
  out.u8(static_cast<uint8_t>(op.cause));
  out.id(op.target);
  write_op_id(out, op.child);
  out.varint(op.replaced.size());
  for (const OpId& id : op.replaced) write_op_id(out, id);
  out.varint(op.kind);
  out.bytes(op.body);
}

Op read_op(Reader& in) {
  Op op;
  op.id = read_some_op(in);
  op.stamp.raw = in.varint();
  op.author.raw = in.id();
  uint64_t back = in.varint();
  if (back >= op.id.counter) in.fail();
  op.transaction = op.id.counter - back;
  uint8_t cause = in.u8();
  if (cause < 1 || cause > kCauseMax) in.fail();
  op.cause = static_cast<Cause>(cause);
  op.target = in.id();
  op.child = read_op_id(in);
  size_t replaced = in.count(17);
  if (replaced > kReplacedMax) in.fail();
  for (size_t i = 0; i < replaced && in.ok(); ++i) {
    op.replaced.push_back(read_some_op(in));
    if (i > 0 && op.replaced[i] <= op.replaced[i - 1]) in.fail();
  }
  uint64_t kind = in.varint();
  if (kind == 0 || kind > 0xFFFF) in.fail();
  op.kind = static_cast<uint16_t>(kind);
  ByteView body = in.bytes();
  if (body.size() > kOpBytesMax && kind != static_cast<uint16_t>(OpKind::kCarry)) in.fail();
  op.body.assign(body.begin(), body.end());
  return op;
}

Bytes encode_version(const Version& version) {
  Writer out;
  out.u8(kVersionFormat);
  write_versions(out, version);
  return out.take();
}

Result<Version> decode_version(ByteView bytes) {
  if (bytes.empty()) return Version{};
  Reader in(bytes);
  if (in.u8() != kVersionFormat) return invalid("This is not a version of a Kalends document.");
  Version version = read_versions(in);
  if (!in.done()) return invalid("This is not a version of a Kalends document.");
  return version;
}

}  // namespace kalends
