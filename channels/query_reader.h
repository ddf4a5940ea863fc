// Takes a request's query apart, strictly: a member that is unknown, stands twice or is out of its range is noted, as
// "?limit", and all that is wrong is told at once.
//
// Threads: one; a reader lives as long as the reading takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/id.h"
#include "net/http/message.h"
#include "net/http/problem.h"

namespace carillon::channels {

class QueryReader {
 public:
  explicit QueryReader(const net::http::Request& request) : members_(request.query_members()) {}

  bool has(std::string_view name) const;
  /// None when it is not there.
  std::optional<std::string> take(std::string_view name);
  /// A whole number from `min` to `max`; none where it is not there or not such.
  std::optional<std::int64_t> take_number(std::string_view name, std::int64_t min, std::int64_t max);
  /// A whole number from 1 to `max`; `otherwise` where there is none.
  std::size_t take_limit(std::string_view name, std::size_t otherwise, std::size_t max);

  /// `cursor`: the id that an answer gave as next_cursor; none where it is not there or not such.
  template <typename Tag>
  std::optional<hub::NumberId<Tag>> take_cursor() {
    const auto text = take("cursor");
    if (!text) return std::nullopt;
    const auto cursor = hub::parse_id<Tag>(*text);
    if (!cursor) refuse("cursor", "is no next_cursor of this list");
    return cursor;
  }

  void refuse(std::string_view name, std::string detail);

  /// The problem to answer with, when anything was wrong.
  std::optional<net::http::Problem> end();

 private:
  std::vector<net::http::QueryMember> members_;
  std::vector<std::string_view> known_;
  std::vector<net::http::Invalid> invalid_;
};

}  // namespace carillon::channels
