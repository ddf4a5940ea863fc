// What webhooks are signed with, as Standard Webhooks 1.0.0 writes it, in base64 (RFC 4648, section 4, padded):
//
//   whsec_…   a shared secret of 24 to 64 bytes, for HMAC-SHA256
//   whsk_…    an Ed25519 key (RFC 8032): its seed of 32 bytes, or the seed and behind it the public key it makes
//   whpk_…    the public key of 32 bytes that belongs to it
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::hub {

/// The bytes that are signed with; none for what is no such secret.
std::optional<std::vector<std::uint8_t>> webhook_secret_bytes(std::string_view secret);

inline bool is_webhook_secret(std::string_view secret) { return webhook_secret_bytes(secret).has_value(); }

/// What is to be said of one that is not, behind its name.
inline constexpr const char* webhook_secret_wanted = "must be whsec_ and 24 to 64 bytes in base64";

/// A new one of 32 random bytes.
std::string make_webhook_secret();

/// `whsk_…` and its `whpk_…`.
struct SigningKey {
  std::string secret;
  std::string public_key;
};

/// A new one, from 32 random bytes; its secret is the seed alone.
SigningKey make_signing_key();

using Ed25519Bytes = std::array<std::uint8_t, 32>;

/// The seed in a `whsk_…`; none for what is no such key. The longer form, which libraries of the NaCl kind write, is
/// none where its two halves do not belong together.
std::optional<Ed25519Bytes> signing_key_bytes(std::string_view secret);

/// The key in a `whpk_…`; none for what is no such key.
std::optional<Ed25519Bytes> public_key_bytes(std::string_view public_key);

/// The `whpk_…` of a `whsk_…`; none for what is no such key.
std::optional<std::string> public_key_of(std::string_view secret);

}  // namespace carillon::hub
