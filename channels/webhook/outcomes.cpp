#include "channels/webhook/outcomes.h"

#include <iterator>
#include <utility>

namespace carillon::channels::webhook {
namespace {

/// A store that has refused is left alone for so long.
constexpr net::MonotonicMs pause_ms = 1'000;

}  // namespace

Outcomes::Outcomes(hub::Store& store, hub::CommitListener& home, net::EventLoop& loop, Recorded recorded)
    : store_(store), home_(home), loop_(loop), recorded_(std::move(recorded)) {}

void Outcomes::add(hub::Attempt attempt) { gathered_.push_back(std::move(attempt)); }

void Outcomes::hand_over() {
  if (gathered_.empty() || pending()) return;
  auto kept = std::exchange(gathered_, {});
  at_store_ += kept.size();
  auto attempts = kept;
  store_.record(std::move(attempts), home_,
                [this, kept = std::move(kept)](const hub::Outcome<hub::Done>& outcome) mutable {
                  answered(std::move(kept), outcome);
                });
}

void Outcomes::hand_over_the_last() {
  cancel();
  hand_over();
}

void Outcomes::answered(std::vector<hub::Attempt> attempts, const hub::Outcome<hub::Done>& outcome) {
  at_store_ -= attempts.size();
  if (outcome) return recorded_(attempts);
  gathered_.insert(gathered_.begin(), std::make_move_iterator(attempts.begin()),
                   std::make_move_iterator(attempts.end()));
  loop_.set_timer_in(*this, pause_ms);
}

}  // namespace carillon::channels::webhook
