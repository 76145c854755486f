// SPDX-License-Identifier: Apache-2.0
#include "worker/app/maintenance.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "worker/app/folder_lock.h"
#include "worker/app/system_clock.h"
#include "worker/engine/restored.h"
#include "worker/store/backup.h"
#include "worker/store/store.h"

namespace kalends {
namespace {

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

Status copy_key(const std::string& from, const std::string& to) {
  std::ifstream in(from, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  int file = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  std::string text = bytes.str();
  bool is_fine = in && file >= 0 &&
                 ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                 ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (is_fine) return {};
  return Error{
      ErrorCode::kUnavailable,
      "The key " + from + " cannot be copied to " + to + ": it must be readable, and the copy a new file.",
      0};
}

}  // namespace

Result<std::string> back_up(const Settings& settings, const std::string& path, bool with_key) {
  if (!is_file(settings.database_path()))
    return not_found("There is no database in " + settings.data_dir + ": give the --data-dir of the worker.");
  if (with_key && is_file(path + ".key"))
    return Error{ErrorCode::kConflict, path + ".key is there already: give the name of a new file.", 0};
  KALENDS_TRY_VOID(copy_database(settings.database_path(), path));
  std::string told = "Written and checked: " + path + "\n";
  if (with_key) {
    KALENDS_TRY_VOID(copy_key(settings.key_path(), path + ".key"));
    return told + "The key is in " + path +
           ".key: who has both can use the connected Google accounts. Keep them apart.";
  }
  return told + "The key is not in it. Keep " + settings.key_path() +
         " elsewhere (or use --with-key): without it connected accounts and links cannot be restored.";
}

Result<std::string> restore(const Settings& settings, const std::string& path, const std::string& key_path) {
  if (!is_file(path)) return not_found("There is no file " + path + ": give what `kalends backup` wrote.");
  if (!key_path.empty() && !is_file(key_path))
    return not_found("There is no file " + key_path + ": give the key that belongs to the backup.");
  std::error_code problem;
  std::filesystem::create_directories(settings.data_dir, problem);
  ::chmod(settings.data_dir.c_str(), 0700);
  KALENDS_TRY(FolderLock lock, FolderLock::take(settings.data_dir));
  if (key_path.empty() && !is_file(settings.key_path()))
    return Error{
        ErrorCode::kInvalid,
        "There is no key in " + settings.data_dir + ": give the one that belongs to the backup with --key.",
        0};

  // Everything is done in a copy first: a file that cannot be used changes nothing here.
  const std::string database = settings.database_path(), fresh = database + ".restoring";
  auto drop = [](const std::string& file) {
    std::error_code ignored;
    for (const char* end : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(file + end, ignored);
  };
  drop(fresh);
  RestoredCounts counts;
  Status made = [&]() -> Status {
    KALENDS_TRY_VOID(copy_database(path, fresh));
    KALENDS_TRY_VOID(expect_own_schema(fresh));
    {
      KALENDS_TRY(auto store, SqliteStore::open({fresh}));  // brings the schema up to date
      KALENDS_TRY(counts, mark_restored(*store, SystemClock().now_ms()));
    }
    KALENDS_TRY_VOID(settle_database(fresh));
    return check_database(fresh);
  }();
  if (!made.ok()) {
    drop(fresh);
    return made.error();
  }
  const std::string before = database + ".before-restore";
  drop(before);
  if (is_file(database)) {
    // The old log must not be read into the new file.
    (void)settle_database(database);
    for (const char* end : {"-wal", "-shm"}) {
      if (is_file(database + end)) std::filesystem::rename(database + end, before + end, problem);
      if (problem)
        return Error{ErrorCode::kUnavailable,
                     "The old database cannot be put aside: " + problem.message() + ".", 0};
    }
    std::filesystem::create_hard_link(database, before, problem);
    if (problem) {
      problem.clear();
      std::filesystem::copy_file(database, before, problem);
    }
    if (problem)
      return Error{ErrorCode::kUnavailable,
                   "The old database cannot be put aside: " + problem.message() + ".", 0};
  }
  if (!key_path.empty()) {
    std::string old_key = settings.key_path() + ".before-restore";
    std::filesystem::remove(old_key, problem);
    std::filesystem::remove(settings.key_path() + ".restoring", problem);
    KALENDS_TRY_VOID(copy_key(key_path, settings.key_path() + ".restoring"));
    if (is_file(settings.key_path()))
      std::filesystem::create_hard_link(settings.key_path(), old_key, problem);
    problem.clear();
    std::filesystem::rename(settings.key_path() + ".restoring", settings.key_path(), problem);
    if (problem)
      return Error{ErrorCode::kUnavailable, "The key cannot be put in its place: " + problem.message() + ".",
                   0};
  }
  std::filesystem::rename(fresh, database, problem);
  if (problem)
    return Error{ErrorCode::kUnavailable, "The backup cannot be put in its place: " + problem.message() + ".",
                 0};
  drop(fresh);
  std::string told = "Restored " + std::to_string(counts.documents) + " documents and " +
                     std::to_string(counts.links) + " links.";
  if (is_file(before)) told += " What was there before is in " + before + ".";
  if (counts.links > 0)
    told +=
        "\nNo link writes anything until it is approved: start the worker, let people connect, then run "
        "`kalends status` "
        "and `kalends approve LINK`.";
  return told;
}

}  // namespace kalends
