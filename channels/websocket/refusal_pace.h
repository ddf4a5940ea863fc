// How long the answer to a refused key is held back: not at all at first, then, where keys from one address are refused
// again and again, twice as long each time, up to a limit. An address that is quiet for a while is forgotten. Whether a
// key is good is found out before, so a good key is never slowed, whoever shares its address.
//
// An address is counted as its network: see net/network.h.
//
// Threads: a value; time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "net/network.h"
#include "net/timer_wheel.h"

namespace carillon::channels::websocket {

struct RefusalPaceOptions {
  std::uint32_t refusals_free = 5;        ///< so many are answered at once
  net::MonotonicMs delay_ms = 250;        ///< for the first after these; 0: none is ever held back
  net::MonotonicMs delay_max_ms = 5'000;  ///< a client waits ten seconds for a handshake: stay below
  net::MonotonicMs forget_ms = 60'000;    ///< since its last refusal
  std::size_t addresses_max = 16'384;     ///< when there are more, the one refused longest ago is forgotten
};

class RefusalPace {
 public:
  explicit RefusalPace(const RefusalPaceOptions& options) : options_(options) {}

  /// Other options from now on; who is known is known.
  void set_options(const RefusalPaceOptions& options) { options_ = options; }

  /// A key that came from `address` (as Connection::peer() says it) was refused: how long to hold the answer back.
  net::MonotonicMs refused(const std::string& address, net::MonotonicMs now_ms) {
    return refused(address, now_ms, options_.refusals_free);
  }
  /// The same where another number is answered at once; the address is counted once for both.
  net::MonotonicMs refused(const std::string& address, net::MonotonicMs now_ms, std::uint32_t refusals_free);

  std::size_t addresses() const { return by_network_.size(); }

 private:
  struct Offender {
    net::Network network;
    std::uint32_t refusals;
    net::MonotonicMs last_ms;
  };

  void forget_quiet(net::MonotonicMs now_ms);

  RefusalPaceOptions options_;
  std::list<Offender> offenders_;  ///< the one refused last comes first
  std::unordered_map<net::Network, std::list<Offender>::iterator> by_network_;
};

}  // namespace carillon::channels::websocket
