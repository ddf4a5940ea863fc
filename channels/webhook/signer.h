// The signature of a delivery, as Standard Webhooks 1.0.0 has it:
//
//   webhook-signature: v1,<base64 of HMAC-SHA256(secret's bytes, "<webhook-id>.<webhook-timestamp>.<body>")>
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::channels::webhook {

/// The header's value. `secret` is valid (hub/webhook_secret.h); `timestamp_s` counts from 1970.
std::string signature(std::string_view secret, std::string_view message_id, std::int64_t timestamp_s,
                      std::string_view body);

}  // namespace carillon::channels::webhook
