// SPDX-License-Identifier: Apache-2.0
#include "worker/google/zones.h"

#include <date/tz.h>

#include <map>
#include <stdexcept>

namespace kalends {
namespace {

const date::time_zone* find_zone(std::string_view name) {
  if (!is_valid_zone_name(name) || name.empty()) return nullptr;
  static std::map<std::string, const date::time_zone*, std::less<>> known;  // one thread: the engine's
  if (auto it = known.find(name); it != known.end()) return it->second;
  const date::time_zone* zone = nullptr;
  try {
    zone = date::locate_zone(std::string(name));
  } catch (const std::runtime_error&) {
    return nullptr;
  }
  return known.emplace(name, zone).first->second;
}

}  // namespace

bool is_known_zone(std::string_view zone) { return find_zone(zone) != nullptr; }

std::optional<ZonedInstant> to_instant(WallTime wall, std::string_view name, Fold fold) {
  const date::time_zone* zone = find_zone(name);
  if (!zone) return std::nullopt;
  date::local_seconds local{std::chrono::seconds{wall.seconds}};
  date::local_info info = zone->get_info(local);
  const date::sys_info& used =
      info.result == date::local_info::ambiguous && fold == Fold::kSecond ? info.second : info.first;
  auto offset = static_cast<int32_t>(used.offset.count());
  return ZonedInstant{wall.seconds - offset, offset};
}

std::optional<WallInZone> to_wall(int64_t instant, std::string_view name) {
  const date::time_zone* zone = find_zone(name);
  if (!zone) return std::nullopt;
  date::sys_seconds at{std::chrono::seconds{instant}};
  WallInZone result;
  result.wall.seconds = zone->to_local(at).time_since_epoch().count();
  date::local_info info = zone->get_info(date::local_seconds{std::chrono::seconds{result.wall.seconds}});
  if (info.result == date::local_info::ambiguous &&
      result.wall.seconds - instant == info.second.offset.count())
    result.fold = Fold::kSecond;
  return result;
}

std::optional<std::vector<ZonePeriod>> zone_periods(std::string_view name, int64_t from, int64_t until) {
  const date::time_zone* zone = find_zone(name);
  if (!zone || until < from) return std::nullopt;
  std::vector<ZonePeriod> periods;
  for (int64_t at = from; at <= until;) {
    date::sys_info info = zone->get_info(date::sys_seconds{std::chrono::seconds{at}});
    periods.push_back({info.begin.time_since_epoch().count(), static_cast<int32_t>(info.offset.count()),
                       info.save.count() != 0, info.abbrev});
    int64_t end = info.end.time_since_epoch().count();
    if (end <= at) break;  // the last period of a zone has no end that a clock shows
    at = end;
  }
  return periods;
}

}  // namespace kalends
