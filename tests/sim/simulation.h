// SPDX-License-Identifier: Apache-2.0
// One run: boards, workers, browsers, people and Google under one seed. Faults rage, then stop; within a
// bound everything must agree; then an hour of rest in which nothing may be written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/oracle.h"
#include "tests/sim/scenario.h"
#include "tests/sim/sim_browser.h"

namespace kalends::sim {

struct RunResult {
  std::optional<Violation> violation;
  int64_t failed_at_hours = 0;
  int64_t simulated_ms = 0;
  uint64_t events = 0, user_edits = 0, api_calls = 0, crash_points = 0, operations = 0, cards = 0, calms = 0;
  std::array<uint64_t, kFaultClasses> faults{};
  uint64_t trace = 0;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, bool is_loud);
  ~Simulation();
  RunResult run();

 private:
  struct Board {
    DocumentId id;
    Id128 list, other_list, inbox, label;
    std::string calendar;
    LinkId link;
  };

  void set_up();
  // Runs until then, or until something is wrong.
  bool pass(int64_t ms);
  void reap();  // workers that are doomed end, and start again later
  void restart_later(SimWorker& worker);
  void every_minute();
  void operate();  // what an operator does: approves, connects again
  void calm_check();
  void settle();
  void rest();
  Task<void> connect_account();
  Task<void> link_board(Board& board);
  SimWorker* any_worker();

  // edits.cc
  void carry_out(const PlannedEdit& edit);
  void browser_edit(const PlannedEdit& edit, Prng& prng);
  void person_edit(const PlannedEdit& edit, Prng& prng);
  std::string token(Prng& prng);
  When random_when(Prng& prng, bool is_all_day);
  Json random_times(Prng& prng);
  std::string focus_id(const emulator::Calendar& calendar) const;

  Scenario scenario_;
  Faults faults_;
  Shape shape_;
  Scheduler scheduler_;
  Oracle oracle_;
  Disk disk_;
  SimGoogle google_;
  WorkspaceId workspace_;
  MemberId owner_;
  AccountId account_;
  std::string mail_ = "ada@example.org";
  std::vector<Board> boards_;
  std::vector<std::unique_ptr<SimWorker>> workers_;
  std::vector<std::unique_ptr<SimBrowser>> browsers_;
  int64_t start_ms_;
  std::string focus_;  // the title that somebody looked at last: others look there too
  std::optional<int64_t> revoked_until_ms_;
  uint64_t user_edits_ = 0, crash_points_ = 0, calms_ = 0;
  uint64_t listings_spoilt_ = 0, crashes_at_calm_ = 0;
  std::string set_up_problem_;
};

RunResult run(const Scenario& scenario, bool is_loud = false);

}  // namespace kalends::sim
