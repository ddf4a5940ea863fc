#include "channels/polling/waiting_poll.h"

#include <utility>

#include "channels/refusal.h"

namespace carillon::channels::polling {

WaitingPoll::WaitingPoll(Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
                         net::MonotonicMs until_ms)
    : Guest(guests, who), responder_(responder), until_ms_(until_ms) {
  ++this->guests().polls_;
  responder_.tell_departure(*this);
  set_deadline();
}

WaitingPoll::~WaitingPoll() { --guests().polls_; }

void WaitingPoll::answer(net::http::Response response) {
  // The answer may bring the next request, which may wait too: this one must have made room for it.
  const net::http::Responder responder = responder_;
  delete this;
  responder.send(std::move(response));
}

void WaitingPoll::answer_present() {
  net::http::Response response;
  try {
    response = present();
  } catch (const hub::StoreError&) {
    response = to_response(store_unreadable());
  }
  answer(std::move(response));
}

void WaitingPoll::turn_away(hub::AuthRefusal why) { answer(to_response(problem_for(why))); }

void WaitingPoll::set_deadline() { guests().loop().timers().set(*this, key_ends_ms(until_ms_)); }

void WaitingPoll::on_timer() {
  if (key_has_ended()) return turn_away(guests().refusal_of(*this));
  if (guests().loop().now_ms() >= until_ms_) return answer_present();
  set_deadline();
}

void WaitingPoll::on_departed() noexcept {
  if (responder_.alive()) return answer_present();
  delete this;
}

}  // namespace carillon::channels::polling
