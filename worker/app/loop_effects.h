// SPDX-License-Identifier: Apache-2.0
// Effects in the real world: HTTP on a few threads, timers and completions on the server's loop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "worker/engine/effects.h"
#include "worker/http/server.h"

namespace kalends {

class LoopEffects final : public Effects {
 public:
  // Enough to keep the quota of many accounts busy; each thread waits for one answer at a time.
  static constexpr size_t kThreads = 16;

  LoopEffects(Http& http, HttpServer& server);
  // Ends the threads; answers that still come are dropped.
  ~LoopEffects() override;

  void fetch(HttpRequest request, std::function<void(HttpOutcome)> done) override;
  void sleep(int64_t ms, std::function<void()> done) override;

 private:
  struct Work {
    HttpRequest request;
    std::function<void(HttpOutcome)> done;
  };
  void serve();

  Http& http_;
  HttpServer& server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kalends
