// Which web pages may read what is answered (the Fetch standard's CORS): pages of the origins that are allowed, and
// never with what a browser knows of its user (cookies, certificates). The key is all that opens the door, and a page
// must have it to send it.
//
// Threads: immutable once made; any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::net::http {

class OriginList;

class CorsPolicy {
 public:
  /// Nobody is allowed, and nothing is said of it.
  CorsPolicy();
  /// Origins as canonical_origin() takes them; `*` among them allows all.
  explicit CorsPolicy(const std::vector<std::string>& origins);

  bool enabled() const { return any_ || listed_; }

  /// Whether a page of that origin may read answers.
  bool allows(std::string_view origin) const;

  /// The header lines of an answer: to a page of an origin that is allowed, or (empty) to anyone else.
  void append_to(std::string& fields, std::string_view allowed_origin) const;
  /// Those that answer the question whether a request may be sent at all (a preflight), beside these.
  static std::string_view preflight_fields();

 private:
  bool any_ = false;
  std::shared_ptr<const OriginList> listed_;  ///< null without one
};

}  // namespace carillon::net::http
