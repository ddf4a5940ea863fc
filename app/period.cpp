#include "app/period.h"

#include <charconv>
#include <system_error>

namespace carillon::app {
namespace {

constexpr std::int64_t ms_per_s = 1000;
/// So many digits overflow nothing, whatever the unit.
constexpr std::size_t digits_max = 11;

std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty() || text.size() > digits_max || text.front() == '-') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> parse_period_s(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto number = parse_digits(text.substr(0, text.size() - 1));
  if (!number) return std::nullopt;
  switch (text.back()) {
    case 'd':
      return *number * 86'400;
    case 'h':
      return *number * 3'600;
    case 'm':
      return *number * 60;
    case 's':
      return *number;
    default:
      return std::nullopt;
  }
}

std::optional<hub::UnixMs> parse_moment(std::string_view text, hub::UnixMs now) {
  if (const auto seconds = parse_digits(text)) return *seconds * ms_per_s;
  if (const auto period_s = parse_period_s(text)) return now - *period_s * ms_per_s;
  return hub::parse_rfc3339(text);
}

}  // namespace carillon::app
