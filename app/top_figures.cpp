#include "app/top_figures.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace carillon::app {
namespace {

std::string_view family_of(std::string_view sample) { return sample.substr(0, sample.find('{')); }

/// The value of a label, as it is written; none of the hub's has anything that would be escaped.
std::string_view label_of(std::string_view sample, std::string_view label) {
  const std::string opening = std::string(label) + "=\"";
  std::size_t at = sample.find(opening);
  while (at != std::string_view::npos && sample[at - 1] != '{' && sample[at - 1] != ',') {
    at = sample.find(opening, at + 1);
  }
  if (at == std::string_view::npos) return {};
  const std::string_view rest = sample.substr(at + opening.size());
  return rest.substr(0, rest.find('"'));
}

double value_of(const Samples& samples, std::string_view name) {
  const auto found = samples.find(name);
  return found == samples.end() ? 0 : found->second;
}

/// Calls `visit` with each sample of a family.
template <typename Visit>
void for_each(const Samples& samples, std::string_view family, Visit&& visit) {
  for (auto at = samples.lower_bound(family); at != samples.end() && at->first.starts_with(family); ++at) {
    if (family_of(at->first) == family) visit(at->first, at->second);
  }
}

class Between {
 public:
  Between(const Samples& before, const Samples& after, double seconds)
      : before_(before), after_(after), seconds_(std::max(seconds, 1e-3)) {}

  /// How much a sample has grown; a hub that was started anew has begun at nothing.
  double grown(const std::string& sample) const {
    const double now = value_of(after_, sample);
    const double then = value_of(before_, sample);
    return now >= then ? now - then : now;
  }
  double rate(const std::string& sample) const { return grown(sample) / seconds_; }
  double rate_of_all(std::string_view family) const {
    double total = 0;
    for_each(after_, family, [&](const std::string& sample, double) { total += grown(sample); });
    return total / seconds_;
  }

  /// Of a histogram, its members taken together, as Prometheus' histogram_quantile() has it.
  std::optional<double> quantile(const std::string& histogram, double share) const {
    std::map<double, double> up_to;
    for_each(after_, histogram + "_bucket", [&](const std::string& sample, double) {
      const std::string_view le = label_of(sample, "le");
      double bound = std::numeric_limits<double>::infinity();
      if (le != "+Inf") std::from_chars(le.data(), le.data() + le.size(), bound);
      up_to[bound] += grown(sample);
    });
    if (up_to.empty() || up_to.rbegin()->second <= 0) return std::nullopt;
    const double wanted = share * up_to.rbegin()->second;
    double lower = 0;
    double below = 0;
    for (const auto& [bound, count] : up_to) {
      if (count >= wanted) {
        if (std::isinf(bound)) return lower;
        return lower + (bound - lower) * (count > below ? (wanted - below) / (count - below) : 0);
      }
      lower = bound;
      below = count;
    }
    return lower;
  }

  double seconds() const { return seconds_; }

 private:
  const Samples& before_;
  const Samples& after_;
  const double seconds_;
};

struct Attempts {
  double all = 0;
  double failed = 0;
  double seconds = 0;
};

std::vector<TopEndpoint> endpoints_of(const Samples& after, const Between& between) {
  std::map<std::string, std::pair<Attempts, Attempts>, std::less<>> found;  // since the start; between the looks
  for_each(after, "carillon_webhook_endpoint_attempts_total", [&](const std::string& sample, double value) {
    auto& [ever, now] = found[std::string(label_of(sample, "webhook"))];
    const bool failed = label_of(sample, "outcome") != "delivered";
    const double grown = between.grown(sample);
    ever.all += value;
    now.all += grown;
    if (failed) ever.failed += value;
    if (failed) now.failed += grown;
  });
  for_each(after, "carillon_webhook_endpoint_attempt_seconds_total", [&](const std::string& sample, double value) {
    auto& [ever, now] = found[std::string(label_of(sample, "webhook"))];
    ever.seconds += value;
    now.seconds += between.grown(sample);
  });
  std::vector<TopEndpoint> endpoints;
  for (const auto& [id, attempts] : found) {
    const auto& [ever, now] = attempts;
    const Attempts& shown = now.all > 0 ? now : ever;
    if (shown.all <= 0) continue;
    endpoints.push_back({id, {}, now.all / between.seconds(), shown.failed / shown.all, shown.seconds / shown.all});
  }
  std::stable_sort(endpoints.begin(), endpoints.end(), [](const TopEndpoint& a, const TopEndpoint& b) {
    return a.failed_share != b.failed_share ? a.failed_share > b.failed_share : a.seconds > b.seconds;
  });
  return endpoints;
}

}  // namespace

