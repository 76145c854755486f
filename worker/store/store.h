// SPDX-License-Identifier: Apache-2.0
// Store on one SQLite file, migrated when it is opened.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "worker/ports/store.h"
#include "worker/store/sqlite_txn.h"

namespace kalends {

// When the disk refuses a write (it is full, or fails) the store goes on reading and refuses to write, until
// a try of its own shows that writing works again.
class SqliteStore final : public Store, private SqliteTxnHome {
 public:
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);

  Result<std::unique_ptr<Txn>> begin() override;
  std::string read_only_reason() const override { return refusal_; }
  // For maintenance commands: "ok", or what is damaged.
  Result<std::string> integrity() { return database_->integrity(); }

 private:
  using SteadyClock = std::chrono::steady_clock;
  SqliteStore(std::unique_ptr<Sqlite> database, const SqliteOptions& options)
      : database_(std::move(database)), clock_(options.clock), heal_gap_(options.heal_gap_ms) {}
  void txn_ended() override;
  const std::string& txn_refusal() const override { return refusal_; }
  int64_t txn_now_ms() const override;
  void stop_writing(int code);
  void heal();

  std::unique_ptr<Sqlite> database_;
  const Clock* clock_;
  bool is_txn_open_ = false;
  std::string refusal_;            // empty: writes are taken
  bool has_doubtful_log_ = false;  // a flush has failed since the log began
  std::chrono::milliseconds heal_gap_;
  SteadyClock::time_point next_heal_;
};

}  // namespace kalends
