#include "app/turnstile.h"

#include <string>

#include "channels/refusal.h"

namespace carillon::app {

namespace {

std::string address_of(const net::http::Request& request) {
  const net::Connection* const connection = request.connection.get();
  return connection != nullptr ? connection->peer() : std::string();
}

}  // namespace

bool Turnstile::admits(const net::http::Request& request, const net::http::Responder& responder) {
  if (!rates_->limits_addresses()) return true;
  const auto outcome = rates_->take(net::network_of(address_of(request)), loop_.now_ms());
  responder.add_fields(rates_->address_fields(outcome));
  if (outcome.taken) return true;
  responder.send({429,
                  "rate_limited",
                  "This address may make " + std::to_string(rates_->per_second_of_address()) + " calls a second.",
                  {},
                  net::up_to_s(outcome.wait_ms)});
  return false;
}

bool Turnstile::admits(const hub::Principal& who, CallClass call, const net::http::Responder& responder) {
  if (options_.names_callers) responder.name_caller(hub::to_text(who.key));
  if (!rates_->limits(call)) return true;
  const auto outcome = rates_->take(who.key, call, loop_.now_ms());
  responder.add_fields(rates_->fields(call, outcome));
  if (outcome.taken) return true;
  ++figures_.limited_of(call);
  responder.send({429,
                  "rate_limited",
                  "This key may make " + std::to_string(rates_->per_second(call)) + " calls a second of the class \"" +
                      std::string(to_text(call)) + "\".",
                  {},
                  net::up_to_s(outcome.wait_ms)});
  return false;
}

void Turnstile::turn_away(hub::AuthRefusal refusal, const net::http::Request& request,
                          const net::http::Responder& responder) {
  ++figures_.refused_for(refusal);
  if (options_.refusals_per_address > 0) {
    const net::MonotonicMs delay_ms =
        admission_.refused(address_of(request), loop_.now_ms(), options_.refusals_per_address);
    if (delay_ms > 0) {
      return responder.send(
          {429,
           "too_many_refusals",
           "Keys from this address were refused too often, and so is this one: " + std::string(to_text(refusal)) + ".",
           {},
           net::up_to_s(delay_ms)});
    }
  }
  responder.send(channels::problem_for(refusal));
}

}  // namespace carillon::app
