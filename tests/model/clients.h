// What the trial's callers speak over their wires: HTTP/1.1 and WebSocket, as much of either as a sound hub needs.
//
// Threads: the trial's.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/model/wire.h"

namespace carillon::model {

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

std::string http_request(std::string_view method, std::string_view path, std::string_view key, std::string_view fields,
                         std::string_view body);

/// The answers to the requests that were sent on one wire, in their order.
class HttpClient {
 public:
  explicit HttpClient(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  Wire& wire() { return *wire_; }
  void send(std::string_view request) { wire_->send(request); }
  /// The next answer, if it has come whole.
  std::optional<Answer> next();
  /// No answer will come any more.
  bool ended() { return wire_->ended(); }

 private:
  std::shared_ptr<Wire> wire_;
  std::string unread_;
};

class WebSocketClient {
 public:
  /// Asks for the upgrade.
  WebSocketClient(std::shared_ptr<Wire> wire, std::string_view key, bool resume);

  Wire& wire() { return *wire_; }
  void send(std::string_view json);
  /// The next text frame's payload, if it has come whole. A close frame sets closed_with().
  std::optional<std::string> next();
  /// The code of the close frame; 0 before it.
  int closed_with() const { return closed_with_; }
  bool ended() { return wire_->ended(); }

 private:
  std::shared_ptr<Wire> wire_;
  std::string unread_;
  bool upgraded_ = false;
  int closed_with_ = 0;
};

}  // namespace carillon::model
