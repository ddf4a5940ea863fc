#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/connection.h"

namespace carillon::net {
namespace {

/// The C library's recv() and send() are places where a thread may be cancelled, which nobody does here; entering and
/// leaving such a place is work in each call, which a profile of many small answers shows.
ssize_t receive(int fd, char* into, std::size_t bytes) {
  return ::syscall(SYS_recvfrom, fd, into, bytes, 0, nullptr, nullptr);
}
ssize_t send_one(int fd, const iovec& piece) {
  return ::syscall(SYS_sendto, fd, piece.iov_base, piece.iov_len, MSG_NOSIGNAL, nullptr, 0);
}

/// The socket belongs to Poco's StreamSocket; the bytes go by recvfrom(2), sendto(2) and sendmsg(2), because a peer
/// that resets its connection is an everyday result here, which Poco reports by throwing.
class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(const Poco::Net::StreamSocket& socket) : socket_(socket) { socket_.setBlocking(false); }

  Result read(char* into, std::size_t bytes) override {
    const ssize_t got = receive(fd(), into, bytes);
    if (got > 0) return {Status::done, static_cast<std::size_t>(got)};
    if (got == 0) return {Status::ended};
    return refused();
  }

  Result write(const iovec* pieces, std::size_t count) override {
    const ssize_t sent = count == 1 ? send_one(fd(), *pieces)  // the cheaper call
                                    : send_all(pieces, count);
    if (sent >= 0) return {Status::done, static_cast<std::size_t>(sent)};
    return refused();
  }

  int fd() const override { return socket_.impl()->sockfd(); }

  void shutdown_write() override { ::shutdown(fd(), SHUT_WR); }

 private:
  ssize_t send_all(const iovec* pieces, std::size_t count) const {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces);  // sendmsg reads them only
    message.msg_iovlen = count;
    return ::sendmsg(fd(), &message, MSG_NOSIGNAL);
  }

  static Result refused() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Status::would_block};
    return {Status::failed};
  }

  Poco::Net::StreamSocket socket_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(const Poco::Net::StreamSocket& socket) {
  return std::make_unique<PlainTransport>(socket);
}

}  // namespace carillon::net
