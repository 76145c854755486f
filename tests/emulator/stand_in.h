// SPDX-License-Identifier: Apache-2.0
// Everything that is served under one address, still without I/O: Calendar, batches, OAuth, the control API
// and the calendar page. Whoever holds the sockets asks `handle` for each request, carries out how the answer
// is to travel, and delivers the notices of model().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/calendar_model.h"
#include "tests/emulator/oauth_model.h"

namespace kalends::emulator {

struct StandInOptions {
  std::string base_url;
  uint64_t seed = 1;
  std::vector<std::string> people;         // empty: one default person
  std::vector<std::string> redirect_uris;  // empty: any loopback address
};

struct HeldAnswer {
  uint64_t id = 0;
  Response response;
  int64_t committed_at = 0;
  bool is_released = false;
  bool is_dropped = false;
};

class StandIn {
 public:
  explicit StandIn(StandInOptions options);

  // real_now_ms is the caller's clock; the model's time is that plus what the control API added.
  void advance_to(int64_t real_now_ms);
  Response handle(const Request& request);

  // For GET /control/changes and /control/held with wait_ms: how long the answer may still wait for news, if
  // there is none yet.
  std::optional<int64_t> may_wait_ms(const Request& request);

  // Answers that a fault keeps back.
  uint64_t hold(Response response);
  HeldAnswer* held(uint64_t id);
  void forget_held(uint64_t id) { held_.erase(id); }

  CalendarModel& model() { return model_; }
  OAuthModel& oauth() { return oauth_; }
  int64_t clock_offset_ms() const { return offset_ms_; }

 private:
  Response handle_control(const Request& request);
  Response control_state(const Request& request);
  Response control_stats() const;
  Response control_faults(const Request& request);
  Response control_switches(const Request& request);
  Response control_clock(const Request& request);
  Response control_changes(const Request& request);
  Response control_held() const;
  Response control_release(const Request& request);
  Response control_people(const Request& request, const std::vector<std::string>& parts);
  Response control_events(const Request& request, const std::string& mail, Calendar& calendar,
                          const std::vector<std::string>& parts);

  CalendarModel model_;
  OAuthModel oauth_;
  int64_t offset_ms_ = 0;
  std::map<uint64_t, HeldAnswer> held_;
  uint64_t last_held_ = 0;
};

}  // namespace kalends::emulator
