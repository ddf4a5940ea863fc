// The metrics: what the hub's parts count, gathered and written in Prometheus' text format when it is asked for.
//
// Every loop and the store keep their own tallies (hub/tally.h); here they are only read, and those of all loops added
// up. So counting costs the road next to nothing, and whichever loop answers a scrape stops no other.
//
// Threads: watch() before the first loop begins; the rest from any.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

#include "app/spare_memory.h"
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
  };

  explicit Metrics(const hub::Store& store) : store_(store) {}

  void watch(const Loop& loop) { loops_.push_back(loop); }
  void watch(const channels::webhook::DispatchFigures& webhooks) { webhooks_ = &webhooks; }

  std::vector<prometheus::MetricFamily> Collect() const override;
  std::string text() const;
  SpareMemory::Sight connections() const;

  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  const hub::Store& store_;
  std::vector<Loop> loops_;
  const channels::webhook::DispatchFigures* webhooks_ = nullptr;
};

}  // namespace carillon::app
