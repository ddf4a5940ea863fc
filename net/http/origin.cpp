#include "net/http/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace carillon::net::http {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool holds_only(std::string_view text, std::string_view some, std::string_view more, std::string_view signs) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return some.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos ||
           signs.find(c) != std::string_view::npos;
  });
}

bool is_scheme(std::string_view text) {
  return !text.empty() && letters.find(text[0]) != std::string_view::npos && holds_only(text, letters, digits, "+-.");
}

/// "[::1]" however it was written; none for what is no address.
std::optional<std::string> canonical_ipv6(std::string host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  host = host.substr(1, host.size() - 2);
  if (inet_pton(AF_INET6, host.c_str(), address.data()) != 1) return std::nullopt;
  inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return std::string("[").append(text.data()).append("]");
}

/// 0 where the scheme has none that is known.
unsigned default_port(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

}  // namespace

std::optional<std::string> canonical_origin(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower_case(text.substr(0, colon));
  std::string host = lower_case(text.substr(colon + 3));
  if (!is_scheme(scheme)) return std::nullopt;

  unsigned port = default_port(scheme);
  const std::size_t address_end = host.starts_with('[') ? host.find(']') : 0;
  if (address_end == std::string::npos) return std::nullopt;
  if (const std::size_t port_colon = host.find(':', address_end); port_colon != std::string::npos) {
    const std::string_view number = std::string_view(host).substr(port_colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
    if (error != std::errc{} || end != number.data() + number.size() || port == 0 || port > 65'535) return std::nullopt;
    host.resize(port_colon);
  }
  if (host.starts_with('[')) {
    auto address = host.ends_with(']') ? canonical_ipv6(std::move(host)) : std::nullopt;
    if (!address) return std::nullopt;
    host = std::move(*address);
  } else if (host.empty() || !holds_only(host, letters, digits, "-._")) {
    return std::nullopt;
  }
  std::string origin = scheme + "://" + host;
  if (port != default_port(scheme)) origin.append(":").append(std::to_string(port));
  return origin;
}

OriginList::OriginList(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) allowed_.insert(canonical_origin(origin).value());
}

bool OriginList::allows(std::string_view origin) const {
  if (any()) return true;
  const auto canonical = canonical_origin(origin);
  return canonical && allowed_.contains(*canonical);
}

}  // namespace carillon::net::http
