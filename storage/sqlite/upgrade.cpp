#include "storage/sqlite/upgrade.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "hub/store.h"
#include "storage/sqlite/backup.h"
#include "storage/sqlite/damage.h"
#include "storage/sqlite/secrets_at_rest.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr const char* backup_infix = ".before-";
constexpr std::uint64_t mib = 1024 * 1024;

std::string backup_name(const std::string& path, int first) {
  std::string number = std::to_string(first);
  number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
  return path + backup_infix + number;
}

bool holds_something(Connection& connection) {
  Statement any(connection.handle(), "SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM jobs)");
  return any.step() && any.integer(0) != 0;
}

std::uint64_t bytes_of(Connection& connection) {
  Statement bytes(connection.handle(), "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  return bytes.step() ? static_cast<std::uint64_t>(bytes.integer(0)) : 0;
}

std::string in_mib(std::uint64_t bytes) { return std::to_string((bytes + mib - 1) / mib) + " MiB"; }

/// The oldest go, by their numbers.
void remove_old_backups(const std::string& path) {
  const std::string begin = fs::path(path).filename().string() + backup_infix;
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    const bool is_one = name.starts_with(begin) && name.size() == begin.size() + 4 &&
                        std::all_of(name.end() - 4, name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_one) all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i + upgrade_backups_max < all.size(); ++i) fs::remove(all[i], error);
}

std::string back_up_first(Connection& connection, const std::string& path, const Schema& schema,
                          const Progress& progress) {
  std::string file = backup_name(path, schema.number() + 1);
  const std::string why = "it has to be brought from schema " + std::to_string(schema.number()) + " to " +
                          std::to_string(schema.known()) + ", and the backup that comes first, " + file + ", ";
  const std::uint64_t bytes = bytes_of(connection);
  std::error_code error;
  const fs::space_info space = fs::space(fs::path(path).parent_path(), error);
  if (!error && space.available < bytes) {
    throw hub::StoreError(why + "takes " + in_mib(bytes) + " where " + std::to_string(space.available / mib) +
                          " MiB are free; nothing was changed: make room, and start again");
  }
  try {
    back_up(path, file, NewFile::Existing::replaced, progress);
  } catch (const hub::StoreError& failure) {
    throw hub::StoreError(why + "cannot be made; nothing was changed: " + failure.what());
  }
  return file;
}

}  // namespace

std::optional<Upgrade> upgrade(Connection& connection, const std::string& path,
                               const std::vector<Migration>& migrations, const hub::Clock& clock,
                               const Progress& progress) {
  const Schema schema = schema_of(connection.handle(), migrations);
  if (schema.missing.empty()) return std::nullopt;
  Upgrade done{schema.number(), schema.known(), {}};
  if (done.from > 0 && holds_something(connection)) done.backup = back_up_first(connection, path, schema, progress);
  if (progress) progress("migrating", 0, 0);
  try {
    const SecureDelete secure_delete(connection);  // a migration may move secrets
    migrate(connection, migrations, clock);
  } catch (const hub::StoreError&) {
    // Migrations that came before the one that failed stay, so the backup may be wanted.
    const bool changed = schema_of(connection.handle(), migrations).number() != done.from;
    std::error_code ignored;
    if (!changed && !done.backup.empty()) fs::remove(done.backup, ignored);
    throw;
  }
  if (!done.backup.empty()) remove_old_backups(path);
  return done;
}

Schema read_schema(const std::string& database) {
  if (!is_file(database)) throw hub::StoreError("there is no database at " + database);
  Connection connection(database, Access::read);
  try {
    return schema_of(connection.handle(), known_migrations());
  } catch (const hub::StoreError& error) {
    throw hub::StoreError("the database " + database + ": " + error.what() + advice_on(error));
  }
}

std::optional<Upgrade> bring_up_to_date(const std::string& database, const hub::Clock& clock,
                                        const Progress& progress) {
  if (!is_file(database)) throw hub::StoreError("there is no database at " + database);
  Connection connection(database, Access::write);
  try {
    return upgrade(connection, database, known_migrations(), clock, progress);
  } catch (const hub::StoreError& error) {
    throw hub::StoreError("the database " + database + ": " + error.what() + advice_on(error));
  }
}

}  // namespace carillon::storage::sqlite
