#include "channels/body_reader.h"

#include <algorithm>

namespace carillon::channels {

using hub::json::Kind;
using hub::json::Value;

std::string pointer_to(std::string_view member) {
  std::string pointer;
  hub::json::append_pointer(pointer, member);
  return pointer;
}

const Value* BodyReader::take(std::string_view name) {
  known_.push_back(name);
  const Value* value = body_.find(name);
  return value == nullptr || value->is(Kind::null) ? nullptr : value;
}

const Value* BodyReader::take(std::string_view name, Kind kind) {
  const Value* value = take(name);
  if (value == nullptr || value->is(kind)) return value;
  refuse(name, hub::json::kind_fault(kind, value->kind));
  return nullptr;
}

std::optional<std::string> BodyReader::take_string(std::string_view name) {
  const Value* value = take(name, Kind::string);
  return value != nullptr ? std::optional(value->string()) : std::nullopt;
}

std::optional<bool> BodyReader::take_boolean(std::string_view name) {
  const Value* value = take(name, Kind::boolean);
  return value != nullptr ? std::optional(value->boolean()) : std::nullopt;
}

std::optional<std::int64_t> BodyReader::take_integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Value* value = take(name, Kind::number);
  if (value == nullptr) return std::nullopt;
  const auto number = value->integer();
  if (number && *number >= min && *number <= max) return number;
  refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

bool BodyReader::is_null(std::string_view name) const {
  const Value* value = body_.find(name);
  return value != nullptr && value->is(Kind::null);
}

void BodyReader::refuse_unknown() {
  for (const auto& member : body_.members()) {
    if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
      refuse(member.name, "is not known here");
    }
  }
}

std::optional<net::http::Problem> fault_of_body_without_members(std::string_view body) {
  auto read = read_optional_body<std::monostate>(body, [](BodyReader& reader) { return reader.end(std::monostate{}); });
  if (auto* problem = std::get_if<net::http::Problem>(&read)) return std::move(*problem);
  return std::nullopt;
}

}  // namespace carillon::channels
