// SPDX-License-Identifier: Apache-2.0
// Sliding windows of units, per project and per user.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "tests/emulator/world.h"

namespace kalends::emulator {

class Quota {
 public:
  enum class Verdict { kFine, kUserExceeded, kProjectExceeded, kCalendarBurst };

  struct Use {
    std::string client_id;
    std::string user;      // quotaUser where given, else the mail
    std::string calendar;  // of writes; else empty
    int units = 1;
  };

  // Charges the use, or says what is exceeded and charges nothing.
  Verdict charge(const Use& use, const Switches& switches, int64_t now_ms);

 private:
  struct Window {
    std::deque<std::pair<int64_t, int>> uses;
    int total = 0;
    void forget_before(int64_t time_ms);
    void add(int64_t time_ms, int units);
  };

  std::map<std::string, Window> windows_;
};

}  // namespace kalends::emulator
