// The commands that work on the database as a file: `backup`, `restore` and `migrate`. They need no hub: a backup is
// made beside one that serves or without one, the other two while none does.
//
// Each returns the exit code, and throws std::runtime_error (hub::StoreError among them) with a line that says what
// failed; nothing is left half done then, nor when the process is killed.
//
// Threads: the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/command_output.h"
#include "app/settings.h"

namespace carillon::app {

struct BackupWish {
  std::string file;
  bool replace = false;          ///< a file that is there
  bool with_secret_key = false;  ///< the key of the webhook secrets beside it
};
int backup(const Settings& settings, const BackupWish& wish, const OutputOptions& output);

struct RestoreWish {
  std::string file;
  bool replace = false;  ///< the database that is there, which is kept aside
};
int restore(const Settings& settings, const RestoreWish& wish, const OutputOptions& output);

int migrate_status(const Settings& settings, const OutputOptions& output);
int migrate_up(const Settings& settings, const OutputOptions& output);

/// Their part of the command line.
class KeepCommands {
 public:
  /// What the command line does for each command: makes it under `parent`, so that it runs the action when it is given.
  using Action = std::function<int(const Settings&)>;
  using Make = std::function<CLI::App&(CLI::App& parent, const std::string& name, const std::string& help, Action)>;

  /// `make` is for commands that can answer in JSON, with `output`, which outlives this.
  void add(CLI::App& app, CLI::App& migrate, const Make& make, const OutputOptions& output);

 private:
  BackupWish backup_;
  RestoreWish restore_;
};

}  // namespace carillon::app
