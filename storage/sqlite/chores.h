// What has time, and may concern millions of rows: a slice of it goes along with each commit, and alone where nobody
// else writes, so that no change waits for more than one slice.
//
//   endings     what was pending for an endpoint that was disabled ends as failed; of one that was deleted all
//               deliveries and attempts are erased. Which endpoints these are is on disk, so it goes on after a
//               restart.
//   erasures    the progress in the events of jobs that were erased.
//   retention   deliveries that ended, delivered or failed, are erased with their attempts when they are old, and so
//               are idempotency keys, events and jobs (retention.h).
//
// Until its turn has come nothing of an ended endpoint is handed out: readers look at the endpoint too.
//
// Threads: the committer's.
#pragma once

#include <chrono>

#include "hub/clock.h"
#include "storage/sqlite/delivery_rows.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/erasures.h"
#include "storage/sqlite/idempotency_keys.h"
#include "storage/sqlite/retention.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class Chores {
 public:
  /// Deliveries are kept for `keep_deliveries_ms` from when they were written; 0: for ever.
  Chores(sqlite3* handle, EndpointTable& endpoints, DeliveryRows& deliveries, Erasures& erasures, IdempotencyKeys& keys,
         Retention& retention, hub::UnixMs keep_deliveries_ms);

  /// In the transaction that disables or deletes the endpoint.
  void end(hub::EndpointId endpoint);

  bool waiting(hub::UnixMs now_ms) const {
    return may_have_endings_ || erasures_.wait() || keys_.wait(now_ms) || retention_waits(now_ms) ||
           retention_.waits(now_ms);
  }
  /// How long the committer may sleep before it asks again.
  std::chrono::milliseconds patience(hub::UnixMs now_ms) const;

  /// In a transaction; then one of the two below.
  void slice(WriteContext& context);
  void committed();
  void rolled_back();

 private:
  bool retention_waits(hub::UnixMs now_ms) const;
  /// Each takes what it has done from `rows_left`, and is true when it has come to an end.
  bool end_some(WriteContext& context, hub::EndpointId endpoint, std::size_t& rows_left);
  bool erase_some(WriteContext& context, hub::EndpointId endpoint, std::size_t& rows_left);
  void retain(WriteContext& context, std::size_t& rows_left);

  EndpointTable& endpoints_;
  DeliveryRows& deliveries_;
  Erasures& erasures_;
  IdempotencyKeys& keys_;
  Retention& retention_;
  const hub::UnixMs keep_deliveries_ms_;

  bool may_have_endings_ = true;  ///< whether there are some is found out by a slice
  bool found_no_endings_ = false;
  hub::DeliveryId looked_at_;     ///< by the retention, this one and all below it
  bool all_looked_at_ = false;    ///< that are old enough
  hub::UnixMs looked_at_ms_ = 0;  ///< when that came to be
  hub::UnixMs began_at_ms_ = 0;   ///< when it last began with the lowest id

  Statement insert_ending_;
  Statement next_ending_;
  Statement delete_ending_;
  Statement fail_some_;
  Statement of_endpoint_;
  Statement by_age_;
};

}  // namespace carillon::storage::sqlite
