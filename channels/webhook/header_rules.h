// Which header lines an owner may have sent with deliveries: none that frame the request or belong to a connection (RFC
// 9110, section 7.6.1), none that the hub says itself.
//
// Threads: pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/webhook.h"

namespace carillon::channels::webhook {

inline constexpr std::size_t headers_max = 20;
inline constexpr std::size_t header_name_bytes_max = 128;
inline constexpr std::size_t header_value_bytes_max = 1024;

/// What is wrong with a name, in words that follow it; none when it will do.
std::optional<std::string> header_name_fault(std::string_view name);
/// The same of a value.
std::optional<std::string> header_value_fault(std::string_view value);

/// The line of that name, compared without case; null without one.
const hub::HeaderField* find_header(const std::vector<hub::HeaderField>& headers, std::string_view name);

}  // namespace carillon::channels::webhook
