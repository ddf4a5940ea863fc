// How much room the disk of the data directory has left, and how much of it the hub has taken.
//
// Threads: look() and set_free_min() from one thread; the rest from any, as of the last look.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace carillon::app {

class DiskWatch {
 public:
  /// Looks. Below `free_min_bytes` the disk is low, and so it stays until there is a tenth more than that: a hub whose
  /// disk goes up and down by a page is not now ready and now not. 0: it is never low.
  DiskWatch(std::string directory, std::string database_file, std::uint64_t free_min_bytes);

  /// Three system calls.
  void look();

  bool low() const { return low_.load(std::memory_order_relaxed); }
  std::uint64_t free_min_bytes() const { return free_min_bytes_.load(std::memory_order_relaxed); }
  /// From the next look on.
  void set_free_min(std::uint64_t bytes) { free_min_bytes_ = bytes; }
  /// For those that are not root.
  std::uint64_t free_bytes() const { return free_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t database_bytes() const { return database_bytes_.load(std::memory_order_relaxed); }
  /// Of the write-ahead log.
  std::uint64_t wal_bytes() const { return wal_bytes_.load(std::memory_order_relaxed); }

 private:
  const std::string directory_;
  const std::string database_file_;
  std::atomic<std::uint64_t> free_min_bytes_;
  std::atomic<bool> low_{false};
  std::atomic<std::uint64_t> free_bytes_{0};
  std::atomic<std::uint64_t> database_bytes_{0};
  std::atomic<std::uint64_t> wal_bytes_{0};
};

}  // namespace carillon::app
