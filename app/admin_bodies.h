// What an administrator's request may say, checked strictly: a member that is unknown, of the wrong kind or out of its
// range is refused with its place in the body, and nothing is changed.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/body_reader.h"
#include "hub/clock.h"
#include "hub/principal.h"

namespace carillon::app {

inline constexpr std::size_t account_name_bytes_max = 64;
inline constexpr std::size_t key_name_bytes_max = 128;
inline constexpr std::int64_t day_s = 24 * 60 * 60;
inline constexpr std::int64_t expires_in_s_max = 36'500 * day_s;
inline constexpr std::int64_t overlap_s_default = day_s;
inline constexpr std::int64_t overlap_s_max = 30 * day_s;

/// 1 to 64 of A-Z a-z 0-9 . _ - ; not "." or "..", which cannot stand in a path.
bool is_account_name(std::string_view name);

using channels::Read;

struct NewAccountBody {
  std::string name;
};
Read<NewAccountBody> read_new_account(std::string_view body);

struct NewKeyBody {
  std::string account;
  hub::Role role = hub::Role::client;
  std::string name;
  std::optional<hub::UnixMs> expires_at;
};
/// When the key ends is said as "expires_in_s" or as "expires_at", which must be later than `now`.
Read<NewKeyBody> read_new_key(std::string_view body, hub::UnixMs now);

struct RotationBody {
  std::int64_t overlap_s = overlap_s_default;  ///< for how long the old secret is taken yet
};
/// The body may be missing.
Read<RotationBody> read_rotation(std::string_view body);

}  // namespace carillon::app
