// SPDX-License-Identifier: Apache-2.0
// One process at a time works in a data folder.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace kalends {

// Held for as long as the process lives: two workers never share one SQLite file.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::string& folder) {
    int file = ::open((folder + "/kalends.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
      return Error{ErrorCode::kUnavailable,
                   "The data folder " + folder + " cannot be written: " + std::strerror(errno) + ".", 0};
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
      ::close(file);
      return Error{ErrorCode::kConflict,
                   "Another Kalends works in " + folder + ". Stop it, or give another --data-dir.", 0};
    }
    return FolderLock(file);
  }
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  ~FolderLock() {
    if (file_ >= 0) ::close(file_);
  }

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace kalends
