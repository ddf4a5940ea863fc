// What is counted of the calls of one loop: how long they took, which were too many, and which keys were refused.
//
// Threads: kept by the loop's own thread, read by any.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "app/rate_limits.h"
#include "hub/authenticator.h"
#include "hub/tally.h"
#include "net/http/router.h"

namespace carillon::app {

/// How long calls of one class took, from the request until its answer; without those that wait for a change.
class CallTimes final : public net::http::AnswerTimes {
 public:
  void on_answer(std::chrono::steady_clock::duration time) noexcept override {
    seconds_.observe(std::chrono::duration<double>(time).count());
  }
  const hub::Distribution& seconds() const { return seconds_; }

 private:
  hub::Distribution seconds_{hub::duration_bounds_s};
};

struct CallFigures {
  static constexpr std::array classes{CallClass::write, CallClass::poll, CallClass::list, CallClass::admin};
  static constexpr std::array refusals{hub::AuthRefusal::missing, hub::AuthRefusal::invalid, hub::AuthRefusal::disabled,
                                       hub::AuthRefusal::expired, hub::AuthRefusal::suspended};

  /// Of `refusals`, as WebSocket handshakes have them.
  static constexpr std::array<std::string_view, refusals.size()> reasons{"key_missing", "key_invalid", "key_disabled",
                                                                         "key_expired", "account_suspended"};

  std::array<CallTimes, classes.size()> times;
  std::array<hub::Tally, classes.size()> limited;   ///< answered 429 for their key's rate
  std::array<hub::Tally, refusals.size()> refused;  ///< keys, over HTTP; WebSockets count their own

  CallTimes& times_of(CallClass call) { return times[static_cast<std::size_t>(call)]; }
  hub::Tally& limited_of(CallClass call) { return limited[static_cast<std::size_t>(call)]; }
  hub::Tally& refused_for(hub::AuthRefusal refusal) { return refused[static_cast<std::size_t>(refusal)]; }
};

}  // namespace carillon::app
