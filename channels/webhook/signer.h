// The signature of a delivery, as Standard Webhooks 1.0.0 has it. What is signed is
//
//   content           = webhook-id "." webhook-timestamp "." body
//   webhook-signature = one *(" " one)
//   one               = "v1," base64(HMAC-SHA256(bytes of whsec_…, content))      with a shared secret
//                     / "v1a," base64(Ed25519(seed of whsk_…, content))           with a signing key
//
// and, where an endpoint asks for it under a name of its own,
//
//   legacy            = "sha256=" hex(HMAC-SHA256(the text "whsec_…" itself, body))
//
// Threads: none of its own; a Signer is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

/// Signs for one endpoint with all that is valid. Its keys are read and set up once, when it is made; see
/// docs/decisions/0017-signatures.md for what that spares.
class Signer {
 public:
  /// The newest first, as the store keeps them; at least one. Throws std::invalid_argument for one that is no secret
  /// (hub/webhook_secret.h), without saying what it is.
  explicit Signer(const std::vector<hub::WebhookSecret>& secrets);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  /// The value of webhook-signature: one for each secret that is valid at `now`, the newest first. `timestamp_s` counts
  /// from 1970.
  std::string signature(std::string_view message_id, std::int64_t timestamp_s, std::string_view body, hub::UnixMs now);

  /// By the newest secret alone.
  std::string legacy_signature(std::string_view body);

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
};

}  // namespace carillon::channels::webhook
