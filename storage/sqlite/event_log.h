// The history: events in the order of their numbers, and in which parts of it each owner has some.
//
//   seq     … 63 │ 64 …      127 │ 128 …            spans of 64, in blocks of 64 spans
//   owner 1   ×  │ × ×   ×       │                  owner_spans: (owner 1, span 0), (owner 1, span 1)
//   owner 2      │    × ×        │ ×                             (owner 2, span 1), (owner 2, span 2)
//
// A row for every event in an index by owner would cost a commit half as much again; that an owner has something in a
// span is written once a span. See docs/decisions/0022.
//
// Threads: the committer's.
#pragma once

#include <cstdint>
#include <vector>

#include "hub/event.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

inline constexpr unsigned span_bits = 6;
inline constexpr unsigned block_bits = 12;

class EventLog {
 public:
  explicit EventLog(sqlite3* handle);

  /// Writes the next event. `job` is its job's row, 0 for an event of no job; `previous` is the job's event before it,
  /// 0 for the first.
  void append(const hub::Event& event, std::int64_t job, hub::Seq previous);

  /// What was written since the last commit is undone.
  void rolled_back() noexcept { owners_.clear(); }

 private:
  void note_owner(hub::Seq seq, const hub::JobOwner& owner);

  Statement insert_event_;
  Statement insert_span_;
  hub::Seq span_ = -1;
  std::vector<hub::KeyId> owners_;  ///< those that the present span is known to have
};

}  // namespace carillon::storage::sqlite
