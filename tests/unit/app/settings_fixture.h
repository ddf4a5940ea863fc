// Settings gathered as `carillon serve` gathers them, from flags, variables and a file that a test writes down.
//
// Threads: one.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "app/settings_sources.h"

namespace carillon::app {

/// A directory of its own that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "carillon-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Sources {
  std::string file = {};  ///< the text of a settings file; without one, no file is named
  std::map<std::string, std::string> variables = {};
  std::vector<std::string> flags = {};
};

/// Where a message names the file, it is called "carillon.toml".
inline Settings gather(const Sources& sources) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() / "carillon.toml";
  std::vector<std::string> arguments = sources.flags;
  if (!sources.file.empty()) {
    std::ofstream(file) << sources.file;
    arguments.insert(arguments.begin(), {"--config", file});
  }
  CLI::App app;
  const SettingsSources options(app);
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  const auto environment = [&](const std::string& variable) -> std::optional<std::string> {
    const auto found = sources.variables.find(variable);
    if (found == sources.variables.end()) return std::nullopt;
    return found->second;
  };
  try {
    return options.gather(environment);
  } catch (const SettingsError& error) {
    std::string message = error.what();
    if (message.starts_with(file)) message = "carillon.toml" + message.substr(file.size());
    throw SettingsError(message);
  }
}

}  // namespace carillon::app
