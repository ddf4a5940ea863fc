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
    : connections_max_(limits.connections_max),
      connections_per_key_max_(limits.connections_per_key_max),
      subscriptions_per_key_max_(limits.subscriptions_per_key_max),
      held_max_(limits.held_max),
      has_gate_(limits.handshakes_per_second > 0),
      gate_(limits.handshakes_per_second, limits.retry_after_max_s),
      pace_(limits.refusals) {}

void Admission::set_limits(const AdmissionLimits& limits) {
  connections_max_ = limits.connections_max;
  connections_per_key_max_ = limits.connections_per_key_max;
  subscriptions_per_key_max_ = limits.subscriptions_per_key_max;
  held_max_ = limits.held_max;
  const std::lock_guard lock(mutex_);
  gate_.set_rate(limits.handshakes_per_second, limits.retry_after_max_s);
  pace_.set_options(limits.refusals);
  has_gate_ = limits.handshakes_per_second > 0;
}

int Admission::handshake(net::MonotonicMs now_ms) {
  if (!has_gate_.load(std::memory_order_relaxed)) return 0;
  const std::lock_guard lock(mutex_);
  return gate_.ask(now_ms);
}

Admission::Entry Admission::enter(hub::KeyId key, KeyShare*& share) {
  share = nullptr;
  if (!count_up(connections_, connections_max_)) return Entry::hub_is_full;
  const std::size_t most = connections_per_key_max();
  const std::lock_guard lock(mutex_);
  KeyShare& of_key = by_key_[key];
  if (most > 0 && of_key.connections >= most) {
    --connections_;
    return Entry::key_is_full;
  }
  ++of_key.connections;
  share = &of_key;
  return Entry::admitted;
}

void Admission::leave(hub::KeyId key) noexcept {
  --connections_;
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (--found->second.connections == 0) by_key_.erase(found);
}

net::MonotonicMs Admission::refused(const std::string& address, net::MonotonicMs now_ms) {
  const std::lock_guard lock(mutex_);
  return pace_.refused(address, now_ms);
}

net::MonotonicMs Admission::refused(const std::string& address, net::MonotonicMs now_ms, std::uint32_t refusals_free) {
  const std::lock_guard lock(mutex_);
  return pace_.refused(address, now_ms, refusals_free);
}

bool Admission::hold() { return count_up(held_, held_max_); }

}  // namespace carillon::channels::websocket
