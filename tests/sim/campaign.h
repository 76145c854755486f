// SPDX-License-Identifier: Apache-2.0
// Many runs in several processes, their figures, and the shortest scenario that still fails.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/simulation.h"

namespace kalends::sim {

struct CampaignOptions {
  uint64_t seeds = 20;
  uint64_t seed_base = 1;
  double minutes = 1e9;
  int jobs = 1;
  uint32_t planted = 0;
  bool is_json = false;
  bool no_shrink = false;
  bool is_until_failure = false;
};

// The exit code: 0 when nothing was wrong.
int campaign(const CampaignOptions& options);
int replay_one(const std::string& text, bool is_loud);
int replay_file(const std::string& path);
// A smaller scenario with the same kind of failure.
Scenario shrink(const Scenario& scenario, const std::string& code);

}  // namespace kalends::sim
