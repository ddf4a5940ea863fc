#include "storage/sqlite/connection.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Exception.h>

#include <mutex>

#include "hub/store.h"
#include "storage/sqlite/damage.h"
#include "storage/sqlite/log_gathering.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

/// Another process may hold the file for a moment (a backup, a checkpoint by a shell); within the hub nobody waits.
constexpr int busy_timeout_ms = 5'000;
/// Poco tries again until then, also where the file cannot be opened at all.
constexpr std::size_t open_timeout_s = 1;

Poco::Data::Session open(const std::string& path) {
  prepare_sqlite();
  try {
    return {Poco::Data::SQLite::Connector::KEY, path, open_timeout_s};
  } catch (const Poco::Exception& error) {
    throw hub::StoreError("cannot open the database " + path + ": " + error.displayText());
  }
}

/// Brings what the log holds to disk, before anyone is told of it. A process that was killed between writing a commit
/// and syncing it, or that was told that the sync had failed, has left a commit there that can be read, and that a loss
/// of power would take away again. A sync alone may not help: after one that failed the system takes for written what
/// is not. So it is written anew, into the database; where there is no room for that the log is synced at least.
void settle_log(sqlite3* handle) {
  int in_log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
  if (code == SQLITE_OK && moved == in_log) return;
  sqlite3_file* log = nullptr;
  const int found = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (found != SQLITE_OK || log == nullptr || log->pMethods == nullptr) return;
  if (const int synced = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); synced != SQLITE_OK) {
    throw hub::StoreError(std::string("its log cannot be synced: ") + sqlite3_errstr(synced));
  }
}

}  // namespace

void prepare_sqlite() {
  static std::once_flag once;
  std::call_once(once, [] {
    // A connection is used by one thread at a time, so SQLite need not lock it for each call; and nobody asks how much
    // memory SQLite uses, which it would count under a lock.
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    listen_for_damage();
    install_log_gathering();
    Poco::Data::SQLite::Connector::registerConnector();
  });
}

Connection::Connection(const std::string& path, Access access)
    : session_(open(path)), handle_(Poco::Data::SQLite::Utility::dbHandle(session_)) {
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
  try {
    if (access == Access::write) {
      run("PRAGMA journal_mode = WAL");
      run("PRAGMA synchronous = FULL");
      run("PRAGMA foreign_keys = ON");
      run("PRAGMA cache_size = -65536");  // 64 MiB: the index over job ids is read at random
      // 16 MiB of log between checkpoints: a page that changes often is written back once for many commits.
      run("PRAGMA wal_autocheckpoint = 4096");
      // It grows while a backup holds its snapshot; then it is cut again.
      run("PRAGMA journal_size_limit = 67108864");
      settle_log(handle_);
    } else {
      run("PRAGMA query_only = ON");
      run("PRAGMA cache_size = -8192");
    }
  } catch (const hub::StoreError& error) {
    throw named_after(path, error);
  }
}

void Connection::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw SqliteError(handle_, code);
}

}  // namespace carillon::storage::sqlite
