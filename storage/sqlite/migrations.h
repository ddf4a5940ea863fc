// Migrations: numbered SQL files, compiled in, each applied once and in order. Forward only.
//
// Each runs in one transaction with its row in `schema_migrations`, so a crash leaves it wholly applied or not at all.
// A file that was applied may never change: its checksum (SHA-256) is kept and compared.
//
// Threads: at start, before anything else uses the database.
#pragma once

#include <string_view>
#include <vector>

#include "hub/clock.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/schema.h"

namespace carillon::storage::sqlite {

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

/// In ascending order, without gaps, from 1.
const std::vector<Migration>& known_migrations();

/// Throws hub::StoreError as migrate() does. Changes nothing.
Schema schema_of(sqlite3* handle, const std::vector<Migration>& migrations);

/// Applies what is missing. Throws hub::StoreError when the database is of a later version than this program, was made
/// by other migrations than these, or is none of Carillon's; nothing is changed then.
void migrate(Connection& connection, const std::vector<Migration>& migrations, const hub::Clock& clock);

}  // namespace carillon::storage::sqlite
