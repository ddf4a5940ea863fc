// A disk that fails where it is told to, and that forgets what was not synced when the power goes.
//
// It stands under SQLite as its default VFS, over the system's own: the hub's VFS gathers its log above it. Of the
// database and its log it keeps what they hold now and what they would hold after a loss of power:
//
//   write, truncate ──▶ pending ──sync──▶ durable
//                          │
//                          └── the power goes: each is there, or not, or a part of it
//
// Threads: any; one hub at a time.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/dice.h"

namespace carillon::model {

/// What a call of the disk's comes to.
enum class DiskFault : std::uint8_t {
  none,
  full,         ///< a write: SQLITE_FULL, and nothing is written
  io_error,     ///< a write: SQLITE_IOERR_WRITE
  short_write,  ///< a write: some of it is written, and then SQLITE_FULL
  sync_error,   ///< a sync: SQLITE_IOERR_FSYNC; a later one may bring to disk what this did not
  sync_lost,    ///< a sync: the same, and what it should have brought to disk never comes there
  read_error,   ///< every read: SQLITE_IOERR_READ
  busy,         ///< an exclusive lock: SQLITE_BUSY, three times
  dead          ///< a write or sync, and all that come behind it: as if the process or the power were gone
};
std::string_view to_text(DiskFault fault);

class Disk {
 public:
  /// The process's, under SQLite from the first call on: to be made before anything is opened.
  static Disk& get();

  /// The `nth` call (from 1) that it concerns is the first to fail; for `times` calls.
  void arm(DiskFault fault, int nth, int times);
  /// Whether it has failed since it was armed.
  bool struck();
  void disarm() { arm(DiskFault::none, 1, 0); }

  /// From now on nothing reaches the disk any more.
  void cut() {
    arm(DiskFault::dead, 1, 1);
    strike_dead();
  }

  /// What is left when the power has gone, once everything is closed: of what is pending what the dice say.
  void lose_power(Dice& dice);
  /// All that was written is there, synced or not; forgets the files it knows of.
  void forget();

  // For the VFS.
  struct Image {
    std::string now;
    std::string durable;
    struct Change {
      std::int64_t at = 0;
      std::string bytes;
      bool truncates = false;  ///< to `at`
    };
    std::vector<Change> pending;
  };
  enum class Call : std::uint8_t { read, write, sync, lock };
  /// What this call comes to.
  DiskFault next(Call call);
  Image& open(const std::string& path);
  void note(Image& image, Image::Change change);
  void note_sync(Image& image, bool lost);
  void remove(const std::string& path);

 private:
  Disk();
  void strike_dead();

  std::mutex mutex_;
  std::map<std::string, Image> images_;
  DiskFault armed_ = DiskFault::none;
  int wait_ = 0;
  int left_ = 0;
  bool struck_ = false;
  bool dead_ = false;
};

}  // namespace carillon::model
