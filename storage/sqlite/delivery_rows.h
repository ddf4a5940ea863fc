// Deliveries leave with their attempts, and with the event that was kept for their sake alone.
//
// Threads: the committer's.
#pragma once

#include "hub/id.h"
#include "storage/sqlite/given_numbers.h"
#include "storage/sqlite/kept_events.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class DeliveryRows {
 public:
  DeliveryRows(sqlite3* handle, GivenNumbers& numbers, KeptEvents& events);

  void erase(WriteContext& context, hub::DeliveryId id, bool pending);

 private:
  GivenNumbers& numbers_;
  KeptEvents& events_;
  Statement event_of_;
  Statement delete_attempts_;
  Statement delete_delivery_;
};

}  // namespace carillon::storage::sqlite
