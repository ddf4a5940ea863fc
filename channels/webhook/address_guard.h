// The address guard: whether a webhook may be sent to an address. Asked with the address that is about to be connected
// to, after names were resolved, so a name that changes its meaning in between does not help an attacker (SSRF).
//
// Refused is what is not a public unicast address: every row of the IANA special-purpose registries for IPv4 and IPv6
// (private, loopback, link-local, shared, documentation, benchmarking, reserved; also the few that are reachable from
// everywhere, where no receiver lives: AS112, AMT, the anycast of PCP and TURN), multicast, and cloud metadata
// services.
//
// Some IPv6 addresses carry an IPv4 address, and who connects to the one may come to the other:
//
//   ::ffff:a.b.c.d               v4-mapped           judged by the IPv4 address
//   64:ff9b::a.b.c.d             NAT64, well-known   judged by the IPv4 address
//   2002:aabb:ccdd::/48          6to4                judged by the IPv4 address
//   64:ff9b:1::/48               NAT64, local use    refused
//   2001:0:…:~aabb:~ccdd         Teredo, inverted    refused
//   ::a.b.c.d                    IPv4-compatible     refused
//   …:[02]00:5efe:a.b.c.d        ISATAP              refused unless the IPv4 address is public, and its prefix too
//
// A zone (sin6_scope_id) changes nothing: it says through which interface, not to whom.
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace carillon::channels::webhook {

/// An address as 16 bytes in network order; IPv4 is v4-mapped (::ffff:a.b.c.d).
using AddressBytes = std::array<std::uint8_t, 16>;

/// A block of addresses.
struct AddressBlock {
  AddressBytes base{};
  unsigned bits = 0;  ///< of 128

  /// A block so wide that it would hold all v4-mapped addresses, like ::/0, was written for IPv6: it holds no IPv4.
  bool contains(const AddressBytes& address) const;
};

/// What is wrong with a block as the settings name it ("10.0.0.0/8", "fd00::/8", a bare address), in words that follow
/// it; none when it will do. One with bits set behind its length ("10.1.2.3/8") is refused rather than rounded: it is
/// as likely to be a slip in the length, and then opens more than was meant.
std::optional<std::string> block_fault(const std::string& text);

class AddressGuard {
 public:
  /// `deny_cidrs` go before all else. `allow_cidrs` are let through in spite of what the registries say. Both hold for
  /// the address connected to and for the IPv4 address it is judged by; a denied one counts also where it is only
  /// carried. A block that is wider than the prefix that marks a carrying address opens none of those: "::/0" opens
  /// neither IPv4 nor, through NAT64, the metadata service behind it.
  /// Throws std::invalid_argument that names one that is no block and says why.
  explicit AddressGuard(const std::vector<std::string>& allow_cidrs, const std::vector<std::string>& deny_cidrs = {});

  /// False for any family but IPv4 and IPv6.
  bool allows(const sockaddr& address) const;
  /// The same of an address as text; false for what is none.
  bool allows(const std::string& address) const;

 private:
  std::vector<AddressBlock> allowed_;
  std::vector<AddressBlock> denied_;
};

}  // namespace carillon::channels::webhook
