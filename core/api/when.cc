// SPDX-License-Identifier: Apache-2.0
#include "core/api/when.h"

namespace kalends {

Cbor view_when(const When& when) {
  Cbor map = Cbor::map();
  if (when.is_all_day) {
    map.set("date", to_text(when.date));
  } else {
    map.set("at", to_text(when.wall));
    map.set("zone", when.zone);
    map.set("fold", when.fold == Fold::kSecond ? 1 : 0);
  }
  return map;
}

std::optional<When> parse_when(const Cbor& cbor) {
  if (!cbor.is_map()) return std::nullopt;
  if (const Cbor* date = cbor.find("date")) {
    auto day = parse_date(date->as_text());
    if (!day || cbor.entries().size() != 1) return std::nullopt;
    return When::all_day(*day);
  }
  auto wall = parse_wall_time(cbor["at"].as_text());
  const Cbor& fold = cbor["fold"];
  bool is_fold_fine = fold.is_null() || (fold.is_int() && (fold.as_int() == 0 || fold.as_int() == 1));
  if (!wall || !is_fold_fine || !(cbor["zone"].is_text() || cbor["zone"].is_null())) return std::nullopt;
  for (const auto& [key, value] : cbor.entries())
    if (key != "at" && key != "zone" && key != "fold") return std::nullopt;
  When when = When::timed(*wall, cbor["zone"].as_text(), fold.as_int() == 1 ? Fold::kSecond : Fold::kFirst);
  if (!is_valid_when(when)) return std::nullopt;
  return when;
}

}  // namespace kalends
