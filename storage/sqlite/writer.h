// The one connection that writes, with everything that is done on it, and its transactions.
//
// Threads: the committer's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hub/rules.h"
#include "storage/secret_box.h"
#include "storage/sqlite/chores.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/delivery_rows.h"
#include "storage/sqlite/endpoint_changes.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/erasures.h"
#include "storage/sqlite/event_log.h"
#include "storage/sqlite/given_numbers.h"
#include "storage/sqlite/idempotency_keys.h"
#include "storage/sqlite/identity_changes.h"
#include "storage/sqlite/job_changes.h"
#include "storage/sqlite/kept_events.h"
#include "storage/sqlite/retention.h"
#include "storage/sqlite/secret_changes.h"
#include "storage/sqlite/sending_again.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class Writer {
 public:
  struct Limits {
    std::size_t endpoints_per_key_max;
    hub::UnixMs keep_deliveries_ms;  ///< 0: for ever
    hub::UnixMs keep_idempotency_ms;
    Retention::Times keep;
  };

  /// The connection's database is migrated already, and its secrets are as the box has them, which outlives the writer.
  Writer(Connection& connection, const hub::Rules& rules, const SecretBox& box, const Limits& limits);

  void begin();
  /// On disk when it returns; on a SqliteError roll_back() is still to be called.
  void commit();
  /// Everything since begin() is undone. Harmless where SQLite has done so by itself.
  void roll_back() noexcept;
  /// A commit that changes nothing anyone sees: succeeds when the database can be written.
  void probe();

  /// The last number that was given to an event, be it kept or not.
  hub::Seq last_seq();
  /// Deliveries that are owed. Counts them, by their index.
  std::uint64_t pending();

 private:
  sqlite3* handle_;
  Statement begin_;
  Statement commit_;
  Statement probe_;
  EndpointTable endpoint_table_;
  GivenNumbers delivery_numbers_;
  GivenNumbers job_numbers_;
  EventLog event_log_;
  KeptEvents kept_events_;
  DeliveryRows delivery_rows_;
  IdempotencyKeys idempotency_keys_;
  Erasures erasures_;
  Retention retention_;
  bool table_is_stale_ = false;

 public:
  Chores chores;
  SecretChanges secrets;
  DeliveryChanges deliveries;
  EndpointChanges endpoints;
  SendingAgain again;
  JobChanges jobs;
  IdentityChanges identities;
};

}  // namespace carillon::storage::sqlite
