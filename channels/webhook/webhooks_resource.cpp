#include "channels/webhook/webhooks_resource.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "channels/refusal.h"
#include "channels/webhook/endpoint_body.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::Outcome;
using net::http::json_response;
using net::http::Problem;
using net::http::Responder;

Problem no_such_webhook(std::string_view id) {
  return problem_for(hub::Refusal::not_found, "Webhook not found or access denied: " + std::string(id));
}

/// The endpoint that the path names; answers where none can have that id.
std::optional<hub::EndpointId> endpoint_of(const net::http::Request& request, const Responder& responder) {
  const auto id = hub::parse_id<hub::EndpointTag>(request.parameters[0]);
  if (!id) responder.send(no_such_webhook(request.parameters[0]));
  return id;
}

}  // namespace

void WebhooksResource::create(const Request& request, const hub::Principal& who, const Responder& responder) {
  auto read = read_endpoint_body(request.body, EndpointBodyUse::create, urls_);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<EndpointBody>(read);
  hub::NewEndpoint endpoint;
  endpoint.by = who;
  endpoint.url = std::move(*body.url);
  endpoint.description = std::move(body.description).value_or("");
  endpoint.events = body.events.value_or(hub::final_events);
  endpoint.secret = body.secret ? std::move(*body.secret) : hub::make_webhook_secret();
  store_.create_endpoint(std::move(endpoint), home_, [responder](const Outcome<hub::Endpoint>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
    auto response = json_response(201, endpoint_json(*outcome, true));
    response.with("Location", "/api/v1/webhooks/" + to_text(outcome->id)).with("Cache-Control", "no-store");
    responder.send(std::move(response));
  });
}

void WebhooksResource::list(const Request&, const hub::Principal& who, const Responder& responder) {
  std::string body = R"({"webhooks":[)";
  const std::size_t empty = body.size();
  for (const hub::Endpoint& endpoint : reader_.endpoints_of(who.key)) {
    if (body.size() > empty) body += ',';
    body += endpoint_json(endpoint);
  }
  responder.send(json_response(200, body + "]}"));
}

void WebhooksResource::show(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto id = endpoint_of(request, responder);
  if (!id) return;
  const auto endpoint = reader_.find_endpoint(*id);
  if (!endpoint || endpoint->for_jobs || !ownership_.may_see(who, endpoint->owner)) {
    return responder.send(no_such_webhook(request.parameters[0]));
  }
  responder.send(json_response(200, endpoint_json(*endpoint)));
}

void WebhooksResource::change(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto id = endpoint_of(request, responder);
  if (!id) return;
  auto read = read_endpoint_body(request.body, EndpointBodyUse::change, urls_);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<EndpointBody>(read);
  apply({who, *id, std::move(body.url), std::move(body.description), body.events, {}}, responder);
}

void WebhooksResource::enable(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto id = endpoint_of(request, responder);
  if (!id) return;
  apply({who, *id, {}, {}, {}, hub::EndpointStatus::enabled}, responder);
}

void WebhooksResource::apply(hub::EndpointChange change, const Responder& responder) {
  store_.change_endpoint(std::move(change), home_, [responder](const Outcome<hub::Endpoint>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
    responder.send(json_response(200, endpoint_json(*outcome)));
  });
}

void WebhooksResource::remove(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto id = endpoint_of(request, responder);
  if (!id) return;
  store_.delete_endpoint(who, *id, home_, [responder](const Outcome<hub::Done>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
    responder.send(net::http::Response{204, {}, {}, {}});
  });
}

}  // namespace carillon::channels::webhook
