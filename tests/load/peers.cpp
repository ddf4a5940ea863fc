#include "tests/load/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace carillon::load {
namespace {

/// More than a source address has ports for are spread over several.
constexpr std::uint32_t connections_per_address = 20'000;
constexpr int little_room_bytes = 4096;
constexpr int little_room_segment_bytes = 536;

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

sockaddr_in loopback(std::uint32_t number, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

// --- the poll --------------------------------------------------------------------------------------------------------

Poll::Poll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
}

Poll::~Poll() { ::close(epoll_); }

void Poll::watch(Peer& peer, std::uint32_t events, bool fresh) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &peer;
  epoll_ctl(epoll_, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, peer.fd(), &event);
}

void Poll::run_once(int wait_ms) {
  std::array<epoll_event, 512> events{};
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Peer*>(event.data.ptr)->on_ready(event.events);
  }
}

// --- a connection ----------------------------------------------------------------------------------------------------

Peer::~Peer() { close(); }

void Peer::connect(std::uint16_t port, Room room) {
  static std::uint32_t made = 0;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error(std::string("no more sockets: ") + std::strerror(errno));
  set(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (room == Room::little) {
    set(fd_, SOL_SOCKET, SO_RCVBUF, little_room_bytes);
    set(fd_, IPPROTO_TCP, TCP_MAXSEG, little_room_segment_bytes);
  }
  const sockaddr_in from = loopback(1 + made++ / connections_per_address % 16, 0);
  const sockaddr_in to = loopback(0, port);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
      (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)) {
    throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
  }
  reading_ = true;
  poll_.watch(*this, EPOLLIN | EPOLLOUT, true);
}

void Peer::adopt(int fd) {
  fd_ = fd;
  poll_.watch(*this, EPOLLIN, true);
}

void Peer::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  in_.clear();
  out_.clear();
}

void Peer::send(std::string_view bytes) {
  const bool idle = out_.empty();
  out_.append(bytes);
  if (idle) flush();
}

void Peer::read(bool wanted) {
  reading_ = wanted;
  rewatch();
}

void Peer::rewatch() {
  if (fd_ < 0) return;
  poll_.watch(*this, (reading_ ? EPOLLIN : 0U) | (out_.empty() ? 0U : EPOLLOUT), false);
}

void Peer::flush() {
  const bool waited = !out_.empty();
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  if (waited && !out_.empty()) rewatch();
}

void Peer::on_ready(std::uint32_t events) {
  if (fd_ < 0) return;
  if ((events & EPOLLOUT) != 0) {
    flush();
    rewatch();
  }
  if (!reading_ || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  static std::array<char, 64 * 1024> buffer;
  const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    close();
    return on_end();
  }
  in_.append(buffer.data(), static_cast<std::size_t>(count));
  std::size_t understood = 0;
  while (fd_ >= 0 && understood < in_.size()) {
    const std::size_t more = on_bytes(std::string_view(in_).substr(understood));
    if (more == 0) break;
    understood += more;
  }
  if (fd_ >= 0) in_.erase(0, understood);
}

// --- WebSocket -------------------------------------------------------------------------------------------------------

void WebSocketPeer::open(std::uint16_t port, std::string_view key, Room room) {
  open_at(port, "/api/v1/ws/jobs", std::string("X-API-Key: ").append(key).append("\r\n"), room);
}

void WebSocketPeer::open_at(std::uint16_t port, std::string_view target, std::string_view fields, Room room) {
  open_ = broken_ = false;
  connect(port, room);
  send(std::string("GET ")
           .append(target)
           .append(" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
           .append(fields)
           .append("\r\n"));
}

void WebSocketPeer::send_text(std::string_view text) { send_frame(0x81, text); }

void WebSocketPeer::send_frame(unsigned char first, std::string_view payload) {
  // What a client sends is short here; masked with zeros.
  std::string frame{static_cast<char>(first), static_cast<char>(0x80U | payload.size())};
  frame.append(4, '\0').append(payload);
  send(frame);
}

std::size_t WebSocketPeer::on_bytes(std::string_view bytes) {
  if (!open_) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    broken_ = broken_ || !bytes.starts_with("HTTP/1.1 101 ");
    open_ = true;
    if (!broken_) on_open();
    return end + 4;
  }
  if (bytes.size() < 2) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])); };
  std::size_t head = 2;
  std::uint64_t length = byte(1);
  if (length >= 126) {
    const std::size_t more = length == 126 ? 2 : 8;
    head += more;
    if (bytes.size() < head) return 0;
    length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8U | byte(2 + i);
  }
  const std::uint64_t first = byte(0);
  if ((first != 0x81 && first != 0x88 && first != 0x89) || (byte(1) & 0x80U) != 0) {
    broken_ = true;
    return bytes.size();
  }
  if (bytes.size() - head < length) return 0;
  const std::string_view payload = bytes.substr(head, static_cast<std::size_t>(length));
  const std::size_t whole = head + payload.size();
  if (first == 0x81) {
    on_text(payload);
  } else if (first == 0x89) {
    send_frame(0x8A, payload);
  } else {
    on_close(payload.size() < 2 ? 0U : static_cast<unsigned>(byte(head) << 8U | byte(head + 1)));
  }
  return whole;
}

// --- HTTP ------------------------------------------------------------------------------------------------------------

std::string_view header_field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() < name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    line.remove_prefix(name.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }
  return {};
}

void HttpPeer::ask(std::uint16_t port, std::string_view request) {
  if (!connected()) connect(port);
  busy_ = true;
  send(request);
}

void HttpPeer::ask(std::uint16_t port, std::string_view method, std::string_view path, std::string_view key,
                   std::string_view body) {
  std::string request(method);
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ").append(key);
  if (!body.empty()) {
    request.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
  }
  ask(port, request.append("\r\n\r\n").append(body));
}

std::size_t HttpPeer::on_bytes(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  int status = 0;
  std::from_chars(bytes.data() + 9, bytes.data() + 12, status);
  const std::string_view head = bytes.substr(0, end);
  std::size_t length = 0;
  if (status != 204 && status != 304) {
    const std::string_view number = header_field(head, "content-length:");
    std::from_chars(number.data(), number.data() + number.size(), length);
  }
  const std::size_t whole = end + 4 + length;
  if (bytes.size() < whole) return 0;
  if (std::exchange(busy_, false)) on_answer({status, head, bytes.substr(end + 4, length)});
  return whole;
}

void HttpPeer::on_end() {
  if (std::exchange(busy_, false)) on_answer({});
}

}  // namespace carillon::load
