// Which web pages may do something: origins, compared as RFC 6454 has it.
//
// Threads: immutable once made; any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace carillon::net::http {

/// The one way to write an origin (RFC 6454, section 6.2): scheme and host in lower case, the port only where it is not
/// the scheme's own. None for what is no origin: a path behind it, a user before it, a host that is not ASCII; and for
/// "null", which is the same as nothing, itself included.
std::optional<std::string> canonical_origin(std::string_view text);

class OriginList {
 public:
  /// Empty: any. Each text must have a canonical form.
  explicit OriginList(const std::vector<std::string>& origins);

  bool any() const { return allowed_.empty(); }
  bool allows(std::string_view origin) const;

 private:
  std::unordered_set<std::string> allowed_;
};

}  // namespace carillon::net::http
