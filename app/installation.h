// Where this program is installed, told from where it lies: what belongs to it is found beside it, wherever an
// administrator has put the whole.
//
//   /usr/bin/carillon        its settings file is /etc/carillon/carillon.toml (the Debian package)
//   PREFIX/bin/carillon      PREFIX/etc/carillon.toml (the tarball)
//   elsewhere                none: a build, which takes what it is told
//
// Threads: any.
#pragma once

#include <optional>
#include <string>

namespace carillon::app {

/// The settings file of the installation, if there is one.
std::optional<std::string> installed_settings_file();

/// The same of a program that lies at `program`, whether or not there is such a file.
std::optional<std::string> settings_file_beside(const std::string& program);

}  // namespace carillon::app
