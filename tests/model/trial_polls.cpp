#include <utility>

#include "tests/model/told.h"
#include "tests/model/trial.h"
#include "tests/model/trial_error.h"

namespace carillon::model {

void Trial::look_at_job() {
  const auto job = any_job();
  if (!job) return;
  const Caller& who = any_reporter(*job);
  say(who.name + " looks at " + short_of(*job));
  check_job(who, *job);
}

void Trial::check_job(const Caller& who, const hub::JobId& id) { judge_job(id, ask(who, "GET", "/jobs/" + id.text())); }

void Trial::judge_job(const hub::JobId& id, const std::optional<Answer>& answer) const {
  const Reference::Job& job = *reference_.find(id);
  if (fault_armed_ && (!answer || answer->status == 503)) return;
  if (!answer || answer->status != 200) throw Divergence("a job is not there: " + id.text());
  const Change told = Told(answer->body).change();
  if (told.seq != reference_.last_of(job) || told.status != job.status || told.result != job.result ||
      told.error != job.error || told.progress != job.progress) {
    throw Divergence("the job stands otherwise, at " + std::to_string(reference_.last_of(job)) + ": " + answer->body);
  }
}

void Trial::look_at_feed() {
  const Caller& who = any_client();
  say(who.name + " reads the feed");
  check_feed(who);
}

/// From a random place, in pages.
void Trial::check_feed(const Caller& who) {
  hub::Seq after =
      dice_.one_in(2) ? 0 : static_cast<hub::Seq>(dice_.below(static_cast<std::size_t>(reference_.last()) + 1));
  const auto wanted = reference_.of_owner(who.place, after);
  std::size_t at = 0;
  for (bool more = true; more;) {
    const auto answer =
        ask(who, "GET", "/events?after=" + std::to_string(after) + "&limit=" + std::to_string(dice_.between(1, 50)));
    if (fault_armed_ && (!answer || answer->status == 503)) return;
    if (!answer || answer->status != 200) {
      throw Divergence("no feed: " + (answer ? std::to_string(answer->status) + answer->body : std::string()));
    }
    const Told page(answer->body);
    for (const auto& element : page.list("events")) {
      const Told event(element.text);
      const Change told = Told(event.json("data")).change();
      if (at == wanted.size() || event.number("seq") != wanted[at]->seq ||
          !told.says_the_same({wanted[at]->seq, wanted[at]->job, 0, told.kind, told.status, wanted[at]->result,
                               wanted[at]->error, wanted[at]->progress}) ||
          event.text("type") != hub::to_text(wanted[at]->kind)) {
        throw Divergence("the feed says " + std::string(element.text) + " for " +
                         (at == wanted.size() ? "nothing" : to_text(*wanted[at])));
      }
      ++at;
    }
    after = page.number("next_after");
    more = page.boolean("has_more");
  }
  if (at != wanted.size()) throw Divergence("the feed does not have " + to_text(*wanted[at]));
}

void Trial::wait_for_job() {
  const auto id = any_job();
  if (!id || polls_.size() > 6) return;
  const Reference::Job& job = *reference_.find(*id);
  Poll poll;
  poll.who = &callers_[job.owner];
  poll.job = *id;
  std::string fields;
  if (dice_.one_in(2)) {
    poll.after = reference_.last_of(job);
    fields = "If-None-Match: \"" + std::to_string(*poll.after) + "\"\r\n";
  }
  const int wait_s = dice_.between(5, 60);
  poll.ends_ms = time_.passed_ms() + wait_s * ms_per_s;
  poll.client = std::make_unique<HttpClient>(connect());
  say(poll.who->name + " waits for " + short_of(*id) + (poll.after ? " to change" : " to end"));
  poll.client->send(
      http_request("GET", "/jobs/" + id->text() + "?wait=" + std::to_string(wait_s), poll.who->key, fields, {}));
  if (dice_.one_in(2)) hub_->settle();  // else it may come to wait while the next change is under way
  polls_.push_back(std::move(poll));
}

void Trial::wait_for_feed() {
  if (polls_.size() > 6) return;
  Poll poll;
  poll.of_feed = true;
  poll.who = &any_client();
  poll.after = reference_.last();
  const int wait_s = dice_.between(5, 60);
  poll.ends_ms = time_.passed_ms() + wait_s * ms_per_s;
  poll.client = std::make_unique<HttpClient>(connect());
  say(poll.who->name + " waits at the feed");
  poll.client->send(http_request("GET",
                                 "/events?after=" + std::to_string(*poll.after) + "&wait=" + std::to_string(wait_s),
                                 poll.who->key, {}, {}));
  if (dice_.one_in(2)) hub_->settle();
  polls_.push_back(std::move(poll));
}

/// Whoever is to be woken is; and what he is told is so.
void Trial::check_polls() {
  std::erase_if(polls_, [&](Poll& poll) {
    const Reference::Job* job = poll.of_feed ? nullptr : reference_.find(poll.job);
    const bool over = time_.passed_ms() >= poll.ends_ms;
    bool changed = false;
    if (poll.of_feed) {
      changed = !reference_.of_owner(poll.who->place, *poll.after).empty();
    } else {
      changed = poll.after ? reference_.last_of(*job) > *poll.after : hub::is_final(job->status);
    }
    std::optional<Answer> answer;
    if (over || changed) {
      answer = await_answer(*poll.client);
      if (!answer) throw Divergence("a poll that waits was cut off");
    } else {
      answer = poll.client->next();
      if (!answer) return false;
    }
    if (answer->status == 503 && (fault_armed_ || poll.may_be_refused)) return true;
    if (answer->status == 304) {
      const bool will_not_change = job != nullptr && hub::is_final(job->status);
      if (poll.of_feed || !poll.after || !(over || will_not_change)) throw Divergence("304 before its time");
      return true;
    }
    if (answer->status != 200) throw Divergence("a poll is answered " + std::to_string(answer->status));
    const Told told(answer->body);
    if (poll.of_feed) {
      const auto wanted = reference_.of_owner(poll.who->place, *poll.after);
      const auto events = told.list("events");
      if (events.empty() && !over) throw Divergence("an empty page before its time");
      for (std::size_t i = 0; i < events.size(); ++i) {
        if (i >= wanted.size() || Told(events[i].text).number("seq") != wanted[i]->seq) {
          throw Divergence("the feed told " + std::string(events[i].text));
        }
      }
      return true;
    }
    const Change* event = reference_.at(told.number("seq"));
    if (event == nullptr || event->job != poll.job) throw Divergence("a poll told " + answer->body);
    const bool as_wanted = poll.after ? event->seq > *poll.after : hub::is_final(event->status);
    if (!as_wanted && !over) throw Divergence("a poll was answered too early: " + answer->body);
    return true;
  });
}

}  // namespace carillon::model
