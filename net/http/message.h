// HTTP messages (RFC 9110) as handlers see them.
//
// Threads: values; a Request is only a view of the bytes that came in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/http/body.h"

namespace carillon::net::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view to_text(Method method);
Method parse_method(std::string_view text);

struct Field {
  std::string_view name;   ///< as it came; compared without case
  std::string_view value;  ///< without the white space around it
};

/// RFC 9110, section 5.1: names are compared without case.
bool same_name(std::string_view a, std::string_view b);

/// One member of a query, percent-decoded ('+' is a blank).
struct QueryMember {
  std::string name;
  std::string value;  ///< empty where there is no '='
};

/// A request, sound and whole. Everything in it points into the connection's memory and is gone when the handler
/// returns: keep copies of what an answer that comes later needs.
struct Request {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;
  std::string_view path;   ///< the target up to '?', as it came (not decoded)
  std::string_view query;  ///< what follows '?'; empty without
  int minor_version = 1;   ///< HTTP/1.x
  std::span<const Field> fields;
  std::string_view body;
  std::string_view id;  ///< what X-Request-Id says in the answer
  ConnectionRef connection;
  std::span<const std::string_view> parameters;  ///< what the path's {…} stand for, in order, as they came

  /// The first field of that name; none without one.
  std::optional<std::string_view> field(std::string_view name) const;
  /// The query's members in their order.
  std::vector<QueryMember> query_members() const;
  /// The first member of that name in the query.
  std::optional<std::string> query_member(std::string_view name) const;
};

/// An answer. Content-Length, Date, Connection and X-Request-Id are added when it is sent.
struct Response {
  int status = 200;
  std::string_view content_type;  ///< a literal; empty where there is no body
  std::string fields;             ///< further header lines, each ended by CR LF
  Body body;

  /// `value` must hold no control characters.
  Response& with(std::string_view name, std::string_view value);
};

inline constexpr std::string_view json_type = "application/json";

Response json_response(int status, Body body);

/// The reason phrase of RFC 9110, section 15; "Unknown" for a number it does not name.
std::string_view reason_phrase(int status);

}  // namespace carillon::net::http
