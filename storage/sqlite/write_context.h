// What the changes of one commit work on together.
//
// Threads: the committer's.
#pragma once

#include <cstdint>

#include "hub/clock.h"
#include "hub/store.h"

namespace carillon::storage::sqlite {

struct WriteContext {
  hub::CommitBatch& batch;  ///< what the commit will tell; nothing of it is told when the commit fails
  hub::UnixMs now_ms;
  hub::UnixMs even_ms;  ///< what is due now is due from then
  /// By how many what is pending grows; fewer than none when it shrinks.
  std::int64_t pending_more = 0;

  hub::Seq next_seq() { return ++batch.last; }
};

}  // namespace carillon::storage::sqlite
