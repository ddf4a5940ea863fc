// Whose turn it is to start a hub on a data directory.
//
// A command that finds no hub starts one for a moment. Were `carillon serve` to begin in that moment, it would find the
// directory served and fail, for no reason that its operator could see. So whoever starts a hub waits for his turn
// first: a lock (flock) on the directory itself, which the kernel lets go of however its holder ends.
//
// Threads: one.
#pragma once

#include <string>

namespace carillon::app {

class StartTurn {
 public:
  /// Waits for the turn, at most ten seconds: longer than any command takes. The directory is made if need be (0700).
  /// Throws std::runtime_error that names the directory and what is wrong.
  explicit StartTurn(const std::string& data_directory);
  ~StartTurn();
  StartTurn(const StartTurn&) = delete;
  StartTurn& operator=(const StartTurn&) = delete;

 private:
  int directory_ = -1;
};

}  // namespace carillon::app
