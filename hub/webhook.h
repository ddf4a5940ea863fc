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

/// How `webhook-signature` is made (Standard Webhooks 1.0.0).
enum class Signing : std::uint8_t {
  hmac = 0,    ///< `v1`: HMAC-SHA256 with the shared secret
  ed25519 = 1  ///< `v1a`: with a key that never leaves the hub; whoever has the public key can check
};
std::string_view to_text(Signing signing);

/// What one generation of an endpoint's signatures is made with.
struct WebhookSecret {
  std::string secret;       ///< `whsec_…`
  std::string signing_key;  ///< `whsk_…`; only of an endpoint that signs with ed25519
  /// Until when it signs beside the newer one that replaced it; none: it is the present one.
  std::optional<UnixMs> valid_until;
};

/// A header line of the owner's own.
struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

struct Endpoint {
  EndpointId id;
  JobOwner owner;  ///< the key it was registered with: it hears of what that key may see
  std::string url;
  std::string description;
  EventKinds events = final_events;
  std::vector<HeaderField> headers;  ///< sent with every delivery
  Signing signing = Signing::hmac;
  std::string public_key;        ///< `whpk_…` of the present signing key; empty unless ed25519
  bool ordered = false;          ///< one request at a time, in `seq` order; one that fails holds up the rest
  int max_per_second = 0;        ///< requests; 0: as many as there are
  std::string legacy_signature;  ///< name of a header with `sha256=<hex>`; empty: none
  EndpointStatus status = EndpointStatus::enabled;
  std::string disabled_reason;
  /// Made for the `webhook_url` of a submission rather than registered: not listed, hears only of jobs that name it.
  bool for_jobs = false;
  UnixMs created_at = 0;
  /// Since when nothing but failures came from it; none while the last attempt succeeded.
  std::optional<UnixMs> failing_since;
  /// Of an ordered endpoint: when its first delivery is tried again, after it has failed.
  std::optional<UnixMs> held_until;
};

/// What `webhook.disabled` says of an endpoint that has just been: {"webhook_id","url","reason"}.
Text disabled_event_data(const Endpoint& endpoint);
/// What `webhook.test` says: {"webhook_id"}.
Text test_event_data(EndpointId endpoint);

///                     ┌── attempt fails, tries left (due later) ──┐
///                     ▼                                           │
///   (with its event) pending ── attempt ──▶ 2xx ──▶ delivered     │
///                     │                      └──────▶ ────────────┘
///                     └── tries ran out, or the endpoint was disabled ──▶ failed ── replay ──▶ pending
///
/// What an endpoint would have been owed while it is disabled begins as failed, without an attempt: so a replay brings
/// it everything.
enum class DeliveryState : std::uint8_t { pending = 0, delivered = 1, failed = 2 };
std::string_view to_text(DeliveryState state);

/// The 16 random bytes behind a `webhook-id`: given when the delivery is written, the same for every attempt.
using MessageId = std::array<std::uint8_t, 16>;
/// "msg_" and the bytes in base 62, 22 digits.
std::string to_text(const MessageId& id);

/// What is to be sent.
struct Delivery {
  DeliveryId id;
  EndpointId endpoint;
  MessageId message{};
  /// Made so far, without those before it was last sent again by hand: what the retry schedule goes by.
  int tries = 0;
  UnixMs due_at = 0;
  EventPtr event;  ///< complete, result and error included; never null
};

/// One try at one delivery.
struct AttemptRecord {
  int number = 1;  ///< of all that were made at the delivery, from 1
  UnixMs started_at = 0;
  std::int32_t duration_ms = 0;
  int http_status = 0;   ///< 0 when no answer came
  std::string error;     ///< empty when an answer came
  std::string response;  ///< the first 1 KiB of the answer's body
};

/// A delivery as its owner sees it.
struct DeliveryReport {
  DeliveryId id;
  EndpointId endpoint;
  MessageId message{};
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;  ///< made in all
  UnixMs created_at = 0;
  /// When it is tried next; none when it is not pending, or waits behind another of an ordered endpoint.
  std::optional<UnixMs> due_at;
  Seq seq = 0;  ///< of its event; 0 for webhook_test
  EventKind kind = EventKind::queued;
  std::optional<JobId> job;  ///< none for an event of no job
};

/// What came of an attempt, and what is to become of the delivery.
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
