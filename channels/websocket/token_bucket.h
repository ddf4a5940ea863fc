// How often something may happen: so many times a second, and as many at once as a second brings.
//
// A token bucket in one number (the generic cell rate algorithm): not the tokens are kept but the time at which the
// bucket will be full again, so that a bucket that nobody uses costs eight bytes and no clock.
//
// Threads: a value; time is passed in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/timer_wheel.h"

namespace carillon::channels::websocket {

class TokenBucket {
 public:
  /// Takes a token if there is one. `per_second` is above 0, and the same at each call.
  bool take(net::MonotonicMs now_ms, std::uint32_t per_second) {
    const std::int64_t now_ns = now_ms * ns_per_ms;
    const std::int64_t full_at_ns = std::max(full_at_ns_, now_ns) + ns_per_s / per_second;
    if (full_at_ns > now_ns + ns_per_s) return false;
    full_at_ns_ = full_at_ns;
    return true;
  }

  static constexpr std::int64_t ns_per_ms = 1'000'000;
  static constexpr std::int64_t ns_per_s = 1'000'000'000;

 private:
  std::int64_t full_at_ns_ = 0;
};

}  // namespace carillon::channels::websocket
