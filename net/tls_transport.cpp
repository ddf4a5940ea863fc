#include "net/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace carillon::net {
namespace {

/// What one record holds (RFC 8446, section 5.1).
constexpr std::size_t record_bytes_max = 16 * 1024;

/// For a client that speaks HTTP without TLS. Its request was not read, so no more than this is said.
constexpr std::string_view speaks_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 52\r\nConnection: close\r\n\r\n"
    "This port speaks TLS: use https:// or wss:// for it.";

bool means_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// --- OpenSSL's way to the socket -------------------------------------------------------------------------------------

/// The socket as OpenSSL reads and writes it. All that OpenSSL makes is taken, and what the kernel does not take is
/// held: so OpenSSL never waits for room in the midst of a record. Left to itself it would want the same bytes offered
/// again (but a slow client's queue is thrown away), could not answer a key update until then, and would have reads
/// wait for room.
class SocketEnd {
 public:
  explicit SocketEnd(int fd) : fd_(fd) {}

  int fd() const { return fd_; }
  bool dry() const { return dry_; }  ///< the last read took all there was
  bool ended() const { return ended_; }
  bool holds() const { return !held_.empty(); }

  ssize_t read(char* into, std::size_t bytes) {
    const ssize_t got = ::recv(fd_, into, bytes, 0);
    dry_ = got < static_cast<ssize_t>(bytes);
    ended_ = got == 0;
    return got;
  }

  /// False when the socket is broken, or more is held than one who reads can bring about.
  bool write(std::string_view bytes) {
    std::size_t sent = 0;
    if (held_.empty() && !send(bytes, sent)) return false;
    if (sent == bytes.size()) return true;
    if (held_.size() + bytes.size() - sent > held_bytes_max) return false;
    held_ += bytes.substr(sent);
    return true;
  }

  /// False when the socket is broken.
  bool push() {
    if (held_.empty()) return true;
    std::size_t sent = 0;
    if (!send(held_, sent)) return false;
    if (sent == held_.size()) {
      std::string().swap(held_);  // an idle connection keeps no buffer
    } else {
      held_.erase(0, sent);
    }
    return true;
  }

 private:
  /// A record, the answers to what comes in meanwhile, and a close_notify.
  static constexpr std::size_t held_bytes_max = 64 * 1024;

  bool send(std::string_view bytes, std::size_t& sent) const {
    // OpenSSL's own way to a socket would raise SIGPIPE.
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return means_later(errno);
    sent = static_cast<std::size_t>(count);
    return true;
  }

