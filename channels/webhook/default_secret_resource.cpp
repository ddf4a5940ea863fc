#include "channels/webhook/default_secret_resource.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "channels/refusal.h"
#include "channels/webhook/endpoint_call_bodies.h"
#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::Outcome;

constexpr std::int64_t ms_per_s = 1000;

net::http::Response secret_response(const std::string& secret, std::optional<hub::UnixMs> previous_valid_until) {
  std::string body = R"({"secret":)";
  hub::json::append_string(body, secret);
  if (previous_valid_until) {
    body += R"(,"previous_valid_until":)";
    hub::json::append_string(body, hub::rfc3339_ms(*previous_valid_until));
  }
  net::http::Response response = net::http::json_response(200, body + "}");
  response.with("Cache-Control", "no-store");
  return response;
}

}  // namespace

void DefaultSecretResource::show(const Request&, const hub::Principal& who, const Responder& responder) {
  store_.default_secret(who.account, home_, [responder](const Outcome<std::string>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
    responder.send(secret_response(*outcome, std::nullopt));
  });
}

void DefaultSecretResource::rotate(const Request& request, const hub::Principal& who, const Responder& responder) {
  auto read = read_secret_rotation_body(request.body);
  if (const auto* problem = std::get_if<net::http::Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<SecretRotationBody>(read);
  std::string secret = body.secret ? std::move(*body.secret) : hub::make_webhook_secret();
  const hub::UnixMs previous_until = clock_.now_ms() + body.overlap_s.value_or(secret_overlap_s_) * ms_per_s;
  store_.rotate_default_secret(who.account, std::move(secret), previous_until, home_,
                               [responder, previous_until](const Outcome<std::string>& outcome) {
                                 if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
                                 responder.send(secret_response(*outcome, previous_until));
                               });
}

}  // namespace carillon::channels::webhook
