// The listener: accepts connections on one loop and hands each on, to be spoken to as the owner chooses (plain or TLS),
// and placed on whichever loop it chooses.
//
// One listening socket, not one a loop with SO_REUSEPORT: a second hub on the same port must fail to start rather than
// share the traffic, and long-lived connections must spread evenly, which the kernel's choice by hash does not promise.
//
// Threads: belongs to its loop's thread.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <functional>
#include <string>

#include "net/connection.h"
#include "net/event_loop.h"

namespace carillon::net {

/// A bound, listening, non-blocking socket; closed with the object.
class ListeningSocket {
 public:
  /// `address` is "host:port" or "[v6]:port"; port 0 takes a free one. Throws std::runtime_error naming the address.
  static ListeningSocket tcp(const std::string& address, int backlog = 65'535);
  /// `path` is at most 107 bytes; a socket file that stands there is replaced; made with mode 0600.
  static ListeningSocket unix_stream(const std::string& path);
  /// One that was opened, bound and set to listen by whoever started this process. It stays open there when it is
  /// closed here: who connects meanwhile waits for the next to accept. Throws std::runtime_error where it is no such
  /// socket.
  static ListeningSocket inherited(int fd);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int fd() const { return fd_; }
  void close();
  std::uint16_t port() const;
  /// "127.0.0.1:8080", "[::1]:8080"; for a Unix socket its path.
  std::string address() const;

 private:
  explicit ListeningSocket(int fd) : fd_(fd) {}
  int fd_;
};

class Listener final : private IoHandler, private Timer {
 public:
  /// Makes of a connection's socket what is spoken on it.
  using Speak = std::function<std::unique_ptr<Transport>(const Poco::Net::StreamSocket&)>;
  /// Is given the connection for itself: it may pass it to another thread.
  using Accepted = std::function<void(std::unique_ptr<Transport>)>;

  Listener(EventLoop& loop, ListeningSocket socket, Accepted accepted, Speak speak = make_plain_transport);
  ~Listener() override;

  /// Accepts no more, and closes the socket: who connects is refused at once, and so is what the kernel still queues.
  void stop();

 private:
  void on_io(std::uint32_t events) override;
  void on_timer() override;

  EventLoop& loop_;
  ListeningSocket socket_;
  Accepted accepted_;
  Speak speak_;
  bool watching_ = false;
};

}  // namespace carillon::net
