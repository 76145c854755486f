// SPDX-License-Identifier: Apache-2.0
// What jobs may ask of the world. In the worker: a thread pool for HTTP and timers of the loop; in a
// simulator: one queue of events under one seed, so that every interleaving is data.
#pragma once

#include <cstdint>
#include <functional>

#include "worker/engine/task.h"
#include "worker/ports/http.h"

namespace kalends {

class Effects {
 public:
  virtual ~Effects() = default;
  // `done` is called later, on the engine's thread, never from inside the call.
  virtual void fetch(HttpRequest request, std::function<void(HttpOutcome)> done) = 0;
  virtual void sleep(int64_t ms, std::function<void()> done) = 0;

  // For coroutines. Take the awaiter as a named value: `auto fetching = effects.fetched(…); co_await
  // fetching;` keeps the compiler's lifetime of temporaries out of the picture.
  Callback<HttpOutcome> fetched(HttpRequest request) {
    return Callback<HttpOutcome>(
        [this, request = std::move(request)](auto done) mutable { fetch(std::move(request), done); });
  }
  Callback<bool> slept(int64_t ms) {
    return Callback<bool>([this, ms](auto done) { sleep(ms, [done] { done(true); }); });
  }
};

}  // namespace kalends
