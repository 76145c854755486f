// SPDX-License-Identifier: Apache-2.0
#include "core/model/value.h"

#include <algorithm>

#include "core/base/text.h"

namespace kalends {
namespace {

void write_when(Writer& out, const When& when) {
  out.u8(when.is_all_day ? 0 : when.fold == Fold::kFirst ? 1 : 2);
  if (when.is_all_day) {
    out.zigzag(when.date.days);
  } else {
    out.zigzag(when.wall.seconds);
    out.text(when.zone);
  }
}

When read_when(Reader& in) {
  When when;
  uint8_t form = in.u8();
  if (form > 2) in.fail();
  if (form == 0) {
    int64_t days = in.zigzag();
    if (days < INT32_MIN / 2 || days > INT32_MAX / 2) in.fail();
    when.date.days = static_cast<int32_t>(days);
  } else {
    when.is_all_day = false;
    when.wall.seconds = in.zigzag();
    when.zone = std::string(in.text());
    when.fold = form == 2 ? Fold::kSecond : Fold::kFirst;
  }
  if (in.ok() && !is_valid_when(when)) in.fail();
  return when;
}

Error wrong_kind(const FieldSpec& spec) {
  return invalid({"The field ", spec.name, " does not take a value of this kind."});
}

Status check_text(const FieldSpec& spec, const std::string& text) {
  size_t limit = spec.field == Field::kText || spec.field == Field::kCustom ? kTextBytesMax
                 : spec.field == Field::kUrl                                ? kUrlBytesMax
                                                                            : kTitleBytesMax;
  if (text.size() > limit)
    return invalid({"The field ", spec.name, " takes at most ", std::to_string(limit), " bytes."});
  if (!is_valid_text(text))
    return invalid({"The field ", spec.name, " must be valid UTF-8 without NUL."});
  if (spec.field == Field::kColour && spec.entity == EntityType::kCard && !text.empty() &&
      std::find(colour_names().begin(), colour_names().end(), text) == colour_names().end())
    return invalid(
        "Unknown colour. Use one of the eleven names in docs/calendar-mapping.md, or an empty text.");
  if (spec.field == Field::kTimeZone && !is_valid_zone_name(text))
    return invalid("A time zone is an IANA name such as Europe/Berlin.");
  return {};
}

}  // namespace

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

bool operator==(const Value& a, const Value& b) {
  using Alternatives = decltype(std::variant(a));
  return static_cast<const Alternatives&>(a) == static_cast<const Alternatives&>(b);
}

void write_op_id(Writer& out, const OpId& id) {
  out.varint(id.counter);
  if (!id.is_nil()) out.id(id.replica.raw);
}

OpId read_op_id(Reader& in) {
  OpId id;
  id.counter = in.varint();
  if (!id.is_nil()) id.replica.raw = in.id();
  return id;
}

void write_value(Writer& out, const Value& value) {
  out.u8(static_cast<uint8_t>(kind_of(value)));
  switch (kind_of(value)) {
    case ValueKind::kNull:
      return;
    case ValueKind::kBool:
      return out.u8(*std::get_if<bool>(&value));
    case ValueKind::kInt:
      return out.zigzag(*std::get_if<int64_t>(&value));
    case ValueKind::kText:
      return out.text(*std::get_if<std::string>(&value));
    case ValueKind::kId:
      return out.id(*std::get_if<Id128>(&value));
    case ValueKind::kWhen:
      return write_when(out, *std::get_if<When>(&value));
    case ValueKind::kInts: {
      const auto& ints = *std::get_if<std::vector<int64_t>>(&value);
      out.varint(ints.size());
      for (int64_t i : ints) out.zigzag(i);
      return;
    }
    case ValueKind::kPosition: {
      const auto& position = *std::get_if<Position>(&value);
      out.u8(position.list.is_nil() ? 0 : 1);
      if (!position.list.is_nil()) out.id(position.list);
      write_op_id(out, position.parent);
      out.bytes(as_bytes(position.rank));
      return;
    }
  }
}

Value read_value(Reader& in) {
  switch (static_cast<ValueKind>(in.u8())) {
    case ValueKind::kNull:
      return std::monostate{};
    case ValueKind::kBool:
      return in.boolean();
    case ValueKind::kInt:
      return in.zigzag();
    case ValueKind::kText:
      return std::string(in.text());
    case ValueKind::kId:
      return in.id();
    case ValueKind::kWhen:
      return read_when(in);
    case ValueKind::kInts: {
      std::vector<int64_t> ints(in.count(1));
      for (int64_t& i : ints) i = in.zigzag();
      return ints;
    }
    case ValueKind::kPosition: {
      Position position;
      if (in.boolean()) {
        position.list = in.id();
        if (position.list.is_nil()) in.fail();
      }
      position.parent = read_op_id(in);
      position.rank = std::string(as_text(in.bytes()));
      return position;
    }
  }
  in.fail();
  return std::monostate{};
}

Status check_value(const FieldSpec& spec, const Value& value) {
  if (kind_of(value) == ValueKind::kNull) {
    if (spec.required) return invalid({"The field ", spec.name, " cannot be empty."});
    return {};
  }
  if (kind_of(value) != spec.value) return wrong_kind(spec);
  if (const auto* text = std::get_if<std::string>(&value)) return check_text(spec, *text);
  if (const auto* when = std::get_if<When>(&value))
    return is_valid_when(*when) ? Status{}
                                : invalid("The date does not exist or its time zone name is malformed.");
  if (const auto* number = std::get_if<int64_t>(&value))
    if (spec.field == Field::kEstimate && (*number < 0 || *number > kEstimateMinutesMax))
      return invalid("An estimate is 0 to 525600 minutes, or null for none.");
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    if (ints->size() > kRemindersMax) return invalid("A card has at most 20 reminders.");
    for (int64_t minutes : *ints)
      if (minutes < 0 || minutes > kReminderMinutesMax)
        return invalid("A reminder is 0 to 40320 minutes before.");
  }
  if (const auto* position = std::get_if<Position>(&value)) {
    if (position->rank.empty() || position->rank.size() > kRankBytesMax)
      return invalid("The rank is malformed.");
    if (spec.entity == EntityType::kCard && position->list.is_nil())
      return invalid("A card stands in a list: name it.");
  }
  return {};
}

}  // namespace kalends
