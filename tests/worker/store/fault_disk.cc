// SPDX-License-Identifier: Apache-2.0
#include "tests/worker/store/fault_disk.h"

#include <algorithm>
#include <cstring>

namespace kalends::test {
namespace {

constexpr size_t kSector = 512;
uint64_t disks_made = 0;

void take_in(Bytes& content, const FaultDisk::Write& write) {
  if (write.is_truncation) return content.resize(std::min(content.size(), write.offset));
  if (content.size() < write.offset + write.bytes.size()) content.resize(write.offset + write.bytes.size());
  std::copy(write.bytes.begin(), write.bytes.end(),
            content.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

}  // namespace

// SQLite's file: its method table comes first.
struct FaultFile {
  sqlite3_file base;
  FaultDisk* disk;
  std::shared_ptr<FaultDisk::File>* file;  // one without a name is gone with this
};

struct FaultCalls {
  static FaultFile& of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }
  static FaultDisk& of(sqlite3_vfs* vfs) { return *static_cast<FaultDisk*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    delete of(file).file;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    FaultFile& opened = of(file);
    if (opened.disk->is_off_) return SQLITE_IOERR_READ;
    const Bytes& content = (*opened.file)->now;
    auto begin = std::min(static_cast<size_t>(offset), content.size());
    auto there = std::min(static_cast<size_t>(amount), content.size() - begin);
    std::memcpy(out, content.data() + begin, there);
    std::memset(static_cast<uint8_t*>(out) + there, 0, static_cast<size_t>(amount) - there);
    return there == static_cast<size_t>(amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* in, int amount, sqlite3_int64 offset) {
    FaultFile& opened = of(file);
    FaultDisk& disk = *opened.disk;
    if (disk.is_off_) return SQLITE_IOERR_WRITE;
    const auto* begin = static_cast<const uint8_t*>(in);
    FaultDisk::Write write{static_cast<size_t>(offset), Bytes(begin, begin + amount), false};
    size_t end = write.offset + write.bytes.size();
    size_t grows = end > (*opened.file)->now.size() ? end - (*opened.file)->now.size() : 0;
    if (disk.space && grows > 0 && disk.size() + grows > *disk.space) return SQLITE_FULL;
    bool has_power = disk.happen();
    take_in((*opened.file)->now, write);
    (*opened.file)->pending.push_back(std::move(write));  // also the last one: half of it may arrive
    return has_power ? SQLITE_OK : SQLITE_IOERR_WRITE;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    FaultFile& opened = of(file);
    if (!opened.disk->happen()) return SQLITE_IOERR_TRUNCATE;
    FaultDisk::Write write{static_cast<size_t>(size), {}, true};
    take_in((*opened.file)->now, write);
    (*opened.file)->pending.push_back(std::move(write));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* file, int) {
    FaultFile& opened = of(file);
    FaultDisk& disk = *opened.disk;
    ++disk.flushes_;
    if (!disk.happen()) return SQLITE_IOERR_FSYNC;
    if (disk.lies) return SQLITE_OK;
    if (disk.fails_all_flushes || disk.fail_flush_at == disk.flushes_) {
      (*opened.file)->pending.clear();  // readable, and never flushed any more
      disk.has_failed_flush_ = true;
      return SQLITE_IOERR_FSYNC;
    }
    for (const auto& write : (*opened.file)->pending) take_in((*opened.file)->flushed, write);
    (*opened.file)->pending.clear();
    (*opened.file)->is_flushed = true;
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>((*of(file).file)->now.size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int is_reserved(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return kSector; }
  // As on Linux: a write that is torn spoils nothing beside itself.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int map(sqlite3_file* file, int region, int size, int extends, void volatile** out) {
    auto& shared = (*of(file).file)->shared;
    *out = nullptr;
    if (static_cast<size_t>(region) >= shared.size() && !extends) return SQLITE_OK;
    while (static_cast<size_t>(region) >= shared.size())
      shared.push_back(std::make_unique<uint8_t[]>(static_cast<size_t>(size)));
    *out = shared[static_cast<size_t>(region)].get();
    return SQLITE_OK;
  }
  static int map_lock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void barrier(sqlite3_file*) {}
  static int unmap(sqlite3_file* file, int is_deleted) {
    if (is_deleted) (*of(file).file)->shared.clear();
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = {
        2,     close,       read,    write,       truncate,        sync, size,     lock,
        lock,  is_reserved, control, sector_size, characteristics, map,  map_lock, barrier,
        unmap, nullptr,     nullptr};
    FaultDisk& disk = of(vfs);
    FaultFile& opened = of(out);
    opened.base.pMethods = nullptr;
    if (disk.is_off_) return SQLITE_CANTOPEN;
    bool is_there = name && disk.files_.count(name) > 0;
    if (name && !is_there && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    opened.disk = &disk;
    auto file = name && is_there ? disk.files_[name] : std::make_shared<FaultDisk::File>();
    if (name) disk.files_[name] = file;
    opened.file = new std::shared_ptr<FaultDisk::File>(std::move(file));
    opened.base.pMethods = &methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    if (of(vfs).is_off_) return SQLITE_IOERR_DELETE;
    of(vfs).files_.erase(name);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = of(vfs).files_.count(name) > 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    for (int i = 0; i < size; ++i) out[i] = static_cast<char>(of(vfs).random_.next());
    return size;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int time(sqlite3_vfs*, double* out) {
    *out = 2'461'369.0;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

FaultDisk::FaultDisk()
    : name_("fault-" + std::to_string(++disks_made)), vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(FaultFile);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = FaultCalls::open;
  vfs_->xDelete = FaultCalls::remove;
  vfs_->xAccess = FaultCalls::access;
  vfs_->xFullPathname = FaultCalls::full_path;
  vfs_->xRandomness = FaultCalls::randomness;
  vfs_->xSleep = FaultCalls::sleep;
  vfs_->xCurrentTime = FaultCalls::time;
  vfs_->xGetLastError = FaultCalls::last_error;
  sqlite3_vfs_register(vfs_.get(), 0);
}

FaultDisk::~FaultDisk() { sqlite3_vfs_unregister(vfs_.get()); }

bool FaultDisk::happen() {
  if (is_off_) return false;
  ++events_;
  if (cut_at_ && events_ >= *cut_at_) is_off_ = true;
  return !is_off_;
}

size_t FaultDisk::size() const {
  size_t sum = 0;
  for (const auto& [name, file] : files_) sum += file->now.size();
  return sum;
}

void FaultDisk::leave_files() {
  for (auto& [name, file] : files_) {
    auto kept = std::make_shared<File>();
    kept->now = file->now;
    kept->flushed = file->flushed;
    kept->is_flushed = file->is_flushed;
    kept->pending = file->pending;
    file = std::move(kept);
  }
}

void FaultDisk::power_on(Prng& random) {
  for (auto it = files_.begin(); it != files_.end();) {
    File& file = *it->second;
    // A name that was never flushed may be gone with all that it names.
    if (!file.is_flushed && random.next() % 2 == 0) {
      it = files_.erase(it);
      continue;
    }
    // All of what was not flushed, none of it, or any of its sectors.
    uint64_t manner = random.next() % 4;
    for (const Write& write : file.pending) {
      if (manner == 0) break;
      if (write.is_truncation) {
        if (manner == 1 || random.next() % 2 == 0) take_in(file.flushed, write);
        continue;
      }
      for (size_t begin = 0; begin < write.bytes.size();) {
        size_t end = std::min(write.bytes.size(), begin + kSector - (write.offset + begin) % kSector);
        if (manner == 1 || random.next() % 2 == 0)
          take_in(file.flushed, {write.offset + begin,
                                 Bytes(write.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                       write.bytes.begin() + static_cast<std::ptrdiff_t>(end)),
                                 false});
        begin = end;
      }
    }
    file.now = file.flushed;
    file.pending.clear();
    file.shared.clear();
    file.is_flushed = true;
    ++it;
  }
  is_off_ = false;
  cut_at_.reset();
}

}  // namespace kalends::test
