// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/trello_colours.h"

#include <utility>

namespace kalends {

std::string colour_from_trello(std::string_view colour) {
  static constexpr std::pair<std::string_view, std::string_view> kNearest[] = {
      {"green", "basil"},   {"yellow", "banana"},  {"orange", "tangerine"}, {"red", "tomato"},
      {"purple", "grape"},  {"blue", "blueberry"}, {"sky", "peacock"},      {"lime", "sage"},
      {"pink", "flamingo"}, {"black", "graphite"}};
  std::string_view plain = colour.substr(0, colour.find('_'));
  for (const auto& [theirs, ours] : kNearest)
    if (plain == theirs) return std::string(ours);
  return std::string(colour);
}

}  // namespace kalends
