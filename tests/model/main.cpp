// The model test: many trials, each from a seed. A trial that fails prints its operations; the same seed makes them
// again.
//
//   model_test --seeds 1-10000      all of these; ends with 1 at the first that fails
//   model_test --seed 4711          one, with its operations as they are done
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/model/template.h"
#include "tests/model/trial.h"
#include "tests/model/trial_error.h"

namespace {

using carillon::model::Divergence;
using carillon::model::Patience;
using carillon::model::Template;
using carillon::model::Trial;

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};

Seeds read_seeds(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return {std::stoull(text), std::stoull(text)};
  return {std::stoull(text.substr(0, dash)), std::stoull(text.substr(dash + 1))};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App options("Drives the hub and a reference with the same operations, among faults, and compares them.");
  std::string range = "1-100";
  std::string one;
  std::int64_t patience_ms = 10'000;
  options.add_option("--seeds", range, "FIRST-LAST")->capture_default_str();
  options.add_option("--seed", one, "this one alone, telling what is done");
  options.add_option("--patience", patience_ms, "ms after which an answer counts as lost")->capture_default_str();
  CLI11_PARSE(options, argc, argv);
  const Seeds seeds = read_seeds(one.empty() ? range : one);
  const Patience patience{std::chrono::milliseconds(patience_ms)};

  std::string pattern = (std::filesystem::temp_directory_path() / "carillon-model-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  int status = 0;
  std::size_t events = 0;
  try {
    const Template from(folder / "template");
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
      Trial trial(seed, from, folder / "hub", patience, !one.empty());
      try {
        trial.run();
        events += trial.events();
      } catch (const Divergence& divergence) {
        if (one.empty()) {
          for (const std::string& line : trial.story()) std::printf("  %s\n", line.c_str());
        }
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), divergence.what());
        std::printf("again: %s --seed %llu\n", argv[0], static_cast<unsigned long long>(seed));
        std::fflush(stdout);
        std::filesystem::remove_all(folder);
        std::_Exit(1);  // a hub that has gone wrong may never come to its end
      }
    }
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    status = 1;
  }
  std::filesystem::remove_all(folder);
  if (status == 0) {
    std::printf("%llu seeds, %zu events: no divergence\n",
                static_cast<unsigned long long>(seeds.last - seeds.first + 1), events);
  }
  return status;
}
