// What TLS is spoken with: a certificate, its key, and what is offered to clients. TLS 1.2 and 1.3, nothing older.
//
// Threads: immutable once made; make_transport() from any thread. Connections that were made keep what they need of it,
// so it may go, or be replaced by another, while they are open.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <memory>
#include <string>

#include "net/connection.h"

struct ssl_ctx_st;

namespace carillon::net {

/// Paths of PEM files.
struct TlsFiles {
  std::string certificate;  ///< the server's certificate first, then those that lead to a root
  std::string key;          ///< its private key, not encrypted
};

class TlsContext {
 public:
  /// Throws std::runtime_error with a message that names the file: it cannot be read, holds no such thing, or the key
  /// is not the certificate's. A certificate that is out of its time is taken: see valid_from_s() and valid_until_s().
  explicit TlsContext(const TlsFiles& files);

  /// Speaks TLS on a socket that was just accepted. The handshake is part of the first reads.
  std::unique_ptr<Transport> make_transport(const Poco::Net::StreamSocket& socket) const;

  /// The certificate's time, in seconds since 1970.
  std::int64_t valid_from_s() const { return valid_from_s_; }
  std::int64_t valid_until_s() const { return valid_until_s_; }

 private:
  std::shared_ptr<ssl_ctx_st> context_;
  std::int64_t valid_from_s_ = 0;
  std::int64_t valid_until_s_ = 0;
};

}  // namespace carillon::net
