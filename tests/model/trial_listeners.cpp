#include <iterator>
#include <utility>

#include "tests/model/trial.h"
#include "tests/model/trial_error.h"

namespace carillon::model {

void Trial::listen() {
  if (listeners_.size() > 5) return;
  const Caller& who = dice_.one_in(5) ? callers_[3] : any_client();
  const bool resumes = !dice_.one_in(3);
  say(who.name + " listens" + (resumes ? ", to resume" : ""));
  listeners_.push_back(std::make_unique<Listener>(reference_, who, connect(), resumes));
}

void Trial::subscribe() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  if (listener.stalled) return;
  if (dice_.one_in(3)) {
    say(listener.who().name + " subscribes to all");
    return listener.subscribe_to_all();
  }
  const auto job = any_job();
  if (!job) return;
  say(listener.who().name + " subscribes to " + short_of(*job));
  listener.subscribe(*job);
  if (dice_.one_in(2)) listener.ping();  // a short message that may be read together with the one before it
}

void Trial::unsubscribe() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  if (listener.stalled) return;
  if (listener.hears_all() && dice_.one_in(2)) {
    say(listener.who().name + " unsubscribes from all");
    return listener.unsubscribe_from_all();
  }
  if (listener.jobs().empty()) return;
  const hub::JobId job =
      std::next(listener.jobs().begin(), static_cast<std::ptrdiff_t>(dice_.below(listener.jobs().size())))->first;
  say(listener.who().name + " unsubscribes from " + short_of(job));
  listener.unsubscribe(job);
}

void Trial::drop() {
  if (listeners_.empty()) return;
  const std::size_t which = dice_.below(listeners_.size());
  Listener& listener = *listeners_[which];
  say(listener.who().name + " drops its connection");
  if (listener.resumes()) {
    Lost lost{&listener.who(), listener.jobs(), {}};
    if (listener.hears_all()) lost.all = listener.told_of_all();
    lost_.push_back(std::move(lost));
  }
  dice_.one_in(2) ? listener.wire().close() : listener.wire().reset();
  listeners_.erase(listeners_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Trial::resume() {
  if (lost_.empty() || listeners_.size() > 6) return;
  const Lost lost = std::move(lost_.back());
  lost_.pop_back();
  say(lost.who->name + " resumes");
  auto listener = std::make_unique<Listener>(reference_, *lost.who, connect(), true);
  if (lost.all) {
    listener->subscribe_to_all(lost.all, hub_->epoch());
  } else {
    for (const auto& [job, after] : lost.jobs) listener->subscribe(job, after, hub_->epoch());
  }
  listeners_.push_back(std::move(listener));
}

void Trial::stall() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  listener.stalled = !listener.stalled;
  say(listener.who().name + (listener.stalled ? " does not read any more" : " reads again"));
  listener.wire().set_window(listener.stalled ? 0 : weather_.window_bytes);
}

void Trial::check_listeners() {
  const auto ready = [&] {
    bool all = true;
    for (const auto& listener : listeners_) {
      if (listener->stalled) continue;
      listener->take_in();
      all = all && (listener->closed_with() != 0 || listener->ended() || listener->up_to_date());
    }
    return all;
  };
  if (!arrivals_.await(patience_.answer, ready)) {
    for (const auto& listener : listeners_) {
      if (!listener->stalled && !listener->up_to_date()) {
        throw Divergence(listener->who().name + " is not told " + listener->missing());
      }
    }
    throw Divergence("a listener is not told");
  }
  std::erase_if(listeners_, [&](const auto& listener) {
    if (listener->stalled) return false;
    if (listener->closed_with() == 0 && !listener->ended()) {
      if (listener->has_unexplained()) throw Divergence("nobody knows of " + listener->unexplained().front());
      return false;
    }
    const int code = listener->closed_with();
    const bool slow = listener->may_be_closed_as_slow && (code == 1008 || code == 0);
    const bool unreadable = listener->may_be_told_to_try_again && code == 1013;
    if (!slow && !unreadable) throw Divergence(listener->who().name + " is closed with " + std::to_string(code));
    say(listener->who().name + " was closed with " + std::to_string(code));
    if (listener->resumes()) {
      Lost lost{&listener->who(), listener->jobs(), {}};
      if (listener->hears_all()) lost.all = listener->told_of_all();
      lost_.push_back(std::move(lost));
    }
    return true;
  });
}

}  // namespace carillon::model
