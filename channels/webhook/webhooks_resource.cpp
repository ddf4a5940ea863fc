#include "channels/webhook/webhooks_resource.h"

#include <utility>
#include <variant>
#include <vector>

#include "channels/body_reader.h"
#include "channels/query_reader.h"
#include "channels/refusal.h"
#include "channels/webhook/delivery_json.h"
#include "channels/webhook/endpoint_body.h"
#include "channels/webhook/endpoint_call_bodies.h"
#include "channels/webhook/endpoint_listing.h"
#include "channels/webhook/visible_endpoint.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::Outcome;
using net::http::json_response;
using net::http::Problem;
using net::http::Responder;
using net::http::Response;

constexpr std::int64_t ms_per_s = 1000;

/// The refusal in its own words, but that there is no such endpoint always in the same.
template <typename T>
Problem refused(const Outcome<T>& outcome, hub::EndpointId id) {
  const bool missing = outcome.refusal() == hub::Refusal::not_found;
  return problem_for(outcome.refusal(), missing ? no_such_webhook(to_text(id)) : outcome.detail());
}

/// An answer that holds a secret is for its asker alone.
Response secret_response(int status, std::string body) {
  Response response = json_response(status, std::move(body));
  response.with("Cache-Control", "no-store");
  return response;
}

/// What only a registered endpoint takes.
Problem not_for_jobs(std::string_view what) {
  return {409,
          "webhook_of_jobs",
          "This webhook stands for the webhook_url of submissions, and its " + std::string(what) +
              ". Register a webhook for anything else.",
          {},
          0};
}

/// A new secret, and where the endpoint signs with a key of its own a new one of these.
struct FreshSecret {
  hub::WebhookSecret secret;
  std::string public_key;
};
FreshSecret make_secret(std::optional<std::string> wanted, hub::Signing signing) {
  FreshSecret fresh;
  fresh.secret.secret = wanted ? std::move(*wanted) : hub::make_webhook_secret();
  if (signing == hub::Signing::ed25519) {
    hub::SigningKey key = hub::make_signing_key();
    fresh.secret.signing_key = std::move(key.secret);
    fresh.public_key = std::move(key.public_key);
  }
  return fresh;
}

/// True when the body holds nothing that would be passed over; answers otherwise.
bool has_no_members(const net::http::Request& request, const Responder& responder) {
  const auto problem = fault_of_body_without_members(request.body);
  if (problem) responder.send(*problem);
  return !problem;
}

}  // namespace

std::optional<hub::Endpoint> WebhooksResource::find(const Request& request, const hub::Principal& who,
                                                    const Responder& responder) {
  const std::string_view id = request.parameters[0];
  auto endpoint = find_visible_endpoint(reader_, ownership_, who, id);
  if (!endpoint) responder.send(problem_for(hub::Refusal::not_found, no_such_webhook(id)));
  return endpoint;
}

void WebhooksResource::create(const Request& request, const hub::Principal& who, const Responder& responder) {
  auto read = read_endpoint_body(request.body, EndpointBodyUse::create, urls_);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<EndpointBody>(read);
  hub::NewEndpoint endpoint;
  endpoint.by = who;
  endpoint.url = std::move(*body.url);
  endpoint.description = std::move(body.description).value_or("");
  endpoint.events = body.events.value_or(endpoint.events);
  endpoint.headers = std::move(body.headers).value_or(endpoint.headers);
  endpoint.signing = body.signing.value_or(endpoint.signing);
  endpoint.ordered = body.ordered.value_or(endpoint.ordered);
  endpoint.max_per_second = body.max_per_second.value_or(endpoint.max_per_second);
  endpoint.legacy_signature = std::move(body.legacy_signature).value_or("");
  FreshSecret fresh = make_secret(std::move(body.secret), endpoint.signing);
  endpoint.secret = std::move(fresh.secret);
  endpoint.public_key = std::move(fresh.public_key);
  const std::string secret = endpoint.secret.secret;
  store_.create_endpoint(std::move(endpoint), home_, [responder, secret](const Outcome<hub::Endpoint>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome.refusal(), outcome.detail()));
    Response response = secret_response(201, endpoint_json(*outcome, {.secret = secret}));
    response.with("Location", "/api/v1/webhooks/" + to_text(outcome->id));
    responder.send(std::move(response));
  });
}

void WebhooksResource::list(const Request& request, const hub::Principal& who, const Responder& responder) {
  QueryReader query(request);
  const EndpointListing listing = take_endpoint_listing(query);
  if (const auto problem = query.end()) return responder.send(*problem);
  const auto endpoints = reader_.endpoints({who.key, listing.for_jobs, listing.after, listing.limit + 1});
  std::vector<std::string> page;
  for (std::size_t i = 0; i < endpoints.size() && i < listing.limit; ++i) page.push_back(endpoint_json(endpoints[i]));
  const bool more = endpoints.size() > listing.limit;
  responder.send(json_response(
      200, endpoint_page_json(page, more ? std::optional(endpoints[listing.limit - 1].id) : std::nullopt)));
}

void WebhooksResource::show(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (endpoint) responder.send(json_response(200, endpoint_json(*endpoint)));
}

