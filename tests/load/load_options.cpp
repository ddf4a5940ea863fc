#include "tests/load/load_options.h"

#include "tests/load/arguments.h"

namespace carillon::load {

LoadOptions read_load_options(int argc, char** argv) {
  LoadOptions options;
  Arguments arguments("hub_load");
  arguments.add("--port", options.port);
  arguments.add("--jobs", options.jobs);
  arguments.add("--pid", options.pid);
  arguments.add("--client-key", options.client_key);
  arguments.add("--worker-key", options.worker_key);
  arguments.add("--seconds", options.seconds);
  arguments.add("--readers", options.readers);
  arguments.add("--stalled", options.stalled);
  arguments.add("--stall-ms", options.stall_ms);
  arguments.add("--idle", options.idle);
  arguments.add("--reporters", options.reporters);
  arguments.add("--reports-per-s", options.reports_per_s);
  arguments.add("--polls-per-s", options.polls_per_s);
  arguments.add("--subscribes-per-s", options.subscribes_per_s);
  arguments.add("--pad-bytes", options.pad_bytes);
  arguments.add("--sink-port", options.sink_port);
  arguments.add("--sink-hooks", options.sink_hooks);
  arguments.add("--sink-only-for", options.sink_only_for);
  arguments.read(argc, argv);
  const bool reports = options.sink_only_for == 0;
  if (!reports) options.readers = options.reporters = 0;
  if (reports && (options.port == 0 || options.jobs.empty())) arguments.misuse("--port and --jobs are needed");
  return options;
}

}  // namespace carillon::load
