// Webhook endpoints and what is owed to them, as the store keeps them. How a delivery is made is channels/webhook's.
//
// Threads: values; safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock.h"
#include "hub/event.h"
#include "hub/id.h"
#include "hub/text.h"

namespace carillon::hub {

enum class EndpointStatus : std::uint8_t { enabled = 0, disabled = 1 };
std::string_view to_text(EndpointStatus status);

struct Endpoint {
  EndpointId id;
  JobOwner owner;  ///< the key it was registered with: it hears of what that key may see
  std::string url;
  std::string description;
  EventKinds events = final_events;
  std::string secret;  ///< `whsec_…`, as its owner was shown it
  EndpointStatus status = EndpointStatus::enabled;
  std::string disabled_reason;
  /// Made for the `webhook_url` of a submission rather than registered: not listed, hears only of jobs that name it.
  bool for_jobs = false;
  UnixMs created_at = 0;
  /// Since when nothing but failures came from it; none while the last attempt succeeded.
  std::optional<UnixMs> failing_since;
};

///                     ┌── attempt fails, tries left (due later) ──┐
///                     ▼                                           │
///   (with its event) pending ── attempt ──▶ 2xx ──▶ delivered     │
///                     │                      └──────▶ ────────────┘
///                     └── tries ran out, or the endpoint was disabled or deleted ──▶ failed ── replay ──▶ pending
enum class DeliveryState : std::uint8_t { pending = 0, delivered = 1, failed = 2 };
std::string_view to_text(DeliveryState state);

/// The 16 random bytes behind a `webhook-id`: given when the delivery is written, the same for every attempt.
using MessageId = std::array<std::uint8_t, 16>;
/// "msg_" and the bytes in base 62, 22 digits.
std::string to_text(const MessageId& id);

struct Delivery {
  DeliveryId id;
  EndpointId endpoint;
  MessageId message{};
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;  ///< made so far
  UnixMs due_at = 0;
  EventPtr event;  ///< complete, result and error included; never null
};

/// One try at one delivery, and what is to become of the delivery.
struct Attempt {
  DeliveryId delivery;
  EndpointId endpoint;
  UnixMs started_at = 0;
  std::int32_t duration_ms = 0;
  int http_status = 0;   ///< 0 when no answer came
  std::string error;     ///< empty when an answer came
  std::string response;  ///< the first 1 KiB of the answer's body
  DeliveryState next_state = DeliveryState::delivered;
  UnixMs next_due_at = 0;  ///< where next_state is pending
  /// Set when this attempt disables its endpoint: the reason its owner reads.
  std::optional<std::string> disable_reason;
};

}  // namespace carillon::hub
