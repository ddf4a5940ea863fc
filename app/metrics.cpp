#include "app/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "app/log.h"
#include "app/process_figures.h"
#include "channels/websocket/counters.h"

namespace carillon::app {
namespace {

using channels::websocket::Counters;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// The families in the order in which they are told.
class Page {
 public:
  void counter(std::string name, std::string help, double value) {
    open(MetricType::Counter, std::move(name), std::move(help));
    add({}, value);
  }

  void gauge(std::string name, std::string help, double value) {
    open(MetricType::Gauge, std::move(name), std::move(help));
    add({}, value);
  }

  /// A family whose members follow, with add().
  void open(MetricType type, std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void add(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    families_.back().metric.push_back(std::move(metric));
  }

  /// What several threads have seen, as one. All have the same bounds.
  void histogram(std::string name, std::string help, std::span<const hub::Distribution* const> parts) {
    open(MetricType::Histogram, std::move(name), std::move(help));
    add({}, parts);
  }

  void add(Labels labels, std::span<const hub::Distribution* const> parts) {
    ClientMetric metric;
    metric.label = std::move(labels);
    ClientMetric::Histogram& histogram = metric.histogram;
    const std::span<const double> bounds = parts.front()->bounds();
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      for (const hub::Distribution* part : parts) histogram.sample_count += part->count(i);
      if (i < bounds.size()) histogram.bucket.push_back({histogram.sample_count, bounds[i]});
    }
    for (const hub::Distribution* part : parts) histogram.sample_sum += part->sum();
    families_.back().metric.push_back(std::move(metric));
  }

