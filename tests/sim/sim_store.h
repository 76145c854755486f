// SPDX-License-Identifier: Apache-2.0
// The real store on a database in memory, with crashes at its commits. The database outlives its workers as a
// disk does; a worker that is doomed gets nothing out of it any more and nothing into it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/faults.h"
#include "tests/sim/scheduler.h"
#include "worker/store/sqlite.h"
#include "worker/store/sqlite_txn.h"

namespace kalends::sim {

struct CommittedOp {
  WorkspaceId workspace;
  DocumentId document;
  uint64_t seq = 0;
  Bytes op;
};

// What the simulation wants to know of a worker's transactions.
class StoreWitness {
 public:
  virtual ~StoreWitness() = default;
  virtual void on_ops(const std::vector<CommittedOp>& ops) = 0;
  virtual void on_lease(const LinkLease& lease) = 0;         // acquired
  virtual void on_fenced_write(const LinkLease& lease) = 0;  // committed under this lease
};

class Disk final : private SqliteTxnHome {
 public:
  // The store's clock is nobody's worker's.
  explicit Disk(const Scheduler& scheduler);
  SqliteTxnHome& txn_home() { return *this; }
  Sqlite& database() { return *database_; }
  void set_txn_open() { is_txn_open_ = true; }
  bool is_txn_open() const { return is_txn_open_; }

 private:
  void txn_ended() override { is_txn_open_ = false; }
  const std::string& txn_refusal() const override { return none_; }
  int64_t txn_now_ms() const override { return scheduler_.now_ms(); }

  const Scheduler& scheduler_;
  const std::string none_;
  std::unique_ptr<Sqlite> database_;
  bool is_txn_open_ = false;
};

// One worker's way to the disk.
class SimStore final : public Store {
 public:
  SimStore(Disk& disk, Faults& faults, StoreWitness& witness, std::function<void()> doom)
      : disk_(disk), faults_(faults), witness_(witness), doom_(std::move(doom)) {}
  Result<std::unique_ptr<Txn>> begin() override;
  void set_doomed() { is_doomed_ = true; }
  bool is_doomed() const { return is_doomed_; }
  uint64_t commits() const { return commits_; }

 private:
  friend class SimTxn;
  Disk& disk_;
  Faults& faults_;
  StoreWitness& witness_;
  std::function<void()> doom_;
  bool is_doomed_ = false;
  uint64_t commits_ = 0;
};

}  // namespace kalends::sim
