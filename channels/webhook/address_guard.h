// The address guard: whether a webhook may be sent to an address. Asked with the address that is about to be connected
// to, after names were resolved, so a name that changes its meaning in between does not help an attacker (SSRF).
//
// Refused is what is not a public unicast address: all special ranges of the IANA registries for IPv4 and IPv6
// (private, loopback, link-local, shared, documentation, benchmarking, multicast, reserved) and cloud metadata
// services. IPv6 addresses that carry an IPv4 address (v4-mapped, NAT64, 6to4) are judged by that.
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace carillon::channels::webhook {

/// An address as 16 bytes in network order; IPv4 is v4-mapped (::ffff:a.b.c.d).
using AddressBytes = std::array<std::uint8_t, 16>;

/// A block of addresses.
struct AddressBlock {
  AddressBytes base{};
  unsigned bits = 0;  ///< of 128

  bool contains(const AddressBytes& address) const;
};

class AddressGuard {
 public:
  /// `allow_cidrs` ("10.0.0.0/8", "fd00::/8", a bare address) are let through in spite of all else; IPv4 addresses only
  /// by IPv4 blocks, so "::/0" opens none of them. Throws std::invalid_argument that names one that is no block.
  explicit AddressGuard(const std::vector<std::string>& allow_cidrs);

  /// False for any family but IPv4 and IPv6.
  bool allows(const sockaddr& address) const;

 private:
  std::vector<AddressBlock> allowed_;
};

}  // namespace carillon::channels::webhook
