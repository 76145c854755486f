// SPDX-License-Identifier: Apache-2.0
// kalends-sim: runs seeds, says what they were made of, and shrinks what fails.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "tests/sim/campaign.h"

int main(int argc, char** argv) {
  using namespace kalends::sim;
  CLI::App app{
      "Simulates years of Kalends: the product's engine, browsers, people and Google under one seed."};
  CampaignOptions options;
  std::string replay, scenarios;
  bool is_loud = false;
  app.add_option("--seeds", options.seeds, "how many runs")->check(CLI::PositiveNumber);
  app.add_option("--seed-base", options.seed_base, "the first one's seed");
  app.add_option("--minutes", options.minutes, "stop after so many minutes of real time")
      ->check(CLI::PositiveNumber);
  app.add_option("--jobs", options.jobs, "processes at once")->check(CLI::Range(1, 64));
  app.add_flag("--json", options.is_json, "end with one line of figures");
  app.add_option("--replay", replay, "one scenario, as a failure printed it");
  app.add_option("--scenarios", scenarios, "a file of scenarios, each of which must pass")
      ->check(CLI::ExistingFile);
  app.add_option("--planted", options.planted, "a planted bug (kalends-sim-planted only)");
  app.add_flag("--until-failure", options.is_until_failure, "stop at the first failure");
  app.add_flag("--no-shrink", options.no_shrink, "do not look for a shorter scenario");
  app.add_flag("--verbose", is_loud, "the worker's log, with --replay");
  CLI11_PARSE(app, argc, argv);
  if (!scenarios.empty()) return replay_file(scenarios);
  return replay.empty() ? campaign(options) : replay_one(replay, is_loud);
}
