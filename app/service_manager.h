// The service manager's side of a life: sockets that it opened and hands over, and what it is told while the hub runs.
//
// The protocols are those of systemd, sd_listen_fds(3) and sd_notify(3): both are stable, and meant to be spoken
// without its library. Where no service manager started the hub, every call does nothing.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/event_loop.h"
#include "net/listener.h"

namespace carillon::app {

class ServiceManager {
 public:
  /// Reads what the environment says of it, and takes that out of the environment: it is meant for this process alone.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// The socket that was handed over, already listening (socket activation); nothing where none was. Throws
  /// std::runtime_error where it is none that can be served on, or more than one.
  std::optional<net::ListeningSocket> take_socket();

  void ready(const std::string& status);
  void reloading();
  /// The hub has begun to end, and takes up to so long.
  void stopping(net::MonotonicMs time_ms);
  /// Says that all is well, as often as the service manager wants to hear it. To be called each second or so, and only
  /// while it is true: who is not heard from is started anew.
  void is_well(net::MonotonicMs now_ms);

 private:
  void tell(std::string_view state) const;

  int socket_ = -1;            ///< connected to the service manager; -1: nobody asks
  int handed_over_ = 0;        ///< sockets
  std::int64_t every_ms_ = 0;  ///< that it wants to hear from the hub; 0: never
  net::MonotonicMs due_ms_ = 0;
};

/// Whether standard output is the journal, which keeps what it is given and shows it to many.
bool stdout_is_the_journal();

}  // namespace carillon::app
