// What is old goes: events when they have been kept for so long, and jobs, with all that is of them, when they have
// been final for so long. A slice with each commit, bounded in rows and in time; what it has done is on disk with it,
// so it goes on after a restart from where it stands.
//
//   events   in the order of their numbers, and with them the line behind which the history begins (kept_events.h)
//   spans    in which owners have events, block by block once the line has passed a block (event_log.h)
//   jobs     in the order of their submission. With a job go its result, error, metadata and progress, the events that
//            were kept for its sake, and its deliveries with their attempts. Its id stays, so that it is not given
//            again.
//
// Events are kept no longer than jobs are, so that each event in the history names a job that is there. A job one of
// whose deliveries is still owed waits for it; one that never becomes final stays.
//
// Threads: the committer's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "hub/clock.h"
#include "hub/event.h"
#include "storage/sqlite/delivery_rows.h"
#include "storage/sqlite/given_numbers.h"
#include "storage/sqlite/kept_events.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class Retention {
 public:
  /// For how long; 0: for ever.
  struct Times {
    hub::UnixMs jobs_ms;
    hub::UnixMs events_ms;
  };

  Retention(sqlite3* handle, KeptEvents& kept, DeliveryRows& deliveries, GivenNumbers& job_numbers, Times times);

  bool waits(hub::UnixMs now_ms) const;
  /// In a transaction. Takes what it has done from `rows_left`.
  void slice(WriteContext& context, std::size_t& rows_left);
  void rolled_back();

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  /// When something was last looked through to its end.
  struct Look {
    bool ended = false;
    hub::UnixMs at_ms = 0;
    bool is_due(hub::UnixMs now_ms) const;
  };
  struct OldJob;

  void pass_events(hub::UnixMs now_ms, std::size_t& rows_left, Deadline until);
  void remove_spans(std::size_t& rows_left);
  void remove_jobs(WriteContext& context, std::size_t& rows_left, Deadline until);
  /// False when there was not room enough to remove all of it.
  bool remove(WriteContext& context, const OldJob& job, std::size_t& rows_left);
  bool is_owed_for(std::int64_t job);
  /// Whether the job was submitted so late that neither it nor one behind it can be old enough.
  bool is_young(std::int64_t job, hub::UnixMs submitted_before);

  KeptEvents& kept_;
  DeliveryRows& deliveries_;
  GivenNumbers& job_numbers_;
  const Times times_;
  Look events_;
  Look jobs_;
  std::int64_t looked_at_ = 0;   ///< of the jobs: this one and those before it
  hub::UnixMs began_at_ms_ = 0;  ///< when that was last begun with the first

  Statement next_events_;
  Statement remove_spans_;
  Statement next_jobs_;
  Statement submitted_at_;
  Statement is_owed_for_;
  Statement deliveries_of_;
  Statement keep_id_;
  Statement remove_state_;
  Statement remove_job_;
};

}  // namespace carillon::storage::sqlite
