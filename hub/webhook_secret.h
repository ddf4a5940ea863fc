// Webhook secrets, as Standard Webhooks writes them: `whsec_` and the base64 (RFC 4648, section 4, padded) of 24 to 64
// bytes.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::hub {

/// The bytes that are signed with; none for what is no such secret.
std::optional<std::vector<std::uint8_t>> webhook_secret_bytes(std::string_view secret);

inline bool is_webhook_secret(std::string_view secret) { return webhook_secret_bytes(secret).has_value(); }

/// A new one of 32 random bytes.
std::string make_webhook_secret();

}  // namespace carillon::hub
