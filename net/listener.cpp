#include "net/listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace carillon::net {
namespace {

constexpr int accepts_per_turn_max = 256;
/// How long accepting rests when the process is out of descriptors: the kernel's queue holds who comes meanwhile.
constexpr MonotonicMs out_of_files_pause_ms = 100;

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::strerror(error));
}

int listening_socket(int family, const sockaddr* address, socklen_t bytes, int backlog, const std::string& name) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("cannot open a socket for " + name, errno);
  const int one = 1;
  if (family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, address, bytes) != 0 || listen(fd, backlog) != 0) {
    const int error = errno;
    close(fd);
    fail("cannot listen on " + name, error);
  }
  return fd;
}

}  // namespace

ListeningSocket ListeningSocket::tcp(const std::string& address, int backlog) {
  try {
    const Poco::Net::SocketAddress where(address);
    return ListeningSocket(listening_socket(where.af(), where.addr(), where.length(), backlog, address));
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("cannot listen on " + address + ": " + error.displayText());
  }
}

ListeningSocket ListeningSocket::unix_stream(const std::string& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) throw std::runtime_error("the socket's path is too long: " + path);
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  unlink(path.c_str());
  const mode_t before = umask(0177);
  try {
    const int fd = listening_socket(AF_UNIX, reinterpret_cast<const sockaddr*>(&where), sizeof where, 128, path);
    umask(before);
    return ListeningSocket(fd);
  } catch (...) {
    umask(before);
    throw;
  }
}

ListeningSocket ListeningSocket::inherited(int fd) {
  const std::string name = "the inherited descriptor " + std::to_string(fd);
  int listens = 0;
  int type = 0;
  socklen_t bytes = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0) fail(name + " is no socket", errno);
  bytes = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0) fail(name + " is no socket", errno);
  if (listens == 0 || type != SOCK_STREAM) throw std::runtime_error(name + " is no stream socket that listens");
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    fail(name + " cannot be made non-blocking", errno);
  }
  return ListeningSocket(fd);
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ListeningSocket::~ListeningSocket() { close(); }

void ListeningSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::uint16_t ListeningSocket::port() const {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string ListeningSocket::address() const {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return "";
  return Poco::Net::SocketAddress(reinterpret_cast<const sockaddr*>(&address), bytes).toString();
}

Listener::Listener(EventLoop& loop, ListeningSocket socket, Accepted accepted, Speak speak)
    : loop_(loop), socket_(std::move(socket)), accepted_(std::move(accepted)), speak_(std::move(speak)) {
  loop_.watch(socket_.fd(), EPOLLIN, *this);
  watching_ = true;
}

Listener::~Listener() { stop(); }

void Listener::stop() {
  cancel();
  if (watching_) loop_.unwatch(socket_.fd(), *this);
  watching_ = false;
  socket_.close();
}

void Listener::on_io(std::uint32_t /*events*/) {
  for (int i = 0; i < accepts_per_turn_max; ++i) {
    const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        loop_.unwatch(socket_.fd(), *this);
        watching_ = false;
        loop_.set_timer_in(*this, out_of_files_pause_ms);
        return;
      }
      if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
      return;
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // has no effect, and does no harm, on a Unix socket
    // Poco counts a socket's owners, and this one is to be gone before another thread has the connection: else the last
    // to let go of it, and so the one who closes it, could be this thread.
    std::unique_ptr<Transport> transport = speak_(Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(fd)));
    accepted_(std::move(transport));
  }
}

void Listener::on_timer() {
  loop_.watch(socket_.fd(), EPOLLIN, *this);
  watching_ = true;
}

}  // namespace carillon::net
