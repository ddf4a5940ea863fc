#include "channels/webhook/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
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

bool agree(const AddressBytes& a, const AddressBytes& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
  return (a[whole] & mask) == (b[whole] & mask);
}

/// With the bits behind the block's length taken out.
AddressBytes first_of(const AddressBlock& block) {
  AddressBytes first{};
  const unsigned whole = block.bits / 8;
  std::copy_n(block.base.begin(), whole, first.begin());
  if (whole < first.size()) first[whole] = static_cast<std::uint8_t>(block.base[whole] & (0xFF00U >> block.bits % 8));
  return first;
}

/// As it was read; bits may be set behind its length.
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

std::vector<AddressBlock> read_blocks(const std::vector<std::string>& texts) {
  std::vector<AddressBlock> list;
  for (const std::string& text : texts) {
    if (const auto fault = block_fault(text)) throw std::invalid_argument("'" + text + "' " + *fault);
    list.push_back(parse_block(text).value());
  }
  return list;
}

bool any_contains(const std::vector<AddressBlock>& list, const AddressBytes& address) {
  return std::any_of(list.begin(), list.end(), [&](const AddressBlock& block) { return block.contains(address); });
}

bool is_public_v4(const AddressBytes& address) {
  static const auto special = blocks({
      "0.0.0.0/8",        // this network
      "10.0.0.0/8",       // private
      "100.64.0.0/10",    // shared behind a carrier's NAT; a metadata service at 100.100.100.200
      "127.0.0.0/8",      // loopback
      "168.63.129.16",    // a metadata service in a public range
      "169.254.0.0/16",   // link-local; metadata services at 169.254.169.254
      "172.16.0.0/12",    // private
      "192.0.0.0/24",     // IETF protocol assignments: DS-Lite, PCP, TURN, NAT64 discovery
      "192.0.2.0/24",     // documentation
      "192.31.196.0/24",  // AS112
      "192.52.193.0/24",  // AMT
      "192.88.99.0/24",   // 6to4 relays, 6a44
      "192.168.0.0/16",   // private
      "192.175.48.0/24",  // AS112
      "198.18.0.0/15",    // benchmarking
      "198.51.100.0/24",  // documentation
      "203.0.113.0/24",   // documentation
      "224.0.0.0/4",      // multicast
      "240.0.0.0/4",      // reserved, and the limited broadcast
  });
  return !any_contains(special, address);
}

/// Only 2000::/3 is global unicast (RFC 4291, section 2.4): outside it stand ::1, 100::/64, 5f00::/16, fc00::/7 (with
/// the metadata service fd00:ec2::254), fe80::/10 and ff00::/8. Within it, what the registry lists.
bool is_public_v6(const AddressBytes& address) {
  static const auto global = blocks({"2000::/3"});
  static const auto special = blocks({
      "2001::/23",          // IETF protocol assignments: Teredo, PCP, TURN, benchmarking, AMT, AS112, ORCHID, DRIP
      "2001:db8::/32",      // documentation
      "2620:4f:8000::/48",  // AS112
      "3fff::/20",          // documentation
  });
  return any_contains(global, address) && !any_contains(special, address);
}

/// An IPv4 address inside an IPv6 one.
struct Carried {
  AddressBytes v4{};
  unsigned prefix_bits = 0;  ///< by which one knows that it is there
  bool decides = false;      ///< it is what is connected to
};

enum class Where : std::uint8_t { last, last_inverted, behind_6to4_prefix };

struct Carrier {
  AddressBlock prefix;
  Where where = Where::last;
  bool decides = false;
};

AddressBytes v4_at(const AddressBytes& address, Where where) {
  if (where == Where::behind_6to4_prefix) return from_v4(address.data() + 2);
  AddressBytes v4 = from_v4(address.data() + v4_offset);
  if (where == Where::last_inverted) {
    for (std::size_t i = v4_offset; i < v4.size(); ++i) v4[i] = static_cast<std::uint8_t>(~v4[i]);
  }
  return v4;
}

