// What the dispatcher counts of its work.
//
// Threads: kept by the dispatcher's own thread, read by any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "channels/webhook/endpoint_health.h"
#include "channels/webhook/transfers.h"
#include "hub/id.h"
#include "hub/tally.h"

namespace carillon::channels::webhook {

/// What became of an attempt.
enum class AttemptClass : std::uint8_t {
  delivered,     ///< 2xx
  redirect,      ///< 3xx: not followed
  client_error,  ///< 4xx
  server_error,  ///< 5xx, or a status that is none
  timeout,       ///< no answer in time
  refused,       ///< by the address guard
  tls,           ///< no secure connection
  unreachable    ///< no connection, or one that broke
};
inline constexpr std::array<std::string_view, 8> attempt_classes{
    "delivered", "redirect", "client_error", "server_error", "timeout", "refused_address", "tls", "unreachable"};

AttemptClass class_of(const TransferResult& result);

/// Of one endpoint.
struct EndpointFigures {
  std::array<std::uint64_t, attempt_classes.size()> attempts{};
  double seconds = 0;  ///< that these took
};

class DispatchFigures {
 public:
  /// Endpoints of which each is counted; with more there are none of single ones, for nobody would read them all.
  static constexpr std::size_t endpoints_max = 50;

  std::array<hub::Tally, attempt_classes.size()> attempts;
  hub::Distribution attempt_seconds{hub::duration_bounds_s};  ///< of a request
  /// From an event's commit until its endpoint has answered 2xx, for those that were delivered at the first try.
  hub::Distribution delivery_seconds{hub::duration_bounds_s};
  std::array<hub::Tally, lanes.size()> in_flight;  ///< gauges
  hub::Tally window_bytes;                         ///< a gauge
  hub::Tally endpoints_waiting;  ///< a gauge: endpoints for which something is due, in memory or on disk
  hub::Tally endpoints_down;     ///< a gauge: of those that something is pending for
  hub::Tally oldest_due_at_ms;   ///< a gauge: since 1970; 0: nothing is due

  void count(hub::EndpointId endpoint, AttemptClass attempt, double seconds);
  /// Empty where there are more than `endpoints_max`.
  std::vector<std::pair<hub::EndpointId, EndpointFigures>> endpoints() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<hub::EndpointId, EndpointFigures> endpoints_;
  bool too_many_ = false;
};

}  // namespace carillon::channels::webhook
