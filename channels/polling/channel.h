// The polling channel on one loop: those who wait for a change and those who are streamed to, and the way of each
// commit to them. Who only asks is answered by the resources.
//
// Threads: belongs to its loop; what it counts may be read from any.
#pragma once

#include <cstddef>

#include "channels/notification_log.h"
#include "channels/polling/event_streams.h"
#include "channels/polling/feed_polls.h"
#include "channels/polling/guests.h"
#include "channels/polling/job_cache.h"
#include "channels/polling/job_polls.h"
#include "channels/polling/waiting_room.h"
#include "hub/principal.h"
#include "net/http/router.h"

namespace carillon::channels::polling {

struct PollingOptions {
  std::int64_t wait_max_s = 60;
  std::int64_t retry_after_max_s = 10;
  FeedOptions feed;
  StreamOptions streams;
};

class PollingChannel {
 public:
  PollingChannel(net::EventLoop& loop, const hub::Store& store, hub::Reader& reader, hub::Authenticator& authenticator,
                 const hub::Ownership& ownership, const hub::Clock& clock, NotificationLog& log, WaitingRoom& room,
                 const PollingOptions& options);

  /// Other options from now on; who waits already waits as it asked to.
  void set_options(const PollingOptions& options);

  /// Before the first commit that is passed on.
  void begin_after(const hub::Store::Beginning& told) { job_cache_.begin_after(told); }
  void on_commit(const hub::CommitBatch& batch);
  /// To be called after Authenticator::forget().
  void recheck_keys() { guests_.recheck_keys(); }

  /// Answers all who wait and ends all streams; from now on nobody is admitted.
  void drain() { guests_.drain(); }
  bool drained() const { return guests_.empty(); }

  std::size_t polls_waiting() const { return guests_.polls(); }

  /// True for who may come in as a guest, who then gives its place back; who may not has been answered.
  bool admit(const hub::Principal& who, const net::http::Responder& responder);

  const PollingOptions& options() const { return options_; }
  const hub::Ownership& ownership() const { return ownership_; }
  const hub::Clock& clock() const { return guests_.clock(); }
  hub::Reader& reader() const { return reader_; }
  JobCache& job_cache() { return job_cache_; }
  NotificationLog& log() const { return log_; }
  Guests& guests() { return guests_; }
  JobPolls& job_polls() { return job_polls_; }
  FeedPolls& feed_polls() { return feed_polls_; }
  EventStreams& streams() { return streams_; }
  const EventStreams& streams() const { return streams_; }

 private:
  PollingOptions options_;
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
  NotificationLog& log_;
  JobCache job_cache_;
  Guests guests_;
  JobPolls job_polls_;
  FeedPolls feed_polls_;
  EventStreams streams_;
};

}  // namespace carillon::channels::polling
