// Accounts and keys as JSON. The secret of a key is in none of it but the answer to the request that made it.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock.h"
#include "hub/principal.h"

namespace carillon::app {

/// {"id","name","status","created_at"}
std::string account_json(const hub::Account& account);
/// {"accounts":[…]}
std::string accounts_json(const std::vector<hub::Account>& accounts);

/// What is said beside a key's own members.
struct KeyExtras {
  std::string_view secret{};                          ///< "key", shown once
  std::optional<hub::UnixMs> previous_valid_until{};  ///< "previous_valid_until": of the secret before
};

/// {"id","account","role","name","status","created_at","expires_at"}: `status` is active, disabled, or expired once
/// `now` is past the key's end; `expires_at` is null for a key without one.
std::string key_json(const hub::Key& key, hub::UnixMs now, const KeyExtras& extras = {});
/// {"keys":[…]}
std::string keys_json(const std::vector<hub::Key>& keys, hub::UnixMs now);

}  // namespace carillon::app
