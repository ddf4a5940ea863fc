// The first start: a hub that nobody has a key for yet gets an account and a key of each role.
//
// Threads: one.
#pragma once

#include <string>

#include "app/settings.h"

namespace carillon::app {

/// Makes the account `default` and its keys in the hub that serves `settings.data`, and returns the text that shows the
/// keys, this once, with a line to paste for each channel. `url` is where the hub listens. Throws std::runtime_error.
std::string first_start(const Settings& settings, const std::string& url);

/// Writes that text into a file of the data directory that its owner alone can read, and returns the file's path.
/// Throws std::runtime_error.
std::string keep_first_start(const Settings& settings, const std::string& text);

}  // namespace carillon::app
