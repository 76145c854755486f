// SPDX-License-Identifier: Apache-2.0
// Looks at the health of all links every few seconds and tells the operator's webhook of each change, of the
// better ones too: once, and again until the webhook has taken it. What was told outlives the worker. Nothing
// that a person wrote, and nobody's address, is in an alert.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "worker/engine/link_engine.h"

namespace kalends {

struct HealthWatchOptions {
  std::string alert_url;   // empty: nobody is told
  std::string server_url;  // which Kalends it is
  int64_t tick_ms = 10'000;
  int64_t timeout_ms = 10'000;
  int64_t backoff_ms_min = 5'000;
  int64_t backoff_ms_max = 300'000;
};

struct AlertCounters {
  uint64_t taken = 0;
  uint64_t failed = 0;  // tries
};

class HealthWatch {
 public:
  HealthWatch(const Ports& ports, LinkEngine& links, HealthWatchOptions options);
  ~HealthWatch();

  // Reads what was told before, and looks from now on.
  Status start();
  void stop();
  // One look; start() lets it come again and again.
  void tick();
  const AlertCounters& alerts() const { return alerts_; }

 private:
  using Key = std::pair<WorkspaceId, LinkId>;
  struct Told {
    std::string problems;       // names, joined; empty: healthy
    bool is_uncertain = false;  // something was sent, and no answer came
    bool is_sending = false;
    int failures = 0;
    int64_t next_try_ms = 0;
  };

  void tick_later();
  void tell(const Key& key, const LinkView& view, const std::string& problems);
  Status remember();

  Ports ports_;
  LinkEngine& links_;
  HealthWatchOptions options_;
  std::map<Key, Told> told_;
  AlertCounters alerts_;
  std::shared_ptr<bool> alive_;
};

}  // namespace kalends
