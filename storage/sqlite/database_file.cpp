#include "storage/sqlite/database_file.h"

#include <sys/stat.h>

#include <algorithm>

#include "hub/store.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

/// As SQLite takes names of files with options.
std::string uri_of(const std::string& path, const char* options) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += digits[byte >> 4U];
      uri += digits[byte & 0xFU];
    } else {
      uri += c;
    }
  }
  return uri + options;
}

void check_whole(sqlite3* handle) {
  Statement check(handle, "PRAGMA integrity_check(1)");
  std::string found = check.step() ? std::string(check.text(0)) : "nothing";
  std::replace(found.begin(), found.end(), '\n', ' ');  // it is said in one line
  if (found != "ok") throw hub::StoreError("it is damaged: " + found);
}

}  // namespace

DatabaseFile::DatabaseFile(const std::string& path, Use use) {
  prepare_sqlite();
  const std::string name = use == Use::look ? uri_of(path, "?immutable=1") : uri_of(path, "");
  const int flags = (use == Use::look ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  if (code == SQLITE_OK) return;
  const std::string why = sqlite3_errstr(code);
  sqlite3_close(handle_);
  throw hub::StoreError("cannot open the database " + path + ": " + why);
}

DatabaseFile::~DatabaseFile() { sqlite3_close(handle_); }

void DatabaseFile::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw SqliteError(handle_, code);
}

DatabaseFacts examine(const std::string& path, const Progress& progress) {
  if (!is_file(path)) throw hub::StoreError("'" + path + "' is no file");
  if (progress) progress("checking", 0, 0);
  DatabaseFacts facts;
  facts.bytes = bytes_of_file(path);
  try {
    const DatabaseFile database(path, DatabaseFile::Use::look);
    facts.schema = schema_of(database.handle(), known_migrations()).number();
    if (facts.schema == 0) throw hub::StoreError("it is empty");
    check_whole(database.handle());
    facts.secrets_key_id = secrets_key_id(database.handle());
  } catch (const SqliteError& error) {
    const bool other = error.code() == SQLITE_NOTADB;
    throw hub::StoreError("'" + path + "' is no " + (other ? "database" : "sound database: ") +
                          (other ? "" : error.what()));
  } catch (const hub::StoreError& error) {
    throw hub::StoreError("'" + path + "' cannot be used: " + error.what());
  }
  return facts;
}

std::string secrets_key_id(sqlite3* handle) {
  // Before number 4 there was no such thing.
  Statement column(handle, "SELECT 1 FROM pragma_table_info('webhook_secrets') WHERE name = 'sealed'");
  if (!column.step()) return "";
  column.reset();
  Statement id(handle,
               "SELECT value FROM meta WHERE name = 'webhook_secrets_key' AND "
               "EXISTS (SELECT 1 FROM webhook_secrets WHERE sealed = 1)");
  return id.step() ? std::string(id.text(0)) : "";
}

std::uint64_t bytes_of_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace carillon::storage::sqlite
