// SPDX-License-Identifier: Apache-2.0
// Time and order of everything that happens in a simulation: one queue of events, one thread. Equal times are
// told apart by the order of their making, so a run is a function of its seed.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <set>
#include <string>
#include <vector>

namespace kalends::sim {

// Whose event it is. A process that ends takes its events along; the world never ends.
using Owner = uint64_t;
inline constexpr Owner kWorld = 0;

class Scheduler {
 public:
  explicit Scheduler(int64_t start_ms) : now_ms_(start_ms) {}

  int64_t now_ms() const { return now_ms_; }
  Owner new_owner() { return ++last_owner_; }
  void after(int64_t wait_ms, Owner owner, std::function<void()> act) {
    queue_.push({now_ms_ + (wait_ms > 0 ? wait_ms : 0), ++made_, owner, std::move(act)});
  }
  void end(Owner owner) { ended_.insert(owner); }
  // Runs the next event that is due until then. False: there is none, and it is `until_ms` now.
  bool step(int64_t until_ms);

  uint64_t executed() const { return executed_; }
  size_t waiting() const { return queue_.size(); }
  // Of every event's time, order and owner: equal for equal runs.
  uint64_t trace() const { return trace_; }
  // For eyes: what happened, when somebody looks.
  bool is_loud = false;
  void say(const std::string& what) const;
  // Puts something that happened into the trace.
  void note(uint64_t what) { trace_ = (trace_ ^ what) * 1099511628211ULL; }

 private:
  struct Event {
    int64_t due_ms;
    uint64_t number;
    Owner owner;
    std::function<void()> act;
    bool operator<(const Event& other) const {  // the earliest on top
      return due_ms != other.due_ms ? due_ms > other.due_ms : number > other.number;
    }
  };

  int64_t now_ms_;
  Owner last_owner_ = kWorld;
  uint64_t made_ = 0, executed_ = 0, trace_ = 14695981039346656037ULL;
  std::priority_queue<Event> queue_;
  std::set<Owner> ended_;
};

}  // namespace kalends::sim
