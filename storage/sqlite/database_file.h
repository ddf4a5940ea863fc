// A database that is opened plainly, for one purpose and without what Connection sets for a hub.
//
// Threads: one at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "storage/sqlite/database_facts.h"

namespace carillon::storage::sqlite {

class DatabaseFile {
 public:
  enum class Use : std::uint8_t {
    look,  ///< it is not changed, nor does anyone else change it meanwhile: no lock, no file beside it
    write
  };

  /// Throws hub::StoreError that names the file.
  DatabaseFile(const std::string& path, Use use);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  sqlite3* handle() const { return handle_; }
  /// Throws SqliteError.
  void run(const char* sql);

 private:
  sqlite3* handle_ = nullptr;
};

/// The id of the key that webhook secrets in the database are encrypted with; empty where none are.
std::string secrets_key_id(sqlite3* handle);

}  // namespace carillon::storage::sqlite
