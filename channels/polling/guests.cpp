#include "channels/polling/guests.h"

#include <algorithm>
#include <unordered_map>
#include <variant>

namespace carillon::channels::polling {
namespace {

/// As many answers as a loop gives in a few milliseconds.
constexpr int dismissed_per_turn = 500;

}  // namespace

Guest::Guest(Guests& guests, const hub::Principal& who) : guests_(guests), who_(who) { guests_.all_.add(*this); }

Guest::~Guest() { give_place_back(); }

void Guest::give_place_back() noexcept {
  if (alone()) return;
  leave();
  guests_.room_.leave(who_.key);
}

bool Guest::key_has_ended() const { return guests_.clock_.now_ms() >= who_.valid_until; }

net::MonotonicMs Guest::key_ends_ms(net::MonotonicMs at_most_ms) const {
  if (who_.valid_until == hub::Principal{}.valid_until) return at_most_ms;
  const hub::UnixMs left_ms = std::max<hub::UnixMs>(0, who_.valid_until - guests_.clock_.now_ms());
  return std::min(at_most_ms, guests_.loop_.now_ms() + left_ms);
}

void Guests::recheck_keys() {
  std::unordered_map<hub::KeyHash, hub::AuthResult, hub::KeyHashHash> results;
  all_.for_each([&](Guest& guest) {
    hub::Principal& who = guest.who_;
    auto found = results.find(who.secret);
    if (found == results.end()) {
      try {
        found = results.emplace(who.secret, authenticator_.recheck(who.secret)).first;
      } catch (const hub::StoreError&) {
        // Whether the key still holds cannot be told: who comes back is asked for it again.
        return guest.dismiss();
      }
    }
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&found->second)) return guest.turn_away(*refusal);
    const hub::UnixMs valid_until = std::get<hub::Principal>(found->second).valid_until;
    if (valid_until == who.valid_until) return;
    who.valid_until = valid_until;
    guest.on_key_time_changed();
  });
}

hub::AuthRefusal Guests::refusal_of(const Guest& guest) const {
  try {
    const hub::AuthResult found = authenticator_.recheck(guest.who_.secret);
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&found)) return *refusal;
  } catch (const hub::StoreError&) {
    // That it holds no longer is known without the store.
  }
  return hub::AuthRefusal::expired;
}

void Guests::drain() {
  draining_ = true;
  on_timer();
}

void Guests::on_timer() {
  for (int i = 0; i < dismissed_per_turn && !all_.empty(); ++i) {
    // The last act of whoever is dismissed is to leave; a stream does so when it has said the rest.
    Guest& guest = all_.first();
    guest.dismiss();
  }
  if (!all_.empty()) loop_.set_timer_in(*this, 1);
}

}  // namespace carillon::channels::polling
