#include "tests/model/listener.h"

#include <algorithm>
#include <utility>

#include "tests/model/told.h"
#include "tests/model/trial_error.h"

namespace carillon::model {
namespace {

std::string message(std::string_view action, std::string_view job, std::optional<hub::Seq> after = {},
                    const std::string& epoch = {}) {
  std::string text = R"({"action":")";
  text.append(action).append(R"(","job_id":")").append(job).append("\"");
  if (after) text += R"(,"after":)" + std::to_string(*after) + R"(,"epoch":")" + epoch + "\"";
  return text + "}";
}

}  // namespace

Listener::Listener(const Reference& reference, const Caller& who, std::shared_ptr<Wire> wire, bool resume)
    : reference_(reference), who_(who), resume_(resume), client_(std::move(wire), who.key, resume) {}

void Listener::expect(const std::string& sent, Awaited awaited) {
  awaited.known = reference_.last();
  awaited_.push_back(awaited);
  client_.send(sent);
}

void Listener::subscribe(const hub::JobId& job, std::optional<hub::Seq> after, const std::string& epoch) {
  const Reference::Job* known = reference_.find(job);
  const bool sees = known != nullptr && reference_.may_see(who_, *known);
  expect(message("subscribe", job.text(), after, epoch),
         {sees ? Awaited::What::subscribed : Awaited::What::error, job, after});
}

void Listener::subscribe_to_all(std::optional<hub::Seq> after, const std::string& epoch) {
  expect(message("subscribe", "*", after, epoch), {Awaited::What::subscribed_to_all, {}, after});
}

void Listener::unsubscribe(const hub::JobId& job) {
  expect(message("unsubscribe", job.text()), {Awaited::What::unsubscribed, job});
}

void Listener::unsubscribe_from_all() { expect(message("unsubscribe", "*"), {Awaited::What::unsubscribed_from_all}); }

void Listener::ping() { expect(R"({"action":"ping"})", {Awaited::What::pong}); }

void Listener::take_in() {
  while (auto frame = client_.next()) unread_.push_back(std::move(*frame));
  while (!unread_.empty() && explain(unread_.front())) unread_.pop_front();
}

bool Listener::explain(const std::string& frame) {
  const Told told(frame);
  const std::string type = told.text("type");
  if (type == "heartbeat") return true;
  if (!connected_) {
    if (type != "connected") throw Divergence("not connected first: " + frame);
    connected_ = true;
    return true;
  }
  if (type == "job_update") return explain_update(frame);
  if (state_of_) throw Divergence("the present state does not follow: " + frame);
  if (awaited_.empty()) throw Divergence("nobody asked for " + frame);
  const Awaited asked = awaited_.front();
  using What = Awaited::What;
  const auto is = [&](What what, std::string_view name) { return asked.what == what && type == name; };
  if (is(What::pong, "pong") || is(What::error, "error")) {
    // Nothing follows.
  } else if (is(What::subscribed, "subscribed")) {
    if (told.text("job_id") != asked.job.text()) throw Divergence("of another job: " + frame);
    if (asked.after) {
      if (!told.boolean("recovered")) throw Divergence("not recovered: " + frame);
      told_[asked.job] = *asked.after;
    } else {
      state_of_ = asked.job;
      state_not_before_ = asked.known;
    }
  } else if (is(What::subscribed_to_all, "subscribed")) {
    if (asked.after && !told.boolean("recovered")) throw Divergence("not recovered: " + frame);
    if (!all_from_ || asked.after) {
      all_from_ = asked.after.value_or(asked.known);
      told_by_all_.clear();
    }
  } else if (is(What::unsubscribed, "unsubscribed")) {
    told_.erase(asked.job);
    // By "*" it goes on with the job from here.
    if (all_from_) {
      const Reference::Job* job = reference_.find(asked.job);
      if (job != nullptr && job->owner == who_.place) told_by_all_[asked.job] = reference_.last_of(*job);
    }
  } else if (is(What::unsubscribed_from_all, "unsubscribed")) {
    all_from_.reset();
    told_by_all_.clear();
  } else {
    throw Divergence("not what was asked for: " + frame);
  }
  awaited_.pop_front();
  return true;
}

