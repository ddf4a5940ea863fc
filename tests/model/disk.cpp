#include "tests/model/disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>

namespace carillon::model {
namespace {

sqlite3_vfs* system_vfs = nullptr;

constexpr std::size_t sector_bytes = 512;

/// What SQLite opens: this, and behind it in the same memory the system's file.
struct File {
  sqlite3_file base{};
  Disk::Image* image = nullptr;

  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* below(sqlite3_file* file) { return File::of(file).below(); }

void write_into(std::string& content, const Disk::Image::Change& change) {
  const auto at = static_cast<std::size_t>(change.at);
  if (change.truncates) {
    if (content.size() > at) content.resize(at);
    return;
  }
  if (content.size() < at + change.bytes.size()) content.resize(at + change.bytes.size());
  std::copy(change.bytes.begin(), change.bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
}

int close(sqlite3_file* file) { return below(file)->pMethods->xClose(below(file)); }

int read(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  if (Disk::get().next(Disk::Call::read) == DiskFault::read_error) return SQLITE_IOERR_READ;
  return below(file)->pMethods->xRead(below(file), into, count, at);
}

int put(sqlite3_file* file, const char* bytes, std::size_t count, sqlite3_int64 at) {
  const int code = below(file)->pMethods->xWrite(below(file), bytes, static_cast<int>(count), at);
  if (code == SQLITE_OK) Disk::get().note(*File::of(file).image, {at, std::string(bytes, count), false});
  return code;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  const auto* text = static_cast<const char*>(bytes);
  const auto size = static_cast<std::size_t>(count);
  switch (Disk::get().next(Disk::Call::write)) {
    case DiskFault::full:
      return SQLITE_FULL;
    case DiskFault::io_error:
    case DiskFault::dead:
      return SQLITE_IOERR_WRITE;
    case DiskFault::short_write:
      put(file, text, size / 2, at);
      return SQLITE_FULL;
    default:
      return put(file, text, size, at);
  }
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (Disk::get().next(Disk::Call::write) != DiskFault::none) return SQLITE_IOERR_TRUNCATE;
  const int code = below(file)->pMethods->xTruncate(below(file), size);
  if (code == SQLITE_OK) Disk::get().note(*File::of(file).image, {size, {}, true});
  return code;
}

/// The system's own sync is not needed: this process goes on, and what would be lost is known.
int sync(sqlite3_file* file, int /*flags*/) {
  const DiskFault fault = Disk::get().next(Disk::Call::sync);
  if (fault == DiskFault::none || fault == DiskFault::sync_lost) {
    Disk::get().note_sync(*File::of(file).image, fault == DiskFault::sync_lost);
  }
  return fault == DiskFault::none ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) { return below(file)->pMethods->xFileSize(below(file), size); }
int lock(sqlite3_file* file, int level) { return below(file)->pMethods->xLock(below(file), level); }
int unlock(sqlite3_file* file, int level) { return below(file)->pMethods->xUnlock(below(file), level); }
int check_reserved_lock(sqlite3_file* file, int* reserved) {
  return below(file)->pMethods->xCheckReservedLock(below(file), reserved);
}
int file_control(sqlite3_file* file, int operation, void* argument) {
  return below(file)->pMethods->xFileControl(below(file), operation, argument);
}
int sector_size(sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); }
int device_characteristics(sqlite3_file* file) { return below(file)->pMethods->xDeviceCharacteristics(below(file)); }
int shm_map(sqlite3_file* file, int page, int bytes, int extend, void volatile** map) {
  return below(file)->pMethods->xShmMap(below(file), page, bytes, extend, map);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  const bool wants = (flags & SQLITE_SHM_LOCK) != 0 && (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if (wants && Disk::get().next(Disk::Call::lock) == DiskFault::busy) return SQLITE_BUSY;
  return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) { below(file)->pMethods->xShmBarrier(below(file)); }
int shm_unmap(sqlite3_file* file, int remove) { return below(file)->pMethods->xShmUnmap(below(file), remove); }

constexpr sqlite3_io_methods methods{
    .iVersion = 2,
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
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

/// The database and its log; what SQLite keeps for a moment goes straight to the system's VFS.
int open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  if (name == nullptr || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0) {
    return system_vfs->xOpen(system_vfs, name, file, flags, out_flags);
  }
  auto* opened = new (file) File;
  const int code = system_vfs->xOpen(system_vfs, name, opened->below(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  opened->image = &Disk::get().open(name);
  opened->base.pMethods = &methods;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* /*vfs*/, const char* name, int sync_directory) {
  if (Disk::get().next(Disk::Call::write) != DiskFault::none) return SQLITE_IOERR_DELETE;
  Disk::get().remove(name);
  return system_vfs->xDelete(system_vfs, name, sync_directory);
}

bool concerns(DiskFault fault, Disk::Call call) {
  switch (fault) {
    case DiskFault::none:
      return false;
    case DiskFault::full:
    case DiskFault::io_error:
    case DiskFault::short_write:
      return call == Disk::Call::write;
    case DiskFault::sync_error:
    case DiskFault::sync_lost:
      return call == Disk::Call::sync;
    case DiskFault::read_error:
      return call == Disk::Call::read;
    case DiskFault::busy:
      return call == Disk::Call::lock;
    case DiskFault::dead:
      return call == Disk::Call::write || call == Disk::Call::sync;
  }
  return false;
}

}  // namespace

std::string_view to_text(DiskFault fault) {
  switch (fault) {
    case DiskFault::none:
      return "none";
    case DiskFault::full:
      return "full";
    case DiskFault::io_error:
      return "io_error";
    case DiskFault::short_write:
      return "short_write";
    case DiskFault::sync_error:
      return "sync_error";
    case DiskFault::sync_lost:
      return "sync_lost";
    case DiskFault::read_error:
      return "read_error";
    case DiskFault::busy:
      return "busy";
    case DiskFault::dead:
      return "dead";
  }
  return "none";
}

Disk& Disk::get() {
  static Disk disk;
  return disk;
}

Disk::Disk() {
  system_vfs = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs = *system_vfs;
  vfs.szOsFile += static_cast<int>(sizeof(File));
  vfs.zName = "disk-of-the-model";
  vfs.pNext = nullptr;
  vfs.xOpen = model::open;
  vfs.xDelete = model::remove;
  sqlite3_vfs_register(&vfs, 1);
}

void Disk::arm(DiskFault fault, int nth, int times) {
  const std::lock_guard lock(mutex_);
  armed_ = fault;
  wait_ = nth;
  left_ = times;
  struck_ = false;
  dead_ = false;
}

void Disk::strike_dead() {
  const std::lock_guard lock(mutex_);
  struck_ = dead_ = true;
}

bool Disk::struck() {
  const std::lock_guard lock(mutex_);
  return struck_;
}

DiskFault Disk::next(Call call) {
  const std::lock_guard lock(mutex_);
  if (!concerns(armed_, call)) return DiskFault::none;
  if (dead_) return DiskFault::dead;
  if (wait_ > 1) {
    --wait_;
    return DiskFault::none;
  }
  if (left_ == 0) return DiskFault::none;
  --left_;
  struck_ = true;
  if (armed_ == DiskFault::dead) dead_ = true;
  return armed_;
}

Disk::Image& Disk::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = images_.try_emplace(path);
  if (fresh) {
    std::ifstream file(path, std::ios::binary);
    found->second.now.assign(std::istreambuf_iterator<char>(file), {});
    found->second.durable = found->second.now;
  }
  return found->second;
}

void Disk::note(Image& image, Image::Change change) {
  const std::lock_guard lock(mutex_);
  write_into(image.now, change);
  image.pending.push_back(std::move(change));
}

void Disk::note_sync(Image& image, bool lost) {
  const std::lock_guard lock(mutex_);
  if (!lost) {
    for (const auto& change : image.pending) write_into(image.durable, change);
  }
  image.pending.clear();
}

/// Others may still have it open: what they write then is nobody's.
void Disk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = images_.find(path);
  if (found != images_.end()) found->second = {};
}

void Disk::lose_power(Dice& dice) {
  const std::lock_guard lock(mutex_);
  const std::size_t luck = dice.below(3);  // none of what is pending, some of it, all of it
  for (auto& [path, image] : images_) {
    for (auto& change : image.pending) {
      if (luck == 0 || (luck == 1 && dice.one_in(2))) continue;
      if (luck == 1 && dice.one_in(3) && change.bytes.size() > sector_bytes) {
        change.bytes.resize(sector_bytes * (1 + dice.below(change.bytes.size() / sector_bytes)));
      }
      write_into(image.durable, change);
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << image.durable;
  }
  images_.clear();
}

void Disk::forget() {
  const std::lock_guard lock(mutex_);
  images_.clear();
}

}  // namespace carillon::model
