// What a webhook's URL must be. Where it leads is judged when it is connected to: see AddressGuard.
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

/// What is wrong with it, in words that follow its name: "must begin with https://"; none when it will do.
std::optional<std::string> url_fault(std::string_view url, const UrlPolicy& policy);

}  // namespace carillon::channels::webhook
