// What one loop remembers of whom it told what, for who asks later: to how many each of the last events was sent, which
// connections were dropped and why, and when a job was last asked for. In memory alone, and bounded. What is not
// remembered is not known, which is another answer than "nobody".
//
// Threads: belongs to its loop. Each loop has its own; what all of them remember is asked for loop by loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "channels/last_polls.h"
#include "channels/sent_counts.h"
#include "hub/clock.h"
#include "hub/id.h"
#include "hub/job.h"
#include "hub/ownership.h"
#include "hub/store.h"

namespace carillon::channels {

/// How much is remembered.
struct NotificationMemory {
  std::size_t events = 262'144;
  std::size_t drops = 16'384;  ///< of one connection one for each job that it listened to
  std::size_t polled_jobs = 16'384;
};

/// A connection that ended without its client having wished so.
struct Drop {
  hub::UnixMs at = 0;
  hub::KeyId key;
  std::string_view channel;  ///< a literal, as is the reason
  std::string_view reason;
  int close_code = 0;  ///< 0 where nothing was said
};

class NotificationLog {
 public:
  /// `passed` is the last event before the first that it will hear of.
  NotificationLog(const NotificationMemory& memory, hub::Seq passed, hub::UnixMs now);
  NotificationLog(const NotificationLog&) = delete;
  NotificationLog& operator=(const NotificationLog&) = delete;

  /// To be told of each commit before the channels are.
  void on_commit(const hub::CommitBatch& batch);

  /// An event was sent to so many.
  void sent(hub::Seq seq, std::uint32_t Sent::*what, std::size_t count = 1) { sent_.add(seq, what, count); }

  /// The job was asked for, and shown with that event as its last; `told`: not only said to be as it was known to be.
  void polled(const hub::JobId& job, const LastPoll& poll, bool told) {
    last_polls_.note(job, poll);
    if (told) sent(poll.seq, &Sent::polls);
  }

  /// It listened to all within that sight, and to the jobs that `each_job` gives a visitor: of these so many are noted.
  /// Allocates nothing.
  template <typename EachJob>
  void dropped(const Drop& drop, const std::optional<hub::Sight>& sight, EachJob&& each_job) noexcept {
    ++drop_number_;
    if (sight) keep({drop, passed_, drop_number_, {}, sight});
    std::size_t noted = 0;
    each_job([&](const hub::JobId& job) {
      if (noted++ < jobs_per_drop_max) keep({drop, passed_, drop_number_, job, std::nullopt});
    });
  }
  static constexpr std::size_t jobs_per_drop_max = 1'000;

  // --- asking ---

  struct Question {
    hub::JobId job;
    hub::JobOwner owner;
    std::vector<hub::Seq> events;  ///< of the job, rising
    /// The job's event behind these; what happened from then on is not asked for.
    hub::Seq until = std::numeric_limits<hub::Seq>::max();
  };
  struct DropAfter {
    hub::Seq seq = 0;  ///< the last event of all that had been passed on
    Drop drop;
  };
  /// One loop's answer, or those of several as one.
  struct Recollection {
    std::vector<std::optional<Sent>> sent;  ///< for each of the events; none: not known
    std::vector<DropAfter> drops;           ///< from the first of the events on, as they happened
    std::optional<LastPoll> last_poll;
    hub::UnixMs since = 0;
    hub::Seq events_after = 0;    ///< what is not later is not known
    hub::Seq drops_after = 0;     ///< nor are drops from before this event was passed on
    hub::UnixMs polls_after = 0;  ///< nor whether there was a poll before, where none is later

    void add(const Recollection& other);
  };
  Recollection recall(const Question& question) const;

 private:
  struct KeptDrop {
    Drop drop;
    hub::Seq seq = 0;
    std::uint64_t number = 0;  ///< of the connection among those that were dropped
    hub::JobId job;
    std::optional<hub::Sight> sight;
  };

  void keep(const KeptDrop& drop) noexcept;

  const std::size_t drops_max_;
  const hub::UnixMs since_;
  hub::Seq passed_;
  SentCounts sent_;
  LastPolls last_polls_;
  std::vector<KeptDrop> drops_;  ///< a ring once it is full
  std::size_t oldest_drop_ = 0;
  std::uint64_t drop_number_ = 0;
  hub::Seq drops_after_;
};

}  // namespace carillon::channels
