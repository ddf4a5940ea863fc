// The `account` and `key` commands: each asks the hub that serves the data directory (or one that is started for the
// moment) and prints what it says.
//
// Each returns the exit code, and throws std::runtime_error with the hub's own word where it refused.
//
// Threads: the main thread.
#pragma once

#include <string>

#include "app/command_output.h"
#include "app/settings.h"

namespace carillon::app {

int account_create(const Settings& settings, const std::string& name, const OutputOptions& output);
int account_list(const Settings& settings, const OutputOptions& output);
int account_set_status(const Settings& settings, const std::string& name, bool suspended, const OutputOptions& output);

struct KeyCreate {
  std::string account;
  std::string role = "client";
  std::string name;
  std::string expires_in;  ///< "30d"
  std::string expires_at;  ///< in RFC 3339; both empty: never
};

/// Prints the key alone.
int key_create(const Settings& settings, const KeyCreate& wanted, const OutputOptions& output);

struct KeyList {
  std::string account;  ///< empty: of all
  std::string role;     ///< empty: any
};
int key_list(const Settings& settings, const KeyList& wanted, const OutputOptions& output);
int key_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output);
/// Prints the new key alone. `overlap` is for how long the old one is taken yet, as "12h"; empty: as the hub has it.
int key_rotate(const Settings& settings, const std::string& id, const std::string& overlap,
               const OutputOptions& output);
int key_revoke(const Settings& settings, const std::string& id, const OutputOptions& output);

}  // namespace carillon::app
