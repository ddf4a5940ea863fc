#include "channels/websocket/admission.h"

namespace carillon::channels::websocket {
namespace {

/// Adds one unless that is more than `max`.
bool count_up(std::atomic<std::size_t>& count, std::size_t max) {
  if (count.fetch_add(1) < max) return true;
  --count;
  return false;
}

}  // namespace

Admission::Admission(const AdmissionLimits& limits)
    : limits_(limits), gate_(limits.handshakes_per_second, limits.retry_after_max_s), pace_(limits.refusals) {}

int Admission::handshake(net::MonotonicMs now_ms) {
  if (limits_.handshakes_per_second == 0) return 0;
  const std::lock_guard lock(mutex_);
  return gate_.ask(now_ms);
}

Admission::Entry Admission::enter(hub::KeyId key, KeyShare*& share) {
  share = nullptr;
  if (!count_up(connections_, limits_.connections_max)) return Entry::hub_is_full;
  if (!keys_have_limits()) return Entry::admitted;
  const std::lock_guard lock(mutex_);
  KeyShare& of_key = by_key_[key];
  if (limits_.connections_per_key_max > 0 && of_key.connections >= limits_.connections_per_key_max) {
    --connections_;
    return Entry::key_is_full;
  }
  ++of_key.connections;
  share = &of_key;
  return Entry::admitted;
}

void Admission::leave(hub::KeyId key) noexcept {
  --connections_;
  if (!keys_have_limits()) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (--found->second.connections == 0) by_key_.erase(found);
}

net::MonotonicMs Admission::refused(const std::string& address, net::MonotonicMs now_ms, std::uint32_t refusals_free) {
  const std::lock_guard lock(mutex_);
  return pace_.refused(address, now_ms, refusals_free);
}

bool Admission::hold() { return count_up(held_, limits_.held_max); }

}  // namespace carillon::channels::websocket