bool is_isatap(const AddressBytes& address) {
  return (address[8] & 0xFDU) == 0 && address[9] == 0 && address[10] == 0x5E && address[11] == 0xFE;
}

std::optional<Carried> carried_by(const AddressBytes& address) {
  static const auto prefix = [](std::string_view text) { return parse_block(text).value(); };
  static const std::array carriers{
      Carrier{prefix("0.0.0.0/0"), Where::last, true},
      Carrier{prefix("64:ff9b::/96"), Where::last, true},
      Carrier{prefix("2002::/16"), Where::behind_6to4_prefix, true},
      Carrier{prefix("64:ff9b:1::/48"), Where::last, false},
      Carrier{prefix("2001::/32"), Where::last_inverted, false},
      Carrier{prefix("::/96"), Where::last, false},
  };
  static const auto nothing = prefix("::/104");  // among the IPv4-compatible ones stand :: and ::1
  if (nothing.contains(address)) return std::nullopt;
  for (const Carrier& carrier : carriers) {
    if (!carrier.prefix.contains(address)) continue;
    return Carried{v4_at(address, carrier.where), carrier.prefix.bits, carrier.decides};
  }
  if (is_isatap(address)) return Carried{v4_at(address, Where::last), 0, false};
  return std::nullopt;
}

/// Blocks wider than `bits_min` do not count.
bool is_let_through(const std::vector<AddressBlock>& allowed, const AddressBytes& address, unsigned bits_min) {
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

std::string text_of(const AddressBlock& block) {
  const bool is_v4 = parse_block("0.0.0.0/0")->contains(block.base) && block.bits >= v4_prefix_bits;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::uint8_t* bytes = block.base.data() + (is_v4 ? v4_offset : 0);
  inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(is_v4 ? block.bits - v4_prefix_bits : block.bits);
}

}  // namespace

bool AddressBlock::contains(const AddressBytes& address) const {
  static const AddressBytes mapped = from_v4("\0\0\0\0");
  if (bits < v4_prefix_bits && agree(address, mapped, v4_prefix_bits)) return false;
  return agree(base, address, bits);
}

std::optional<std::string> block_fault(const std::string& text) {
  if (text.find('%') != std::string::npos)
    return "names a zone; a block is of addresses alone: leave out the % and what follows it";
  const auto block = parse_block(text);
  if (!block) return "is no block of addresses like 10.0.0.0/8 or fd00::/8";
  const AddressBlock whole{first_of(*block), block->bits};
  if (whole.base == block->base) return std::nullopt;
  return "is an address inside a block: write " + text_of(whole) + " for the block, or " +
         text.substr(0, text.find('/')) + " for this one address";
}

AddressGuard::AddressGuard(const std::vector<std::string>& allow_cidrs, const std::vector<std::string>& deny_cidrs)
    : allowed_(read_blocks(allow_cidrs)), denied_(read_blocks(deny_cidrs)) {}

bool AddressGuard::allows(const sockaddr& address) const {
  const auto bytes = bytes_of(address);
  if (!bytes) return false;
  const auto carried = carried_by(*bytes);
  if (any_contains(denied_, *bytes) || (carried && any_contains(denied_, carried->v4))) return false;
  if (is_let_through(allowed_, *bytes, carried ? carried->prefix_bits : 0)) return true;
  if (carried && carried->decides) return any_contains(allowed_, carried->v4) || is_public_v4(carried->v4);
  return is_public_v6(*bytes) && (!carried || is_public_v4(carried->v4));
}

bool AddressGuard::allows(const std::string& address) const {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return allows(reinterpret_cast<const sockaddr&>(v4));
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return false;
  v6.sin6_family = AF_INET6;
  return allows(reinterpret_cast<const sockaddr&>(v6));
}

}  // namespace carillon::channels::webhook
