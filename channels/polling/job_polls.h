// Polls that wait for a job: until it is final, or until it changes.
//
// Looking at the job and beginning to wait are one call on the loop's thread, so no batch is passed on between the two;
// and a batch is passed on only when what it tells can be read. So what the look did not show yet is still to come, and
// what it showed already is known by its number.
//
// Threads: belongs to its loop.
#pragma once

#include <unordered_map>

#include "channels/notification_log.h"
#include "channels/polling/job_answer.h"
#include "channels/polling/waiting_poll.h"
#include "hub/store.h"

namespace carillon::channels::polling {

class JobPolls {
 public:
  JobPolls(hub::Reader& reader, NotificationLog& log) : reader_(reader), log_(log) {}
  JobPolls(const JobPolls&) = delete;
  JobPolls& operator=(const JobPolls&) = delete;

  struct Asked {
    hub::JobId job;
    hub::Seq seen = 0;    ///< the job's last event when it was looked at
    bool change = false;  ///< any will do, and no change is told as 304
    Wait wait;
  };
  void wait(Guests& guests, const hub::Principal& who, const net::http::Responder& responder, const Asked& asked);

  void on_commit(const hub::CommitBatch& batch);

 private:
  class Poll;
  using Polls = RingOf<Poll>;

  void wake(Polls& polls, const hub::Event& event);
  void drop_if_empty(const hub::JobId& job);

  hub::Reader& reader_;
  NotificationLog& log_;
  std::unordered_map<hub::JobId, Polls, hub::JobIdHash> by_job_;
};

}  // namespace carillon::channels::polling
