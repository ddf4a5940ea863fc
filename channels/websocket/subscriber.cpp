#include "channels/websocket/subscriber.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "channels/refusal.h"
#include "channels/websocket/channel.h"
#include "channels/websocket/messages.h"

namespace carillon::channels::websocket {
namespace {

constexpr std::size_t size_max = std::numeric_limits<std::size_t>::max();
constexpr hub::MissedLimit unlimited{size_max, size_max};

}  // namespace

/// What could not be answered yet, and the timer that takes it up again.
class Subscriber::Waiting final : public net::Timer {
 public:
  Waiting(Subscriber& subscriber, Asked&& left) : asked(std::move(left)), subscriber_(subscriber) {}

  Asked asked;

 private:
  void on_timer() override { subscriber_.go_on(); }

  Subscriber& subscriber_;
};

Subscriber::Subscriber(WebSocketChannel& channel, Session& session, KeyShare* share)
    : channel_(channel), session_(session) {
  if (share != nullptr) jobs_.of_key = all_.of_key = &share->subscriptions;
}

Subscriber::~Subscriber() = default;

void Subscriber::clear() noexcept {
  channel_.job_index_.remove_all(jobs_);
  channel_.all_index_.remove_all(all_);
}

void Subscriber::on_gone() noexcept {
  clear();
  channel_.forget_told_ahead(session_);
  waiting_.reset();
}

void Subscriber::note_drop(Ending why) noexcept {
  const hub::Principal& who = session_.principal();
  const EndingWords& words = endings[static_cast<std::size_t>(why)];
  std::optional<hub::Sight> sight;
  if (hears_all()) sight = {hub::Sight::Of::key, who.account, who.key};
  channel_.log_.dropped({channel_.clock_.now_ms(), who.key, "websocket", words.reason, words.close_code()}, sight,
                        [&](auto&& visit) { channel_.job_index_.for_each_topic(jobs_, visit); });
}

bool Subscriber::has(const hub::JobId& job) const {
  return jobs_.count > 0 && channel_.job_index_.find(jobs_, session_, job) != nullptr;
}

// --- turn by turn ----------------------------------------------------------------------------------------------------

void Subscriber::subscribe(Subscribe asked) {
  if (asked.resume && !session_.with_seq())
    return session_.send_error("after and epoch want a connection that was opened with ?resume=1");
  Asked all{std::move(asked)};
  if (answer(all)) return;
  waiting_ = std::make_unique<Waiting>(*this, std::move(all));
  session_.connection_.pause_reading();
  channel_.loop_.set_timer_in(*waiting_, 0);
}

bool Subscriber::answer(Asked& asked) {
  for (; asked.next < asked.message.jobs.size() && session_.open(); ++asked.next) {
    if (!may_go_on()) return false;
    const std::string& job = asked.message.jobs[asked.next];
    job == all_jobs ? subscribe_to_all(asked.message.resume) : subscribe_to(job, asked.message.resume);
  }
  return true;
}

void Subscriber::go_on() {
  if (!answer(waiting_->asked)) return channel_.loop_.set_timer_in(*waiting_, 0);
  waiting_.reset();
  session_.connection_.resume_reading();  // last: the connection may end by what it reads
}

bool Subscriber::may_go_on() const {
  // Of the room there is for what waits to be written a half is for one replay, so that the events behind it have some.
  return channel_.may_read() && session_.connection_.unsent_bytes() <= channel_.options_.queue_bytes_max / 4;
}

void Subscriber::tell(const hub::Event& event) {
  session_.send(channel_.frame_of(event, session_));
  note_told(event.seq);
}

void Subscriber::note_told(hub::Seq seq) {
  if (session_.open()) channel_.log_.sent(seq, seq > channel_.passed_ ? &Sent::websocket : &Sent::websocket_later);
}

hub::MissedLimit Subscriber::limit() const {
  const WebSocketOptions& options = channel_.options_;
  return {options.replay_events_max, options.queue_bytes_max / 2};
}

// --- one job ---------------------------------------------------------------------------------------------------------

void Subscriber::subscribe_to(const std::string& job, const std::optional<ResumePoint>& resume) {
  if (job.empty()) return session_.send_error("Missing job_id");
  const auto id = hub::JobId::parse(job);
  if (!id) return session_.send_error(no_such_job(shortened(job)));
  Subscription* subscription = channel_.job_index_.find(jobs_, session_, *id);
  const bool known = subscription != nullptr;
  if (!known && !has_room()) return;

  const bool may_recover = resume && resume->epoch == channel_.epoch_;
  const hub::Seq told_by_all = std::max({all_told_, channel_.passed_, channel_.told_ahead(session_, *id)});
  const hub::Seq told = known ? std::max(subscription->after, channel_.passed_) : told_by_all;
  const bool wants_events = may_recover || (!resume && (known || hears_all()));
  std::optional<hub::Reader::JobSince> since;
  try {
    if (wants_events) {
      // What batches are still to bring is in memory already, so it needs no limit.
      since = may_recover ? channel_.reader_.find_job_since(*id, resume->after, limit())
                          : channel_.reader_.find_job_since(*id, told, unlimited);
    } else if (auto found = channel_.reader_.find_job(*id)) {
      since.emplace(hub::Reader::JobSince{std::move(*found), {}});
    }
  } catch (const hub::StoreError&) {
    return store_failed();
  }
  const bool gave_up = wants_events && since && !since->missed.complete;
  channel_.note_read(1 + (gave_up ? limit().events : since ? since->missed.events.size() : 0));
  if (!since || !channel_.ownership_.may_see(session_.principal(), since->job.owner)) {
    if (known) channel_.job_index_.remove(jobs_, *subscription);
    return session_.send_error(no_such_job(job));
  }

  const hub::Job& state = since->job;
  const bool heard_by_all = !known && hears_all() && state.owner.key == session_.principal().key;
  if (!known) subscription = &channel_.job_index_.add(jobs_, session_, *id, 0);
  subscription->after = state.seq;

  if (!resume && (known || heard_by_all)) {
    for (const hub::EventPtr& event : since->missed.events) {
      if (event->seq < state.seq) tell(*event);
    }
  }
  const bool recovered = may_recover && since->missed.complete;
  session_.send(subscribed_frame(id->text(), channel_.now_s(), resume ? std::optional(recovered) : std::nullopt));
  if (!recovered) {
    session_.send(job_update_frame(state, session_.with_seq()));
    return note_told(state.seq);
  }
  const hub::Seq told_already = heard_by_all && resume->after >= all_from_ ? told_by_all : 0;
  for (const hub::EventPtr& event : since->missed.events) {
    if (event->seq > told_already) tell(*event);
  }
}

// --- all jobs --------------------------------------------------------------------------------------------------------

void Subscriber::subscribe_to_all(const std::optional<ResumePoint>& resume) {
  const hub::JobOwner owner{session_.principal().key, session_.principal().account};
  const bool known = hears_all();
  if (!known && !has_room()) return;
  const bool may_recover = resume && resume->epoch == channel_.epoch_;
  hub::Reader::OwnerSince since;
  try {
    if (may_recover) {
      since = channel_.reader_.events_since(owner, resume->after, limit());
    } else if (!known) {
      since.last = channel_.reader_.last_seq();
    }
  } catch (const hub::StoreError&) {
    return store_failed();
  }
  const bool recovered = since.missed.complete;
  const std::size_t read = recovered ? since.missed.events.size() : limit().events;
  channel_.note_read(1 + (may_recover ? read : 0));
  if (!known) {
    // From now on, and not from what happens to have been passed on.
    all_from_ = all_told_ = std::max(all_told_, since.last);
    channel_.all_index_.add(all_, session_, owner.key, all_told_);
  }
  session_.send(subscribed_frame(all_jobs, channel_.now_s(), resume ? std::optional(recovered) : std::nullopt));
  if (recovered) replay_all(since, resume->after);
}

void Subscriber::replay_all(const hub::Reader::OwnerSince& since, hub::Seq after) {
  bool left_out = false;
  for (const hub::EventPtr& event : since.missed.events) {
    if (Subscription* own = jobs_.count > 0 ? channel_.job_index_.find(jobs_, session_, event->job) : nullptr) {
      if (event->seq <= std::max(own->after, channel_.passed_)) {
        left_out = true;
        continue;
      }
      own->after = event->seq;
    }
    tell(*event);
  }
  all_told_ = std::max(all_told_, since.last);
  all_.first->after = all_told_;
  all_from_ = left_out ? all_told_ : std::min(all_from_, after);
}

// --- and back --------------------------------------------------------------------------------------------------------

void Subscriber::unsubscribe(const Unsubscribe& asked) {
  for (const std::string& job : asked.jobs) unsubscribe_from(job);
}

void Subscriber::unsubscribe_from(const std::string& job) {
  if (job.empty()) return session_.send_error("Missing job_id");
  if (job == all_jobs) {
    channel_.all_index_.remove_all(all_);
    return session_.send(unsubscribed_frame(all_jobs, channel_.now_s()));
  }
  const auto id = hub::JobId::parse(job);
  if (!id) return session_.send_error(no_such_job(shortened(job)));
  if (Subscription* subscription = channel_.job_index_.find(jobs_, session_, *id)) {
    if (subscription->after > channel_.passed_) channel_.note_told_ahead(session_, *id, subscription->after);
    channel_.job_index_.remove(jobs_, *subscription);
  }
  session_.send(unsubscribed_frame(id->text(), channel_.now_s()));
}

bool Subscriber::has_room() {
  const std::size_t most = channel_.options_.subscriptions_max;
  if (jobs_.count + all_.count >= most) {
    session_.send_error("Too many subscriptions: at most " + std::to_string(most));
    return false;
  }
  // Two loops that ask at the same time may both find room for the last.
  const std::size_t most_of_key = channel_.admission_.subscriptions_per_key_max();
  if (most_of_key > 0 && jobs_.of_key->load(std::memory_order_relaxed) >= most_of_key) {
    session_.send_error("Too many subscriptions with this key: at most " + std::to_string(most_of_key));
    return false;
  }
  return true;
}

void Subscriber::store_failed() { session_.close(CloseCode::try_again_later, "The store cannot be read now"); }

}  // namespace carillon::channels::websocket