void WebhooksResource::change(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint) return;
  auto read = read_endpoint_body(request.body, EndpointBodyUse::change, urls_);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<EndpointBody>(read);
  const bool only_status = !body.url && !body.description && !body.events && !body.headers && !body.ordered &&
                           !body.max_per_second && !body.legacy_signature;
  if (endpoint->for_jobs && !only_status) return responder.send(not_for_jobs("status is all that can be changed"));
  if (const auto clash = clash_of(body.headers.value_or(endpoint->headers),
                                  body.legacy_signature.value_or(endpoint->legacy_signature))) {
    return responder.send(*clash);
  }
  hub::EndpointChange change;
  change.by = who;
  change.endpoint = endpoint->id;
  change.url = std::move(body.url);
  change.description = std::move(body.description);
  change.events = body.events;
  change.headers = std::move(body.headers);
  change.ordered = body.ordered;
  change.max_per_second = body.max_per_second;
  change.legacy_signature = std::move(body.legacy_signature);
  change.status = body.status;
  apply(std::move(change), responder);
}

void WebhooksResource::enable(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint || !has_no_members(request, responder)) return;
  hub::EndpointChange change;
  change.by = who;
  change.endpoint = endpoint->id;
  change.status = hub::EndpointStatus::enabled;
  apply(std::move(change), responder);
}

void WebhooksResource::apply(hub::EndpointChange change, const Responder& responder) {
  const hub::EndpointId id = change.endpoint;
  store_.change_endpoint(std::move(change), home_, [responder, id](const Outcome<hub::Endpoint>& outcome) {
    if (!outcome) return responder.send(refused(outcome, id));
    responder.send(json_response(200, endpoint_json(*outcome)));
  });
}

void WebhooksResource::remove(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint) return;
  const hub::EndpointId id = endpoint->id;
  store_.delete_endpoint(who, id, home_, [responder, id](const Outcome<hub::Done>& outcome) {
    if (!outcome) return responder.send(refused(outcome, id));
    responder.send(Response{204, {}, {}, {}});
  });
}

void WebhooksResource::test(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint || !has_no_members(request, responder)) return;
  const hub::EndpointId id = endpoint->id;
  store_.test_endpoint(who, id, home_, [responder, id](const Outcome<hub::DeliveryReport>& outcome) {
    if (!outcome) return responder.send(refused(outcome, id));
    responder.send(delivery_accepted(*outcome));
  });
}

void WebhooksResource::rotate_secret(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint) return;
  auto read = read_secret_rotation_body(request.body);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<SecretRotationBody>(read);
  if (endpoint->for_jobs) {
    return responder.send(not_for_jobs("secret came with these, or is the account's default (/webhook-secret)"));
  }
  FreshSecret fresh = make_secret(std::move(body.secret), endpoint->signing);
  hub::SecretRotation rotation;
  rotation.by = who;
  rotation.endpoint = endpoint->id;
  rotation.secret = std::move(fresh.secret);
  rotation.public_key = std::move(fresh.public_key);
  rotation.previous_until = clock_.now_ms() + body.overlap_s.value_or(secret_overlap_s_) * ms_per_s;
  const auto reply = [responder, id = endpoint->id, secret = rotation.secret.secret,
                      previous_until = rotation.previous_until](const Outcome<hub::Endpoint>& outcome) {
    if (!outcome) return responder.send(refused(outcome, id));
    const EndpointExtras extras{.secret = secret, .previous_valid_until = previous_until};
    responder.send(secret_response(200, endpoint_json(*outcome, extras)));
  };
  store_.rotate_secret(std::move(rotation), home_, reply);
}

void WebhooksResource::replay(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto endpoint = find(request, who, responder);
  if (!endpoint) return;
  const auto read = read_replay_body(request.body);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  const auto& body = std::get<ReplayBody>(read);
  hub::ReplaySlice slice;
  slice.by = who;
  slice.endpoint = endpoint->id;
  slice.since = body.since;
  // Without an end, all that was written until now: what comes while it runs is none of it.
  slice.until = body.until.value_or(clock_.now_ms() + 1);
  slice.delivered_too = body.delivered_too;
  replay_on(slice, 0, responder);
}

void WebhooksResource::replay_on(hub::ReplaySlice slice, std::size_t sent_again, const Responder& responder) {
  store_.replay(slice, home_, [this, slice, sent_again, responder](const Outcome<hub::ReplayProgress>& outcome) {
    if (!outcome) {
      Problem problem = refused(outcome, slice.endpoint);
      if (sent_again > 0) {
        problem.detail = "It was broken off when " + std::to_string(sent_again) +
                         " were to be sent again; ask once more for the rest. " + problem.detail;
      }
      return responder.send(problem);
    }
    const std::size_t total = sent_again + outcome->sent_again;
    if (!outcome->after) {
      return responder.send(json_response(200, R"({"sent_again":)" + std::to_string(total) + "}"));
    }
    if (!responder.alive()) return;
    hub::ReplaySlice next = slice;
    next.after = *outcome->after;
    replay_on(next, total, responder);
  });
}

}  // namespace carillon::channels::webhook