  void histogram(std::string name, std::string help, const hub::Distribution& only) {
    const hub::Distribution* const part = &only;
    histogram(std::move(name), std::move(help), std::span(&part, 1));
  }

  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

/// Adds up over the loops.
template <typename Read>
double sum(const std::vector<Metrics::Loop>& loops, Read&& read) {
  std::uint64_t total = 0;
  for (const Metrics::Loop& loop : loops) total += read(loop);
  return static_cast<double>(total);
}

/// A distribution of every loop.
template <typename Find>
std::vector<const hub::Distribution*> of_all(const std::vector<Metrics::Loop>& loops, Find&& find) {
  std::vector<const hub::Distribution*> parts;
  parts.reserve(loops.size());
  for (const Metrics::Loop& loop : loops) parts.push_back(&find(loop));
  return parts;
}

double sum(const std::vector<Metrics::Loop>& loops, hub::Tally Counters::*tally) {
  return sum(loops, [tally](const Metrics::Loop& loop) { return (loop.websocket.counters().*tally).read(); });
}

void add_websocket(Page& page, const std::vector<Metrics::Loop>& loops) {
  namespace websocket = channels::websocket;
  page.gauge("carillon_websocket_connections", "WebSocket connections that were let in and are open.",
             sum(loops, [](const Metrics::Loop& loop) { return loop.websocket.sessions(); }));
  page.gauge("carillon_websocket_subscriptions", "Subscriptions of these connections.",
             sum(loops, [](const Metrics::Loop& loop) { return loop.websocket.subscriptions(); }));
  page.open(MetricType::Counter, "carillon_websocket_handshakes_total",
            "Requests for a WebSocket, by what became of them. A refused key is upgraded, and closed with 4001.");
  for (std::size_t i = 0; i < websocket::handshake_outcomes.size(); ++i) {
    page.add({{"outcome", std::string(websocket::handshake_outcomes[i])}},
             sum(loops, [i](const Metrics::Loop& loop) { return loop.websocket.counters().handshakes[i].read(); }));
  }
  page.open(MetricType::Counter, "carillon_websocket_closed_total",
            "WebSocket connections that were let in and have ended, by close code and reason; 1006 stands for none.");
  for (std::size_t i = 0; i < websocket::endings.size(); ++i) {
    page.add({{"code", std::string(websocket::endings[i].code)}, {"reason", std::string(websocket::endings[i].reason)}},
             sum(loops, [i](const Metrics::Loop& loop) { return loop.websocket.counters().ended[i].read(); }));
  }
  page.counter("carillon_websocket_messages_received_total", "Messages from WebSocket clients.",
               sum(loops, &Counters::messages_received));
  page.counter("carillon_websocket_bytes_received_total", "Bytes of the frames of WebSocket clients.",
               sum(loops, &Counters::bytes_received));
  page.counter("carillon_websocket_frames_sent_total", "Frames queued for WebSocket clients.",
               sum(loops, &Counters::frames_sent));
  page.counter("carillon_websocket_bytes_sent_total", "Bytes of these frames.", sum(loops, &Counters::bytes_sent));
  page.counter("carillon_websocket_deliveries_total", "Events handed to WebSocket connections as they were committed.",
               sum(loops, &Counters::deliveries));
  page.counter("carillon_websocket_deliveries_behind_total",
               "Those of them that have to wait for a client to read what was sent before.",
               sum(loops, &Counters::deliveries_behind));
  page.histogram("carillon_websocket_delivery_seconds",
                 "From the commit of an event until it is written to a connection, without deliveries that wait for "
                 "their client.",
                 of_all(loops, [](const Metrics::Loop& loop) -> const hub::Distribution& {
                   return loop.websocket.counters().delivery_seconds;
                 }));
}

void add_polling(Page& page, const std::vector<Metrics::Loop>& loops) {
  page.gauge("carillon_polls_waiting", "Polls that wait for a change.",
             sum(loops, [](const Metrics::Loop& loop) { return loop.polling.polls_waiting(); }));
  page.gauge("carillon_event_streams", "Event streams (Server-Sent Events) that are open.",
             sum(loops, [](const Metrics::Loop& loop) { return loop.polling.streams().streams(); }));
  page.counter("carillon_event_streams_slow_total",
               "Event streams that were dropped because their client did not take what it was sent.",
               sum(loops, [](const Metrics::Loop& loop) { return loop.polling.streams().slow(); }));
}

void add_road(Page& page, const hub::Store& store) {
  const hub::StoreTallies& tallies = store.tallies();
  page.open(MetricType::Counter, "carillon_events_total", "Events committed, by kind.");
  for (const hub::EventKind kind : hub::event_kinds) {
    page.add({{"kind", std::string(to_text(kind))}}, static_cast<double>(tallies.events_of(kind).read()));
  }
  page.counter("carillon_commits_total", "Commits of the store.", static_cast<double>(tallies.commits.read()));
  page.histogram("carillon_commit_changes", "Changes answered by one commit.", tallies.commit_changes);
  page.histogram("carillon_commit_seconds", "From the beginning of a commit until it is on disk.",
                 tallies.commit_seconds);
  page.gauge("carillon_store_queue", "Changes that wait for their commit.", static_cast<double>(store.waiting()));
  page.gauge("carillon_store_writable", "1 while the store takes changes, 0 while it cannot write.",
             store.writable() ? 1 : 0);
}

void add_webhooks(Page& page, const channels::webhook::DispatchFigures& figures, const hub::Store& store) {
  using channels::webhook::attempt_classes;
  page.gauge("carillon_webhook_deliveries_pending", "Deliveries that are owed, due or to be tried again later.",
             static_cast<double>(store.tallies().deliveries_pending.read()));
  page.gauge("carillon_webhook_endpoints_waiting", "Endpoints for which a delivery is due and not under way.",
             static_cast<double>(figures.endpoints_waiting.read()));
  page.gauge("carillon_webhook_endpoints_down", "Endpoints that gave no answer last, and that something is owed to.",
             static_cast<double>(figures.endpoints_down.read()));
  const auto oldest = static_cast<double>(figures.oldest_due_at_ms.read()) / 1000;
  page.gauge("carillon_webhook_oldest_due_timestamp_seconds",
             "Since when the delivery that is due longest is, in seconds since 1970; 0 when none is.", oldest);
  page.gauge("carillon_webhook_window_bytes", "Bytes of deliveries that wait in memory.",
             static_cast<double>(figures.window_bytes.read()));
  page.open(MetricType::Gauge, "carillon_webhook_requests_in_flight", "Requests under way, by lane.");
  for (std::size_t i = 0; i < figures.in_flight.size(); ++i) {
    page.add({{"lane", std::string(channels::webhook::lane_names[i])}},
             static_cast<double>(figures.in_flight[i].read()));
  }
  page.open(MetricType::Counter, "carillon_webhook_attempts_total", "Attempts at deliveries, by what became of them.");
  for (std::size_t i = 0; i < attempt_classes.size(); ++i) {
    page.add({{"outcome", std::string(attempt_classes[i])}}, static_cast<double>(figures.attempts[i].read()));
  }
  page.histogram("carillon_webhook_attempt_seconds", "From the beginning of a request until its answer.",
                 figures.attempt_seconds);
  page.histogram("carillon_webhook_delivery_seconds",
                 "From the commit of an event until its endpoint has taken it, for those that took the first attempt.",
                 figures.delivery_seconds);
  const auto endpoints = figures.endpoints();
  if (endpoints.empty()) return;
  page.open(MetricType::Counter, "carillon_webhook_endpoint_attempts_total",
            "Attempts by endpoint, while there are not more than " +
                std::to_string(channels::webhook::DispatchFigures::endpoints_max) + " of these.");
  for (const auto& [id, endpoint] : endpoints) {
    for (std::size_t i = 0; i < attempt_classes.size(); ++i) {
      if (endpoint.attempts[i] == 0) continue;
      page.add({{"webhook", to_text(id)}, {"outcome", std::string(attempt_classes[i])}},
               static_cast<double>(endpoint.attempts[i]));
    }
  }
  page.open(MetricType::Counter, "carillon_webhook_endpoint_attempt_seconds_total",
            "Time that these attempts took, by endpoint.");
  for (const auto& [id, endpoint] : endpoints) page.add({{"webhook", to_text(id)}}, endpoint.seconds);
}

void add_http(Page& page, const std::vector<Metrics::Loop>& loops) {
  const double all = sum(loops, [](const Metrics::Loop& loop) { return loop.connections.size(); });
  const double websockets = sum(loops, [](const Metrics::Loop& loop) { return loop.websocket.sessions(); });
  // The two are read one after the other, so that for a moment there may seem to be more of the second.
  page.gauge("carillon_http_connections", "Connections that are no WebSockets, or not yet.",
             std::max(0.0, all - websockets));
  page.open(MetricType::Counter, "carillon_http_requests_total",
            "Requests answered, by the class of their status; 1xx are upgrades.");
  for (std::size_t hundred = 1; hundred < net::http::HttpService::hundreds; ++hundred) {
    page.add({{"class", std::to_string(hundred) + "xx"}}, sum(loops, [hundred](const Metrics::Loop& loop) {
               return loop.front.answers(hundred) + loop.control.answers(hundred);
             }));
  }
}

void add_calls(Page& page, const std::vector<Metrics::Loop>& loops) {
  page.open(
      MetricType::Histogram, "carillon_http_request_seconds",
      "From a request that needs a key until its answer, by class of call; without those that wait for a change.");
  for (std::size_t i = 0; i < CallFigures::classes.size(); ++i) {
    page.add({{"call", std::string(to_text(CallFigures::classes[i]))}},
             of_all(loops, [i](const Metrics::Loop& loop) -> const hub::Distribution& {
               return loop.calls.times[i].seconds();
             }));
  }
  page.open(MetricType::Counter, "carillon_http_rate_limited_total",
            "Requests answered 429 because their key calls too often, by class of call.");
  for (std::size_t i = 0; i < CallFigures::classes.size(); ++i) {
    page.add({{"call", std::string(to_text(CallFigures::classes[i]))}},
             sum(loops, [i](const Metrics::Loop& loop) { return loop.calls.limited[i].read(); }));
  }
  page.open(MetricType::Counter, "carillon_http_keys_refused_total",
            "Requests whose key was refused, by reason; those for a WebSocket are counted as its handshakes.");
  for (std::size_t i = 0; i < CallFigures::refusals.size(); ++i) {
    page.add({{"reason", std::string(CallFigures::reasons[i])}},
             sum(loops, [i](const Metrics::Loop& loop) { return loop.calls.refused[i].read(); }));
  }
}

void add_watched(Page& page, const Watchdog& watchdog, const DiskWatch& disk) {
  page.open(MetricType::Histogram, "carillon_loop_lag_seconds",
            "How long a loop takes to answer the watchdog, which is how long anything waits on it.");
  for (const Watchdog::Lag& lag : watchdog.lags()) {
    const hub::Distribution* const seconds = &lag.seconds;
    page.add({{"loop", std::string(lag.part)}}, std::span(&seconds, 1));
  }
  const auto stuck = watchdog.stuck();
  page.open(MetricType::Gauge, "carillon_stuck", "1 for a part of the hub that does not turn, else 0.");
  for (const std::string_view part : watchdog.parts()) {
    const bool is_stuck = std::any_of(stuck.begin(), stuck.end(), [&](const auto& each) { return each.part == part; });
    page.add({{"part", std::string(part)}}, is_stuck ? 1 : 0);
  }
  page.gauge("carillon_disk_free_bytes", "Bytes free on the data directory's disk.",
             static_cast<double>(disk.free_bytes()));
  page.gauge("carillon_disk_free_min_bytes", "Below so many the hub says that it is not ready.",
             static_cast<double>(disk.free_min_bytes()));
  page.gauge("carillon_database_bytes", "Size of the database.", static_cast<double>(disk.database_bytes()));
  page.gauge("carillon_database_wal_bytes", "Size of its write-ahead log.", static_cast<double>(disk.wal_bytes()));
}

void add_process(Page& page) {
  const ProcessFigures figures = read_process_figures();
  page.counter("process_cpu_seconds_total", "CPU time spent, user and system.", figures.cpu_s);
  page.gauge("process_resident_memory_bytes", "Memory that is resident.", static_cast<double>(figures.resident_bytes));
  page.gauge("process_virtual_memory_bytes", "Memory that is mapped.", static_cast<double>(figures.virtual_bytes));
  page.gauge("process_open_fds", "Files that are open.", static_cast<double>(figures.open_files));
  page.gauge("process_max_fds", "Files that may be open.", static_cast<double>(figures.files_max));
  page.gauge("process_start_time_seconds", "When the process was started, in seconds since 1970.",
             figures.started_at_s);
  page.counter("carillon_log_lines_dropped_total", "Lines that the log's descriptor did not take.",
               static_cast<double>(Log::lines_dropped()));
  page.open(MetricType::Gauge, "carillon_build_info", "1, for the version that runs.");
  page.add({{"version", CARILLON_VERSION}}, 1);
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  Page page;
  add_websocket(page, loops_);
  add_polling(page, loops_);
  add_road(page, store_);
  if (webhooks_ != nullptr) add_webhooks(page, *webhooks_, store_);
  add_http(page, loops_);
  add_calls(page, loops_);
  add_watched(page, watchdog_, disk_);
  if (const std::int64_t end_s = certificate_end_(); end_s != 0) {
    page.gauge("carillon_certificate_expiry_timestamp_seconds",
               "When the certificate that is served ends, in seconds since 1970.", static_cast<double>(end_s));
  }
  add_process(page);
  return page.take();
}

SpareMemory::Sight Metrics::connections() const {
  using channels::websocket::Ending;
  SpareMemory::Sight sight{};
  for (const Loop& loop : loops_) {
    sight.connections += loop.connections.size();
    for (const Ending slow : {Ending::slow_by_age, Ending::slow_by_bytes}) {
      sight.slow_clients += loop.websocket.counters().ended[static_cast<std::size_t>(slow)].read();
    }
  }
  return sight;
}

std::string Metrics::text() const {
  const prometheus::TextSerializer serializer;
  return static_cast<const prometheus::Serializer&>(serializer).Serialize(Collect());
}

}  // namespace carillon::app
