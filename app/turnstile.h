// Lets who has come to the door and through it on, one at a time: no more often than its address may call and than its
// key may, and whoever keeps coming with keys that are refused, more slowly.
//
// Threads: belongs to its loop; what it limits by is shared by all.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "app/call_figures.h"
#include "app/rate_limits.h"
#include "channels/websocket/admission.h"
#include "hub/authenticator.h"
#include "hub/principal.h"
#include "net/event_loop.h"
#include "net/http/router.h"

namespace carillon::app {

class Turnstile {
 public:
  struct Options {
    std::uint32_t refusals_per_address = 0;  ///< answered as they are; those beyond 429. 0: all are
    bool names_callers = false;              ///< for the log of requests
  };

  Turnstile(const net::EventLoop& loop, std::shared_ptr<RateLimits> rates, channels::websocket::Admission& admission,
            CallFigures& figures, Options options)
      : loop_(loop), rates_(std::move(rates)), admission_(admission), figures_(figures), options_(options) {}

  /// Other limits from now on.
  void adjust(std::shared_ptr<RateLimits> rates, Options options) {
    rates_ = std::move(rates);
    options_ = options;
  }

  // True for who may go on; who may not has been answered 429.

  /// Before anyone asks for the key.
  bool admits(const net::http::Request& request, const net::http::Responder& responder);
  bool admits(const hub::Principal& who, CallClass call, const net::http::Responder& responder);

  /// Answers whose key was refused: with what is wrong with it, or, where its address has sent too many such, with 429.
  /// Those sent to the WebSocket channel count too. A good key is let in from everywhere.
  void turn_away(hub::AuthRefusal refusal, const net::http::Request& request, const net::http::Responder& responder);

 private:
  const net::EventLoop& loop_;
  std::shared_ptr<RateLimits> rates_;
  channels::websocket::Admission& admission_;
  CallFigures& figures_;
  Options options_;
};

}  // namespace carillon::app
