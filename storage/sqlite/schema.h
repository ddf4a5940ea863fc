// Which migrations a database has seen, and which it lacks.
//
// Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/clock.h"
#include "storage/sqlite/database_facts.h"

namespace carillon::storage::sqlite {

struct AppliedMigration {
  int number;
  std::string name;
  hub::UnixMs applied_at;
};

/// Where a database stands.
struct Schema {
  std::vector<AppliedMigration> applied;
  std::vector<std::string> missing;  ///< by their names, in order

  /// The last that was applied; 0 for a new database.
  int number() const { return applied.empty() ? 0 : applied.back().number; }
  /// The last that this program knows.
  int known() const { return number() + static_cast<int>(missing.size()); }
};

struct Upgrade {
  int from = 0;  ///< 0: a new database
  int to = 0;
  std::string backup;  ///< the file; empty where there was nothing to keep
};

/// Of a database that is there, also of one that a hub is using. Throws hub::StoreError where it is of a later version
/// than this program, or none of Carillon's.
Schema read_schema(const std::string& database);

/// Brings a database that nobody uses up to date, as open_store() does; none where it is already. Throws
/// hub::StoreError.
std::optional<Upgrade> bring_up_to_date(const std::string& database, const hub::Clock& clock, const Progress& progress);

}  // namespace carillon::storage::sqlite
