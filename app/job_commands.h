// The `job` commands: each asks the hub that serves the data directory (or one that is started for the moment) and
// prints what it says.
//
// Each returns the exit code, and throws std::runtime_error with the hub's own word where it refused.
//
// Threads: the main thread.
#pragma once

#include <cstddef>
#include <string>

#include "app/command_output.h"
#include "app/settings.h"

namespace carillon::app {

struct JobTrace {
  std::string id;
  std::size_t limit = 100;  ///< of the job's events, the last ones
};
/// Whom the hub told of each of the job's events, as a time line:
///
///   job 550e8400-… is succeeded
///   last asked for at 2026-11-23T17:42:06.001Z by key_…, as of event 42
///
///   42 job.succeeded
///   2026-11-23T17:42:05.123Z  websocket  told 2 connections
///   2026-11-23T17:42:05.140Z  webhook    dlv_… to https://…, attempt 1: 500 in 12 ms
///   2026-11-23T17:42:05.140Z  webhook    dlv_… to https://… is pending, next at 2026-11-23T17:42:10.140Z
int job_trace(const Settings& settings, const JobTrace& wanted, const OutputOptions& output);

}  // namespace carillon::app
