#include "net/http/cors.h"

#include <algorithm>

#include "net/http/origin.h"

namespace carillon::net::http {

CorsPolicy::CorsPolicy() = default;

CorsPolicy::CorsPolicy(const std::vector<std::string>& origins)
    : any_(std::find(origins.begin(), origins.end(), "*") != origins.end()) {
  if (!any_ && !origins.empty()) listed_ = std::make_shared<const OriginList>(origins);
}

bool CorsPolicy::allows(std::string_view origin) const { return any_ || (listed_ && listed_->allows(origin)); }

void CorsPolicy::append_to(std::string& fields, std::string_view allowed_origin) const {
  // Where all are allowed, the answer is the same for all; where some are, a cache must keep those of each apart, and
  // what it kept of someone who said no origin from them.
  if (listed_) fields += "Vary: Origin\r\n";
  if (allowed_origin.empty()) return;
  fields.append("Access-Control-Allow-Origin: ").append(any_ ? "*" : allowed_origin).append("\r\n");
  fields +=
      "Access-Control-Expose-Headers: ETag, Location, Retry-After, X-Request-Id, RateLimit, "
      "RateLimit-Policy, "
      "Server-Timing, Idempotency-Replayed\r\n";
}

std::string_view CorsPolicy::preflight_fields() {
  // Two hours is the longest that any browser remembers it.
  return "Access-Control-Allow-Methods: GET, HEAD, POST, PATCH, DELETE\r\n"
         "Access-Control-Allow-Headers: X-API-Key, Authorization, Content-Type, If-None-Match, Prefer, "
         "Idempotency-Key, Last-Event-ID, X-Request-Id\r\n"
         "Access-Control-Max-Age: 7200\r\n";
}

}  // namespace carillon::net::http
