// any_load: the same work for any server. Prints one JSON object: what was done, and what it took.
//
//   any_load publish|hold|handshakes|requests|polls|webhooks --NAME VALUE…
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "tests/load/any/work.h"
#include "tests/load/arguments.h"

namespace carillon::load {
namespace {

double per(double total, std::uint64_t count) { return count == 0 ? 0 : total / static_cast<double>(count); }

void print(Figures figures) {
  std::sort(figures.latencies_ms.begin(), figures.latencies_ms.end());
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  print_json({
      {"operations", number(figures.operations)},
      {"failed", number(figures.failed)},
      {"connections", number(figures.connections)},
      {"received_bytes", per(number(figures.received_bytes), figures.messages)},
      {"sent_bytes", per(number(figures.sent_bytes), figures.requests)},
      {"seconds", figures.seconds},
      {"cpu_us", per(figures.cpu_us, figures.operations)},
      {"memory_bytes", per(figures.memory_bytes, figures.connections)},
      {"p50_ms", quantile(figures.latencies_ms, 0.5)},
      {"p99_ms", quantile(figures.latencies_ms, 0.99)},
  });
}

int run(int argc, char** argv) {
  WorkOptions options;
  std::uint16_t trigger_port = 0;
  Arguments arguments("any_load");
  arguments.add("--port", options.port);
  arguments.add("--pid", options.pid);
  arguments.add("--jobs", options.jobs);
  arguments.add("--connections", options.connections);
  arguments.add("--operations", options.operations);
  arguments.add("--publishers", options.publishers);
  arguments.add("--per-s", options.per_s);
  arguments.add("--pad-bytes", options.pad_bytes);
  arguments.add("--listen-target", options.listen_target);
  arguments.add("--listen-fields", options.listen_fields);
  arguments.add("--subscribe", options.subscribe);
  arguments.add("--first-target", options.first_target);
  arguments.add("--publish-method", options.publish_method);
  arguments.add("--publish-target", options.publish_target);
  arguments.add("--publish-fields", options.publish_fields);
  arguments.add("--publish-body", options.publish_body);
  arguments.add("--requests", options.requests);
  arguments.add("--status", options.status);
  arguments.add("--warm-up", options.warm_up);
  arguments.add("--count", options.count);
  arguments.add("--trigger-port", trigger_port);
  if (argc < 2) arguments.misuse("which work?");
  arguments.read(argc, argv, 2);
  if (options.port == 0) arguments.misuse("--port is needed");
  const std::string_view work = argv[1];
  const bool of_jobs = work == "publish" || work == "hold" || work == "handshakes" || work == "polls";
  if (of_jobs && options.jobs.empty()) arguments.misuse("--jobs is needed");
  if (work == "requests" && options.requests.empty()) arguments.misuse("--requests is needed");

  allow_many_files();
  if (work == "publish") {
    print(publish_to_websockets(options));
  } else if (work == "hold") {
    print(hold_websockets(options));
  } else if (work == "handshakes") {
    print(shake_hands(options));
  } else if (work == "requests") {
    print(send_requests(options));
  } else if (work == "polls") {
    print(wait_in_polls(options));
  } else if (work == "webhooks") {
    print(receive_webhooks(options, trigger_port));
  } else {
    arguments.misuse("no such work: " + std::string(work));
  }
  return 0;
}

}  // namespace
}  // namespace carillon::load

int main(int argc, char** argv) {
  try {
    return carillon::load::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "any_load: %s\n", error.what());
    return 1;
  }
}
