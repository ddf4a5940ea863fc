#include "channels/webhook/deliveries_resource.h"

#include <string>
#include <utility>

#include "channels/body_reader.h"
#include "channels/query_reader.h"
#include "channels/refusal.h"
#include "channels/webhook/delivery_json.h"
#include "channels/webhook/visible_endpoint.h"
#include "hub/json.h"

namespace carillon::channels::webhook {
namespace {

using hub::DeliveryState;
using net::http::json_response;

constexpr std::size_t limit_default = 50;
constexpr std::size_t limit_max = 100;
constexpr std::size_t attempts_shown_max = 100;

std::optional<DeliveryState> take_state(QueryReader& query) {
  const auto status = query.take("status");
  if (!status) return std::nullopt;
  for (const auto state : {DeliveryState::pending, DeliveryState::delivered, DeliveryState::failed}) {
    if (*status == to_text(state)) return state;
  }
  query.refuse("status", "must be one of pending, delivered, failed");
  return std::nullopt;
}

}  // namespace

void DeliveriesResource::list(const Request& request, const hub::Principal& who, const Responder& responder) {
  const std::string_view id = request.parameters[0];
  const auto endpoint = find_visible_endpoint(reader_, ownership_, who, id);
  if (!endpoint) return responder.send(problem_for(hub::Refusal::not_found, no_such_webhook(id)));
  QueryReader query(request);
  const auto state = take_state(query);
  const std::size_t limit = query.take_limit("limit", limit_default, limit_max);
  const auto before = query.take_cursor<hub::DeliveryTag>();
  if (const auto problem = query.end()) return responder.send(*problem);

  const auto list = reader_.deliveries({.endpoint = endpoint->id, .state = state, .before = before, .limit = limit});
  std::string body = R"({"deliveries":[)";
  for (const hub::DeliveryReport& delivery : list.deliveries) {
    if (&delivery != &list.deliveries.front()) body += ',';
    body += delivery_json(delivery);
  }
  body += R"(],"next_cursor":)";
  list.next ? hub::json::append_string(body, to_text(*list.next)) : void(body += "null");
  responder.send(json_response(200, body + "}"));
}

std::optional<hub::DeliveryReport> DeliveriesResource::find(const Request& request, const hub::Principal& who,
                                                            const Responder& responder) {
  const std::string_view text = request.parameters[0];
  const auto id = hub::parse_id<hub::DeliveryTag>(text);
  auto delivery = id ? reader_.find_delivery_report(*id) : std::nullopt;
  if (delivery && !find_visible_endpoint(reader_, ownership_, who, to_text(delivery->endpoint))) delivery.reset();
  if (!delivery) responder.send(problem_for(hub::Refusal::not_found, no_such_delivery(text)));
  return delivery;
}

void DeliveriesResource::show(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto delivery = find(request, who, responder);
  if (!delivery) return;
  responder.send(json_response(200, delivery_json(*delivery, reader_.attempts_at(delivery->id, attempts_shown_max))));
}

void DeliveriesResource::redeliver(const Request& request, const hub::Principal& who, const Responder& responder) {
  const auto delivery = find(request, who, responder);
  if (!delivery) return;
  if (const auto problem = fault_of_body_without_members(request.body)) return responder.send(*problem);
  const hub::DeliveryId id = delivery->id;
  store_.redeliver(who, id, home_, [responder, id](const hub::Outcome<hub::DeliveryReport>& outcome) {
    if (outcome) return responder.send(delivery_accepted(*outcome));
    const bool missing = outcome.refusal() == hub::Refusal::not_found;
    responder.send(problem_for(outcome.refusal(), missing ? no_such_delivery(to_text(id)) : outcome.detail()));
  });
}

}  // namespace carillon::channels::webhook
