// SPDX-License-Identifier: Apache-2.0
// Faults on demand: which calls go wrong, how, and how often.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/message.h"
#include "tests/emulator/prng.h"

namespace kalends::emulator {

struct Fault {
  uint64_t id = 0;
  std::string kind;
  std::string method, calendar, user, event_id;  // empty: any
  int64_t count = 1;                             // left; negative: for ever
  uint64_t per_million = 1'000'000;
  int status = 503;
  std::string reason, message;
  std::optional<int> retry_after;
  int64_t ms = 0;
  int n = 1;

  Json to_json() const;
};

// What a fault is matched against.
struct FaultScene {
  std::string method, calendar, user, event_id;
};

class Faults {
 public:
  // False with `problem` when the description is not a fault we know.
  static bool parse(const Json& description, Fault& fault, std::string& problem);

  void add(Fault fault);
  void clear() { faults_.clear(); }
  const std::vector<Fault>& all() const { return faults_; }

  // The first live fault of this kind that fits, one of its count used up.
  std::optional<Fault> take(const std::string& kind, const FaultScene& scene, Prng& prng);

 private:
  std::vector<Fault> faults_;
  uint64_t last_id_ = 0;
};

}  // namespace kalends::emulator
