// Where settings come from: flag over environment variable over settings file over default.
//
// CLI11 reads the flags and the file; the order of precedence is kept here, since CLI11 would put the file above the
// environment.
//
// Threads: used by one, before anything starts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "app/settings_file.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace carillon::app {

/// The value of an environment variable; none when it is not set. A variable set to nothing counts as not set.
using Environment = std::function<std::optional<std::string>(const std::string& variable)>;

Environment process_environment();

/// The group of options that SettingsSources adds; too many for the help of every command: see settings_help().
inline constexpr const char* settings_group = "Settings";

class SettingsSources {
 public:
  /// Gives `app` an option for each setting, and `--config FILE`.
  explicit SettingsSources(CLI::App& app);

  /// To be called when `app` has parsed. Throws SettingsError that names the flag, the variable, or the file's line.
  Settings gather(const Environment& environment) const;

 private:
  CLI::Option* config_;
  std::vector<CLI::Option*> flags_;  ///< as in settings_table()
};

/// Every setting with flag, effect, default and variable, to be shown below a command's own options.
std::string settings_help();

}  // namespace carillon::app
