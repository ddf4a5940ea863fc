#include "app/top.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "app/command_output.h"
#include "app/commands.h"
#include "app/control_client.h"
#include "app/top_figures.h"
#include "app/top_screen.h"
#include "app/top_terminal.h"
#include "hub/clock.h"

namespace carillon::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds answer_wait_max{5};
constexpr std::size_t endpoints_shown_max = 20;
constexpr std::size_t endpoints_once_max = 50;

/// A hub, looked at from time to time.
class Looks {
 public:
  explicit Looks(const std::string& data) : client_(data) {
    client_.wait_at_most(answer_wait_max);
    try {
      look();
    } catch (const NoAnswer& why) {
      throw std::runtime_error("data directory '" + data + "': no hub that serves it answers (" + why.what() + ")");
    }
  }

  /// What has become since the look before.
  TopFigures look() {
    const Clock::time_point at = Clock::now();
    Samples samples = read_samples(client_.metrics());
    const double now_s = static_cast<double>(hub::SystemClock().now_ms()) / 1000;
    TopFigures figures = work_out(samples_, samples, std::chrono::duration<double>(at - at_).count(), now_s);
    samples_ = std::move(samples);
    at_ = at;
    for (std::size_t i = 0; i < figures.endpoints.size() && i < endpoints_once_max; ++i) {
      figures.endpoints[i].url = url_of(figures.endpoints[i].id);
    }
    return figures;
  }

 private:
  /// Asked once; a webhook that is gone has none.
  const std::string& url_of(const std::string& id) {
    const auto [known, is_new] = urls_.try_emplace(id);
    if (!is_new) return known->second;
    try {
      known->second = show(parse_answer(client_.get("/webhooks/" + url_part(id))), "url");
    } catch (const NoAnswer&) {
      urls_.erase(known);
      throw;
    } catch (const std::runtime_error&) {
      known->second = "(deleted)";
    }
    return known->second;
  }

  ControlClient client_;
  Samples samples_;
  Clock::time_point at_ = Clock::now();
  std::map<std::string, std::string> urls_;
};

void print(const TopFigures& figures, const TopOptions& options) {
  if (options.json) {
    std::cout << top_json(figures) << std::endl;
    return;
  }
  for (const std::string& line : top_lines(figures, endpoints_once_max)) std::cout << line << "\n";
  std::cout << std::flush;
}

/// Until it is to end. A hub that does not answer is said so, and looked for again.
void watch(Looks& looks, const TopSignals& signals, std::chrono::milliseconds interval) {
  const TopTerminal terminal;
  const bool keys = isatty(STDIN_FILENO) == 1;
  std::vector<std::string> lines = {"one moment ..."};
  do {
    const auto [columns, rows] = terminal.size();
    terminal.show(top_frame(lines, columns, rows));
    if (wait_for_end(signals, keys, interval)) return;
    try {
      lines = top_lines(looks.look(), endpoints_shown_max);
    } catch (const std::runtime_error& why) {
      lines.insert(lines.begin(), std::string("THE HUB DOES NOT ANSWER: ") + why.what());
      if (lines.size() > 1 && lines[1].starts_with("THE HUB")) lines.erase(lines.begin() + 1);
    }
  } while (true);
}

}  // namespace

int run_top(const Settings& settings, const TopOptions& options) {
  const std::chrono::milliseconds interval(static_cast<std::int64_t>(options.interval_s * 1000));
  const bool on_terminal = isatty(STDOUT_FILENO) == 1;
  const bool once = options.once || (!on_terminal && !options.json);
  const TopSignals signals;
  Looks looks(settings.data);
  if (!once && !options.json) {
    watch(looks, signals, interval);
    return exit_ok;
  }
  do {
    if (wait_for_end(signals, false, interval)) return exit_ok;
    print(looks.look(), options);
  } while (!once && std::cout);
  return exit_ok;
}

}  // namespace carillon::app
