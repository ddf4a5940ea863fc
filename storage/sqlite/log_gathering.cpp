#include "storage/sqlite/log_gathering.h"

#include <sqlite3.h>

#include <cstddef>
#include <new>
#include <vector>

namespace carillon::storage::sqlite {
namespace {

/// SQLite's own VFS takes no more in one call (seekAndWriteFd() in os_unix.c masks the count).
constexpr std::size_t gathered_bytes_max = 0x1FFFF;

/// What SQLite opens for a log: this, and behind it in the same memory the file of the VFS below.
class LogFile {
 public:
  static LogFile& of(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }

  explicit LogFile(const sqlite3_io_methods& methods) { base_.pMethods = &methods; }

  int write(const void* bytes, std::size_t count, sqlite3_int64 at) {
    const bool follows = at == gathered_at_ + static_cast<sqlite3_int64>(gathered_.size());
    if (!gathered_.empty() && (!follows || gathered_.size() + count > gathered_bytes_max)) {
      if (const int code = flush(); code != SQLITE_OK) return code;
    }
    try {
      if (gathered_.empty()) gathered_at_ = at;
      const auto* first = static_cast<const unsigned char*>(bytes);
      gathered_.insert(gathered_.end(), first, first + count);
      return SQLITE_OK;
    } catch (const std::bad_alloc&) {
      return SQLITE_IOERR_NOMEM;
    }
  }

  /// What cannot be written is forgotten: the commit it belongs to fails.
  int flush() {
    if (gathered_.empty()) return SQLITE_OK;
    const int code =
        below()->pMethods->xWrite(below(), gathered_.data(), static_cast<int>(gathered_.size()), gathered_at_);
    gathered_.clear();
    return code;
  }

 private:
  sqlite3_file base_{};
  std::vector<unsigned char> gathered_;
  sqlite3_int64 gathered_at_ = 0;
};

/// Flushes, then lets the file below do what was asked.
template <typename Call>
int flushed(sqlite3_file* file, Call&& call) {
  LogFile& log = LogFile::of(file);
  const int code = log.flush();
  return code != SQLITE_OK ? code : call(log.below());
}

int close(sqlite3_file* file) {
  LogFile& log = LogFile::of(file);
  const int flush_code = log.flush();
  const int code = log.below()->pMethods->xClose(log.below());
  log.~LogFile();
  return flush_code != SQLITE_OK ? flush_code : code;
}

int read(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  return flushed(file, [&](sqlite3_file* below) { return below->pMethods->xRead(below, into, count, at); });
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  return LogFile::of(file).write(bytes, static_cast<std::size_t>(count), at);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return flushed(file, [&](sqlite3_file* below) { return below->pMethods->xTruncate(below, size); });
}

int sync(sqlite3_file* file, int flags) {
  return flushed(file, [&](sqlite3_file* below) { return below->pMethods->xSync(below, flags); });
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return flushed(file, [&](sqlite3_file* below) { return below->pMethods->xFileSize(below, size); });
}

int lock(sqlite3_file* file, int level) {
  sqlite3_file* const below = LogFile::of(file).below();
  return below->pMethods->xLock(below, level);
}

int unlock(sqlite3_file* file, int level) {
  sqlite3_file* const below = LogFile::of(file).below();
  return below->pMethods->xUnlock(below, level);
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  sqlite3_file* const below = LogFile::of(file).below();
  return below->pMethods->xCheckReservedLock(below, reserved);
}

int file_control(sqlite3_file* file, int operation, void* argument) {
  return flushed(file, [&](sqlite3_file* below) { return below->pMethods->xFileControl(below, operation, argument); });
}

int sector_size(sqlite3_file* file) {
  sqlite3_file* const below = LogFile::of(file).below();
  return below->pMethods->xSectorSize(below);
}

int device_characteristics(sqlite3_file* file) {
  sqlite3_file* const below = LogFile::of(file).below();
  return below->pMethods->xDeviceCharacteristics(below);
}

// A log is never mapped into memory, nor is it the file whose locks are shared: version 1 is all it is asked for.
constexpr sqlite3_io_methods log_methods{
    .iVersion = 1,
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* below_vfs = nullptr;

int open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return below_vfs->xOpen(below_vfs, name, file, flags, out_flags);
  auto* log = new (file) LogFile(log_methods);
  const int code = below_vfs->xOpen(below_vfs, name, log->below(), flags, out_flags);
  if (code != SQLITE_OK) {
    log->~LogFile();
    file->pMethods = nullptr;  // so that SQLite does not close what was not opened
  }
  return code;
}

}  // namespace

void install_log_gathering() {
  below_vfs = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs gathering = *below_vfs;
  gathering.szOsFile += static_cast<int>(sizeof(LogFile));
  gathering.zName = "carillon";
  gathering.pNext = nullptr;
  gathering.xOpen = open;
  sqlite3_vfs_register(&gathering, 1);
}

}  // namespace carillon::storage::sqlite
