// The command line: which command is meant, with which settings.
//
// Threads: used by the main thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "app/settings_sources.h"

namespace carillon::app {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;  ///< the command line, the environment or the settings file is wrong

/// Runs the command that `arguments` (without the program's name) ask for and returns its exit code. Help and version
/// go to `out`; what is wrong goes to `err`, as one line.
int run_command(const std::vector<std::string>& arguments, const Environment& environment, std::ostream& out,
                std::ostream& err);

}  // namespace carillon::app
