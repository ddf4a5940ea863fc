// What `carillon top` shows, worked out of two looks at a hub's metrics.
//
// Threads: pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::app {

/// Samples by their name with its labels, as the page has them: `carillon_stuck{part="store"}`.
using Samples = std::map<std::string, double, std::less<>>;

/// Reads a page in Prometheus' text format; what is no sample is passed over.
Samples read_samples(std::string_view page);

/// An endpoint by its attempts: of the time between the looks, or where there were none then, of all.
struct TopEndpoint {
  std::string id;
  std::string url;  ///< empty where it is not known
  double attempts_per_s = 0;
  double failed_share = 0;  ///< from 0 to 1
  double seconds = 0;       ///< that an attempt took
};

struct TopFigures {
  std::string version;
  double up_s = 0;
  bool writable = true;
  std::vector<std::string> stuck;  ///< parts
  double disk_free_bytes = 0;

  double events_per_s = 0;
  double commits_per_s = 0;
  std::optional<double> commit_p50_s;  ///< none where there were no commits
  std::optional<double> commit_p99_s;
  double changes_waiting = 0;

  double requests_per_s = 0;
  double errors_per_s = 0;  ///< 5xx
  double http_connections = 0;
  double websockets = 0;
  double subscriptions = 0;
  double websocket_deliveries_per_s = 0;
  double polls_waiting = 0;
  double streams = 0;

  double webhook_attempts_per_s = 0;
  double webhook_delivered_per_s = 0;
  double deliveries_pending = 0;
  double endpoints_waiting = 0;
  double endpoints_down = 0;
  std::optional<double> longest_due_s;  ///< none where nothing is due

  double cpu_cores = 0;
  double memory_bytes = 0;
  std::optional<double> loop_lag_p99_s;
  /// Those that fail most first, then the slowest. Empty where the hub has so many that it does not count each.
  std::vector<TopEndpoint> endpoints;
};

/// `seconds` is the time between the two looks, `now_s` that of the later one, since 1970.
TopFigures work_out(const Samples& before, const Samples& after, double seconds, double now_s);

}  // namespace carillon::app
