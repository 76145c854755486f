// SPDX-License-Identifier: Apache-2.0
// A disk in memory that fails on demand, as SQLite sees it: full, a flush that fails, the power that goes.
// What was written since the last flush may then be there, or half of it, or none: by sectors, in any order.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/prng.h"

namespace kalends::test {

class FaultDisk {
 public:
  // Known to SQLite as name() for as long as it lives.
  FaultDisk();
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;
  const std::string& name() const { return name_; }

  // The power goes at the n-th write or flush from now: it, and all later ones, fail.
  void cut_power_at(uint64_t event) { cut_at_ = events_ + event; }
  void cut_power() { is_off_ = true; }
  // The process that has files open is gone without a word: what it still does reaches nothing, and the
  // memory that it shared is gone.
  void leave_files();
  // The power comes back: what is there is what was flushed, and a random part of what was not.
  // Requires: nobody has a file open.
  void power_on(Prng& random);

  uint64_t events() const { return events_; }
  uint64_t flushes() const { return flushes_; }
  // Files may not become larger in sum.
  std::optional<size_t> space;
  // The n-th flush from the start fails. What it should have flushed stays readable, is never flushed by a
  // later one, and is gone when the power goes (as Linux does it).
  std::optional<uint64_t> fail_flush_at;
  bool fails_all_flushes = false;
  // Flushes say that all is well and do nothing.
  bool lies = false;
  bool has_failed_flush() const { return has_failed_flush_; }

  struct Write {
    size_t offset = 0;
    Bytes bytes;
    bool is_truncation = false;  // to `offset`
  };
  struct File {
    Bytes now;  // what a reader sees
    Bytes flushed;
    bool is_flushed = false;                         // its name too
    std::vector<Write> pending;                      // since the last flush
    std::vector<std::unique_ptr<uint8_t[]>> shared;  // memory of the log's index
  };

 private:
  friend struct FaultFile;
  friend struct FaultCalls;
  // False: the power is off.
  bool happen();
  size_t size() const;

  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::map<std::string, std::shared_ptr<File>> files_;
  Prng random_{7};
  uint64_t events_ = 0;
  uint64_t flushes_ = 0;
  std::optional<uint64_t> cut_at_;
  bool is_off_ = false;
  bool has_failed_flush_ = false;
};

}  // namespace kalends::test
