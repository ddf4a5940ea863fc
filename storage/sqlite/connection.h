// One connection to the database file: a Poco::Data session for what is not hot (opening, pragmas, migrations), and the
// same connection's sqlite3* for the statements on the road.
//
// Threads: one at a time.
#pragma once

#include <Poco/Data/Session.h>
#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace carillon::storage::sqlite {

/// What SQLite is told once for the whole process, before anything is opened.
void prepare_sqlite();

enum class Access : std::uint8_t {
  write,  ///< made if need be; WAL, and a commit is on disk when it returns (synchronous=FULL)
  read    ///< for queries only
};

class Connection {
 public:
  /// Throws hub::StoreError that names the file.
  Connection(const std::string& path, Access access);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* handle() const { return handle_; }
  Poco::Data::Session& session() { return session_; }

  /// Runs statements that give no rows. Throws SqliteError.
  void run(const std::string& sql);

 private:
  Poco::Data::Session session_;
  sqlite3* handle_;
};

}  // namespace carillon::storage::sqlite
