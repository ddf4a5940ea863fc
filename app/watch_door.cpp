#include "app/watch_door.h"

#include <pthread.h>

#include <utility>

#include "app/routes.h"

namespace carillon::app {
namespace {

net::http::Router make_routes(const Health& health, const Metrics& metrics) {
  net::http::Router router;
  add_watch_routes(router, health, metrics);
  return router;
}

/// Binds, and says to which port.
net::ListeningSocket bound(const std::string& address, std::uint16_t& port) {
  auto socket = net::ListeningSocket::tcp(address);
  port = socket.port();
  return socket;
}

}  // namespace

WatchDoor::WatchDoor(const std::string& address, const Health& health, const Metrics& metrics,
                     net::http::HttpOptions options, std::size_t connections_max)
    : router_(make_routes(health, metrics)),
      http_(loop_, router_, std::move(options)),
      connections_(loop_),
      connections_max_(connections_max),
      port_(0),
      listener_(loop_, bound(address, port_),
                [this](std::unique_ptr<net::Transport> transport) { adopt(std::move(transport)); }) {}

WatchDoor::~WatchDoor() {
  if (!thread_.joinable()) return;
  loop_.post([this] { listener_.stop(); });
  loop_.stop();
  thread_.join();
}

void WatchDoor::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "watch-door");
    loop_.run();
  });
}

void WatchDoor::adopt(std::unique_ptr<net::Transport> transport) {
  if (connections_.size() >= connections_max_) return;
  connections_.add(std::move(transport),
                   [this](net::Connection& connection) { return http_.make_protocol(connection); });
}

}  // namespace carillon::app
