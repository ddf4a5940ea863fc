// Deliveries that are asked for by hand: one sent again, many of a time, and the test of an endpoint.
//
// Threads: the committer's.
#pragma once

#include <vector>

#include "hub/store.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/endpoint_changes.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class SendingAgain {
 public:
  /// Rows that one slice of a replay looks at: some 5 ms if all are sent again.
  static constexpr std::size_t replay_rows_max = 1'000;

  SendingAgain(sqlite3* handle, EndpointChanges& endpoints, DeliveryChanges& deliveries);

  hub::Outcome<hub::DeliveryReport> test(WriteContext& context, const hub::Principal& by, hub::EndpointId endpoint);
  hub::Outcome<hub::DeliveryReport> redeliver(WriteContext& context, const hub::Principal& by, hub::DeliveryId id);
  hub::Outcome<hub::ReplayProgress> replay(WriteContext& context, const hub::ReplaySlice& slice);

 private:
  hub::DeliveryReport report_of(hub::DeliveryId id);
  /// All deliveries written from `since` on have ids above it.
  hub::DeliveryId last_before(hub::UnixMs since);
  void send_again(WriteContext& context, hub::DeliveryId id, bool was_pending, hub::UnixMs due_at);

  EndpointChanges& endpoints_;
  DeliveryChanges& deliveries_;
  Statement count_tests_;
  Statement find_delivery_;
  Statement find_report_;
  Statement send_again_;
  Statement failed_after_;
  Statement all_after_;
  Statement written_from_;
  Statement last_id_;
};

}  // namespace carillon::storage::sqlite
