// SPDX-License-Identifier: Apache-2.0
// The way between workers and the stand-in for Google: requests and answers that are late, lost, cut,
// repeated; refusals; notices. What a call changed is shown to a witness.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/emulator/stand_in.h"
#include "tests/sim/faults.h"
#include "tests/sim/scheduler.h"
#include "worker/ports/http.h"

namespace kalends::sim {

using emulator::Json;

// One call that Google carried out, with the event before and after it.
struct ApiWrite {
  std::string method, calendar, event_id;
  const emulator::Request* request = nullptr;
  Json before, after;  // null: there was none
};

class GoogleWitness {
 public:
  virtual ~GoogleWitness() = default;
  virtual void on_api_write(const ApiWrite& write) = 0;
  virtual void on_api_call(Owner worker, const emulator::Request& request, int status) = 0;
  virtual void on_violation(const std::string& what) = 0;
};

class SimGoogle {
 public:
  static constexpr const char* kBaseUrl = "http://google.sim";
  static constexpr const char* kWebhookUrl = "http://127.0.0.1:9/v1/google/push";

  SimGoogle(Scheduler& scheduler, Faults& faults, GoogleWitness& witness, uint64_t seed,
            std::vector<std::string> people);

  // What a notice meets: channel and token in, the status of the answer out; 0: nobody is there.
  using Ring = std::function<int(const std::string& channel, const std::string& token)>;
  void set_ring(Ring ring) { ring_ = std::move(ring); }
  void set_crash_in_call(std::function<void(Owner)> crash_in_call) {
    crash_in_call_ = std::move(crash_in_call);
  }

  void send(Owner worker, HttpRequest request, std::function<void(HttpOutcome)> done);
  // As a person in the page, by the control API; the parsed answer, null when refused.
  Json control(const std::string& method, const std::string& path, const Json& body = {});
  // For signing in: straight through.
  emulator::Response direct(const std::string& method, const std::string& url);

  emulator::World& world() { return google_.model().world(); }
  emulator::StandIn& stand_in() { return google_; }
  uint64_t calls() const { return calls_; }
  uint64_t writes() { return world().stats.writes; }
  // A person has taken the permission back.
  void revoke(const std::string& mail);
  void grant_again(const std::string& mail) { revoked_.erase(mail); }
  // Notices that wait are delivered as their time comes.
  void look_for_notices();

 private:
  emulator::Response carry_out(Owner worker, const emulator::Request& request);
  std::optional<emulator::Response> refuse(const emulator::Request& request);
  void spoil_listing(emulator::Request& request, emulator::Response& response);
  void deliver(emulator::PushNotice notice);

  Scheduler& scheduler_;
  Faults& faults_;
  GoogleWitness& witness_;
  emulator::StandIn google_;
  Ring ring_;
  std::function<void(Owner)> crash_in_call_;
  std::set<std::string> revoked_;
  std::map<Owner, int64_t> not_before_ms_;  // after Retry-After
  int64_t usage_limit_until_ms_ = 0;
  int64_t pump_due_ms_ = INT64_MAX;
  uint64_t calls_ = 0;
};

}  // namespace kalends::sim
