#include "net/http/router.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "net/http/negotiation.h"

namespace carillon::net::http {
namespace {

constexpr std::size_t parameters_max = 4;
using Parameters = std::array<std::string_view, parameters_max>;

constexpr unsigned bit(Method method) { return 1U << static_cast<unsigned>(method); }
constexpr auto listed_methods = {Method::get,   Method::head, Method::post,   Method::put,
                                 Method::patch, Method::del,  Method::options};
/// What `*` has, the server itself: all that is spoken here.
constexpr unsigned all_methods = bit(Method::get) | bit(Method::post) | bit(Method::patch) | bit(Method::del);
/// Of a method or a path that is told back to whoever sent it.
constexpr std::size_t echoed_bytes_max = 200;

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

/// Matches segment by segment; true with `count` parameters found.
bool match(const Router::Route& route, std::string_view path, std::span<std::string_view> parameters,
           std::size_t& count) {
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

/// Notes with a route that takes paths by a parameter the one that another names outright.
void note_other(Router::Route& route, const Router::Route& outright) {
  Parameters parameters;
  std::size_t count = 0;
  if (std::any_of(outright.segments.begin(), outright.segments.end(), is_parameter)) return;
  if (match(route, outright.pattern, parameters, count) && count > 0) route.others.push_back(outright.pattern);
}

bool is_another(const Router::Route& route, std::string_view path) {
  return std::find(route.others.begin(), route.others.end(), path) != route.others.end();
}

bool takes_body(Method method) { return method == Method::post || method == Method::patch || method == Method::put; }

std::string echoed(std::string_view text) {
  if (text.size() <= echoed_bytes_max) return std::string(text);
  return std::string(text.substr(0, echoed_bytes_max)) + "...";
}

/// All that is taken here is JSON, as it is: what says to be something else is refused before anyone looks at it. What
/// says nothing is looked at.
std::optional<Response> judge_body(const Request& request) {
  for (const Field& field : request.fields) {
    if (field.name.size() == 12 && same_name(field.name, "Content-Type") && !is_json_type(field.value) &&
        !is_unsaid_type(field.value)) {
      Response response =
          to_response(Problem{415, "unsupported_media_type", "The body must be application/json, in UTF-8.", {}, 0});
      response.with("Accept", json_type);
      return response;
    }
    if (field.name.size() == 16 && same_name(field.name, "Content-Encoding") && !is_identity(field.value)) {
      Response response = to_response(
          Problem{415, "unsupported_content_encoding", "The body must come without a content coding.", {}, 0});
      response.with("Accept-Encoding", "identity");
      return response;
    }
  }
  return std::nullopt;
}

/// Whether the request can be passed to its route; with an answer when not. OPTIONS passes where there is any route.
std::optional<Response> judge(const Router::Route* route, const std::string& allowed, const Request& request,
                              bool has_body) {
  if (route != nullptr) {
    if (has_body && takes_body(route->method)) return judge_body(request);
    return std::nullopt;
  }
  if (allowed.empty()) {
    return to_response(Problem{404, "no_such_resource", "There is nothing at " + echoed(request.path) + ".", {}, 0});
  }
  if (request.method == Method::options) return std::nullopt;
  Response response =
      to_response(Problem{405,
                          "method_not_allowed",
                          echoed(request.method_text) + " is not allowed here; allowed: " + allowed + ".",
                          {},
                          0});
  response.with("Allow", allowed);
  return response;
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
  for (Route& other : routes_) {
    note_other(other, route);
    note_other(route, other);
  }
  routes_.push_back(std::move(route));
}

Router::Found Router::find(Method method, std::string_view path, std::span<std::string_view> parameters) const {
  Found found;
  unsigned methods = 0;
  for (const Route& route : routes_) {
    if (!match(route, path, parameters, found.parameters) || is_another(route, path)) continue;
    if (route.method == method || (route.method == Method::get && method == Method::head)) {
      found.route = &route;
      return found;
    }
    methods |= bit(route.method);
  }
  if (path == "*") methods = all_methods;
  if (methods == 0) return found;
  if ((methods & bit(Method::get)) != 0) methods |= bit(Method::head);
  methods |= bit(Method::options);
  for (const Method one : listed_methods) {
    if ((methods & bit(one)) == 0) continue;
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += to_text(one);
  }
  return found;
}

void Router::route(Request& request, const Responder& responder) const {
  Parameters parameters;
  const Found found = find(request.method, request.path, parameters);
  if (auto refused = judge(found.route, found.allowed, request, !request.body.empty())) {
    return responder.send(std::move(*refused));
  }
  if (found.route == nullptr) {  // OPTIONS
    Response response{204, {}, {}, {}};
    response.with("Allow", found.allowed);
    return responder.send(std::move(response));
  }
  request.parameters = {parameters.data(), found.parameters};
  found.route->handler(request, responder);
}

std::optional<Response> Router::refusal(const Request& request, bool has_body) const {
  Parameters parameters;
  const Found found = find(request.method, request.path, parameters);
  return judge(found.route, found.allowed, request, has_body);
}

}  // namespace carillon::net::http
