// The network that an address is counted as: an IPv6 address stands for its /64, for one customer has no fewer; an IPv4
// address, also one that is mapped into IPv6, for itself.
//
// Threads: pure.
#pragma once

#include <cstdint>
#include <string>

namespace carillon::net {

/// The first 64 bits of an IPv6 address; an IPv4 address behind 32 bits that no such prefix has.
using Network = std::uint64_t;

/// Of an address as Connection::peer() says it; 0 for what is none.
Network network_of(const std::string& address);

}  // namespace carillon::net