bool Listener::explain_update(const std::string& frame) {
  Change update = Told(frame).change();
  const Reference::Job* job = reference_.find(update.job);
  if (job == nullptr) return false;
  if (!reference_.may_see(who_, *job)) throw Divergence("told " + who_.name + " of another's job: " + frame);
  // Which event it is: by its number, or by what it says.
  const Change* event = nullptr;
  if (resume_) {
    event = reference_.at(update.seq);
    if (event == nullptr && update.seq <= reference_.last()) throw Divergence("no such event: " + frame);
  } else {
    for (const std::size_t place : job->changes) {
      const Change& one = reference_.changes()[place];
      if (one.status == update.status && one.result == update.result && one.error == update.error &&
          one.progress == update.progress) {
        event = &one;
      }
    }
  }
  if (event == nullptr) return false;
  if (event->job != update.job || event->status != update.status || event->result != update.result ||
      event->error != update.error || event->progress != update.progress) {
    throw Divergence("told " + frame + " for " + to_text(*event));
  }

  const auto own = told_.find(update.job);
  const auto by_all = told_by_all_.find(update.job);
  hub::Seq told = own != told_.end() ? own->second : 0;
  if (own == told_.end() && all_from_) told = std::max(*all_from_, by_all == told_by_all_.end() ? 0 : by_all->second);

  if (state_of_ && *state_of_ == update.job) {
    const bool heard = own != told_.end() || (all_from_ && job->owner == who_.place);
    // What it has heard is the last there was, or the state is what comes next.
    const Change* next = reference_.next_of(update.job, told);
    const bool is_last_heard = event->seq <= told && reference_.next_of(update.job, event->seq) == next;
    const bool follows = !heard || event == next || is_last_heard;
    if (!follows) throw Divergence("the present state leaves a gap: " + frame);
    for (const std::size_t place : job->changes) {
      const Change& one = reference_.changes()[place];
      if (one.seq <= state_not_before_ && one.seq > event->seq) throw Divergence("an older state: " + frame);
    }
    told_[update.job] = event->seq;
    if (all_from_) told_by_all_[update.job] = event->seq;
    state_of_.reset();
    return true;
  }
  const bool hears = own != told_.end() || (all_from_ && job->owner == who_.place);
  if (!hears) {
    throw Divergence("told of a job that it does not listen to: " + frame);
  }
  const Change* next = reference_.next_of(update.job, told);
  if (next == nullptr || event->seq < next->seq) throw Divergence("told again: " + frame);
  if (event->seq > next->seq) throw Divergence("a gap: " + to_text(*next) + " before " + frame);
  if (own != told_.end()) own->second = event->seq;
  if (all_from_) told_by_all_[update.job] = event->seq;
  return true;
}

bool Listener::up_to_date() const { return missing().empty(); }

std::string Listener::missing() const {
  if (!connected_) return "connected";
  if (!awaited_.empty()) return "an answer";
  if (state_of_) return "the present state of " + state_of_->text();
  for (const auto& [job, told] : told_) {
    if (const Change* next = reference_.next_of(job, told)) return to_text(*next);
  }
  if (!all_from_) return {};
  for (const Change* change : reference_.of_owner(who_.place, *all_from_)) {
    if (told_.contains(change->job)) continue;
    const auto told = told_by_all_.find(change->job);
    if (told == told_by_all_.end() || told->second < change->seq) return to_text(*change);
  }
  return {};
}

hub::Seq Listener::told_of_all() const {
  hub::Seq through = reference_.last();
  for (const Change* change : reference_.of_owner(who_.place, *all_from_)) {
    const auto own = told_.find(change->job);
    const auto told = told_by_all_.find(change->job);
    const bool heard = (own != told_.end() && own->second >= change->seq) ||
                       (told != told_by_all_.end() && told->second >= change->seq);
    if (!heard) return change->seq - 1;
  }
  return through;
}

}  // namespace carillon::model
