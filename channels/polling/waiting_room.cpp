#include "channels/polling/waiting_room.h"

namespace carillon::channels::polling {

WaitingRoom::Entry WaitingRoom::enter(hub::KeyId key) {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) >= places_.load(std::memory_order_relaxed)) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return Entry::room_is_full;
  }
  if (per_key_ == 0) return Entry::admitted;
  const std::lock_guard lock(mutex_);
  std::size_t& of_key = by_key_[key];
  if (of_key >= per_key_) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return Entry::key_is_full;
  }
  ++of_key;
  return Entry::admitted;
}

void WaitingRoom::leave(hub::KeyId key) noexcept {
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  if (per_key_ == 0) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found != by_key_.end() && --found->second == 0) by_key_.erase(found);
}

}  // namespace carillon::channels::polling
