// Polls that wait for the next event of their feed. Whoever waits has been told all there was when it was looked, so
// what the next batch brings is the next page: it is made from memory, once for all who wait for the same.
//
// Threads: belongs to its loop.
#pragma once

#include <cstddef>

#include "channels/notification_log.h"
#include "channels/polling/sight_index.h"
#include "channels/polling/wait.h"
#include "channels/polling/waiting_poll.h"
#include "channels/polling/woken_pages.h"
#include "hub/store.h"

namespace carillon::channels::polling {

class FeedPolls {
 public:
  /// `passed` is the last event of the last batch that was passed on.
  FeedPolls(const FeedOptions& options, hub::Seq passed, NotificationLog& log)
      : options_(options), log_(log), passed_(passed) {}
  FeedPolls(const FeedPolls&) = delete;
  FeedPolls& operator=(const FeedPolls&) = delete;

  struct Asked {
    hub::Sight sight;
    hub::Seq looked = 0;  ///< nothing was there that is later than what it had, up to here
    std::size_t limit = 0;
    Wait wait;
  };
  void wait(Guests& guests, const hub::Principal& who, const net::http::Responder& responder, const Asked& asked);

  void on_commit(const hub::CommitBatch& batch);

 private:
  class Poll;
  using Polls = RingOf<Poll>;

  const FeedOptions& options_;
  NotificationLog& log_;
  hub::Seq passed_;
  SightIndex<Poll> by_sight_;
};

/// 200 and the page.
net::http::Response page_response(net::http::Body page, const Wait& wait);

}  // namespace carillon::channels::polling
