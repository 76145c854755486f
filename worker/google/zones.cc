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
  const date::sys_info& used = info.result == date::local_info::ambiguous && fold == Fold::kSecond ? info.second : info.first;
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
  if (info.result == date::local_info::ambiguous && result.wall.seconds - instant == info.second.offset.count())
    result.fold = Fold::kSecond;
  return result;
}

}  // namespace kalends