  int fd_;
  bool dry_ = false;
  bool ended_ = false;
  std::string held_;
};

SocketEnd& end_of(BIO* bio) { return *static_cast<SocketEnd*>(BIO_get_data(bio)); }

int socket_write(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  return end_of(bio).write({bytes, static_cast<std::size_t>(count)}) ? count : -1;
}

int socket_read(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = end_of(bio).read(into, static_cast<std::size_t>(count));
  if (got < 0 && means_later(errno)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long socket_control(BIO* bio, int what, long /*number*/, void* /*pointer*/) {
  if (what == BIO_CTRL_EOF) return end_of(bio).ended() ? 1 : 0;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carillon socket");
    BIO_meth_set_write(made, socket_write);
    BIO_meth_set_read(made, socket_read);
    BIO_meth_set_ctrl(made, socket_control);
    return made;
  }();
  return method;
}

// --- what is to be written, as records -------------------------------------------------------------------------------

/// The pieces of one write, one record's worth after another.
class Pieces {
 public:
  Pieces(const iovec* pieces, std::size_t count) : next_(pieces), end_(pieces + count) { skip_finished(); }

  bool empty() const { return next_ == end_; }

  /// Up to `bytes` that come next: where they lie, if they lie together, otherwise copied to `room`, so that many small
  /// pieces become one record.
  std::string_view peek(std::size_t bytes, char* room) const {
    const char* const first = static_cast<const char*>(next_->iov_base) + offset_;
    const std::size_t together = next_->iov_len - offset_;
    if (together >= bytes) return {first, bytes};
    if (next_ + 1 == end_) return {first, together};
    std::memcpy(room, first, together);
    std::size_t filled = together;
    for (const iovec* piece = next_ + 1; piece != end_ && filled < bytes; ++piece) {
      const std::size_t taken = std::min(piece->iov_len, bytes - filled);
      std::memcpy(room + filled, piece->iov_base, taken);
      filled += taken;
    }
    return {room, filled};
  }

  void advance(std::size_t bytes) {
    offset_ += bytes;
    skip_finished();
  }

 private:
  void skip_finished() {
    while (next_ != end_ && offset_ >= next_->iov_len) offset_ -= next_++->iov_len;
  }

  const iovec* next_;
  const iovec* end_;
  std::size_t offset_ = 0;
};

// --- the transport ---------------------------------------------------------------------------------------------------

class TlsTransport final : public Transport {
 public:
  TlsTransport(const Poco::Net::StreamSocket& socket, std::shared_ptr<SSL_CTX> context)
      : socket_(socket), context_(std::move(context)), end_(socket_.impl()->sockfd()) {
    socket_.setBlocking(false);
  }

  ~TlsTransport() override {
    if (ssl_ == nullptr) return;
    // Who has said close_notify is told it in return (RFC 8446, section 6.1), if it costs no waiting.
    if (established_ && peer_ended_ && !failed_ && (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) == 0)
      SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
  }

  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  Result read(char* into, std::size_t bytes) override {
    if (ssl_ == nullptr) {
      if (const auto nothing = begin()) return *nothing;
    }
    if (failed_) return {Status::failed};
    std::size_t total = 0;
    Status status = Status::done;
    while (status == Status::done && total < bytes) {
      ERR_clear_error();
      std::size_t got = 0;
      const int result = SSL_read_ex(ssl_, into + total, bytes - total, &got);
      established_ = established_ || SSL_is_init_finished(ssl_) != 0;
      total += got;
      if (result != 1) {
        status = status_of(result);
      } else if (end_.dry() && !end_.ended() && SSL_has_pending(ssl_) == 0) {
        status = Status::would_block;
      }
    }
    peer_ended_ = status == Status::ended;
    // An end or a failure behind what was read is found again by the next read, which must not wait for an edge.
    buffered_ = status != Status::would_block;
    if (total > 0) return {Status::done, total};
    return {status};
  }

  Result write(const iovec* pieces, std::size_t count) override {
    if (!established_ || failed_) return {Status::failed};
    std::array<char, record_bytes_max> room;
    std::size_t total = 0;
    // No record is begun while the one before waits to leave.
    for (Pieces rest(pieces, count); !rest.empty() && push() && !failed_;) {
      const std::string_view record = rest.peek(record_bytes_max, room.data());
      ERR_clear_error();
      std::size_t written = 0;
      const int result = SSL_write_ex(ssl_, record.data(), record.size(), &written);
      if (result != 1) {
        // In the midst of a key update, whose rest is still to come: the edge that tells of it tells of the room to
        // write, too (epoll reports all that holds), so this is called again.
        if (status_of(result) == Status::would_block) break;
        return {Status::failed};
      }
      total += written;
      rest.advance(written);
    }
    if (failed_) return {Status::failed};
    if (total == 0) return {Status::would_block};
    return {Status::done, total};
  }

  bool push() override {
    failed_ = failed_ || !end_.push();
    if (failed_) return true;  // the next read or write tells
    if (end_.holds()) return false;
    if (std::exchange(end_waits_, false)) ::shutdown(fd(), SHUT_WR);
    return true;
  }

  bool has_buffered() const override { return buffered_; }
  int fd() const override { return end_.fd(); }

  /// close_notify, and the end of the stream behind it.
  void shutdown_write() override {
    if (established_ && !failed_) {
      ERR_clear_error();
      SSL_shutdown(ssl_);
    }
    end_waits_ = true;
    push();
  }

 private:
  /// Looks at the first byte; a result when there is none yet, or when it is no TLS.
  std::optional<Result> begin() {
    char first = 0;
    const ssize_t got = ::recv(fd(), &first, 1, MSG_PEEK);
    if (got < 0) return Result{means_later(errno) ? Status::would_block : Status::failed};
    if (got == 0) return Result{Status::ended};
    if (first >= 'A' && first <= 'Z') {
      turn_away();
      return Result{Status::ended};
    }
    ssl_ = SSL_new(context_.get());
    BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(socket_method());
    if (bio == nullptr) {
      failed_ = true;
      return Result{Status::failed};
    }
    context_.reset();  // the SSL keeps it
    BIO_set_data(bio, &end_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_accept_state(ssl_);
    return std::nullopt;
  }

  /// What has come is read, so that closing does not reset the connection before the answer is there.
  void turn_away() const {
    ::send(fd(), speaks_tls.data(), speaks_tls.size(), MSG_NOSIGNAL);
    ::shutdown(fd(), SHUT_WR);
    std::array<char, record_bytes_max> room;
    while (::recv(fd(), room.data(), room.size(), 0) == static_cast<ssize_t>(room.size())) {
    }
  }

  /// Of a call that did not succeed.
  Status status_of(int result) {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return Status::would_block;
      case SSL_ERROR_ZERO_RETURN:
        return Status::ended;
      default:
        failed_ = true;
        return Status::failed;
    }
  }

  Poco::Net::StreamSocket socket_;
  std::shared_ptr<SSL_CTX> context_;  ///< until the handshake begins
  SocketEnd end_;
  SSL* ssl_ = nullptr;
  bool established_ = false;
  bool buffered_ = false;
  bool peer_ended_ = false;
  bool end_waits_ = false;  ///< shutdown_write() was called and something was held
  bool failed_ = false;     ///< nothing more may be asked of OpenSSL
};

}  // namespace

std::unique_ptr<Transport> make_tls_transport(const Poco::Net::StreamSocket& socket,
                                              std::shared_ptr<ssl_ctx_st> context) {
  return std::make_unique<TlsTransport>(socket, std::move(context));
}

}  // namespace carillon::net
