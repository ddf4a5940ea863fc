#include "net/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace carillon::net {

Network network_of(const std::string& address) {
  // ::ffff:0:0/96 is where IPv6 keeps IPv4; as a /64 all of it would be one.
  constexpr std::size_t mapped_prefix_bytes = 12;
  static constexpr std::array<unsigned char, mapped_prefix_bytes> mapped_prefix{0, 0, 0, 0, 0,    0,
                                                                                0, 0, 0, 0, 0xff, 0xff};
  constexpr Network ipv4_mark = Network{0xffff} << 32U;  // as a prefix: in ::/8, which is given to nobody
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::uint32_t ipv4 = 0;
  if (inet_pton(AF_INET, address.c_str(), &ipv4) == 1) return ipv4_mark | ntohl(ipv4);
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return 0;
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin())) {
    std::memcpy(&ipv4, &bytes[mapped_prefix_bytes], sizeof ipv4);
    return ipv4_mark | ntohl(ipv4);
  }
  Network network = 0;
  for (std::size_t i = 0; i < sizeof network; ++i) network = network << 8U | bytes[i];
  return network;
}

}  // namespace carillon::net
