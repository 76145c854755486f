// SPDX-License-Identifier: Apache-2.0
// The canonical encoding of a document's state (format 1). Everything is written in the order of its ordered
// container.
#include "core/model/document.h"

#include <algorithm>

namespace kalends {
namespace {

constexpr uint8_t kSnapshotFormat = 1;  // do not renumber

void write_version(Writer& out, const Version& version) {
  out.varint(version.entries().size());
  for (const auto& [replica, counter] : version.entries()) {
    out.id(replica.raw);
    out.varint(counter);
  }
}

Version read_version(Reader& in) {
  Version version;
  for (size_t n = in.count(17); n > 0 && in.ok(); --n) {
    ReplicaId replica{in.id()};
    uint64_t counter = in.varint();
    if (counter == 0 || version.of(replica) != 0) in.fail();
    version.raise(replica, counter);
  }
  return version;
}

void write_ids(Writer& out, const std::vector<OpId>& ids) {
  out.varint(ids.size());
  for (const OpId& id : ids) write_op_id(out, id);
}

std::vector<OpId> read_ids(Reader& in) {
  std::vector<OpId> ids(in.count(1));
  for (OpId& id : ids) id = read_op_id(in);
  return ids;
}

void write_register_values(Writer& out, const std::vector<RegisterValue>& values) {
  out.varint(values.size());
  for (const RegisterValue& value : values) {
    write_op_id(out, value.op);
    out.varint(value.stamp.raw);
    out.id(value.author.raw);
    out.u8(static_cast<uint8_t>((value.is_offer ? 1 : 0) | (value.is_redacted ? 2 : 0)));
    write_value(out, value.value);
  }
}

std::vector<RegisterValue> read_register_values(Reader& in) {
  std::vector<RegisterValue> values(in.count(20));
  for (RegisterValue& value : values) {
    value.op = read_op_id(in);
    value.stamp.raw = in.varint();
    value.author.raw = in.id();
    uint8_t flags = in.u8();
    if (flags > 3) in.fail();
    value.is_offer = flags & 1;
    value.is_redacted = flags & 2;
    value.value = read_value(in);
  }
  return values;
}

void write_entity(Writer& out, const Entity& entity, int depth) {
  out.u8(static_cast<uint8_t>(entity.type));
  write_op_id(out, entity.created_by);
  out.varint(entity.created_at.raw);
  out.id(entity.creator.raw);
  out.varint(entity.registers.size());
  for (const auto& [key, reg] : entity.registers) {
    out.varint(static_cast<uint64_t>(key.field));
    out.u8(key.key.is_nil() ? 0 : 1);
    if (!key.key.is_nil()) out.id(key.key);
    write_register_values(out, reg.values);
    write_ids(out, reg.replaced_early);
  }
  out.varint(entity.sets.size());
  for (const auto& [field, set] : entity.sets) {
    out.varint(static_cast<uint64_t>(field));
    out.varint(set.adds.size());
    for (const auto& [element, adds] : set.adds) {
      out.id(element);
      write_ids(out, adds);
    }
    write_ids(out, set.removed_early);
  }
  entity.text.encode(out);
  write_register_values(out, entity.text_offers);
  write_ids(out, entity.text_offers_replaced_early);
  out.varint(entity.deletions.size());
  for (const Deletion& deletion : entity.deletions) {
    write_op_id(out, deletion.op);
    out.varint(deletion.stamp.raw);
    out.id(deletion.author.raw);
    write_version(out, deletion.seen);
  }
  write_ids(out, entity.restored_early);
  write_version(out, entity.touched);
  if (depth > 0) return;  // children have no children
  out.varint(entity.children.size());
  for (const auto& [id, child] : entity.children) {
    write_op_id(out, id);
    write_entity(out, child, depth + 1);
  }
}

Entity read_entity(Reader& in, int depth) {
  Entity entity;
  uint8_t type = in.u8();
  if (type > static_cast<uint8_t>(kLastEntityType)) in.fail();
  entity.type = static_cast<EntityType>(type);
  entity.created_by = read_op_id(in);
  entity.created_at.raw = in.varint();
  entity.creator.raw = in.id();
  for (size_t n = in.count(4); n > 0 && in.ok(); --n) {
    RegisterKey key{static_cast<Field>(in.varint()), {}};
    if (in.boolean()) key.key = in.id();
    Register reg;
    reg.values = read_register_values(in);
    reg.replaced_early = read_ids(in);
    entity.registers.emplace(key, std::move(reg));
  }
  for (size_t n = in.count(3); n > 0 && in.ok(); --n) {
    auto field = static_cast<Field>(in.varint());
    AddWinsSet set;
    for (size_t k = in.count(17); k > 0 && in.ok(); --k) {
      Id128 element = in.id();
      set.adds.emplace(element, read_ids(in));
    }
    set.removed_early = read_ids(in);
    entity.sets.emplace(field, std::move(set));
  }
  entity.text = TextSequence::decode(in);
  entity.text_offers = read_register_values(in);
  entity.text_offers_replaced_early = read_ids(in);
  for (size_t n = in.count(19); n > 0 && in.ok(); --n) {
    Deletion deletion;
    deletion.op = read_op_id(in);
    deletion.stamp.raw = in.varint();
    deletion.author.raw = in.id();
    deletion.seen = read_version(in);
    entity.deletions.push_back(std::move(deletion));
  }
  entity.restored_early = read_ids(in);
  entity.touched = read_version(in);
  if (depth > 0) return entity;
  for (size_t n = in.count(20); n > 0 && in.ok(); --n) {
    OpId id = read_op_id(in);
    entity.children.emplace(id, read_entity(in, depth + 1));
  }
  return entity;
}

}  // namespace

void encode_document(Writer& out, const Document& document) {
  out.u8(kSnapshotFormat);
  out.id(document.id.raw);
  out.u8(static_cast<uint8_t>(document.kind));
  write_version(out, document.version);
  out.varint(document.carried.size());
  for (const OpId& id : document.carried) write_op_id(out, id);
  out.varint(document.entities.size());
  for (const auto& [id, entity] : document.entities) {
    out.id(id);
    write_entity(out, entity, 0);
  }
  out.varint(document.bounds.size());
  for (const auto& [id, stamp] : document.bounds) {
    write_op_id(out, id);
    out.varint(stamp.raw);
  }
  out.varint(document.redactions.size());
  for (const OpId& id : document.redactions) write_op_id(out, id);
  out.varint(document.voids.size());
  for (const OpId& id : document.voids) write_op_id(out, id);
  out.varint(document.opaque.size());
  for (const auto& [id, bytes] : document.opaque) {
    write_op_id(out, id);
    out.bytes(bytes);
  }
}

Result<Document> decode_document(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kSnapshotFormat)
    return Error{ErrorCode::kUnsupportedVersion,
                 "This snapshot was written by another version of Kalends: update this copy.", 0};
  Document document;
  document.id.raw = in.id();
  uint8_t kind = in.u8();
  if (kind < 1 || kind > 2) in.fail();
  document.kind = static_cast<DocumentKind>(kind);
  document.version = read_version(in);
  for (size_t n = in.count(1); n > 0 && in.ok(); --n) document.carried.insert(read_op_id(in));
  for (size_t n = in.count(30); n > 0 && in.ok(); --n) {
    Id128 id = in.id();
    document.entities.emplace(id, read_entity(in, 0));
  }
  for (size_t n = in.count(2); n > 0 && in.ok(); --n) {
    OpId id = read_op_id(in);
    document.bounds.emplace(id, Hlc{in.varint()});
  }
  for (size_t n = in.count(1); n > 0 && in.ok(); --n) document.redactions.insert(read_op_id(in));
  for (size_t n = in.count(1); n > 0 && in.ok(); --n) document.voids.insert(read_op_id(in));
  for (size_t n = in.count(2); n > 0 && in.ok(); --n) {
    OpId id = read_op_id(in);
    ByteView op = in.bytes();
    document.opaque.emplace(id, Bytes(op.begin(), op.end()));
  }
  if (!in.done()) return corrupt("The snapshot is damaged: fetch it again or restore a backup.");
  // One state, one encoding: what does not come back byte for byte was not written by encode_document.
  Writer again;
  encode_document(again, document);
  if (!std::equal(again.view().begin(), again.view().end(), bytes.begin(), bytes.end()))
    return corrupt("The snapshot is not in canonical form: fetch it again or restore a backup.");
  return document;
}

}  // namespace kalends
