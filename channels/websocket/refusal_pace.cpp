#include "channels/websocket/refusal_pace.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace carillon::channels::websocket {
namespace {

/// Doubling more often would only overflow: every limit is reached long before.
constexpr std::uint32_t doublings_max = 30;

}  // namespace

RefusalPace::Network RefusalPace::network_of(const std::string& address) {
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

void RefusalPace::forget_quiet(net::MonotonicMs now_ms) {
  while (!offenders_.empty() &&
         (offenders_.size() > options_.addresses_max || now_ms - offenders_.back().last_ms >= options_.forget_ms)) {
    by_network_.erase(offenders_.back().network);
    offenders_.pop_back();
  }
}

net::MonotonicMs RefusalPace::refused(const std::string& address, net::MonotonicMs now_ms,
                                      std::uint32_t refusals_free) {
  if (options_.delay_ms == 0) return 0;
  forget_quiet(now_ms);
  const Network network = network_of(address);
  const auto known = by_network_.find(network);
  if (known != by_network_.end()) {
    offenders_.splice(offenders_.begin(), offenders_, known->second);
  } else {
    offenders_.push_front({network, 0, now_ms});
    by_network_.emplace(network, offenders_.begin());
    forget_quiet(now_ms);
  }
  Offender& offender = offenders_.front();
  offender.last_ms = std::max(offender.last_ms, now_ms);
  if (offender.refusals < std::numeric_limits<std::uint32_t>::max()) ++offender.refusals;
  if (offender.refusals <= refusals_free) return 0;
  const std::uint32_t doublings = std::min(offender.refusals - refusals_free - 1, doublings_max);
  return std::min(options_.delay_max_ms, options_.delay_ms << doublings);
}

}  // namespace carillon::channels::websocket
