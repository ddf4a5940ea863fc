// Errors as application/problem+json (RFC 9457), with the `error` and `message` members that clients of this family of
// APIs read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http/message.h"

namespace carillon::net::http {

/// One member of a body (or query) that is wrong.
struct Invalid {
  std::string pointer;  ///< RFC 6901: "/updates/3/status"; "" for the whole body; "?limit" for a query member
  std::string detail;
};

struct Problem {
  int status = 500;
  std::string_view code;  ///< stable, snake_case; a literal
  std::string detail;     ///< for a person; names what is wrong
  std::vector<Invalid> invalid;
  int retry_after_s = 0;  ///< 0: no Retry-After
  std::string more = {};  ///< further members, as JSON with their names: `"epoch":"…","last":7`
};

/// `{"type","title","status","detail","error","message"[,"errors":[{"pointer","detail"}]]}`
Response to_response(const Problem& problem);

}  // namespace carillon::net::http
