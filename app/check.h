// `carillon check`: whether a hub could serve here, told before one does, or beside one that does.
//
// It looks and changes nothing: no directory is made, no database opened for writing, no port kept.
//
// Threads: the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/command_output.h"
#include "app/settings.h"

namespace carillon::app {

struct Finding {
  enum class Verdict : std::uint8_t {
    good,
    warning,  ///< it would serve, but not as is meant, or not for long
    problem   ///< it would not serve, or nobody could use it
  };

  Verdict verdict;
  std::string subject;  ///< "disk", "certificate", …
  std::string detail;
};

/// All that was found, in the order in which a start would come upon it.
std::vector<Finding> look_at(const Settings& settings);

/// Prints them. Returns exit_failed where there is a problem, exit_ok otherwise. The settings themselves are checked
/// when they are read, by every command.
int check(const Settings& settings, const OutputOptions& output);

}  // namespace carillon::app
