// What the calls on an endpoint take in their bodies: a replay, a rotation of its secret.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/body_reader.h"
#include "hub/clock.h"

namespace carillon::channels::webhook {

struct ReplayBody {
  hub::UnixMs since = 0;
  std::optional<hub::UnixMs> until;
  bool delivered_too = false;
};
/// {"since"[,"until","status"]}: times as RFC 3339 or in seconds since 1970; `status` is `failed` or `all`.
Read<ReplayBody> read_replay_body(std::string_view body);

inline constexpr std::int64_t secret_overlap_s_max = std::int64_t{30} * 24 * 3600;

struct SecretRotationBody {
  std::optional<std::string> secret;
  std::optional<std::int64_t> overlap_s;  ///< for how long the secret before signs too
};
/// [{["secret","overlap_s"]}]
Read<SecretRotationBody> read_secret_rotation_body(std::string_view body);

}  // namespace carillon::channels::webhook
