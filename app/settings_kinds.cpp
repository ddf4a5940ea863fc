#include "app/settings_kinds.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "channels/webhook/address_guard.h"
#include "net/http/origin.h"

namespace carillon::app::kinds {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <typename Value, typename Show>
std::string bracketed(const std::vector<Value>& values, Show show) {
  std::string out = "[";
  for (const Value& value : values) {
    if (out.size() > 1) out += ", ";
    out += show(value);
  }
  return out + "]";
}

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (text[i] == '_' && between) continue;
    if (!is_digit(text[i])) return std::nullopt;
    digits += text[i];
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  const char quote = text.find_first_of("\"\\") == std::string_view::npos ? '"' : '\'';
  return quote + std::string{text} + quote;
}

std::string shown_list(const std::vector<std::string>& values) {
  return bracketed(values, [](const std::string& value) { return quoted(value); });
}

std::string shown_list(const std::vector<std::int64_t>& values) {
  return bracketed(values, [](std::int64_t value) { return std::to_string(value); });
}

bool is_filled(const std::string& text) { return !text.empty(); }

bool is_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[')) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    if (!host.ends_with(']') || inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address.data()) != 1) {
      return false;
    }
  } else if (host.empty() || host.find_first_of(": /") != std::string::npos) {
    return false;
  }
  const std::string port = text.substr(colon + 1);
  const auto number = parse_number(port);
  return number && *number <= 65535 && std::all_of(port.begin(), port.end(), is_digit);
}

bool is_cidr(const std::string& text) { return !channels::webhook::block_fault(text); }

bool is_origin(const std::string& text) { return net::http::canonical_origin(text).has_value(); }

bool is_origin_or_any(const std::string& text) { return text == "*" || is_origin(text); }

bool is_file_path_or_empty(const std::string& path) { return !path.ends_with('/'); }

bool is_public_url_or_empty(const std::string& text) {
  if (text.empty()) return true;
  return (text.starts_with("http://") || text.starts_with("https://")) && is_origin(text);
}

bool is_address_or_empty(const std::string& text) { return text.empty() || is_address(text); }

bool is_readable_or_empty(const std::string& path) { return path.empty() || ::access(path.c_str(), R_OK) == 0; }

std::string range_text(std::int64_t min, std::int64_t max) {
  return "from " + std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace carillon::app::kinds
