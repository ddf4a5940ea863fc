// Deliveries: written with their event, and moved on by the attempts that are made.
//
// Threads: the committer's.
#pragma once

#include <vector>

#include "hub/store.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class DeliveryChanges {
 public:
  DeliveryChanges(sqlite3* handle, EndpointTable& endpoints);

  /// Writes what an event owes: to the registered endpoints that match, and to the one its submission named.
  void owe(WriteContext& context, const hub::EventPtr& event, const JobRow& row);

  hub::Outcome<hub::Done> record(WriteContext& context, const std::vector<hub::Attempt>& attempts);

  /// Everything pending for an endpoint ends as failed.
  void give_up(hub::EndpointId endpoint);

 private:
  void owe_to(WriteContext& context, hub::EndpointId endpoint, const hub::EventPtr& event);
  void record_one(WriteContext& context, const hub::Attempt& attempt);

  EndpointTable& endpoints_;
  Statement insert_delivery_;
  Statement insert_attempt_;
  Statement find_delivery_;
  Statement update_delivery_;
  Statement fail_pending_;
  Statement endpoint_status_;
  Statement note_failing_;
  Statement note_healthy_;
  Statement disable_endpoint_;
  Statement find_endpoint_;
};

}  // namespace carillon::storage::sqlite
