#include "net/http/problem.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>
#include <utility>

namespace carillon::net::http {

Response to_response(const Problem& problem) {
  Poco::JSON::Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("type", "urn:carillon:problem:" + std::string(problem.code));
  body.set("title", std::string(reason_phrase(problem.status)));
  body.set("status", problem.status);
  body.set("detail", problem.detail);
  body.set("error", std::string(problem.code));
  body.set("message", problem.detail);
  if (!problem.invalid.empty()) {
    Poco::JSON::Array errors;
    for (const Invalid& invalid : problem.invalid) {
      Poco::JSON::Object entry(Poco::JSON_PRESERVE_KEY_ORDER);
      entry.set("pointer", invalid.pointer);
      entry.set("detail", invalid.detail);
      errors.add(entry);
    }
    body.set("errors", errors);
  }
  std::ostringstream text;
  body.stringify(text);
  std::string json = text.str();
  if (!problem.more.empty()) json.insert(json.size() - 1, ',' + problem.more);
  Response response{problem.status, "application/problem+json", {}, std::move(json)};
  if (problem.retry_after_s > 0) response.with("Retry-After", std::to_string(problem.retry_after_s));
  if (problem.status == 401) response.with("WWW-Authenticate", "Bearer realm=\"carillon\"");
  return response;
}

}  // namespace carillon::net::http
