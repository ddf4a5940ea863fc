// Fields whose value is a list (RFC 9110, section 5.6.1), taken apart.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace carillon::net::http {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Without the blanks around it.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes what stands before the next separator off the front, with the separator, and trims it. A separator within
/// quotes is none.
std::string_view take_until(std::string_view& rest, char separator);

/// Whether a list of tokens, which know no quotes, has this one, compared without case.
bool list_has(std::string_view list, std::string_view token);

}  // namespace carillon::net::http
