#include "channels/polling/job_polls.h"

#include <optional>
#include <utility>

#include "channels/polling/job_json.h"
#include "channels/refusal.h"

namespace carillon::channels::polling {
namespace {

constexpr net::MonotonicMs ms_per_s = 1000;
/// Who has waited already may ask again soon.
constexpr std::int64_t retry_after_waiting_s = 1;

}  // namespace

class JobPolls::Poll final : public WaitingPoll, public RingOf<Poll>::Place {
 public:
  Poll(JobPolls& polls, Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
       const Asked& asked)
      : WaitingPoll(guests, who, responder, guests.loop().now_ms() + asked.wait.seconds * ms_per_s),
        polls_(polls),
        by_(who.key),
        asked_(asked) {}
  ~Poll() override {
    RingOf<Poll>::Place::leave();
    polls_.drop_if_empty(asked_.job);
  }

  bool wants(const hub::Event& event) const {
    return event.seq > asked_.seen && (asked_.change || is_final(event.status));
  }
  void tell(const hub::Job& job, const net::http::Body& body) {
    note(job, true);
    answer(whole(job, body, asked_.wait, retry_after_waiting_s));
  }

 private:
  net::http::Response present() override {
    auto job = polls_.reader_.find_job(asked_.job);
    if (!job) return to_response(problem_for(hub::Refusal::not_found, no_such_job(asked_.job.text())));
    const bool same = asked_.change && job->seq == asked_.seen;
    note(*job, !same);
    if (same) return unchanged(*job, asked_.wait, retry_after_waiting_s);
    return whole(*job, job_json(*job), asked_.wait, retry_after_waiting_s);
  }

  void note(const hub::Job& job, bool told) {
    polls_.log_.polled(job.id, {guests().clock().now_ms(), job.seq, by_}, told);
  }

  JobPolls& polls_;
  hub::KeyId by_;
  Asked asked_;
};

void JobPolls::wait(Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
                    const Asked& asked) {
  by_job_[asked.job].add(*new Poll(*this, guests, who, responder, asked));
}

void JobPolls::on_commit(const hub::CommitBatch& batch) {
  if (by_job_.empty()) return;
  for (const hub::EventPtr& event : batch.events) {
    const auto found = by_job_.find(event->job);
    if (found != by_job_.end()) wake(found->second, *event);
  }
}

void JobPolls::wake(Polls& polls, const hub::Event& event) {
  // Apart, for an answer may bring the next request, which may wait for the same job.
  Polls woken;
  polls.for_each([&](Poll& poll) {
    if (poll.wants(event)) woken.add(poll);
  });
  if (woken.empty()) return;
  std::optional<hub::Job> job;
  try {
    job = reader_.find_job(event.job);
  } catch (const hub::StoreError&) {
    // Each finds out for itself, and says so.
  }
  // Made once for all of them.
  net::http::Body body = job ? job_json(*job) : net::http::Body();
  body.share();
  while (!woken.empty()) job ? woken.first().tell(*job, body) : woken.first().dismiss();
}

void JobPolls::drop_if_empty(const hub::JobId& job) {
  const auto found = by_job_.find(job);
  if (found != by_job_.end() && found->second.empty()) by_job_.erase(found);
}

}  // namespace carillon::channels::polling
