// SPDX-License-Identifier: Apache-2.0
// A worker process: the product's own engine on simulated ports. What is not in the store is gone when it
// crashes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_google.h"
#include "tests/sim/sim_store.h"
#include "worker/crypto/aes_gcm_secret_box.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/live_session.h"

namespace kalends::sim {

class SimClock final : public Clock {
 public:
  SimClock(const Scheduler& scheduler, int64_t skew_ms) : scheduler_(scheduler), skew_ms_(skew_ms) {}
  int64_t now_ms() const override { return scheduler_.now_ms() + skew_ms_; }
  int64_t monotonic_ms() const override { return scheduler_.now_ms() - 1'000'000; }
  void jump(int64_t ms) { skew_ms_ += ms; }
  void set_skew(int64_t ms) { skew_ms_ = ms; }

 private:
  const Scheduler& scheduler_;
  int64_t skew_ms_;
};

class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(uint64_t seed) : prng_(seed) {}
  void fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(prng_.next() >> 32);
  }

 private:
  Prng prng_;
};

class SimLog final : public Log {
 public:
  explicit SimLog(const Scheduler& scheduler) : scheduler_(scheduler) {}
  void write(LogLevel level, LogCode event, std::initializer_list<LogField> fields) override;

 private:
  const Scheduler& scheduler_;
};

class SimWorker {
 public:
  struct Place {
    Scheduler& scheduler;
    Faults& faults;
    SimGoogle& google;
    Disk& disk;
    StoreWitness& witness;
  };
  struct Options {
    uint32_t number = 0;
    int64_t skew_ms = 0;
    size_t open_boards = 8;
    bool is_store_shared = false;
    bool has_push = true;
    int64_t poll_ms = 60'000;
    int64_t quota_per_minute = 600;
  };
  SimWorker(const Place& place, const Options& options)
      : place_(place), options_(options), clock_(place.scheduler, options.skew_ms) {}
  ~SimWorker() { end(); }

  // False: it could not start (the store was not there): it has ended again.
  bool start();
  // As kill -9 does. Safe from inside the worker's own call: it is gone once control is back in the
  // scheduler.
  void doom() {
    if (process_) process_->store.set_doomed();
  }
  bool is_doomed() const { return process_ && process_->store.is_doomed(); }
  void end();
  bool is_running() const { return process_ != nullptr && !is_doomed(); }

  Owner owner() const { return process_ ? process_->owner : kWorld; }
  ReplicaHub& hub() { return process_->hub; }
  LinkEngine& links() { return process_->links; }
  Accounts& accounts() { return process_->accounts; }
  TaskSet& tasks() { return process_->tasks; }
  // Sessions of browsers; they end with the process.
  uint64_t open_session(LiveSession::Authenticate authenticate, LiveSession::Send send);
  LiveSession* session(uint64_t id);
  void close_session(uint64_t id) { process_->sessions.erase(id); }
  Store& store() { return process_->store; }
  SimClock& clock() { return clock_; }
  Ports ports() { return process_->ports(); }
  uint32_t number() const { return options_.number; }
  // Nothing is heard of it for a while; then it goes on as if no time had passed for it.
  void pause(int64_t ms) { paused_until_ms_ = place_.scheduler.now_ms() + ms; }

 private:
  class SimEffects final : public Effects {
   public:
    SimEffects(SimWorker& worker, Owner owner) : worker_(worker), owner_(owner) {}
    void fetch(HttpRequest request, std::function<void(HttpOutcome)> done) override;
    void sleep(int64_t ms, std::function<void()> done) override;

   private:
    std::function<void()> when_awake(std::function<void()> act);
    SimWorker& worker_;
    Owner owner_;
  };
  struct Process {
    Process(SimWorker& worker, Owner owner, uint64_t seed);
    Ports ports() { return {store, effects, worker.clock_, entropy, secrets, log}; }
    SimWorker& worker;
    Owner owner;
    SimEntropy entropy;
    SimStore store;
    SimEffects effects;
    SimLog log;
    AesGcmSecretBox secrets;
    ReplicaHub hub;
    Accounts accounts;
    TaskSet tasks;
    LinkEngine links;
    std::map<uint64_t, std::unique_ptr<LiveSession>> sessions;
    uint64_t last_session = 0;
  };

  Place place_;
  Options options_;
  SimClock clock_;
  int64_t paused_until_ms_ = 0;
  uint64_t starts_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace kalends::sim
