// `carillon demo`: one job, moved from queued to succeeded, and what each of the three channels got of it, line by line
// with times. In a hub of its own that goes when it is over, or in a running one.
//
// Threads: the main thread; each channel is listened to on a thread of its own.
#pragma once

#include <string>

#include "app/settings.h"

namespace carillon::app {

struct DemoOptions {
  std::string url;  ///< empty: a hub of its own
  std::string client_key;
  std::string worker_key;
};

/// Returns exit_ok only if all three channels told of the job's end. Throws std::runtime_error.
int run_demo(const DemoOptions& options, const Settings& settings);

}  // namespace carillon::app
