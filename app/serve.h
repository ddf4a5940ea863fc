// `carillon serve`: runs the hub until it is told to end, and says what its operator has to know.
//
// On standard output: where it listens, and at the first start the keys. On standard error: the log. SIGHUP has it read
// its certificate anew.
//
// Threads: the main thread, before any other is started.
#pragma once

#include "app/settings.h"

namespace carillon::app {

/// Returns when SIGINT or SIGTERM has come and the hub has ended. Throws std::runtime_error when it cannot start.
int serve(const Settings& settings);

}  // namespace carillon::app
