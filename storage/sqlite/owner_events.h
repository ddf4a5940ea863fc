// Events of no job: they tell an owner of their webhooks. Each takes its number in the history like any other.
//
// Threads: the committer's.
#pragma once

#include "hub/event.h"
#include "storage/sqlite/event_log.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class OwnerEvents {
 public:
  OwnerEvents(sqlite3* handle, EventLog& log);

  /// Writes it, and puts it into the batch.
  hub::EventPtr write(WriteContext& context, const hub::JobOwner& owner, hub::EventKind kind, hub::Text data);

 private:
  EventLog& log_;
  Statement insert_owner_;
};

}  // namespace carillon::storage::sqlite
