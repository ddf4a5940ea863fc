#include "channels/webhook/endpoint_health.h"

#include <algorithm>

namespace carillon::channels::webhook {
namespace {

/// So many failures in a row are followed by the next try as soon as a delivery is due.
constexpr unsigned tries_at_once = 3;
constexpr net::MonotonicMs gap_min_ms = 50;
constexpr net::MonotonicMs gap_max_ms = 2'000;

net::MonotonicMs gap_after(unsigned failed_in_a_row) {
  if (failed_in_a_row < tries_at_once) return 0;
  const unsigned doublings = std::min(failed_in_a_row - tries_at_once, 16U);
  return std::min(gap_min_ms << doublings, gap_max_ms);
}

}  // namespace

Lane EndpointHealth::lane() const {
  switch (state_) {
    case State::untried:
      return Lane::untried;
    case State::well:
      return stalled_ == 0 ? Lane::quick : Lane::slow;
    case State::slow:
      return Lane::slow;
    case State::down:
      break;
  }
  return Lane::stalled;
}

void EndpointHealth::note_nothing(bool stalled) {
  if (stalled) --stalled_;
}

void EndpointHealth::note_answer(bool stalled, bool took_long, bool asks_for_less) {
  if (stalled) --stalled_;
  state_ = took_long ? State::slow : State::well;
  failed_in_a_row_ = 0;
  not_before_ms_ = 0;
  allowed_ = asks_for_less ? std::max<std::size_t>(1, allowed_ / 2) : std::min(requests_max_, allowed_ + 1);
}

void EndpointHealth::note_no_answer(bool stalled, net::MonotonicMs begun_ms, net::MonotonicMs now_ms) {
  if (stalled) --stalled_;
  if (begun_ms < last_failed_ms_) return;
  state_ = State::down;
  allowed_ = 1;
  last_failed_ms_ = now_ms;
  not_before_ms_ = now_ms + gap_after(++failed_in_a_row_);
}

}  // namespace carillon::channels::webhook
