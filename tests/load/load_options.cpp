#include "tests/load/load_options.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>

namespace carillon::load {
namespace {

[[noreturn]] void misuse(const std::string& what) {
  std::fprintf(stderr, "hub_load: %s\n", what.c_str());
  std::exit(2);
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) misuse("cannot read " + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

LoadOptions read_load_options(int argc, char** argv) {
  LoadOptions options;
  const auto whole = [](int& into) { return [&into](const std::string& text) { into = std::stoi(text); }; };
  const auto number = [](double& into) { return [&into](const std::string& text) { into = std::stod(text); }; };
  const auto string = [](std::string& into) { return [&into](const std::string& text) { into = text; }; };
  const std::map<std::string, std::function<void(const std::string&)>> known{
      {"--port", [&](const std::string& text) { options.port = static_cast<std::uint16_t>(std::stoi(text)); }},
      {"--jobs", [&](const std::string& text) { options.jobs = read_lines(text); }},
      {"--pid", whole(options.pid)},
      {"--client-key", string(options.client_key)},
      {"--worker-key", string(options.worker_key)},
      {"--seconds", number(options.seconds)},
      {"--readers", whole(options.readers)},
      {"--stalled", whole(options.stalled)},
      {"--stall-ms", whole(options.stall_ms)},
      {"--idle", whole(options.idle)},
      {"--reporters", whole(options.reporters)},
      {"--reports-per-s", number(options.reports_per_s)},
      {"--polls-per-s", number(options.polls_per_s)},
      {"--subscribes-per-s", number(options.subscribes_per_s)},
      {"--pad-bytes", whole(options.pad_bytes)},
      {"--sink-port",
       [&](const std::string& text) { options.sink_port = static_cast<std::uint16_t>(std::stoi(text)); }},
      {"--sink-hooks", whole(options.sink_hooks)},
      {"--sink-only-for", whole(options.sink_only_for)},
  };
  for (int i = 1; i < argc; i += 2) {
    const auto option = known.find(argv[i]);
    if (option == known.end() || i + 1 == argc) misuse(std::string("unknown, or without a value: ") + argv[i]);
    try {
      option->second(argv[i + 1]);
    } catch (const std::exception&) {
      misuse(std::string("no number: ") + argv[i] + " " + argv[i + 1]);
    }
  }
  const bool reports = options.sink_only_for == 0;
  if (!reports) options.readers = options.reporters = 0;
  if (reports && (options.port == 0 || options.jobs.empty())) misuse("--port and --jobs are needed");
  return options;
}

}  // namespace carillon::load
