// What is left of jobs that were erased: the progress in their events, which is reached from the last event backwards.
// Of most jobs it goes at once; where there is more of it, the rest goes a few rows a commit.
//
// Threads: the committer's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hub/id.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class Erasures {
 public:
  /// Of one job, in the commit that erases it.
  static constexpr std::size_t rows_at_once = 8;

  explicit Erasures(sqlite3* handle);

  /// In the transaction that erases the job: `job` is its row's number, `last` its last event.
  void begin(std::int64_t job, hub::Seq last);

  bool wait() const { return may_have_some_; }
  /// In a transaction; then one of the two below. Takes what it has done from `rows_left`.
  void slice(std::size_t& rows_left);
  void committed();
  void rolled_back();

 private:
  /// Returns the event to go on with; 0 when none is left.
  hub::Seq erase_some(hub::Seq from, std::size_t& rows_left);

  bool may_have_some_ = true;  ///< whether there are some is found out by a slice
  bool found_none_ = false;

  Statement keep_;
  Statement next_;
  Statement done_;
  Statement previous_;
  Statement erase_progress_;
};

}  // namespace carillon::storage::sqlite
