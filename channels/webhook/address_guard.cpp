#include "channels/webhook/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace carillon::channels::webhook {
namespace {

constexpr unsigned v4_offset = 12;  ///< where the IPv4 address stands in a v4-mapped one
constexpr unsigned v4_prefix_bits = 96;

AddressBytes from_v4(const void* four_bytes) {
  AddressBytes address{};
  address[10] = address[11] = 0xFF;
  std::memcpy(address.data() + v4_offset, four_bytes, 4);
  return address;
}

std::optional<AddressBlock> parse_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  AddressBlock block;
  unsigned bits_max = 128;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    block.base = from_v4(&v4);
    bits_max = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), block.base.data()) != 1) {
    return std::nullopt;
  }
  unsigned bits = bits_max;
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (number.empty() || error != std::errc{} || end != number.data() + number.size() || bits > bits_max) {
      return std::nullopt;
    }
  }
  block.bits = bits_max == 32 ? bits + v4_prefix_bits : bits;
  return block;
}

/// Of literals that are known to be blocks.
std::vector<AddressBlock> blocks(std::initializer_list<std::string_view> texts) {
  std::vector<AddressBlock> list;
  for (const auto text : texts) list.push_back(parse_block(text).value());
  return list;
}

bool any_contains(const std::vector<AddressBlock>& list, const AddressBytes& address) {
  return std::any_of(list.begin(), list.end(), [&](const AddressBlock& block) { return block.contains(address); });
}

/// IANA IPv4 Special-Purpose Address Registry, what is not globally reachable; multicast; and one metadata service that
/// hides in a public range.
const std::vector<AddressBlock>& refused_v4() {
  static const auto list =
      blocks({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
              "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
              "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16"});
  return list;
}

/// Only 2000::/3 is global unicast (RFC 4291, section 2.4); within it, what the IANA IPv6 registry keeps for itself.
bool is_refused_v6(const AddressBytes& address) {
  static const auto global = blocks({"2000::/3"});
  static const auto special = blocks({"2001::/23", "2001:db8::/32", "3fff::/20"});
  return !any_contains(global, address) || any_contains(special, address);
}

/// The address that is meant: the IPv4 address inside an IPv6 one, where there is one.
AddressBytes meant(const AddressBytes& address) {
  static const auto nat64 = blocks({"64:ff9b::/96"}).front();
  static const auto six_to_four = blocks({"2002::/16"}).front();
  if (nat64.contains(address)) return from_v4(address.data() + v4_offset);
  if (six_to_four.contains(address)) return from_v4(address.data() + 2);
  return address;
}

bool is_v4(const AddressBytes& address) {
  static const auto mapped = blocks({"0.0.0.0/0"}).front();
  return mapped.contains(address);
}

/// A block wide enough to hold the v4-mapped addresses, like ::/0, was written for IPv6: it lets no IPv4 through.
bool is_let_through(const std::vector<AddressBlock>& allowed, const AddressBytes& address) {
  const unsigned bits_min = is_v4(address) ? v4_prefix_bits : 0;
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const AddressBlock& block) { return block.bits >= bits_min && block.contains(address); });
}

std::optional<AddressBytes> bytes_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) return from_v4(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family != AF_INET6) return std::nullopt;
  AddressBytes bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, bytes.size());
  return bytes;
}

}  // namespace

bool AddressBlock::contains(const AddressBytes& address) const {
  const unsigned whole = bits / 8;
  if (!std::equal(base.begin(), base.begin() + whole, address.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
  return (base[whole] & mask) == (address[whole] & mask);
}

AddressGuard::AddressGuard(const std::vector<std::string>& allow_cidrs) {
  for (const std::string& text : allow_cidrs) {
    const auto block = parse_block(text);
    if (!block) throw std::invalid_argument("'" + text + "' is no block of addresses like 10.0.0.0/8 or fd00::/8");
    allowed_.push_back(*block);
  }
}

bool AddressGuard::allows(const sockaddr& address) const {
  const auto bytes = bytes_of(address);
  if (!bytes) return false;
  const AddressBytes judged = meant(*bytes);
  if (is_let_through(allowed_, *bytes) || is_let_through(allowed_, judged)) return true;
  return is_v4(judged) ? !any_contains(refused_v4(), judged) : !is_refused_v6(judged);
}

}  // namespace carillon::channels::webhook
