// The metrics: what the hub's parts count, gathered and written in Prometheus' text format when it is asked for.
//
// Every loop and the store keep their own tallies (hub/tally.h); here they are only read, and those of all loops added
// up. So counting costs the road next to nothing, and whichever loop answers a scrape stops no other.
//
// Threads: watch() before the first loop begins; the rest from any.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/call_figures.h"
#include "app/disk_watch.h"
#include "app/spare_memory.h"
#include "app/watchdog.h"
#include "channels/polling/channel.h"
#include "channels/webhook/dispatch_figures.h"
#include "channels/websocket/channel.h"
#include "hub/store.h"
#include "net/connection.h"
#include "net/http/http_protocol.h"

namespace carillon::app {

class Metrics final : public prometheus::Collectable {
 public:
  /// What of one loop is read.
  struct Loop {
    const channels::websocket::WebSocketChannel& websocket;
    const channels::polling::PollingChannel& polling;
    const net::http::HttpService& front;
    const net::http::HttpService& control;
    const net::ConnectionTable& connections;
    const CallFigures& calls;
  };
  /// When the certificate that is served ends, in seconds since 1970; 0 where there is none.
  using CertificateEnd = std::function<std::int64_t()>;

  /// All outlive it.
  Metrics(const hub::Store& store, const Watchdog& watchdog, const DiskWatch& disk, CertificateEnd certificate_end)
      : store_(store), watchdog_(watchdog), disk_(disk), certificate_end_(std::move(certificate_end)) {}

  void watch(const Loop& loop) { loops_.push_back(loop); }
  void watch(const channels::webhook::DispatchFigures& webhooks) { webhooks_ = &webhooks; }

  std::vector<prometheus::MetricFamily> Collect() const override;
  std::string text() const;
  SpareMemory::Sight connections() const;

  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  const hub::Store& store_;
  const Watchdog& watchdog_;
  const DiskWatch& disk_;
  const CertificateEnd certificate_end_;
  std::vector<Loop> loops_;
  const channels::webhook::DispatchFigures* webhooks_ = nullptr;
};

}  // namespace carillon::app
