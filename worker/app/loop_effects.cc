// SPDX-License-Identifier: Apache-2.0
#include "worker/app/loop_effects.h"

#include <memory>

namespace kalends {

LoopEffects::LoopEffects(Http& http, HttpServer& server) : http_(http), server_(server) {
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { serve(); });
}

LoopEffects::~LoopEffects() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void LoopEffects::fetch(HttpRequest request, std::function<void(HttpOutcome)> done) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(request), std::move(done)});
  }
  wake_.notify_one();
}

void LoopEffects::sleep(int64_t ms, std::function<void()> done) {
  if (ms <= 0)
    server_.post(std::move(done));
  else
    server_.post_after(ms, std::move(done));
}

void LoopEffects::serve() {
  while (true) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
    if (is_stopping_) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    auto outcome = std::make_shared<HttpOutcome>(http_.send(work.request));
    server_.post([outcome, done = std::move(work.done)] { done(std::move(*outcome)); });
  }
}

}  // namespace kalends
