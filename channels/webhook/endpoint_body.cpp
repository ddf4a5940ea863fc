#include "channels/webhook/endpoint_body.h"

#include <vector>

#include "channels/refusal.h"
#include "channels/webhook/event_filter.h"
#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::json::append_string;
using hub::json::Kind;
using hub::json::Member;
using net::http::Invalid;

/// A member's string; empty where it is something else, which is noted.
std::string take_string(const Member& member, const std::string& pointer, std::vector<Invalid>& invalid) {
  if (member.value.is(Kind::string)) return member.value.string();
  invalid.push_back({pointer, "must be a string"});
  return {};
}

bool is_known(std::string_view name, EndpointBodyUse use) {
  return name == "url" || name == "events" || name == "description" ||
         (name == "secret" && use == EndpointBodyUse::create);
}

void read_member(const Member& member, const UrlPolicy& policy, EndpointBody& body, std::vector<Invalid>& invalid) {
  const std::string pointer = "/" + member.name;
  const bool is_string = member.value.is(Kind::string);
  if (member.name == "url") {
    body.url = take_string(member, pointer, invalid);
    if (!is_string) return;
    if (const auto fault = url_fault(*body.url, policy)) invalid.push_back({pointer, *fault});
  } else if (member.name == "events") {
    body.events = read_event_filter(member.value, pointer, invalid);
  } else if (member.name == "description") {
    body.description = take_string(member, pointer, invalid);
    if (body.description->size() > description_bytes_max) {
      invalid.push_back({pointer, "is longer than " + std::to_string(description_bytes_max) + " bytes"});
    }
  } else {
    body.secret = take_string(member, pointer, invalid);
    if (is_string && !hub::is_webhook_secret(*body.secret)) {
      invalid.push_back({pointer, "must be whsec_ and 24 to 64 bytes in base64"});
    }
  }
}

void append_time(std::string& out, std::optional<hub::UnixMs> time) {
  time ? append_string(out, hub::rfc3339_ms(*time)) : void(out += "null");
}

}  // namespace

std::variant<EndpointBody, net::http::Problem> read_endpoint_body(std::string_view text, EndpointBodyUse use,
                                                                  const UrlPolicy& policy) {
  const auto parsed = hub::json::parse_object(text);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return problem_for(*error);
  EndpointBody body;
  std::vector<Invalid> invalid;
  for (const Member& member : std::get<hub::json::Object>(parsed).members()) {
    if (!is_known(member.name, use)) {
      invalid.push_back({"/" + member.name, "is not known here"});
    } else if (!member.value.is(Kind::null)) {
      read_member(member, policy, body, invalid);
    }
  }
  if (use == EndpointBodyUse::create && !body.url) invalid.push_back({"/url", "is missing"});
  if (!invalid.empty()) return problem_for(std::move(invalid));
  return body;
}

std::string endpoint_json(const hub::Endpoint& endpoint, bool with_secret) {
  std::string out = R"({"id":)";
  append_string(out, to_text(endpoint.id));
  out += R"(,"url":)";
  append_string(out, endpoint.url);
  out += R"(,"description":)";
  append_string(out, endpoint.description);
  out += R"(,"events":)" + event_filter_json(endpoint.events);
  out += R"(,"status":)";
  append_string(out, to_text(endpoint.status));
  out += R"(,"disabled_reason":)";
  endpoint.disabled_reason.empty() ? void(out += "null") : append_string(out, endpoint.disabled_reason);
  out += R"(,"failing_since":)";
  append_time(out, endpoint.failing_since);
  out += R"(,"created_at":)";
  append_time(out, endpoint.created_at);
  if (with_secret) {
    out += R"(,"secret":)";
    append_string(out, endpoint.secret);
  }
  out += '}';
  return out;
}

}  // namespace carillon::channels::webhook
