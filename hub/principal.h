// Who is calling: what an API key turned out to be.
//
// Threads: values; safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "hub/clock.h"
#include "hub/id.h"
#include "hub/sha256.h"

namespace carillon::hub {

enum class Role : std::uint8_t {
  client = 0,  ///< submits jobs and sees its own
  worker = 1,  ///< submits for any client key, reports on and reads any job
  admin = 2    ///< manages accounts and keys
};

std::string_view to_text(Role role);
std::optional<Role> parse_role(std::string_view text);

enum class KeyStatus : std::uint8_t { active = 0, disabled = 1 };
std::string_view to_text(KeyStatus status);

enum class AccountStatus : std::uint8_t { active = 0, suspended = 1 };
std::string_view to_text(AccountStatus status);

/// SHA-256 of an API key: all that is kept of it.
using KeyHash = Sha256;

struct KeyHashHash {
  std::size_t operator()(const KeyHash& hash) const noexcept {
    // Any eight bytes of a SHA-256 are as good as a hash of it.
    std::size_t value = 0;
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
  }
};

struct Principal {
  KeyId key;
  AccountId account;
  Role role = Role::client;
  /// Until when the key that was presented holds, unless it is changed before.
  UnixMs valid_until = std::numeric_limits<UnixMs>::max();
  /// Of the key that was presented: for Authenticator::recheck().
  KeyHash secret{};
};

struct Account {
  AccountId id;
  std::string name;
  AccountStatus status = AccountStatus::active;
  UnixMs created_at = 0;
};

/// A key as the store knows it; the key itself is not kept.
struct Key {
  KeyId id;
  AccountId account;
  std::string account_name;
  AccountStatus account_status = AccountStatus::active;
  Role role = Role::client;
  KeyStatus status = KeyStatus::active;
  std::string name;
  UnixMs created_at = 0;
  std::optional<UnixMs> expires_at;
  std::optional<UnixMs> last_used_at;  ///< when it was last let in, coarsely; none: not yet
  /// Set only when the key was found by the secret before its last rotation: until when that one is taken.
  std::optional<UnixMs> previous_until;
};

}  // namespace carillon::hub
