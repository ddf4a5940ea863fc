#include "net/http/router.h"

#include <array>

namespace carillon::net::http {
namespace {

constexpr std::size_t parameters_max = 4;
using Parameters = std::array<std::string_view, parameters_max>;

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

/// Matches segment by segment; true with `count` parameters found.
bool match(const Router::Route& route, std::string_view path, Parameters& parameters, std::size_t& count) {
  count = 0;
  if (path.empty() || path.front() != '/') return false;
  path.remove_prefix(1);
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    const std::size_t end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    const bool last = i + 1 == route.segments.size();
    if (last != (end == std::string_view::npos)) return false;
    if (is_parameter(route.segments[i])) {
      if (segment.empty()) return false;
      parameters[count++] = segment;
    } else if (segment != route.segments[i]) {
      return false;
    }
    if (!last) path.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler) {
  Route route{method, std::string(pattern), {}, std::move(handler)};
  for (std::string_view rest = pattern.substr(1);;) {
    const std::size_t end = rest.find('/');
    route.segments.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  routes_.push_back(std::move(route));
}

void Router::route(Request& request, const Responder& responder) const {
  Parameters parameters;
  std::size_t count = 0;
  std::string allowed;
  for (const Route& route : routes_) {
    if (!match(route, request.path, parameters, count)) continue;
    if (route.method == request.method || (route.method == Method::get && request.method == Method::head)) {
      request.parameters = {parameters.data(), count};
      return route.handler(request, responder);
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += to_text(route.method);
    if (route.method == Method::get) allowed += ", HEAD";
  }
  if (allowed.empty()) {
    return responder.send(
        Problem{404, "no_such_resource", "There is nothing at " + std::string(request.path) + ".", {}, 0});
  }
  Response response =
      to_response(Problem{405,
                          "method_not_allowed",
                          std::string(request.method_text) + " is not allowed here; allowed: " + allowed + ".",
                          {},
                          0});
  response.with("Allow", allowed);
  responder.send(std::move(response));
}

}  // namespace carillon::net::http
