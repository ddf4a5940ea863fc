#include "channels/query_reader.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "channels/refusal.h"

namespace carillon::channels {

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

std::size_t QueryReader::take_limit(std::string_view name, std::size_t otherwise, std::size_t max) {
  const auto text = take(name);
  if (!text) return otherwise;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error == std::errc{} && end == text->data() + text->size() && limit >= 1 && limit <= max) return limit;
  refuse(name, "must be a whole number from 1 to " + std::to_string(max));
  return otherwise;
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
