#include "channels/polling/wait.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include "net/http/field_list.h"

namespace carillon::channels::polling {
namespace {

using net::http::same_name;
using net::http::take_until;
using net::http::trim;

/// The seconds of a Prefer field's first `wait`, whose value is a number, quoted or not.
std::optional<std::int64_t> wait_of(std::string_view preferences) {
  while (!preferences.empty()) {
    std::string_view preference = take_until(preferences, ',');
    preference = take_until(preference, ';');
    const std::size_t equals = preference.find('=');
    if (equals == std::string_view::npos || !same_name(trim(preference.substr(0, equals)), "wait")) continue;
    std::string_view value = trim(preference.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (end != value.data() + value.size() || value.empty() || value.front() == '-') return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<std::int64_t>::max();
    return seconds;
  }
  return std::nullopt;
}

}  // namespace

Wait take_wait(QueryReader& query, const net::http::Request& request, std::int64_t seconds_max) {
  if (query.has("wait")) return {query.take_number("wait", 0, seconds_max).value_or(0), false};
  for (const net::http::Field& field : request.fields) {
    if (!same_name(field.name, "Prefer")) continue;
    if (const auto seconds = wait_of(field.value)) return {std::min(*seconds, seconds_max), true};
  }
  return {};
}

}  // namespace carillon::channels::polling
