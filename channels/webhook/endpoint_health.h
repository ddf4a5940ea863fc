// How an endpoint is doing, and what that lets the dispatcher ask of it: how many requests at a time, in which lane,
// and not before when.
//
//   untried ──▶ well ◀── in good time ── slow ◀── takes long ── well
//                 ▲
//                 └── answers ── down ◀── no answer ── any
//
// Each lane has a bound of its own of requests under way, so that endpoints hold up only those that are as they are.
// From one request at a time an endpoint is allowed one more with each answer: what comes back after it was down is not
// drowned by its backlog. One that is down is tried with one request at a time, and these further and further apart.
//
// Threads: the dispatcher's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/timer_wheel.h"

namespace carillon::channels::webhook {

enum class Lane : std::uint8_t {
  quick,    ///< endpoints that answer in good time
  untried,  ///< that have not answered yet, and are not known to have failed
  slow,     ///< that take long to answer
  stalled   ///< that are down; and the requests of others that turned out to take long
};
inline constexpr std::array lanes{Lane::quick, Lane::untried, Lane::slow, Lane::stalled};
inline constexpr std::array<std::string_view, lanes.size()> lane_names{"quick", "untried", "slow", "stalled"};

class EndpointHealth {
 public:
  explicit EndpointHealth(std::size_t requests_max) : requests_max_(requests_max) {}

  /// Another number from now on.
  void set_requests_max(std::size_t requests_max) {
    requests_max_ = requests_max;
    allowed_ = std::min(allowed_, requests_max);
  }

  Lane lane() const;
  /// Requests that may be under way to it at one time.
  std::size_t requests_max() const { return allowed_; }
  /// No request begins before.
  net::MonotonicMs not_before_ms() const { return not_before_ms_; }
  bool down() const { return state_ == State::down; }

  /// It is known to have failed last, from before this was made.
  void begin_down() { state_ = State::down; }

  /// A request in a lane for those in good time takes long, and has left it.
  void note_stalled() { ++stalled_; }
  /// A request has been answered, whatever the answer was. `stalled`: it was noted to be.
  void note_answer(bool stalled, bool took_long, bool asks_for_less);
  /// A request has ended without an answer. What began before the last one that failed tells nothing new.
  void note_no_answer(bool stalled, net::MonotonicMs begun_ms, net::MonotonicMs now_ms);
  /// A request has ended before it reached the endpoint, which tells nothing of that.
  void note_nothing(bool stalled);

 private:
  enum class State : std::uint8_t { untried, well, slow, down };

  std::size_t requests_max_;
  std::size_t allowed_ = 1;
  std::size_t stalled_ = 0;  ///< under way
  State state_ = State::untried;
  unsigned failed_in_a_row_ = 0;
  net::MonotonicMs last_failed_ms_ = -1;
  net::MonotonicMs not_before_ms_ = 0;
};

}  // namespace carillon::channels::webhook
