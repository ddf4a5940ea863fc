// What a request says of an endpoint, checked strictly, and what an answer says of one.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/body_reader.h"
#include "channels/webhook/endpoint_url.h"
#include "hub/event.h"
#include "hub/webhook.h"
#include "net/http/problem.h"

namespace carillon::channels::webhook {

inline constexpr std::size_t description_bytes_max = 512;
inline constexpr int max_per_second_max = 10'000;

/// What was said; the rest is left to its default, or as it is.
struct EndpointBody {
  std::optional<std::string> url;
  std::optional<std::string> description;
  std::optional<hub::EventKinds> events;
  std::optional<std::vector<hub::HeaderField>> headers;
  std::optional<std::string> secret;
  std::optional<hub::Signing> signing;
  std::optional<bool> ordered;
  std::optional<int> max_per_second;
  std::optional<std::string> legacy_signature;
  std::optional<hub::EndpointStatus> status;
};

enum class EndpointBodyUse : std::uint8_t {
  create,  ///< all but `status`; null is as if it were not there
  change   ///< all but `secret` and `signing`; null sets the default, where there is one
};

Read<EndpointBody> read_endpoint_body(std::string_view body, EndpointBodyUse use, const UrlPolicy& policy);

/// One header cannot say two things: the problem where a header of the owner's own has the name of the one that carries
/// the legacy signature.
std::optional<net::http::Problem> clash_of(const std::vector<hub::HeaderField>& headers,
                                           std::string_view legacy_signature);

/// What an answer says beside an endpoint's own members.
struct EndpointExtras {
  std::string_view secret{};                          ///< "secret", shown once
  std::optional<hub::UnixMs> previous_valid_until{};  ///< "previous_valid_until": of the secret before
  std::string_view account{};                         ///< "account": whose it is, by name
};

/// {"id","kind","owner","url","description","events","headers","signing"[,"public_key"],"ordered","max_per_second",
/// "legacy_signature","status","disabled_reason","failing_since","held_until","created_at"}, and the extras. `kind` is
/// `registered`, or `jobs` for one that stands for the webhook_url of submissions.
std::string endpoint_json(const hub::Endpoint& endpoint, const EndpointExtras& extras = {});

}  // namespace carillon::channels::webhook
