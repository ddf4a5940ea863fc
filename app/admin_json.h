// Accounts and keys as JSON. The secret of a key is in none of it but the answer to the request that made it.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock.h"
#include "hub/principal.h"

namespace carillon::app {

/// {"id","name","status","created_at"}
std::string account_json(const hub::Account& account);
/// {"accounts":[…],"next_cursor"}: of a page with at most `limit` accounts. One more says that others follow.
std::string accounts_json(const std::vector<hub::Account>& accounts, std::size_t limit);

/// What is said beside a key's own members.
struct KeyExtras {
  std::string_view secret{};                          ///< "key", shown once
  std::optional<hub::UnixMs> previous_valid_until{};  ///< "previous_valid_until": of the secret before
};

/// {"id","account","role","name","status","created_at","expires_at","last_used_at"}: `status` is active, disabled, or
/// expired once `now` is past the key's end; `expires_at` is null for a key without one, and `last_used_at` for one
/// that was not used yet.
std::string key_json(const hub::Key& key, hub::UnixMs now, const KeyExtras& extras = {});
/// {"keys":[…],"next_cursor"}: the same for keys.
std::string keys_json(const std::vector<hub::Key>& keys, std::size_t limit, hub::UnixMs now);

}  // namespace carillon::app
