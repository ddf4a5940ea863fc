// What load is put on which hub: the command line of hub_load.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carillon::load {

struct LoadOptions {
  std::uint16_t port = 0;
  int pid = 0;  ///< the hub's process, for its CPU time; 0: not measured
  std::string client_key;
  std::string worker_key;
  std::vector<std::string> jobs;  ///< running ones of that client, without progress

  double seconds = 10;
  int readers = 300;             ///< each subscribed to one job, in turn
  int stalled = 0;               ///< each subscribed to all jobs, reading nothing
  int stall_ms = 6'000;          ///< after which every second of them reads again, the others drop the connection
  int idle = 0;                  ///< connected, subscribed to nothing
  int reporters = 16;            ///< HTTP connections, each with one report under way
  double reports_per_s = 1'000;  ///< 0: as many as can be
  double polls_per_s = 0;
  double subscribes_per_s = 0;  ///< connections that subscribe, see the state, and leave
  int pad_bytes = 1'000;        ///< of each report
  std::uint16_t sink_port = 0;  ///< where webhooks are received on; 0: nowhere
  int sink_hooks = 1;           ///< webhooks that each report is owed to
  int sink_only_for = 0;        ///< webhooks to receive, and end then, without reporting anything; 0: as usual
};

/// Ends the program with a word on what is wrong.
LoadOptions read_load_options(int argc, char** argv);

}  // namespace carillon::load
