// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/campaign.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <vector>

namespace kalends::sim {
namespace {

struct Totals {
  uint64_t seeds = 0, large = 0, violations = 0;
  RunResult sum;
  double busy_seconds = 0;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void print_failure(const Scenario& scenario, const Violation& violation) {
  std::printf("FAILED %s: %s\n  replay: kalends-sim --replay \"%s\"\n", violation.code.c_str(),
              violation.what.c_str(), scenario.text().c_str());
  std::fflush(stdout);
}

constexpr uint64_t kRepeatedEvery = 20;

// What a child tells of one run, in a pipe: fixed size, then the text of a violation.
struct Report {
  uint64_t seed;
  uint64_t events, user_edits, api_calls, crash_points, operations, cards, calms;
  int64_t simulated_ms, failed_at_hours;
  std::array<uint64_t, kFaultClasses> faults;
  double seconds;
  char code[16];
  char what[700];
};

void write_all(int file, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t done = ::write(file, at, size);
    if (done <= 0) _exit(3);
    at += done;
    size -= static_cast<size_t>(done);
  }
}

[[noreturn]] void work(int file, const CampaignOptions& options, uint64_t first, double end_at) {
  for (uint64_t seed = first; seed < options.seed_base + options.seeds && seconds_now() < end_at;
       seed += static_cast<uint64_t>(options.jobs)) {
    Scenario scenario;
    scenario.seed = seed;
    scenario.planted = options.planted;
    // Named before it runs: if it ends the process, the parent knows which one did.
    write_all(file, &seed, sizeof seed);
    double begun = seconds_now();
    RunResult result = run(scenario);
    Report report{};
    report.seed = seed;
    report.events = result.events;
    report.user_edits = result.user_edits;
    report.api_calls = result.api_calls;
    report.crash_points = result.crash_points;
    report.operations = result.operations;
    report.cards = result.cards;
    report.calms = result.calms;
    report.simulated_ms = result.simulated_ms;
    report.failed_at_hours = result.failed_at_hours;
    report.faults = result.faults;
    report.seconds = seconds_now() - begun;
    // One in twenty runs again: the same seed must be the same run.
    if (seed % kRepeatedEvery == 0 && !result.violation)
      if (RunResult again = run(scenario); again.trace != result.trace)
        result.violation = Violation{"I10", "the same seed ran otherwise the second time"};
    if (result.violation) {
      std::snprintf(report.code, sizeof report.code, "%s", result.violation->code.c_str());
      std::snprintf(report.what, sizeof report.what, "%s", result.violation->what.c_str());
    }
    write_all(file, &report, sizeof report);
    if (result.violation && options.is_until_failure) break;
  }
  _exit(0);
}

void add(Totals& totals, const Report& report) {
  ++totals.seeds;
  totals.large += report.cards >= 500;
  totals.sum.events += report.events;
  totals.sum.user_edits += report.user_edits;
  totals.sum.api_calls += report.api_calls;
  totals.sum.crash_points += report.crash_points;
  totals.sum.operations += report.operations;
  totals.sum.calms += report.calms;
  totals.sum.simulated_ms += report.simulated_ms;
  for (size_t i = 0; i < kFaultClasses; ++i) totals.sum.faults[i] += report.faults[i];
  totals.busy_seconds += report.seconds;
}

void print_figures(const Totals& totals, const CampaignOptions& options, double seconds) {
  double years = static_cast<double>(totals.sum.simulated_ms) / (365.25 * 86'400'000.0);
  double per_core =
      totals.busy_seconds > 0 ? static_cast<double>(totals.sum.events) / totals.busy_seconds : 0;
  uint64_t faults = 0;
  for (uint64_t count : totals.sum.faults) faults += count;
  std::printf(
      "%llu seeds (%llu with 500 cards or more), %.2f simulated years, %llu user edits (%.1f a day), %llu "
      "API calls, %llu operations\n",
      static_cast<unsigned long long>(totals.seeds), static_cast<unsigned long long>(totals.large), years,
      static_cast<unsigned long long>(totals.sum.user_edits),
      years > 0 ? static_cast<double>(totals.sum.user_edits) / (years * 365.25) : 0,
      static_cast<unsigned long long>(totals.sum.api_calls),
      static_cast<unsigned long long>(totals.sum.operations));
  std::printf(
      "%llu crash points, %llu times all calm and compared, %llu events, %.0f events a second and core, %.0f "
      "s\n",
      static_cast<unsigned long long>(totals.sum.crash_points),
      static_cast<unsigned long long>(totals.sum.calms), static_cast<unsigned long long>(totals.sum.events),
      per_core, seconds);
  std::printf("faults:");
  for (size_t i = 0; i < kFaultClasses; ++i)
    std::printf(" %s=%llu", std::string(fault_name(static_cast<FaultClass>(i))).c_str(),
                static_cast<unsigned long long>(totals.sum.faults[i]));
  std::printf("\n%llu violations\n", static_cast<unsigned long long>(totals.violations));
  if (options.is_json)
    std::printf(
        "{\"seeds\":%llu,\"sim_years\":%.3f,\"user_edits\":%llu,\"api_calls\":%llu,\"faults\":%llu,\"crash_"
        "points\":%llu,\"violations\":%llu,\"events_per_second\":%.0f}\n",
        static_cast<unsigned long long>(totals.seeds), years,
        static_cast<unsigned long long>(totals.sum.user_edits),
        static_cast<unsigned long long>(totals.sum.api_calls), static_cast<unsigned long long>(faults),
        static_cast<unsigned long long>(totals.sum.crash_points),
        static_cast<unsigned long long>(totals.violations), per_core);
}

struct Child {
  pid_t pid = 0;
  int file = -1;
  uint64_t seed = 0;  // at work on it
  std::vector<char> buffer;
};

}  // namespace

int campaign(const CampaignOptions& options) {
  double begun = seconds_now(), end_at = begun + options.minutes * 60;
  std::vector<Child> children;
  for (int job = 0; job < options.jobs; ++job) {
    int ends[2];
    if (::pipe(ends) != 0) return 3;
    Child child;
    child.pid = ::fork();
    if (child.pid == 0) {
      ::close(ends[0]);
      work(ends[1], options, options.seed_base + static_cast<uint64_t>(job), end_at);
    }
    ::close(ends[1]);
    child.file = ends[0];
    children.push_back(std::move(child));
  }
  Totals totals;
  std::vector<Report> failed;
  size_t open = children.size();
  while (open > 0) {
    std::vector<pollfd> waits;
    for (Child& child : children)
      if (child.file >= 0) waits.push_back({child.file, POLLIN, 0});
    ::poll(waits.data(), waits.size(), -1);
    for (Child& child : children) {
      bool is_ready = false;
      for (const pollfd& wait : waits) is_ready |= wait.fd == child.file && wait.revents != 0;
      if (child.file < 0 || !is_ready) continue;
      char chunk[65536];
      ssize_t size = ::read(child.file, chunk, sizeof chunk);
      if (size <= 0) {
        ::close(child.file);
        child.file = -1;
        --open;
        int status = 0;
        ::waitpid(child.pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
          ++totals.violations;
          Scenario scenario;
          scenario.seed = child.seed;
          scenario.planted = options.planted;
          print_failure(scenario, {"crash", "the process ended by itself: " + std::to_string(status)});
        }
        continue;
      }
      child.buffer.insert(child.buffer.end(), chunk, chunk + size);
      while (true) {
        constexpr size_t kWhole = sizeof(uint64_t) + sizeof(Report);
        if (child.buffer.size() >= sizeof(uint64_t))
          std::memcpy(&child.seed, child.buffer.data(), sizeof child.seed);
        if (child.buffer.size() < kWhole) break;
        Report report;
        std::memcpy(&report, child.buffer.data() + sizeof(uint64_t), sizeof report);
        child.buffer.erase(child.buffer.begin(), child.buffer.begin() + kWhole);
        add(totals, report);
        if (report.code[0] != 0) {
          ++totals.violations;
          Scenario scenario;
          scenario.seed = report.seed;
          scenario.planted = options.planted;
          print_failure(scenario, {report.code, report.what});
          failed.push_back(report);
        }
      }
    }
  }
  if (!failed.empty() && !options.no_shrink) {
    Scenario scenario;
    scenario.seed = failed.front().seed;
    scenario.planted = options.planted;
    scenario.hours = failed.front().failed_at_hours;
    Scenario smaller = shrink(scenario, failed.front().code);
    RunResult again = run(smaller);
    if (again.violation) {
      std::printf("Shrunk:\n");
      print_failure(smaller, *again.violation);
    }
  }
  print_figures(totals, options, seconds_now() - begun);
  return totals.violations == 0 ? 0 : 1;
}

int replay_one(const std::string& text, bool is_loud) {
  auto scenario = Scenario::parse(text);
  if (!scenario) {
    std::fprintf(stderr, "A scenario is words such as seed=7 hours=30 without=3,4 edits=1,2,9.\n");
    return 2;
  }
  RunResult result = run(*scenario, is_loud);
  if (result.violation) print_failure(*scenario, *result.violation);
  std::printf(
      "%.1f simulated days, %llu events, %llu user edits, %llu API calls, trace %016llx\n",
      static_cast<double>(result.simulated_ms) / 86'400'000.0, static_cast<unsigned long long>(result.events),
      static_cast<unsigned long long>(result.user_edits), static_cast<unsigned long long>(result.api_calls),
      static_cast<unsigned long long>(result.trace));
  return result.violation ? 1 : 0;
}

int replay_file(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  int runs = 0, failures = 0;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    ++runs;
    failures += replay_one(line, false) != 0;
  }
  std::printf("%d scenarios, %d failed\n", runs, failures);
  return runs > 0 && failures == 0 ? 0 : 1;
}

}  // namespace kalends::sim
