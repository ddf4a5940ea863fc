#include "storage/sqlite/restoring.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "hub/id.h"
#include "hub/store.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

constexpr std::size_t chunk_bytes = 1024 * 1024;
/// What SQLite may have beside a database. In that order: where only the log is gone, the rest is of no use.
constexpr std::array<const char*, 3> companions = {"-wal", "-shm", "-journal"};

std::string why(int error) { return std::generic_category().message(error); }

void copy(const std::string& from, NewFile& into, const Progress& progress) {
  const int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw hub::StoreError("'" + from + "' cannot be read: " + why(errno));
  const std::uint64_t all = bytes_of_file(from);
  std::string chunk(chunk_bytes, '\0');
  std::uint64_t done = 0;
  int error = 0;
  try {
    for (;;) {
      const ssize_t got = ::read(file, chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error = errno;
      if (got <= 0) break;
      into.write(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
      done += static_cast<std::uint64_t>(got);
      if (progress) progress("copying", done, all);
    }
  } catch (const hub::StoreError&) {
    ::close(file);
    throw;
  }
  ::close(file);
  if (error != 0) throw hub::StoreError("'" + from + "' cannot be read: " + why(error));
}

void remove_companions(const std::string& database) {
  for (const char* companion : companions) ::unlink((database + companion).c_str());
}

/// What the log of the database holds goes into it. False where that cannot be, for it is damaged; of a file that is no
/// database any more SQLite would throw the log away.
bool end_log(const std::string& database) {
  try {
    {
      const DatabaseFile file(database, DatabaseFile::Use::look);
      Statement(file.handle(), "SELECT count(*) FROM sqlite_schema").step();
    }
    Connection connection(database, Access::write);
    Statement checkpoint(connection.handle(), "PRAGMA wal_checkpoint(TRUNCATE)");
    return checkpoint.step() && checkpoint.integer(0) == 0;
  } catch (const hub::StoreError&) {
    return false;
  }
}

void link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    throw hub::StoreError("the database that is there cannot be kept aside as '" + to + "': " + why(errno));
  }
}

}  // namespace

Restoring::Restoring(const std::string& file, const std::string& database, const Progress& progress)
    : database_(database), copy_(database, NewFile::Existing::replaced) {
  if (!is_file(file)) throw hub::StoreError("'" + file + "' is no file");
  if (bytes_of_file(file + "-wal") > 0) {
    throw hub::StoreError("'" + file + "' has a log beside it ('" + file +
                          "-wal'): it is no backup, but a database that is in use or was copied while it was; "
                          "'carillon backup' makes one that can be restored");
  }
  copy(file, copy_, progress);
  copy_.sync();
  try {
    facts_ = examine(copy_.partial(), progress);
  } catch (const hub::StoreError& error) {
    std::string text = error.what();
    const std::size_t at = text.find(copy_.partial());
    if (at != std::string::npos) text.replace(at, copy_.partial().size(), file);
    throw hub::StoreError(text);
  }
}

Restoring::Done Restoring::put_in_place(hub::UnixMs now_ms) {
  Done done;
  done.epoch = hub::random_base62(16);
  remove_companions(copy_.partial());  // of one that was cut off
  {
    DatabaseFile copy(copy_.partial(), DatabaseFile::Use::write);
    copy.run("PRAGMA journal_mode = DELETE");
    copy.run("PRAGMA journal_mode = OFF");
    Statement(copy.handle(), "INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?)").bind(done.epoch).run();
  }
  remove_companions(copy_.partial());
  copy_.give_to_owner_of(std::filesystem::path(database_).parent_path().string());
  copy_.sync();
  if (is_file(database_)) done.kept_aside = keep_aside(now_ms);
  // A log that could not be ended is of a database that cannot be read, and is kept aside with it.
  remove_companions(database_);
  copy_.put_in_place();
  return done;
}

std::string Restoring::keep_aside(hub::UnixMs now_ms) const {
  std::string moment = hub::rfc3339_seconds(now_ms);
  std::erase_if(moment, [](char c) { return c == '-' || c == ':'; });
  const std::string name = database_ + ".replaced-" + moment;
  std::string free = name;
  for (int i = 2; is_file(free); ++i) free = name + "-" + std::to_string(i);
  if (!end_log(database_) && bytes_of_file(database_ + "-wal") > 0) link(database_ + "-wal", free + "-wal");
  link(database_, free);
  sync_folder_of(database_);
  return free;
}

}  // namespace carillon::storage::sqlite
