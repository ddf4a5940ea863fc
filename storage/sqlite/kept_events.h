// The line up to which the history is no longer kept, and the events below it that stay all the same:
//
//      3   5       8  │ 9 10 11 12 …         line = 8: 1 to 8 were passed, and 3, 5 and 8 are still needed
//
//   - by a job that goes on: its last event, on which those stand who resume or ask whether it has changed;
//   - by a job that is kept: the event that holds its progress;
//   - by a delivery, whatever its state, which sends the event or may have to again.
//
// Each is registered (`kept_events`) when the line passes it, and goes when nobody needs it any more: whoever changes
// what an event below the line is needed for says so, with settle(). Whoever reads the history as a whole is told that
// it begins behind the line.
//
// Threads: the committer's.
#pragma once

#include <cstdint>
#include <vector>

#include "hub/event.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class KeptEvents {
 public:
  explicit KeptEvents(sqlite3* handle);

  hub::Seq line() const { return line_; }
  /// Whether the line has passed that event; false for 0, which is none.
  bool passed(hub::Seq seq) const { return seq != 0 && seq <= line_; }

  // All in a transaction; then one of the last two.

  /// The line passes the event behind it, which goes unless it is needed. `job` is its job's row, 0 for none.
  void pass(hub::Seq seq, std::int64_t job);
  /// Writes how far the line has come, in the commit in which it has.
  void write_line();
  /// Of the job's events below the line those go that are not needed any more.
  void settle(std::int64_t job);
  /// The same of one event.
  void settle_event(hub::Seq seq);
  /// What its events below the line hold of an erased job.
  void erase_progress(std::int64_t job);

  void committed() { line_on_disk_ = line_; }
  void rolled_back() { line_ = line_on_disk_; }

 private:
  /// True when it has gone.
  bool remove_unneeded(hub::Seq seq, std::int64_t job);

  hub::Seq line_ = 0;
  hub::Seq line_on_disk_ = 0;

  Statement write_line_;
  Statement remove_unneeded_;
  Statement remove_data_;
  Statement keep_;
  Statement forget_;
  Statement of_job_;
  Statement job_of_;
  Statement erase_progress_;
};

}  // namespace carillon::storage::sqlite
