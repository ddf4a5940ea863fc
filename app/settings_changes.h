// What became of the settings between two readings: what a running hub takes, and what waits for its next start.
//
// Threads: pure functions; any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"

namespace carillon::app {

struct SettingChange {
  std::string_view key;
  std::string from;  ///< as in the file, but for the quotes
  std::string to;
};

struct SettingChanges {
  Settings settings;  ///< those that run, with all that was taken
  std::vector<SettingChange> taken;
  std::vector<SettingChange> waiting;
};

/// In the order of the table. TLS cannot be begun or ended while the hub serves: then both files wait.
SettingChanges changes_between(const Settings& running, const Settings& wanted);

}  // namespace carillon::app
