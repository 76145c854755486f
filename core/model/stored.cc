// SPDX-License-Identifier: Apache-2.0
#include "core/model/stored.h"

#include <cstring>
#include <new>

namespace kalends {

When unstore_when(const StoredWhen& when) {
  if (when.form == 0) return When::all_day({static_cast<int32_t>(when.number)});
  return When::timed({when.number}, std::string(when.zone_text()),
                     when.form == 2 ? Fold::kSecond : Fold::kFirst);
}

bool same(const Stored& a, const Stored& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::kNull:
      return true;
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kId:
      return a.number == b.number;
    case ValueKind::kText:
      return a.text_view() == b.text_view();
    case ValueKind::kInts:
      return a.size == b.size && (a.size == 0 || std::memcmp(a.ints, b.ints, a.size * sizeof(int64_t)) == 0);
    case ValueKind::kWhen:
      return a.when->form == b.when->form && a.when->number == b.when->number &&
             a.when->zone_text() == b.when->zone_text();
    case ValueKind::kPosition:
      return a.place->list == b.place->list && a.place->parent == b.place->parent &&
             a.place->rank_text() == b.place->rank_text();
  }
  return false;
}

Stored stored_text(std::string_view kept) {
  Stored stored;
  stored.kind = ValueKind::kText;
  stored.size = static_cast<uint32_t>(kept.size());
  stored.text = kept.data();
  return stored;
}

Stored store(Interner& names, const Value& value) {
  Stored stored;
  stored.kind = kind_of(value);
  switch (stored.kind) {
    case ValueKind::kNull:
      break;
    case ValueKind::kBool:
      stored.number = *std::get_if<bool>(&value);
      break;
    case ValueKind::kInt:
      stored.number = *std::get_if<int64_t>(&value);
      break;
    case ValueKind::kText: {
      const auto& text = *std::get_if<std::string>(&value);
      return stored_text({names.arena.copy(text), text.size()});
    }
    case ValueKind::kId:
      stored.number = names.ids.intern(*std::get_if<Id128>(&value));
      break;
    case ValueKind::kWhen: {
      const auto& when = *std::get_if<When>(&value);
      stored.when = new (names.arena.take(sizeof(StoredWhen))) StoredWhen{
          when.is_all_day ? when.date.days : when.wall.seconds,
          when.is_all_day ? nullptr : names.arena.copy(when.zone),
          when.is_all_day ? 0 : static_cast<uint32_t>(when.zone.size()),
          static_cast<uint8_t>(when.is_all_day ? 0 : when.fold == Fold::kFirst ? 1 : 2)};
      break;
    }
    case ValueKind::kInts: {
      const auto& ints = *std::get_if<std::vector<int64_t>>(&value);
      auto* copy = names.arena.array<int64_t>(ints.size());
      for (size_t i = 0; i < ints.size(); ++i) copy[i] = ints[i];
      stored.size = static_cast<uint32_t>(ints.size());
      stored.ints = copy;
      break;
    }
    case ValueKind::kPosition: {
      const auto& position = *std::get_if<Position>(&value);
      stored.place = new (names.arena.take(sizeof(StoredPlace)))
          StoredPlace{names.ids.intern(position.list), names.op(position.parent),
                      static_cast<uint32_t>(position.rank.size()), names.arena.copy(position.rank)};
      break;
    }
  }
  return stored;
}

Value unstore(const Interner& names, const Stored& stored) {
  switch (stored.kind) {
    case ValueKind::kNull:
      break;
    case ValueKind::kBool:
      return stored.number != 0;
    case ValueKind::kInt:
      return stored.number;
    case ValueKind::kText:
      return std::string(stored.text_view());
    case ValueKind::kId:
      return names.ids[static_cast<IdRef>(stored.number)];
    case ValueKind::kWhen:
      return unstore_when(*stored.when);
    case ValueKind::kInts:
      return std::vector<int64_t>(stored.ints, stored.ints + stored.size);
    case ValueKind::kPosition:
      return Position{names.ids[stored.place->list], names.op_id(stored.place->parent),
                      std::string(stored.place->rank_text())};
  }
  return std::monostate{};
}

}  // namespace kalends
