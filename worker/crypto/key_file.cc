// SPDX-License-Identifier: Apache-2.0
#include "worker/crypto/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "worker/base/encoding.h"
#include "worker/crypto/hash.h"

namespace kalends {
namespace {

constexpr size_t kKeySize = 32;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

Error disk_error(const std::string& what, const std::string& path) {
  return {ErrorCode::kUnavailable, "cannot " + what + " " + path + ": " + std::strerror(errno), 0};
}

// nullopt: there is no such file.
Result<std::optional<Bytes>> read_small_file(const std::string& path, bool is_secret) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::optional<Bytes>();
    return disk_error("open", path);
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return disk_error("inspect", path);
  if (is_secret && (facts.st_mode & 077) != 0) {
    return Error{ErrorCode::kForbidden, path + " can be read by other users; run: chmod 600 " + path, 0};
  }
  Bytes content(256);
  ssize_t size = ::read(file.get(), content.data(), content.size());
  if (size < 0) return disk_error("read", path);
  content.resize(static_cast<size_t>(size));
  return std::optional<Bytes>(std::move(content));
}

// Complete and durable, or not there: written beside, flushed, then given its name unless that exists by now.
Status write_new_file(const std::string& path, ByteView content) {
  std::string draft = path + ".draft." + std::to_string(::getpid());
  {
    File file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.is_open()) return disk_error("make", draft);
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
        ::fsync(file.get()) != 0) {
      Error error = disk_error("write", draft);
      ::unlink(draft.c_str());
      return error;
    }
  }
  int linked = ::link(draft.c_str(), path.c_str());
  Error error = disk_error("make", path);
  bool is_race_lost = linked != 0 && errno == EEXIST;
  ::unlink(draft.c_str());
  if (linked != 0 && !is_race_lost) return error;
  size_t slash = path.find_last_of('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.get());
  return {};
}

std::string check_text(ByteView key) {
  return hex_encode(hkdf_sha256(key, "kalends key check v1", 16)) + "\n";
}

}  // namespace

Result<Bytes> load_or_make_key(const std::string& path, Entropy& entropy) {
  const std::string check_path = path + ".check";
  KALENDS_TRY(auto key, read_small_file(path, true));
  KALENDS_TRY(auto check, read_small_file(check_path, false));
  if (!key && check) {
    return corrupt("the key file " + path +
                   " is missing though it existed before; put it back from a backup, or " + "remove " +
                   check_path + " to start anew (connected accounts must then be connected again)");
  }
  if (!key) {
    Bytes fresh = entropy.bytes(kKeySize);
    KALENDS_TRY_VOID(write_new_file(path, fresh));
    wipe(fresh);
    // Read back: another process may have been first.
    KALENDS_TRY(key, read_small_file(path, true));
  }
  if (!key || key->size() != kKeySize) {
    return corrupt("the key file " + path + " must hold exactly 32 bytes; put it back from a backup");
  }
  if (!check) {
    KALENDS_TRY_VOID(write_new_file(check_path, as_bytes(check_text(*key))));
  } else if (as_text(*check) != check_text(*key)) {
    return corrupt("the key file " + path + " does not fit " + check_path +
                   "; put the right key back from a backup");
  }
  return std::move(*key);
}

}  // namespace kalends
