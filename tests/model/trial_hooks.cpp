#include <algorithm>
#include <set>
#include <utility>

#include "tests/model/told.h"
#include "tests/model/trial.h"
#include "tests/model/trial_error.h"

namespace carillon::model {

void Trial::register_hook() {
  if (hooks_.size() > 4) return;
  const Caller& who = any_client();
  Hook hook;
  hook.owner = who.place;
  hook.ordered = dice_.one_in(3);
  std::string kinds;
  for (const auto kind : {hub::EventKind::queued, hub::EventKind::running, hub::EventKind::progress,
                          hub::EventKind::succeeded, hub::EventKind::failed}) {
    if (!dice_.one_in(2) && (kind != hub::EventKind::failed || !hook.kinds.empty())) continue;
    hook.kinds.push_back(kind);
    kinds.append(kinds.empty() ? "\"" : ",\"").append(hub::to_text(kind)).append("\"");
  }
  const std::size_t place = hooks_.size();
  const Manner manner = dice_.one_in(2) ? Manner::well : static_cast<Manner>(dice_.below(6));
  endpoints_->behave(place, manner);
  say(who.name + " registers webhook " + std::to_string(place) + (hook.ordered ? ", ordered" : "") + ", manner " +
      std::to_string(static_cast<int>(manner)) + " of " + kinds);
  const auto answer = ask(who, "POST", "/webhooks",
                          R"({"url":")" + endpoints_->url(place) + R"(","events":[)" + kinds + R"(],"ordered":)" +
                              (hook.ordered ? "true" : "false") + R"(,"headers":{")" + Endpoints::header + R"(":")" +
                              std::to_string(place) + "\"}}");
  hook.since = reference_.last();
  hook.certain = answer && answer->status == 201;
  if (!hook.certain && !(fault_armed_ && (!answer || answer->status == 503))) {
    throw Divergence("not registered: " + (answer ? answer->body : std::string()));
  }
  hooks_.push_back(std::move(hook));
}

void Trial::change_manner() {
  if (hooks_.empty()) return;
  const std::size_t place = dice_.below(hooks_.size());
  const auto manner = static_cast<Manner>(dice_.below(6));
  say("webhook " + std::to_string(place) + " has manner " + std::to_string(static_cast<int>(manner)));
  endpoints_->behave(place, manner);
}

/// Those whose registration was not answered are there, or not.
void Trial::adopt_hooks() {
  for (std::size_t place = 0; place < hooks_.size(); ++place) {
    Hook& hook = hooks_[place];
    const auto answer = ask(callers_[hook.owner], "GET", "/webhooks?limit=100");
    if (!answer || answer->status != 200)
      throw Divergence("no list of webhooks: " + (answer ? std::to_string(answer->status) + answer->body : "cut off"));
    const Told list(answer->body);
    bool there = false;
    for (const auto& element : list.list("webhooks")) {
      there = there || Told(element.text).text("url") == endpoints_->url(place);
    }
    if (hook.certain && !there) throw Divergence("lost: webhook " + std::to_string(place));
    if (there && !hook.certain) {
      say("  webhook " + std::to_string(place) + " is there");
      hook.certain = true;
      hook.since = reference_.last();
    }
  }
}

/// All that is owed arrives once the endpoints are well; nothing else does.
void Trial::check_hooks_at_the_end() {
  for (std::size_t place = 0; place < hooks_.size(); ++place) endpoints_->behave(place, Manner::well);
  const auto missing = [&](std::size_t place) -> const Change* {
    const Hook& hook = hooks_[place];
    if (!hook.certain) return nullptr;
    std::set<hub::Seq> arrived;
    for (const Attempt& attempt : endpoints_->heard(place)) {
      if (attempt.answered == 204) arrived.insert(attempt.change.seq);
    }
    for (const Change* change : reference_.of_owner(hook.owner, hook.since)) {
      if (std::find(hook.kinds.begin(), hook.kinds.end(), change->kind) == hook.kinds.end()) continue;
      if (!arrived.contains(change->seq)) return change;
    }
    return nullptr;
  };
  const auto deadline = std::chrono::steady_clock::now() + patience_.answer;
  for (std::size_t place = 0; place < hooks_.size(); ++place) {
    while (const Change* change = missing(place)) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw Divergence("webhook " + std::to_string(place) + " was never told " + to_text(*change));
      }
      time_.pass(5 * ms_per_s);
      hub_->time_has_passed();
      arrivals_.await(std::chrono::milliseconds(5), [&] { return missing(place) != change; });
    }
    check_attempts(place);
  }
}

void Trial::check_attempts(std::size_t place) {
  const Hook& hook = hooks_[place];
  std::map<hub::Seq, std::string> messages;
  std::map<hub::Seq, int> arrived;
  hub::Seq last = 0;
  std::string attempts;  // for who reads of a divergence
  for (const Attempt& attempt : endpoints_->heard(place)) {
    attempts += " " + std::to_string(attempt.change.seq) + ":" + std::to_string(attempt.answered);
  }
  say("webhook " + std::to_string(place) + " heard" + attempts);
  for (const Attempt& attempt : endpoints_->heard(place)) {
    const hub::Seq seq = attempt.change.seq;
    const std::string what = "webhook " + std::to_string(place) + " was told " + std::to_string(seq);
    const Change* event = reference_.at(seq);
    if (event == nullptr) throw Divergence(what + ", which is none");
    if (event->owner != hook.owner) throw Divergence(what + ", which is another's");
    if (hub::to_text(event->kind) != attempt.kind || event->job != attempt.change.job ||
        event->result != attempt.change.result || event->error != attempt.change.error ||
        event->progress != attempt.change.progress) {
      throw Divergence(what + " otherwise than it is");
    }
    if (std::find(hook.kinds.begin(), hook.kinds.end(), event->kind) == hook.kinds.end()) {
      throw Divergence(what + ", which it does not want");
    }
    if (!messages.emplace(seq, attempt.message).second && messages[seq] != attempt.message) {
      throw Divergence(what + " under two ids");
    }
    if (attempt.answered == 204 && ++arrived[seq] > 1 && quiet_) throw Divergence(what + " again");
    if (hook.ordered && arrived[seq] < 2) {
      if (seq < last && arrived[last] > 0) throw Divergence(what + " behind " + std::to_string(last));
      if (seq > last && last != 0 && arrived[last] == 0) {
        throw Divergence(what + " before " + std::to_string(last) + " has arrived");
      }
      last = std::max(last, seq);
    }
  }
}

}  // namespace carillon::model
