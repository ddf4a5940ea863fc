#include "storage/sqlite/migrations.h"

#include <Poco/DigestEngine.h>

#include <string>

#include "hub/sha256.h"
#include "hub/store.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

std::string checksum(std::string_view sql) {
  const hub::Sha256 hash = hub::sha256(sql);
  return Poco::DigestEngine::digestToHex({hash.begin(), hash.end()});
}

bool any(sqlite3* handle, const char* sql) {
  Statement query(handle, sql);
  return query.step();
}

void apply(Connection& connection, const Migration& migration, const hub::Clock& clock) {
  connection.run("BEGIN IMMEDIATE");
  try {
    connection.run(std::string(migration.sql));
    Statement insert(connection.handle(),
                     "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)");
    insert.bind(migration.number, migration.name, checksum(migration.sql), clock.now_ms()).run();
    connection.run("COMMIT");
  } catch (const hub::StoreError& error) {
    sqlite3_exec(connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw hub::StoreError("migration " + std::string(migration.name) + " failed: " + error.what());
  }
}

}  // namespace

Schema schema_of(sqlite3* handle, const std::vector<Migration>& migrations) {
  Schema schema;
  if (!any(handle, "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'")) {
    if (any(handle, "SELECT 1 FROM sqlite_schema")) throw hub::StoreError("it is a database, but none of Carillon's");
    for (const Migration& migration : migrations) schema.missing.emplace_back(migration.name);
    return schema;
  }
  std::vector<std::string> sums;
  Statement rows(handle, "SELECT number, name, applied_at, checksum FROM schema_migrations ORDER BY number");
  while (rows.step()) {
    schema.applied.push_back({static_cast<int>(rows.integer(0)), std::string(rows.text(1)), rows.integer(2)});
    sums.emplace_back(rows.text(3));
  }
  const auto known = static_cast<int>(migrations.size());
  if (schema.number() > known) {
    throw hub::StoreError("the database has schema " + std::to_string(schema.number()) + ", this program knows up to " +
                          std::to_string(known) +
                          ": it was used by a later version; install that one, or restore a backup");
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const Migration& own = migrations[i];
    if (schema.applied[i].number == own.number && sums[i] == checksum(own.sql)) continue;
    throw hub::StoreError("migration " + std::string(own.name) +
                          " is not the one this database was made with; the database was not touched");
  }
  for (std::size_t i = sums.size(); i < migrations.size(); ++i) schema.missing.emplace_back(migrations[i].name);
  return schema;
}

void migrate(Connection& connection, const std::vector<Migration>& migrations, const hub::Clock& clock) {
  const Schema schema = schema_of(connection.handle(), migrations);
  connection.run(
      "CREATE TABLE IF NOT EXISTS schema_migrations ("
      " number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
  for (auto i = static_cast<std::size_t>(schema.number()); i < migrations.size(); ++i)
    apply(connection, migrations[i], clock);
}

}  // namespace carillon::storage::sqlite
