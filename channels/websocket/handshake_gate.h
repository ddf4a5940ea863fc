// Lets handshakes in at a rate, and tells those it refuses when to come again so that they too come at that rate: a
// fleet that reconnects at once is let in evenly, and each of it is refused once.
//
//   rate 50, 500 at once:   50 come in · 50 are told 1 s · 50 are told 2 s · … · 50 are told 9 s
//
// Threads: a value; time is passed in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/token_bucket.h"

namespace carillon::channels::websocket {

class HandshakeGate {
 public:
  /// `per_second` 0: everyone comes in. Nobody is told more than `retry_after_max_s`: who would be is given a place
  /// from the front again, and may then be refused once more.
  HandshakeGate(std::uint32_t per_second, int retry_after_max_s)
      : per_second_(per_second), retry_after_max_s_(retry_after_max_s) {}

  /// As constructed with these. What was promised before holds.
  void set_rate(std::uint32_t per_second, int retry_after_max_s) {
    per_second_ = per_second;
    retry_after_max_s_ = retry_after_max_s;
  }

  /// 0 for who may come in; otherwise in how many seconds to ask again.
  int ask(net::MonotonicMs now_ms) {
    if (per_second_ == 0 || bucket_.take(now_ms, per_second_)) return 0;
    // Each who is refused is promised the next token that no one was promised before.
    constexpr std::int64_t second = net::TokenBucket::ns_per_s;
    const std::int64_t now_ns = now_ms * net::TokenBucket::ns_per_ms;
    const std::int64_t interval_ns = second / per_second_;
    promised_ns_ = std::max(promised_ns_, now_ns) + interval_ns;
    if (promised_ns_ - now_ns > retry_after_max_s_ * second) promised_ns_ = now_ns + interval_ns;
    return static_cast<int>((promised_ns_ - now_ns + second - 1) / second);
  }

 private:
  std::uint32_t per_second_;
  int retry_after_max_s_;
  net::TokenBucket bucket_;
  std::int64_t promised_ns_ = 0;  ///< when the last token that was promised is there
};

}  // namespace carillon::channels::websocket
