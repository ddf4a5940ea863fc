// `carillon serve`: runs the hub until it is told to end, and says what its operator has to know.
//
// On standard output: where it listens, and at the first start the keys. On standard error: the log. SIGHUP has it read
// its settings and its certificate anew.
//
// Threads: the main thread, before any other is started.
#pragma once

#include <functional>

#include "app/settings.h"

namespace carillon::app {

/// Reads the settings from all their sources. Throws SettingsError.
using ReadSettings = std::function<Settings()>;

/// Returns when SIGINT or SIGTERM has come and the hub has ended. Throws std::runtime_error when it cannot start.
int serve(Settings settings, const ReadSettings& read_settings);

}  // namespace carillon::app
