// Brings a database to this program's schema, with a backup beside it first: `<database>.before-0007`, named after the
// first migration that it has not seen. Whoever goes back to the version before restores it.
//
// Of these backups the last few are kept. None is made of a database that holds nothing yet.
//
// Threads: at start, before anything else uses the database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/clock.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/schema.h"

namespace carillon::storage::sqlite {

inline constexpr std::size_t upgrade_backups_max = 3;

/// None where nothing was missing. Throws hub::StoreError where the database is of a later version, where there is no
/// room for the backup, or where a migration fails: nothing is changed then.
std::optional<Upgrade> upgrade(Connection& connection, const std::string& path,
                               const std::vector<Migration>& migrations, const hub::Clock& clock,
                               const Progress& progress);

}  // namespace carillon::storage::sqlite
