#include "storage/sqlite/backup.h"

#include <memory>

#include "hub/store.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

constexpr int pages_per_step = 64;
constexpr int steps_per_sync = 4;
constexpr std::uint64_t page_bytes = 4096;

/// Copies page by page; both are open as long as it is.
void copy(sqlite3* from, DatabaseFile& into, NewFile& file, const Progress& progress) {
  const std::unique_ptr<sqlite3_backup, decltype(&sqlite3_backup_finish)> backup(
      sqlite3_backup_init(into.handle(), "main", from, "main"), sqlite3_backup_finish);
  if (!backup) throw SqliteError(into.handle(), sqlite3_errcode(into.handle()));
  for (int step = 1;; ++step) {
    const int code = sqlite3_backup_step(backup.get(), pages_per_step);
    if (code != SQLITE_OK && code != SQLITE_DONE) throw SqliteError(into.handle(), code);
    const auto all = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup.get()));
    const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup.get()));
    if (progress) progress("copying", (all - left) * page_bytes, all * page_bytes);
    if (code == SQLITE_DONE) return;
    if (step % steps_per_sync == 0) file.sync();
  }
}

}  // namespace

DatabaseFacts back_up(const std::string& database, const std::string& file, NewFile::Existing existing,
                      const Progress& progress) {
  if (!is_file(database)) throw hub::StoreError("there is no database at " + database);
  NewFile copied(file, existing);
  try {
    Connection source(database, Access::read);
    source.run("BEGIN");
    Statement(source.handle(), "SELECT count(*) FROM sqlite_schema").step();  // from here on the snapshot is held
    DatabaseFile target(copied.partial(), DatabaseFile::Use::write);
    // A copy that is cut off is thrown away, so it needs no journal of its own.
    target.run("PRAGMA journal_mode = OFF");
    target.run("PRAGMA synchronous = OFF");
    copy(source.handle(), target, copied, progress);
    source.run("COMMIT");
  } catch (const SqliteError& error) {
    throw hub::StoreError("'" + file + "' cannot be written: " + error.what());
  }
  copied.sync();
  DatabaseFacts facts = examine(copied.partial(), progress);
  copied.put_in_place();
  return facts;
}

}  // namespace carillon::storage::sqlite
