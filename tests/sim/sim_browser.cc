// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_browser.h"

#include <algorithm>

#include "core/wire/cbor.h"

namespace kalends::sim {

SimBrowser::SimBrowser(const Place& place, const Options& options) : place_(place), options_(options) {
  open_copy();
}
SimBrowser::~SimBrowser() { cut(); }

void SimBrowser::open_copy() {
  auto opened =
      Replica::open({options_.board, DocumentKind::kBoard, options_.replica}, kept_.base, kept_.ops);
  if (!opened.ok()) {
    trouble_ = "a browser cannot open what it kept: " + opened.error().message;
    opened = Replica::open({options_.board, DocumentKind::kBoard, options_.replica}, {}, {});
  }
  replica_ = std::make_unique<Replica>(std::move(*opened));
  session_ = std::make_unique<Session>(*replica_, kept_.cursor);
  is_running_ = true;
}

void SimBrowser::keep(const std::vector<Op>& ops) {
  kept_.ops.insert(kept_.ops.end(), ops.begin(), ops.end());
}

bool SimBrowser::edit(const std::vector<Command>& commands) {
  return edit_at(options_.member, commands, now_ms());
}

bool SimBrowser::edit_as(MemberId author, const std::vector<Command>& commands) {
  return edit_at(author, commands, now_ms());
}

bool SimBrowser::edit_from_the_future(const std::vector<Command>& commands) {
  constexpr int64_t kYear2099 = 4'070'908'800'000;
  return edit_at(options_.member, commands, kYear2099);
}

bool SimBrowser::edit_at(MemberId author, const std::vector<Command>& commands, int64_t at_ms) {
  if (!is_running_) return false;
  auto edited = replica_->edit({author, Cause::kPerson, at_ms, true}, commands);
  if (!edited.ok() || edited->ops.empty()) return false;
  keep(edited->ops);
  for (Bytes& message : session_->pushes()) send(std::move(message));
  return true;
}

bool SimBrowser::undo() {
  if (!is_running_ || !replica_->can_undo()) return false;
  Changes changes;
  uint64_t before = replica_->version().of(options_.replica);
  auto undone = replica_->undo({options_.member, Cause::kPerson, now_ms(), true}, changes);
  if (!undone.ok() || undone->records.empty()) return false;
  std::vector<Op> made;
  for (const Op& op : replica_->log())
    if (op.id.replica == options_.replica && op.id.counter > before) made.push_back(op);
  keep(made);
  for (Bytes& message : session_->pushes()) send(std::move(message));
  return true;
}

void SimBrowser::set_online(bool is_online) {
  is_online_ = is_online;
  if (!is_online) cut();
  if (is_online && !connection_) connect_later(100);
}

void SimBrowser::connect_later(int64_t wait_ms) {
  uint64_t generation = ++generation_;
  place_.scheduler.after(wait_ms, kWorld, [this, generation] {
    if (generation == generation_) connect();
  });
}

void SimBrowser::connect() {
  ++generation_;
  if (!is_running_ || !is_online_ || connection_) return;
  std::vector<SimWorker*> running;
  for (auto& worker : place_.workers)
    if (worker->is_running()) running.push_back(worker.get());
  if (running.empty()) return connect_later(1000);
  auto connection = std::make_shared<Connection>();
  connection->worker = running[place_.faults.prng().below(running.size())];
  connection->owner = place_.scheduler.new_owner();
  connection->hub_owner = connection->worker->owner();
  auto authenticate = [options = options_](std::string_view) -> Result<SignedIn> {
    return SignedIn{options.workspace, options.member, true};
  };
  std::weak_ptr<Connection> weak = connection;
  auto to_browser = [this, weak](Bytes frame) {
    auto alive = weak.lock();
    if (!alive || alive->is_cut || alive->worker->is_doomed()) return;
    int64_t wait = 2 + static_cast<int64_t>(place_.faults.prng().below(40));
    if (place_.faults.happens(FaultClass::kFrameLate))
      wait += static_cast<int64_t>(place_.faults.prng().below(8'000));
    int64_t due = std::max(alive->last_down_ms, place_.scheduler.now_ms() + wait);  // in order
    alive->last_down_ms = due;
    place_.scheduler.after(due - place_.scheduler.now_ms(), alive->owner,
                           [this, weak, frame = std::move(frame)] {
                             auto here = weak.lock();
                             if (here && here == connection_) receive(frame);
                           });
  };
  connection->hub_side = connection->worker->open_session(authenticate, to_browser);
  connection_ = connection;
  send_frame(encode_cbor(Cbor::map({{"t", "auth"}, {"token", "t"}})));
  send(session_->start());
}

void SimBrowser::cut() {
  if (!connection_) return;
  auto connection = std::move(connection_);
  connection_.reset();
  connection->is_cut = true;
  place_.scheduler.end(connection->owner);
  if (connection->worker->owner() == connection->hub_owner)
    connection->worker->close_session(connection->hub_side);
  session_ = std::make_unique<Session>(*replica_, kept_.cursor);
}

void SimBrowser::notice_ended_worker() {
  if (!connection_ || connection_->worker->owner() == connection_->hub_owner) return;
  cut();
  connect_later(200 + static_cast<int64_t>(place_.faults.prng().below(3'000)));
}

void SimBrowser::kill() {
  cut();
  is_running_ = false;
  session_.reset();
  replica_.reset();
  open_copy();  // it opens again from what was kept
  connect_later(500 + static_cast<int64_t>(place_.faults.prng().below(20'000)));
}

void SimBrowser::send(Bytes message) {
  if (!connection_) return;
  send_frame(encode_cbor(Cbor::map({{"d", to_hex(options_.board)}, {"m", Cbor::bytes(std::move(message))}})));
}

void SimBrowser::send_frame(Bytes frame) {
  if (!connection_) return;
  std::weak_ptr<Connection> weak = connection_;
  int64_t wait = 2 + static_cast<int64_t>(place_.faults.prng().below(40));
  if (place_.faults.happens(FaultClass::kFrameLate))
    wait += static_cast<int64_t>(place_.faults.prng().below(8'000));
  int64_t due = std::max(connection_->last_up_ms, place_.scheduler.now_ms() + wait);
  connection_->last_up_ms = due;
  place_.scheduler.after(due - place_.scheduler.now_ms(), connection_->hub_owner,
                         [this, weak, frame = std::move(frame)] {
                           auto here = weak.lock();
                           if (!here || here->is_cut || here->worker->is_doomed()) return;
                           LiveSession* hub_side = here->worker->session(here->hub_side);
                           if (hub_side && !hub_side->receive(frame) && here == connection_) {
                             cut();
                             connect_later(5'000);
                           }
                         });
}

void SimBrowser::receive(const Bytes& frame) {
  auto map = decode_cbor(frame);
  if (!map.ok()) return;
  if (!(*map)["m"].is_bytes()) {
    if ((*map)["t"].as_text() == "error") {
      // As the page does: what cannot be stored just now is tried again on a new connection.
      cut();
      connect_later(1'000 + static_cast<int64_t>(place_.faults.prng().below(2'000)));
    }
    return;
  }
  auto received = session_->receive((*map)["m"].as_byte_view(), now_ms());
  if (!received.ok()) {
    trouble_ = "a browser does not understand the hub: " + received.error().message;
    return;
  }
  if (received->is_rewritten) {
    kept_.base = received->base;
    kept_.ops = received->log;
  } else {
    keep(received->ops);
  }
  kept_.cursor = session_->cursor();
  acknowledged_ = std::max(acknowledged_, session_->acked());
  for (Bytes& message : received->send) send(std::move(message));
}

void SimBrowser::send_nonsense(Prng& prng) {
  if (!connection_) return;
  Bytes junk(1 + prng.below(200));
  for (uint8_t& byte : junk) byte = static_cast<uint8_t>(prng.next());
  switch (prng.below(5)) {
    case 0:
      return send_frame(junk);
    case 1:
      return send(junk);
    case 2:
      return send(encode_cbor(Cbor::map({{"t", "push"}, {"ops", Cbor::bytes(std::move(junk))}})));
    case 3: {  // old operations once more
      std::vector<Op> own;
      for (const Op& op : replica_->log())
        if (op.id.replica == options_.replica) own.push_back(op);
      return send(encode_cbor(Cbor::map({{"t", "push"}, {"ops", Cbor::bytes(encode_chunk(own))}})));
    }
    default: {  // in somebody else's name
      Op op;
      op.id = {ReplicaId{prng.id()}, 1};
      op.stamp = Hlc::from(4'070'908'800'000, 0);
      op.author.raw = prng.id();
      op.transaction = 1;
      op.target = prng.id();
      OpBody body = SetBody{{Field::kTitle, {}, std::string("forged")}};
      op.kind = static_cast<uint16_t>(kind_of(body));
      op.body = encode_body(body);
      return send(encode_cbor(Cbor::map({{"t", "push"}, {"ops", Cbor::bytes(encode_chunk({op}))}})));
    }
  }
}

}  // namespace kalends::sim
