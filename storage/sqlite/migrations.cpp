#include "storage/sqlite/migrations.h"

#include <Poco/Data/Statement.h>
#include <Poco/DigestEngine.h>

#include <string>

#include "hub/sha256.h"
#include "hub/store.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

using Poco::Data::Keywords::into;
using Poco::Data::Keywords::now;

std::string checksum(std::string_view sql) {
  const hub::Sha256 hash = hub::sha256(sql);
  return Poco::DigestEngine::digestToHex({hash.begin(), hash.end()});
}

struct Applied {
  std::vector<int> numbers;
  std::vector<std::string> checksums;
};

Applied read_applied(Connection& connection) {
  Applied applied;
  connection.session() << "SELECT number, checksum FROM schema_migrations ORDER BY number", into(applied.numbers),
      into(applied.checksums), now;
  return applied;
}

void check_applied(const Applied& applied, const std::vector<Migration>& migrations) {
  for (std::size_t i = 0; i < applied.numbers.size(); ++i) {
    if (i >= migrations.size()) {
      throw hub::StoreError("the database has schema " + std::to_string(applied.numbers.back()) +
                            ", this program knows up to " + std::to_string(migrations.size()) +
                            ": it was used by a later version; install that one, or restore a backup");
    }
    if (applied.numbers[i] != migrations[i].number || applied.checksums[i] != checksum(migrations[i].sql)) {
      throw hub::StoreError("migration " + std::string(migrations[i].name) +
                            " is not the one this database was made with; the database was not touched");
    }
  }
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

void migrate(Connection& connection, const std::vector<Migration>& migrations, const hub::Clock& clock) {
  connection.run(
      "CREATE TABLE IF NOT EXISTS schema_migrations ("
      " number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
  const Applied applied = read_applied(connection);
  check_applied(applied, migrations);
  for (std::size_t i = applied.numbers.size(); i < migrations.size(); ++i) apply(connection, migrations[i], clock);
}

}  // namespace carillon::storage::sqlite
