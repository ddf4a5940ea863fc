#include "channels/polling/feed_polls.h"

#include <algorithm>
#include <utility>

#include "channels/polling/event_json.h"

namespace carillon::channels::polling {
namespace {

constexpr net::MonotonicMs ms_per_s = 1000;

}  // namespace

class FeedPolls::Poll final : public WaitingPoll, public RingOf<Poll>::Place {
 public:
  Poll(FeedPolls& polls, Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
       const Asked& asked)
      : WaitingPoll(guests, who, responder, guests.loop().now_ms() + asked.wait.seconds * ms_per_s),
        polls_(polls),
        asked_(asked) {}
  ~Poll() override {
    RingOf<Poll>::Place::leave();
    polls_.by_sight_.drop_if_empty(asked_.sight);
  }

  const Asked& asked() const { return asked_; }
  void tell(const net::http::Body& page) { answer(page_response(page, asked_.wait)); }

 private:
  net::http::Response present() override {
    // What was passed on since was none of it.
    const hub::Seq through = std::max(asked_.looked, polls_.passed_);
    return page_response(FeedPage().end(through, false, polls_.options_.epoch), asked_.wait);
  }

  FeedPolls& polls_;
  Asked asked_;
};

void FeedPolls::wait(Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
                     const Asked& asked) {
  by_sight_.add(asked.sight, *new Poll(*this, guests, who, responder, asked));
}

void FeedPolls::on_commit(const hub::CommitBatch& batch) {
  // The answers say how far they come, and that is the end of this batch.
  passed_ = batch.last;
  if (by_sight_.empty()) return;
  Polls woken;
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    const hub::Event& event = *batch.events[i];
    by_sight_.for_each_of(event.owner, [&](Polls& polls) {
      polls.for_each([&](Poll& poll) {
        if (event.seq > poll.asked().looked) woken.add(poll);
      });
    });
    WokenPages pages(batch, i, options_);
    while (!woken.empty()) {
      Poll& poll = woken.first();
      poll.tell(pages.page(poll.asked().sight, poll.asked().limit));
    }
    pages.note(log_);
  }
}

net::http::Response page_response(net::http::Body page, const Wait& wait) {
  net::http::Response response = net::http::json_response(200, std::move(page));
  response.with("Cache-Control", "private, no-store");
  if (wait.preferred) response.with("Preference-Applied", "wait=" + std::to_string(wait.seconds));
  return response;
}

}  // namespace carillon::channels::polling
