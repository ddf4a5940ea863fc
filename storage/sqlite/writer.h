// The one connection that writes, with everything that is done on it, and its transactions.
//
// Threads: the committer's.
#pragma once

#include <string>

#include "hub/rules.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/endpoint_changes.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/identity_changes.h"
#include "storage/sqlite/job_changes.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class Writer {
 public:
  /// The connection's database is migrated already.
  Writer(Connection& connection, const hub::Rules& rules);

  void begin();
  /// On disk when it returns; on a SqliteError roll_back() is still to be called.
  void commit();
  /// Everything since begin() is undone. Harmless where SQLite has done so by itself.
  void roll_back() noexcept;
  /// A commit that changes nothing anyone sees: succeeds when the database can be written.
  void probe();

  /// The last event there is.
  hub::Seq last_seq();

 private:
  sqlite3* handle_;
  Statement begin_;
  Statement commit_;
  Statement probe_;
  EndpointTable endpoint_table_;
  bool table_is_stale_ = false;

 public:
  DeliveryChanges deliveries;
  EndpointChanges endpoints;
  JobChanges jobs;
  IdentityChanges identities;
};

}  // namespace carillon::storage::sqlite
