// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/shape.h"

#include <algorithm>

#include "core/base/sort.h"
#include "core/model/schema.h"

namespace kalends {

namespace {

bool has_detail(ValueKind kind) { return kind == ValueKind::kWhen || kind == ValueKind::kPosition; }

bool sets_a_value(OpKind kind) {
  return kind == OpKind::kCreate || kind == OpKind::kSet || kind == OpKind::kOffer;
}

void read_field(Reader& in, bool has_value, FieldShape& shape) {
  uint64_t field = in.varint();
  if (field < 2 || field > 0x1FFFF) in.fail();
  shape.field = static_cast<Field>(field >> 1);
  shape.has_key = field & 1;
  if (!has_value) return;
  uint64_t kind = in.varint();
  if (kind > static_cast<uint64_t>(ValueKind::kPosition) + 1) return in.fail();
  shape.kind = kind == 0 ? usual_kind(shape.field) : static_cast<ValueKind>(kind - 1);
  if (kind != 0 && shape.kind == usual_kind(shape.field)) in.fail();  // has a shorter form
  if (!has_detail(shape.kind)) return;
  uint64_t detail = in.varint();
  if (detail > (shape.kind == ValueKind::kWhen ? 2 : 3)) in.fail();
  shape.detail = static_cast<uint8_t>(detail);
}

}  // namespace

ValueKind usual_kind(Field field) {
  // The same for every type that has the field. Fields that came after format 2 write their kind: an older version, which
  // does not know them, must read it. Do not move the last one.
  constexpr auto kLastField = static_cast<size_t>(Field::kLocalName);
  static const auto* table = [] {
    static ValueKind kinds[kLastField + 1] = {};
    for (const FieldSpec& spec : all_fields())
      if (auto number = static_cast<size_t>(spec.field); number <= kLastField) kinds[number] = spec.value;
    return kinds;
  }();
  auto number = static_cast<size_t>(field);
  return number <= kLastField ? table[number] : ValueKind::kNull;
}

void spell(const Shape& shape, std::vector<uint64_t>& numbers) {
  numbers.push_back(uint64_t{shape.kind} << 3 | (shape.is_same ? 4 : 0) | (shape.is_implicit ? 2 : 0) | (shape.is_opaque ? 1 : 0));
  numbers.push_back(shape.child);
  numbers.push_back(shape.replaced);
  if (shape.is_opaque) return;
  auto kind = static_cast<OpKind>(shape.kind);
  if (kind == OpKind::kCreate) {
    numbers.push_back(shape.type);
    numbers.push_back(shape.fields.size());
  }
  if (kind == OpKind::kTextInsert || kind == OpKind::kRun) numbers.push_back(shape.run);
  for (const FieldShape& field : shape.fields) {
    numbers.push_back(static_cast<uint64_t>(field.field) << 1 | field.has_key);
    if (!sets_a_value(kind)) continue;
    numbers.push_back(field.kind == usual_kind(field.field) ? 0 : static_cast<uint64_t>(field.kind) + 1);
    if (has_detail(field.kind)) numbers.push_back(field.detail);
  }
}

void read_shape(Reader& in, bool is_state, Shape& shape) {
  uint64_t first = in.varint();
  uint64_t child = in.varint();
  uint64_t replaced = in.varint();
  if (first >> 3 > 0xFFFF || child > 3 || replaced > 2 + kReplacedMax) in.fail();
  if (!in.ok()) return;
  shape.kind = static_cast<uint16_t>(first >> 3);
  shape.is_same = first & 4;
  shape.is_implicit = first & 2;
  if (shape.is_same && shape.is_implicit) in.fail();
  shape.is_opaque = first & 1;
  shape.child = static_cast<uint8_t>(child);
  shape.replaced = static_cast<uint32_t>(replaced);
  shape.type = shape.run = 0;
  shape.fields.clear();
  if (shape.is_opaque) {
    if (shape.is_implicit) in.fail();
    return;
  }
  if (shape.kind > static_cast<uint16_t>(OpKind::kCarry)) return in.fail();
  auto kind = static_cast<OpKind>(shape.kind);
  uint64_t count = 0;
  switch (kind) {
    case OpKind::kCreate: {
      uint64_t type = in.varint();
      count = in.varint();
      if (type > static_cast<uint64_t>(kLastEntityType) || count > kCreateFieldsMax) return in.fail();
      shape.type = static_cast<uint8_t>(type);
      if (!document_kind(static_cast<EntityType>(type))) in.fail();
      break;
    }
    case OpKind::kSet:
    case OpKind::kOffer:
    case OpKind::kAdd:
    case OpKind::kRemove:
      count = 1;
      break;
    case OpKind::kTextInsert:
    case OpKind::kRun: {
      uint64_t run = in.varint();
      if (run > 7 || ((run & 4) != 0 && kind == OpKind::kTextInsert) || (kind == OpKind::kRun && !is_state)) in.fail();
      if ((run & 3) == 1) in.fail();  // at the beginning is behind nothing
      shape.run = static_cast<uint8_t>(run);
      break;
    }
    default:
      break;
  }
  if (shape.is_implicit && (kind != OpKind::kCreate || child != 0 || replaced != 0)) in.fail();
  if (count > in.remaining()) return in.fail();
  for (uint64_t i = 0; i < count && in.ok(); ++i) read_field(in, sets_a_value(kind), shape.fields.emplace_back());
}

void ShapeTable::clear() {
  spelled_.clear();
  begins_.clear();
  places_.clear();
}

std::span<const uint64_t> ShapeTable::spelled(uint32_t number) const {
  size_t end = number + 1 < begins_.size() ? begins_[number + 1] : spelled_.size();
  return std::span(spelled_).subspan(begins_[number], end - begins_[number]);
}

uint32_t ShapeTable::of(const Shape& shape) {
  scratch_.clear();
  spell(shape, scratch_);
  uint64_t mixed = scratch_.size();
  for (uint64_t number : scratch_) {
    mixed = (mixed ^ number) * 0xD6E8FEB86659FD93ull;
    mixed ^= mixed >> 32;
  }
  for (;; ++mixed) {
    uint32_t& place = places_.at(mixed == 0 ? 1 : mixed);
    if (place == 0) {
      begins_.push_back(spelled_.size());
      spelled_.insert(spelled_.end(), scratch_.begin(), scratch_.end());
      place = static_cast<uint32_t>(begins_.size());
      return place - 1;
    }
    auto known = spelled(place - 1);
    if (std::equal(known.begin(), known.end(), scratch_.begin(), scratch_.end())) return place - 1;
  }
}

std::vector<uint32_t> ShapeTable::order(const std::vector<uint32_t>& uses) {
  std::vector<uint32_t> order(uses.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  kalends::sort(order, [&](uint32_t a, uint32_t b) { return uses[a] != uses[b] ? uses[a] > uses[b] : a < b; });
  return order;
}

}  // namespace kalends
