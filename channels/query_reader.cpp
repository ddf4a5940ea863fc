#include "channels/query_reader.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "channels/refusal.h"

namespace carillon::channels {

bool QueryReader::has(std::string_view name) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& member) { return member.name == name; });
}

std::optional<std::string> QueryReader::take(std::string_view name) {
  known_.push_back(name);
  std::optional<std::string> found;
  for (const auto& member : members_) {
    if (member.name != name) continue;
    if (found) {
      refuse(name, "stands more than once");
      break;
    }
    found = member.value;
  }
  return found;
}

std::optional<std::int64_t> QueryReader::take_number(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto text = take(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc{} && end == text->data() + text->size() && number >= min && number <= max) return number;
  refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::size_t QueryReader::take_limit(std::string_view name, std::size_t otherwise, std::size_t max) {
  const auto limit = take_number(name, 1, static_cast<std::int64_t>(max));
  return limit ? static_cast<std::size_t>(*limit) : otherwise;
}

void QueryReader::refuse(std::string_view name, std::string detail) {
  invalid_.push_back({std::string("?").append(name), std::move(detail)});
}

std::optional<net::http::Problem> QueryReader::end() {
  std::vector<std::string_view> told;
  for (const auto& member : members_) {
    const auto among = [&](const std::vector<std::string_view>& names) {
      return std::find(names.begin(), names.end(), member.name) != names.end();
    };
    if (among(known_) || among(told)) continue;
    refuse(member.name, "is not known here");
    told.push_back(member.name);
  }
  if (invalid_.empty()) return std::nullopt;
  return problem_for_query(std::move(invalid_));
}

}  // namespace carillon::channels
