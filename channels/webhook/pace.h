// Requests a second: one after the other, evenly, and never more than asked for.
//
// Threads: the dispatcher's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/timer_wheel.h"

namespace carillon::channels::webhook {

class Pace {
 public:
  /// 0: as many as there are.
  void set(int per_second) { interval_us_ = per_second > 0 ? us_per_s / per_second : 0; }

  /// When the next request may begin.
  net::MonotonicMs next_ms() const { return (next_us_ + us_per_ms - 1) / us_per_ms; }

  /// A request begins. Timers come a little late: what that loses is made up for.
  void count(net::MonotonicMs now_ms) {
    next_us_ = std::max(next_us_, (now_ms - late_max_ms) * us_per_ms) + interval_us_;
  }

 private:
  static constexpr std::int64_t us_per_s = 1'000'000;
  static constexpr std::int64_t us_per_ms = 1'000;
  static constexpr net::MonotonicMs late_max_ms = 20;

  std::int64_t interval_us_ = 0;
  std::int64_t next_us_ = 0;
};

}  // namespace carillon::channels::webhook
