// `carillon top`: what a running hub does, look by look, on a terminal; or once, or as JSON, for who reads it
// otherwise. It asks the hub over the control socket, as all commands do.
//
// Threads: the main thread.
#pragma once

#include "app/settings.h"

namespace carillon::app {

struct TopOptions {
  bool once = false;
  bool json = false;
  double interval_s = 1;
};

/// Returns the exit code: when it was shown once, or when 'q', SIGINT or SIGTERM has come; the terminal is then as it
/// was. Throws std::runtime_error where no hub serves the data directory.
int run_top(const Settings& settings, const TopOptions& options);

}  // namespace carillon::app
