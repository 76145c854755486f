// SPDX-License-Identifier: Apache-2.0
// Takes things away as long as the same invariant still fails: time, fault classes, then edits by halves.
#include <algorithm>

#include "tests/sim/campaign.h"

namespace kalends::sim {
namespace {

constexpr int kRunsMax = 150;

}  // namespace

Scenario shrink(const Scenario& scenario, const std::string& code) {
  Scenario best = scenario;
  int runs = 0;
  auto still_fails = [&](const Scenario& candidate) {
    if (++runs > kRunsMax) return false;
    RunResult result = run(candidate);
    return result.violation && result.violation->code == code;
  };
  if (!still_fails(best)) return scenario;
  for (size_t i = 0; i < kFaultClasses; ++i) {
    Scenario candidate = best;
    candidate.without.push_back(static_cast<uint8_t>(i));
    if (still_fails(candidate)) best = candidate;
  }
  Faults ignored(1);
  size_t planned = shape_of(best, ignored).edits.size();
  std::vector<uint32_t> kept(planned);
  for (uint32_t i = 0; i < planned; ++i) kept[i] = i;
  for (size_t part = std::max<size_t>(1, kept.size() / 2); part > 0; part /= 2) {
    for (size_t at = 0; at < kept.size();) {
      Scenario candidate = best;
      candidate.edits = kept;
      auto begin = candidate.edits.begin() + static_cast<std::ptrdiff_t>(at);
      candidate.edits.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, kept.size() - at)));
      if (!candidate.edits.empty() && still_fails(candidate)) {
        kept = candidate.edits;
        best = candidate;
      } else {
        at += part;
      }
    }
  }
  return best;
}

}  // namespace kalends::sim
