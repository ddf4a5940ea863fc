// The time of day without its jumps: what was to happen in five seconds happens in five seconds, though someone sets
// the clock meanwhile.
//
// It follows the time of day in small steps, as clocks are adjusted. Where the time of day has jumped, in comparison
// with a clock that nobody sets, it goes on at its pace. A jump forwards of more than a day it follows: that clock was
// wrong before, as on a machine that starts in 1970 and is told the time later.
//
// Threads: one at a time.
#pragma once

#include <cstdint>

#include "hub/clock.h"

namespace carillon::hub {

class EvenTime {
 public:
  static constexpr std::int64_t jump_ms = 1'000;  ///< what is less between two readings is an adjustment
  static constexpr std::int64_t followed_ms = 24 * 3600 * 1'000;

  /// `steady_ms` is what a clock shows that nobody sets, read together with the time of day.
  UnixMs read(UnixMs time_of_day, std::int64_t steady_ms) {
    const std::int64_t apart_ms = time_of_day - steady_ms;
    const std::int64_t jumped_ms = begun_ ? apart_ms - apart_ms_ : 0;
    begun_ = true;
    apart_ms_ = apart_ms;
    const bool adjusted = jumped_ms > -jump_ms && jumped_ms < jump_ms;
    if (!adjusted && jumped_ms <= followed_ms) off_ms_ -= jumped_ms;
    return time_of_day + off_ms_;
  }

 private:
  bool begun_ = false;
  std::int64_t apart_ms_ = 0;  ///< of the two clocks, when they were last read
  std::int64_t off_ms_ = 0;    ///< from the time of day
};

}  // namespace carillon::hub
