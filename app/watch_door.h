// A door of its own for those who watch the hub: /metrics, /healthz and /readyz on an address of theirs, plain HTTP,
// without a key, served by a thread that does nothing else. So they are answered also when every loop that serves is
// stuck, and what clients reach need not show them.
//
// Threads: made, started and ended by the hub's own; what comes in is served on the door's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "app/health.h"
#include "app/metrics.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/http/http_protocol.h"
#include "net/http/router.h"
#include "net/listener.h"

namespace carillon::app {

class WatchDoor {
 public:
  /// Binds. At most `connections_max` at a time; one beyond is closed. Throws std::runtime_error naming the address.
  WatchDoor(const std::string& address, const Health& health, const Metrics& metrics, net::http::HttpOptions options,
            std::size_t connections_max);
  /// Ends.
  ~WatchDoor();
  WatchDoor(const WatchDoor&) = delete;
  WatchDoor& operator=(const WatchDoor&) = delete;

  void start();
  std::uint16_t port() const { return port_; }

 private:
  void adopt(std::unique_ptr<net::Transport> transport);

  net::EventLoop loop_;
  net::http::Router router_;
  net::http::HttpService http_;
  net::ConnectionTable connections_;
  const std::size_t connections_max_;
  std::uint16_t port_;
  net::Listener listener_;
  std::thread thread_;
};

}  // namespace carillon::app
