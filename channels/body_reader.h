// Takes a request's body (a JSON object) apart, strictly: a member that is unknown, of the wrong kind or out of its
// range is noted with its place, and all that is wrong is told at once.
//
// Threads: one; a reader lives as long as the reading takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "channels/refusal.h"
#include "hub/json.h"
#include "net/http/problem.h"

namespace carillon::channels {

/// "/name", as RFC 6901, section 3 has it.
std::string pointer_to(std::string_view member);

/// What was read, or the problem to answer with: 400 for what is no JSON object, 422 for members that are wrong.
template <typename T>
using Read = std::variant<T, net::http::Problem>;

/// Known members are taken one by one; what is left at the end is unknown.
class BodyReader {
 public:
  /// The text that `body` points into outlives the reader.
  explicit BodyReader(hub::json::Object body) : body_(std::move(body)) {}

  /// The member, whatever it is; null when it is not there, or is null.
  const hub::json::Value* take(std::string_view name);
  /// The member; null when it is not there, or is null, or is of another kind (which is noted).
  const hub::json::Value* take(std::string_view name, hub::json::Kind kind);
  std::optional<std::string> take_string(std::string_view name);
  std::optional<bool> take_boolean(std::string_view name);
  /// A whole number in a range; another is noted.
  std::optional<std::int64_t> take_integer(std::string_view name, std::int64_t min, std::int64_t max);

  bool has(std::string_view name) const { return body_.find(name) != nullptr; }
  /// True where it is there and null.
  bool is_null(std::string_view name) const;

  void refuse(std::string_view name, std::string detail) { invalid_.push_back({pointer_to(name), std::move(detail)}); }
  /// Where what is wrong is found by another: its notes.
  std::vector<net::http::Invalid>& invalid() { return invalid_; }

  /// What was read, when nothing was wrong with it.
  template <typename T>
  Read<T> end(T read) {
    refuse_unknown();
    if (!invalid_.empty()) return problem_for(std::move(invalid_));
    return read;
  }

 private:
  void refuse_unknown();

  hub::json::Object body_;
  std::vector<std::string_view> known_;
  std::vector<net::http::Invalid> invalid_;
};

/// Parses the body and reads it by `members`, which is given a BodyReader and ends it.
template <typename T, typename Members>
Read<T> read_body(std::string_view body, Members&& members) {
  auto parsed = hub::json::parse_object(body);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return problem_for(*error);
  BodyReader reader(std::move(std::get<hub::json::Object>(parsed)));
  return members(reader);
}

/// The same where the body may be missing.
template <typename T, typename Members>
Read<T> read_optional_body(std::string_view body, Members&& members) {
  return read_body<T>(body.empty() ? std::string_view("{}") : body, std::forward<Members>(members));
}

/// For what takes no members: the problem to answer with, unless the body is missing or an empty object.
std::optional<net::http::Problem> fault_of_body_without_members(std::string_view body);

}  // namespace carillon::channels
