// What a request says of an endpoint, checked strictly: a member that is unknown, of the wrong kind or over its limit
// is noted with its place in the body.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "channels/webhook/endpoint_url.h"
#include "hub/event.h"
#include "hub/webhook.h"
#include "net/http/problem.h"

namespace carillon::channels::webhook {

inline constexpr std::size_t description_bytes_max = 512;

struct EndpointBody {
  std::optional<std::string> url;
  std::optional<hub::EventKinds> events;
  std::optional<std::string> description;
  std::optional<std::string> secret;
};

enum class EndpointBodyUse : std::uint8_t { create, change };

/// The problem to answer with is 400 for what is no JSON object, and 422 for members that are wrong.
std::variant<EndpointBody, net::http::Problem> read_endpoint_body(std::string_view body, EndpointBodyUse use,
                                                                  const UrlPolicy& policy);

/// {"id","url","description","events","status","disabled_reason","failing_since","created_at"}, and with `secret` that.
std::string endpoint_json(const hub::Endpoint& endpoint, bool with_secret = false);

}  // namespace carillon::channels::webhook
