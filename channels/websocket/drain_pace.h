// How many of the clients are to have been told goodbye by now, so that they are told evenly over a window and do not
// all return in the same instant.
//
// Threads: a value; time is passed in.
#pragma once

#include <cstddef>

#include "net/timer_wheel.h"

namespace carillon::channels::websocket {

class DrainPace {
 public:
  DrainPace() = default;
  /// A window of 0: all at once.
  DrainPace(std::size_t count, net::MonotonicMs begin_ms, net::MonotonicMs window_ms)
      : count_(count), begin_ms_(begin_ms), window_ms_(window_ms) {}

  /// All of them when the window is over.
  std::size_t due(net::MonotonicMs now_ms) const {
    const net::MonotonicMs gone_by_ms = now_ms - begin_ms_;
    if (gone_by_ms >= window_ms_) return count_;
    return count_ * static_cast<std::size_t>(gone_by_ms) / static_cast<std::size_t>(window_ms_);
  }

  net::MonotonicMs end_ms() const { return begin_ms_ + window_ms_; }

 private:
  std::size_t count_ = 0;
  net::MonotonicMs begin_ms_ = 0;
  net::MonotonicMs window_ms_ = 0;
};

}  // namespace carillon::channels::websocket
