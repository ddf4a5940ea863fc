// How often something may happen: so many times a second in the long run, and so many at once.
//
// A token bucket in one number (the generic cell rate algorithm): not the tokens are kept but the time at which the
// bucket will be full again, so that a bucket that nobody uses costs eight bytes and no clock.
//
// Threads: a value; time is passed in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/timer_wheel.h"

namespace carillon::net {

class TokenBucket {
 public:
  struct Rate {
    std::uint32_t per_second = 1;  ///< above 0, and the same at each call
    std::uint32_t burst = 1;       ///< tokens when full; above 0
  };

  struct Outcome {
    bool taken = false;
    std::uint32_t left = 0;      ///< tokens that are left now
    MonotonicMs wait_ms = 0;     ///< until there is one, for who got none
    MonotonicMs full_in_ms = 0;  ///< until all are there again
  };

  /// Takes a token if there is one, as many at once as a second brings.
  bool take(MonotonicMs now_ms, std::uint32_t per_second) { return ask(now_ms, {per_second, per_second}).taken; }

  /// Takes a token if there is one, and says how things stand then.
  Outcome ask(MonotonicMs now_ms, const Rate& rate) {
    const std::int64_t interval_ns = ns_per_s / rate.per_second;
    const std::int64_t now_ns = now_ms * ns_per_ms;
    const std::int64_t room_ns = interval_ns * rate.burst;
    const std::int64_t owed_ns = std::max(full_at_ns_ - now_ns, std::int64_t{0});
    const std::int64_t taken_ns = owed_ns + interval_ns;
    if (taken_ns > room_ns) return {false, 0, up_to_ms(taken_ns - room_ns), up_to_ms(owed_ns)};
    full_at_ns_ = now_ns + taken_ns;
    return {true, static_cast<std::uint32_t>((room_ns - taken_ns) / interval_ns), 0, up_to_ms(taken_ns)};
  }

  /// Full, as one that was never used: nothing is lost with it.
  bool full(MonotonicMs now_ms) const { return full_at_ns_ <= now_ms * ns_per_ms; }
  /// Whether it is full before the other.
  bool full_before(const TokenBucket& other) const { return full_at_ns_ < other.full_at_ns_; }

  static constexpr std::int64_t ns_per_ms = 1'000'000;
  static constexpr std::int64_t ns_per_s = 1'000'000'000;

 private:
  static MonotonicMs up_to_ms(std::int64_t ns) { return (ns + ns_per_ms - 1) / ns_per_ms; }

  std::int64_t full_at_ns_ = 0;
};

}  // namespace carillon::net
