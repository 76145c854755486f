// SPDX-License-Identifier: Apache-2.0
// Google Calendar v3 as a pure, deterministic model: a request goes in, an answer comes out, push notices
// wait in a queue. No sockets, no clock, no entropy: time is moved by advance_to and chance comes from the
// seed. The stand-in program puts it behind HTTP; a simulator calls it directly with a Caller of its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/call.h"
#include "tests/emulator/faults.h"
#include "tests/emulator/quota.h"
#include "tests/emulator/world.h"

namespace kalends::emulator {

class CalendarModel {
 public:
  explicit CalendarModel(uint64_t seed);

  // Milliseconds since 1970; never goes backwards.
  void advance_to(int64_t now_ms) { world_.advance_to(now_ms); }

  // Answers one call to /calendar/v3/…. Without a caller the answer is 401.
  Response handle(const Request& request, const std::optional<Caller>& caller);

  // Notices whose time has come; each must be reported back with the status of its answer (0: none came).
  std::vector<PushNotice> take_due_notices();
  std::optional<int64_t> next_notice_ms() const;
  void notice_answered(const PushNotice& notice, int status);

  World& world() { return world_; }
  Faults& faults() { return faults_; }

 private:
  Response call_method(Call& call, const Request& request);
  void check_contract(Call& call, const Request& request);
  void charge_quota(const Call& call, const Request& request);
  void fail_before(Call& call, const FaultScene& scene);
  void fail_after(Call& call, const FaultScene& scene, Response& response);
  void note_violation(const Request& request, const std::string& method, const std::string& problem);
  void note_request(const Request& request, const std::string& method, const std::optional<Caller>& caller,
                    const std::string& calendar, const Response& response);

  World world_;
  Quota quota_;
  Faults faults_;
  std::map<std::string, MethodFunction> methods_;
};

// True for methods that only read.
bool is_reading_method(const MethodSpec& method);

}  // namespace kalends::emulator
