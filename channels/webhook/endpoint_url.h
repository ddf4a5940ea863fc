// What a webhook's URL must be. Where it leads is judged when it is connected to, see AddressGuard: so a host may be
// any name and any address, and IPv4 in the odd forms that libcurl reads (0x7f.1, 2130706433) is what it comes to then.
//
//   url       = ("https" / "http") "://" host [":" port] [path] ["?" query]      all of it ASCII
//   host      = "[" IPv6 address "]" / IPv4 address / name
//   name      = label *("." label) ["."]      at most 253 characters, the last dot not counted
//   label     = 1*63(letter / digit / "-" / "_")
//   port      = 1*5digit      1 to 65535
//
// No user name, no zone, no fragment, nothing escaped (%) in the host. What is taken, libcurl follows, and understands
// as it is read here: it is asked too, so that no delivery fails for what registration could have said.
//
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon::channels::webhook {

struct UrlPolicy {
  bool allow_http = false;
};

inline constexpr std::size_t url_bytes_max = 2048;
inline constexpr std::size_t host_name_bytes_max = 253;
inline constexpr std::size_t host_label_bytes_max = 63;

/// What is wrong with it, in words that follow its name: "must begin with https://"; none when it will do.
std::optional<std::string> url_fault(std::string_view url, const UrlPolicy& policy);

}  // namespace carillon::channels::webhook
