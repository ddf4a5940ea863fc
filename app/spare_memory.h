// When to give memory back to the system.
//
// What slow clients and many connections held is freed when they go, but the allocator keeps it: freed pieces lie
// between such as live on. Looking for whole pages among them is work, and done under the allocator's locks, so it is
// done when there is something to find, and not again and again.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>

namespace carillon::app {

class SpareMemory {
 public:
  /// What is asked for each second or so.
  struct Sight {
    std::uint64_t connections;   ///< that are open
    std::uint64_t slow_clients;  ///< closed since the start: each had a queue
  };

  /// True when it is time to give back: some seconds after a client was closed for being slow, or after many
  /// connections have gone.
  bool is_due(const Sight& sight, std::int64_t now_ms);

  static constexpr std::int64_t delay_ms = 5'000;  ///< so that what ends together is given back together
  static constexpr std::uint64_t gone_min = 256;   ///< connections, fewer than there have been

 private:
  std::uint64_t connections_most_ = 0;  ///< since it was last due
  std::uint64_t slow_clients_ = 0;
  std::optional<std::int64_t> due_at_ms_;
};

/// Gives back what the allocator holds and nobody uses, in whole pages.
void give_spare_memory_back();

}  // namespace carillon::app
