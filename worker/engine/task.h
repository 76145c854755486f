// SPDX-License-Identifier: Apache-2.0
// A resumable step. A job is a coroutine that runs until it asks for something (an effect), then waits;
// between two waits nothing else touches its data. One thread, no locks; dropping a task drops all that waits
// inside it.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace kalends {

template <typename T>
class Task;

namespace task_detail {

struct FinalAwaiter {
  bool await_ready() noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
    auto next = done.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }  // adapters catch; the engine throws nothing
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace task_detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
    handle_.promise().continuation = waiting;
    return handle_;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace task_detail {
template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace task_detail

// Waits for a callback that is called later, once. When the waiting task is dropped first, the call is
// ignored.
template <typename T>
class Callback {
 public:
  using Start = std::function<void(std::function<void(T)>)>;
  explicit Callback(Start start) : start_(std::move(start)), state_(std::make_shared<State>()) {}
  Callback(const Callback&) = delete;
  ~Callback() { state_->waiting = nullptr; }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    state_->waiting = waiting;
    start_([state = state_](T value) {
      state->value.emplace(std::move(value));
      if (auto handle = std::exchange(state->waiting, nullptr)) handle.resume();
    });
  }
  T await_resume() { return std::move(*state_->value); }

 private:
  struct State {
    std::coroutine_handle<> waiting;
    std::optional<T> value;
  };
  Start start_;
  std::shared_ptr<State> state_;
};

// Owns tasks that nobody waits for.
class TaskSet {
 public:
  void spawn(Task<void> task) {
    sweep();
    tasks_.push_back(std::move(task));
    tasks_.back().start();
  }
  size_t running() {
    sweep();
    return tasks_.size();
  }
  void drop_all() { tasks_.clear(); }

 private:
  void sweep() {
    tasks_.remove_if([](const Task<void>& task) { return task.done(); });
  }
  std::list<Task<void>> tasks_;
};

}  // namespace kalends
