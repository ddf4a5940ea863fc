// How many polls wait and streams are open, in the whole hub and with one key: all loops ask the same WaitingRoom.
//
// Threads: any; what is counted by key is behind one lock, and only where keys have a limit.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "hub/id.h"

namespace carillon::channels::polling {

class WaitingRoom {
 public:
  struct Limits {
    std::size_t places = 100'000;
    std::size_t per_key = 0;  ///< 0: as many as there are places
  };

  explicit WaitingRoom(const Limits& limits) : places_(limits.places), per_key_(limits.per_key) {}
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  /// Another number of places from now on; who waits goes on waiting.
  void set_places(std::size_t places) { places_ = places; }
  std::size_t per_key() const { return per_key_; }

  enum class Entry : std::uint8_t { admitted, room_is_full, key_is_full };
  /// Who was admitted leaves once.
  Entry enter(hub::KeyId key);
  void leave(hub::KeyId key) noexcept;

  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> places_;
  const std::size_t per_key_;
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::unordered_map<hub::KeyId, std::size_t> by_key_;  ///< only where keys have a limit
};

}  // namespace carillon::channels::polling