Samples read_samples(std::string_view page) {
  Samples samples;
  while (!page.empty()) {
    const std::size_t end = std::min(page.find('\n'), page.size());
    const std::string_view line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    const std::size_t blank = line.rfind(' ');
    if (line.starts_with('#') || blank == std::string_view::npos) continue;
    double value = 0;
    const std::string_view number = line.substr(blank + 1);
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) continue;
    samples.emplace(line.substr(0, blank), value);
  }
  return samples;
}

TopFigures work_out(const Samples& before, const Samples& after, double seconds, double now_s) {
  const Between between(before, after, seconds);
  TopFigures figures;
  for_each(after, "carillon_build_info",
           [&](std::string_view sample, double) { figures.version = label_of(sample, "version"); });
  figures.up_s = std::max(0.0, now_s - value_of(after, "process_start_time_seconds"));
  figures.writable = value_of(after, "carillon_store_writable") != 0;
  for_each(after, "carillon_stuck", [&](std::string_view sample, double value) {
    if (value != 0) figures.stuck.emplace_back(label_of(sample, "part"));
  });
  figures.disk_free_bytes = value_of(after, "carillon_disk_free_bytes");

  figures.events_per_s = between.rate_of_all("carillon_events_total");
  figures.commits_per_s = between.rate("carillon_commits_total");
  figures.commit_p50_s = between.quantile("carillon_commit_seconds", 0.5);
  figures.commit_p99_s = between.quantile("carillon_commit_seconds", 0.99);
  figures.changes_waiting = value_of(after, "carillon_store_queue");

  figures.requests_per_s = between.rate_of_all("carillon_http_requests_total");
  figures.errors_per_s = between.rate(R"(carillon_http_requests_total{class="5xx"})");
  figures.http_connections = value_of(after, "carillon_http_connections");
  figures.websockets = value_of(after, "carillon_websocket_connections");
  figures.subscriptions = value_of(after, "carillon_websocket_subscriptions");
  figures.websocket_deliveries_per_s = between.rate("carillon_websocket_deliveries_total");
  figures.polls_waiting = value_of(after, "carillon_polls_waiting");
  figures.streams = value_of(after, "carillon_event_streams");

  figures.webhook_attempts_per_s = between.rate_of_all("carillon_webhook_attempts_total");
  figures.webhook_delivered_per_s = between.rate(R"(carillon_webhook_attempts_total{outcome="delivered"})");
  figures.deliveries_pending = value_of(after, "carillon_webhook_deliveries_pending");
  figures.endpoints_waiting = value_of(after, "carillon_webhook_endpoints_waiting");
  figures.endpoints_down = value_of(after, "carillon_webhook_endpoints_down");
  if (const double due_s = value_of(after, "carillon_webhook_oldest_due_timestamp_seconds"); due_s > 0) {
    figures.longest_due_s = std::max(0.0, now_s - due_s);
  }

  figures.cpu_cores = between.rate("process_cpu_seconds_total");
  figures.memory_bytes = value_of(after, "process_resident_memory_bytes");
  figures.loop_lag_p99_s = between.quantile("carillon_loop_lag_seconds", 0.99);
  figures.endpoints = endpoints_of(after, between);
  return figures;
}

}  // namespace carillon::app
