// SPDX-License-Identifier: Apache-2.0
// A browser with one board open: the product's replica and session, a store of its own that outlives it, and
// a socket that breaks. What a person did is kept before it is shown or sent, as in the page.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/replica/session.h"
#include "tests/sim/sim_worker.h"

namespace kalends::sim {

class SimBrowser {
 public:
  struct Place {
    Scheduler& scheduler;
    Faults& faults;
    std::vector<std::unique_ptr<SimWorker>>& workers;
  };
  struct Options {
    WorkspaceId workspace;
    DocumentId board;
    MemberId member;
    ReplicaId replica;
    int64_t skew_ms = 0;
  };
  SimBrowser(const Place& place, const Options& options);
  ~SimBrowser();

  // What a person does. False: it cannot be done (an error of the command's), or nothing changed.
  bool edit(const std::vector<Command>& commands);
  // The same with a clock that is years ahead.
  bool edit_from_the_future(const std::vector<Command>& commands);
  bool undo();
  // Under another member's name: the hub refuses it.
  bool edit_as(MemberId author, const std::vector<Command>& commands);
  const Replica& replica() const { return *replica_; }
  int64_t now_ms() const { return place_.scheduler.now_ms() + options_.skew_ms; }
  const Options& options() const { return options_; }

  void connect();
  void cut();  // the socket
  // After a worker has ended: whoever was connected to it notices.
  void notice_ended_worker();
  void kill();  // the tab; it comes back by itself
  void set_online(bool is_online);
  bool is_online() const { return is_online_; }
  bool is_synced() const { return is_running_ && connection_ && session_->is_synced(); }
  // Frames to the hub that no honest browser sends.
  void send_nonsense(Prng& prng);

  // Own operations that the hub has acknowledged.
  uint64_t acknowledged() const { return acknowledged_; }
  // A message for the end of the run when this copy broke; empty: fine.
  const std::string& trouble() const { return trouble_; }

 private:
  // Both ends of a socket. What is under way when it breaks is lost.
  struct Connection {
    Owner owner = kWorld;      // of frames under way to the browser, and of time-outs
    Owner hub_owner = kWorld;  // the worker's process
    SimWorker* worker = nullptr;
    uint64_t hub_side = 0;  // the worker's session
    bool is_cut = false;
    int64_t last_up_ms = 0, last_down_ms = 0;
  };

  bool edit_at(MemberId author, const std::vector<Command>& commands, int64_t now_ms);
  void open_copy();
  void connect_later(int64_t wait_ms);
  void send(Bytes message);
  void send_frame(Bytes frame);
  void receive(const Bytes& frame);
  void keep(const std::vector<Op>& ops);

  Place place_;
  Options options_;
  // What is on its disk.
  struct Kept {
    Bytes base;
    std::vector<Op> ops;
    Cursor cursor;
  } kept_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Session> session_;
  std::shared_ptr<Connection> connection_;
  bool is_running_ = false, is_online_ = true;
  uint64_t generation_ = 0;  // of connect timers
  uint64_t acknowledged_ = 0;
  std::string trouble_;
};

}  // namespace kalends::sim
