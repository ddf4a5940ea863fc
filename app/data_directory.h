// The data directory: everything a hub keeps, and the proof that only one hub keeps it.
//
//   carillon.db       the database (with its -wal and -shm beside it)
//   webhook-secrets.key
//                     what webhook secrets in it are encrypted with, unless the settings put it elsewhere
//   control.sock      where the commands reach the hub that serves the directory
//   lock              held (flock) by that hub; the kernel lets go of it when the process ends, however it ends
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include <stdexcept>
#include <string>

#include "app/settings.h"

namespace carillon::app {

/// Another hub serves the directory.
class DataDirectoryBusy : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class DataDirectory {
 public:
  enum class Use {
    serve,  ///< made if need be (mode 0700), and locked for as long as this object lives
    visit   ///< must be there; not locked: to reach the hub that serves it
  };

  /// Throws DataDirectoryBusy, or std::runtime_error that names the directory and what is wrong with it.
  DataDirectory(std::string path, Use use);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  /// True when there is a directory of that name.
  static bool exists(const std::string& path);

  const std::string& path() const { return path_; }
  std::string database_file() const;
  /// A name for the socket that fits into a sockaddr_un (108 bytes) however long the directory's own name is: it goes
  /// by way of this process's open descriptor, so it is valid in this process and while this object lives.
  std::string control_socket() const;

 private:
  std::string path_;
  int directory_ = -1;
  int lock_ = -1;
};

/// The database of a data directory, which need not be there.
std::string database_file_in(const std::string& data_directory);

/// The key that webhook secrets are encrypted with: where the settings say, or in the data directory.
std::string secret_key_file(const Settings& settings);

}  // namespace carillon::app
