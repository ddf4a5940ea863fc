// Clients over bare sockets, for the stress programs: HTTP/1.1 and WebSocket, as little of either as a sound hub needs.
// What is not as it must be throws Failure; that the connection has ended throws Ended.
//
// Threads: one at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "hub/json.h"

namespace carillon::stress {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{20};

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Ended : public std::runtime_error {
 public:
  Ended() : std::runtime_error("the connection has ended") {}
};

/// A connected stream with what has come in and was not taken yet.
class Stream {
 public:
  explicit Stream(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd_);
      throw Ended();
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Stream() { ::close(fd_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_; }
  std::string& unread() { return unread_; }

  /// The end comes as a reset, with whatever is under way.
  void reset_when_closed() const {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) throw Ended();
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Takes in what is there.
  void take_in() {
    char buffer[16 * 1024];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) throw Ended();
    unread_.append(buffer, static_cast<std::size_t>(got));
  }

  /// Waits for more until then; false when nothing came.
  bool wait_until(SteadyClock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    const timespec timeout{left / 1'000'000, left % 1'000'000 * 1'000};
    pollfd entry{fd_, POLLIN, 0};
    if (::ppoll(&entry, 1, &timeout, nullptr) <= 0) return false;
    take_in();
    return true;
  }

 private:
  int fd_;
  std::string unread_;
};

struct Answer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  HttpClient(std::uint16_t port, std::string key) : stream_(port), key_(std::move(key)) {}

  int fd() const { return stream_.fd(); }
  void take_in() { stream_.take_in(); }

  static std::string request(std::string_view method, std::string_view path, std::string_view key,
                             std::string_view body) {
    std::string text(method);
    text.append(" /api/v1").append(path).append(" HTTP/1.1\r\nHost: hub\r\nX-API-Key: ").append(key);
    text.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
    return text.append("\r\n\r\n").append(body);
  }
  void send(std::string_view requests) { stream_.send(requests); }

  /// The next answer, if it is here.
  std::optional<Answer> next() {
    std::string& unread = stream_.unread();
    const std::size_t end = unread.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const std::size_t at = unread.find("Content-Length: ");
    if (at > end) throw Failure("an answer without a length: " + unread.substr(0, end));
    const std::size_t length = std::stoul(unread.substr(at + 16, 20));
    if (unread.size() < end + 4 + length) return std::nullopt;
    Answer answer{std::stoi(unread.substr(9, 3)), unread.substr(end + 4, length)};
    unread.erase(0, end + 4 + length);
    return answer;
  }

  Answer ask(std::string_view method, std::string_view path, std::string_view body) {
    send(request(method, path, key_, body));
    const auto deadline = SteadyClock::now() + patience;
    for (;;) {
      if (auto answer = next()) return std::move(*answer);
      if (!stream_.wait_until(deadline)) throw Failure("no answer to a request");
    }
  }

 private:
  Stream stream_;
  std::string key_;
};

/// A message of the hub's, with what the stress programs look at.
struct Message {
  std::string type;
  std::string job;
  std::string status;
  std::string progress;  ///< JSON; empty without
  std::string epoch;
  std::string text;  ///< all of it
  std::int64_t seq = 0;
  std::optional<bool> recovered;
};

inline Message read_message(std::string text) {
  Message message;
  auto parsed = hub::json::parse_object(text);
  auto* object = std::get_if<hub::json::Object>(&parsed);
  if (object == nullptr) throw Failure("a message that is no JSON: " + text);
  for (const auto& [name, value] : object->members()) {
    if (name == "type") message.type = value.string();
    if (name == "job_id") message.job = value.string();
    if (name == "status") message.status = value.string();
    if (name == "epoch") message.epoch = value.string();
    if (name == "progress") message.progress = value.text;
    if (name == "seq") message.seq = value.integer().value();
    if (name == "recovered") message.recovered = value.boolean();
  }
  message.text = std::move(text);
  return message;
}

class WsClient {
 public:
  /// Connected, with `?resume=1`, and told so.
  WsClient(std::uint16_t port, std::string_view key) : stream_(port) {
    stream_.send(std::string("GET /api/v1/ws/jobs?resume=1 HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: ")
                     .append(key)
                     .append("\r\n\r\n"));
    const auto deadline = SteadyClock::now() + patience;
    std::size_t end = 0;
    while ((end = stream_.unread().find("\r\n\r\n")) == std::string::npos) {
      if (!stream_.wait_until(deadline)) throw Failure("no answer to a handshake");
    }
    if (!stream_.unread().starts_with("HTTP/1.1 101 ")) throw Failure("no 101: " + stream_.unread().substr(0, end));
    stream_.unread().erase(0, end + 4);
    const Message connected = await(deadline);
    if (connected.type != "connected") throw Failure("not connected: " + connected.text);
    epoch_ = connected.epoch;
  }

  int fd() const { return stream_.fd(); }
  void take_in() { stream_.take_in(); }
  const std::string& epoch() const { return epoch_; }
  void reset_when_closed() const { stream_.reset_when_closed(); }

  /// Masked with nothing: a mask of zeros is one.
  void send(std::string_view text) {
    std::string frame = "\x81";
    if (text.size() < 126) {
      frame += static_cast<char>(0x80U | text.size());
    } else {
      frame += '\xFE';
      frame += static_cast<char>(text.size() >> 8U);
      frame += static_cast<char>(text.size() & 0xFFU);
    }
    stream_.send(frame.append(4, '\0').append(text));
  }

  /// The next message, if it is here; heartbeats are passed over.
  std::optional<Message> next() {
    for (;;) {
      const std::string& unread = stream_.unread();
      const auto byte = [&](std::size_t at) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(unread[at]));
      };
      if (unread.size() - read_ < 2) return forget_read();
      const std::uint64_t short_length = byte(read_ + 1);
      const std::size_t length_bytes = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
      if (unread.size() - read_ < 2 + length_bytes) return forget_read();
      std::uint64_t length = length_bytes == 0 ? short_length : 0;
      for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8U | byte(read_ + 2 + i);
      if (unread.size() - read_ < 2 + length_bytes + length) return forget_read();
      const std::uint64_t opcode = byte(read_) & 0x0FU;
      std::string payload = unread.substr(read_ + 2 + length_bytes, length);
      read_ += 2 + length_bytes + length;
      if (opcode == 8) throw Ended();
      if (opcode != 1) throw Failure("a frame that is no text");
      Message message = read_message(std::move(payload));
      if (message.type != "heartbeat") return message;
    }
  }

  std::optional<Message> next_until(SteadyClock::time_point deadline) {
    for (;;) {
      if (auto message = next()) return message;
      if (!stream_.wait_until(deadline)) return std::nullopt;
    }
  }

  Message await(SteadyClock::time_point deadline) {
    if (auto message = next_until(deadline)) return std::move(*message);
    throw Failure("no message came");
  }

 private:
  std::nullopt_t forget_read() {
    stream_.unread().erase(0, read_);
    read_ = 0;
    return std::nullopt;
  }

  Stream stream_;
  std::size_t read_ = 0;
  std::string epoch_;
};

}  // namespace carillon::stress
