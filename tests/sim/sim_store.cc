// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_store.h"

#include "core/base/check.h"

namespace kalends::sim {
namespace {

Error gone() { return {ErrorCode::kUnavailable, "this worker has ended", 0}; }
Error full() { return {ErrorCode::kUnavailable, "the disk is full", 0}; }

}  // namespace

class SimTxn final : public SqliteTxn {
 public:
  SimTxn(SimStore& store) : SqliteTxn(store.disk_.database(), store.disk_.txn_home()), store_(store) {}

  Status commit() override {
    if (store_.is_doomed_) return gone();
    if (store_.faults_.happens(FaultClass::kCrashBeforeCommit)) {
      store_.doom_();
      return gone();
    }
    if (store_.faults_.happens(FaultClass::kStoreFull)) return full();
    Status status = SqliteTxn::commit();
    if (!status.ok()) return status;
    ++store_.commits_;
    if (!ops_.empty()) store_.witness_.on_ops(ops_);
    for (const LinkLease& lease : acquired_) store_.witness_.on_lease(lease);
    for (const LinkLease& lease : fenced_) store_.witness_.on_fenced_write(lease);
    if (store_.faults_.happens(FaultClass::kCrashAfterCommit)) {
      store_.doom_();
      return gone();
    }
    return status;
  }

  Result<AppendedOp> append_op(WorkspaceId workspace, DocumentId document, const NewOpRow& op,
                               int64_t now_ms) override {
    auto appended = SqliteTxn::append_op(workspace, document, op, now_ms);
    if (appended.ok() && appended->is_new) ops_.push_back({workspace, document, appended->seq, op.op});
    return appended;
  }
  Result<LinkLease> acquire_lease(WorkspaceId workspace, LinkId link, const LeaseRequest& request) override {
    auto lease = SqliteTxn::acquire_lease(workspace, link, request);
    if (lease.ok()) acquired_.push_back(*lease);
    return lease;
  }
  Status put_pair(const LinkLease& lease, const PairRow& pair) override {
    fenced_.push_back(lease);
    return SqliteTxn::put_pair(lease, pair);
  }
  Status put_cursor(const LinkLease& lease, const CursorRow& cursor) override {
    fenced_.push_back(lease);
    return SqliteTxn::put_cursor(lease, cursor);
  }
  Status put_attempt(const LinkLease& lease, const AttemptRow& attempt) override {
    fenced_.push_back(lease);
    return SqliteTxn::put_attempt(lease, attempt);
  }
  Status update_link(const LinkLease& lease, const LinkRow& link) override {
    fenced_.push_back(lease);
    return SqliteTxn::update_link(lease, link);
  }

 private:
  SimStore& store_;
  std::vector<CommittedOp> ops_;
  std::vector<LinkLease> acquired_, fenced_;
};

Disk::Disk(const Scheduler& scheduler) : scheduler_(scheduler) {
  auto database = Sqlite::open({":memory:", 0});
  KALENDS_CHECK(database.ok());
  database_ = std::move(*database);
  KALENDS_CHECK(migrate(*database_).ok());
}

Result<std::unique_ptr<Txn>> SimStore::begin() {
  if (is_doomed_) return gone();
  if (faults_.happens(FaultClass::kStoreBusy))
    return Error{ErrorCode::kUnavailable, "the database is busy with another process", 0};
  KALENDS_CHECK(!disk_.is_txn_open());
  KALENDS_TRY_VOID(disk_.database().query("BEGIN IMMEDIATE").run());
  disk_.set_txn_open();
  return std::unique_ptr<Txn>(std::make_unique<SimTxn>(*this));
}

}  // namespace kalends::sim
