// SPDX-License-Identifier: Apache-2.0
// Store on one SQLite file, migrated when it is opened.
#pragma once

#include <memory>

#include "worker/ports/store.h"
#include "worker/store/sqlite.h"

namespace kalends {

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);

  Result<std::unique_ptr<Txn>> begin() override;
  // For maintenance commands: "ok", or what is damaged.
  Result<std::string> integrity() { return database_->integrity(); }

 private:
  SqliteStore(std::unique_ptr<Sqlite> database, const Clock* clock)
      : database_(std::move(database)), clock_(clock) {}

  std::unique_ptr<Sqlite> database_;
  const Clock* clock_;
  bool is_txn_open_ = false;
};

}  // namespace kalends
