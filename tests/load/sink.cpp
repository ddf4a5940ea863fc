#include "tests/load/sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string>

namespace carillon::load {
class Sink::Sender final : public Peer {
 public:
  Sender(Poll& poll, const Hook& hook) : Peer(poll), hook_(hook) {}

 private:
  std::size_t on_bytes(std::string_view bytes) override {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end);
    const std::string_view number = header_field(head, "content-length:");
    std::size_t length = 0;
    std::from_chars(number.data(), number.data() + number.size(), length);
    if (bytes.size() < end + 4 + length) return 0;
    hook_(header_field(head, "webhook-id:"), bytes.substr(end + 4, length));
    send("HTTP/1.1 204 No Content\r\n\r\n");
    return end + 4 + length;
  }

  const Hook& hook_;
};

Sink::Sink(Poll& poll, Hook hook) : Peer(poll), poll_(poll), hook_(std::move(hook)) {}

Sink::~Sink() = default;

void Sink::listen(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 4096) != 0) {
    throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
  }
  adopt(fd);
}

void Sink::on_ready(std::uint32_t /*events*/) {
  for (;;) {
    const int fd = accept4(this->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    senders_.push_back(std::make_unique<Sender>(poll_, hook_));
    senders_.back()->adopt(fd);
  }
}

}  // namespace carillon::load
