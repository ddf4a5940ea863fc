// TLS on a connected stream: a Transport (net/connection.h) that encrypts.
//
//   nothing read yet ──first byte──▶ handshake ──▶ established ──▶ ended
//                    └─ a letter ──▶ told by plain HTTP that TLS is spoken here
//
// Nothing of OpenSSL's is allocated before the first byte is here: who connects and says nothing costs as little as
// without TLS. The handshake is part of read(); write() fails before it is done, for there is no way to say anything.
//
// Threads: belongs to its connection's loop; may be made on another.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <memory>

#include "net/connection.h"

struct ssl_ctx_st;

namespace carillon::net {

/// Keeps `context` for as long as it lives.
std::unique_ptr<Transport> make_tls_transport(const Poco::Net::StreamSocket& socket,
                                              std::shared_ptr<ssl_ctx_st> context);

}  // namespace carillon::net
