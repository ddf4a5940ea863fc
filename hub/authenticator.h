// The one door for identity: turns a presented API key into a Principal, or says why not.
//
// Threads: one Authenticator belongs to one thread (each event loop has its own); so its cache needs no lock.
// `forget()` is called on that thread when a commit says that identities have changed, before the answer to the change
// is sent: from then on a disabled key is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "hub/clock.h"
#include "hub/principal.h"
#include "hub/store.h"

namespace carillon::hub {

/// In the order in which they are found out.
enum class AuthRefusal : std::uint8_t { missing, invalid, disabled, expired, suspended };

/// "Missing API key", "Invalid API key", "API key disabled", "API key expired", "Account suspended".
std::string_view to_text(AuthRefusal refusal);

using AuthResult = std::variant<Principal, AuthRefusal>;

/// SHA-256 of the key's characters (FIPS 180-4).
KeyHash hash_key(std::string_view key);

/// A new key: `sk_live_` and 40 random base62 characters.
std::string make_key();

class Authenticator {
 public:
  /// Keeps at most `cached_max` found keys. Notes the uses of a key when the last one noted is older than
  /// `use_interval_ms`.
  Authenticator(Reader& reader, const Clock& clock, std::size_t cached_max = 65'536, UnixMs use_interval_ms = 60'000);

  /// `key` is what the caller presented, empty for nothing. May read the store (a few microseconds).
  AuthResult authenticate(std::string_view key);

  /// What a key that was let in earlier would be told now. By its hash, not its id: the secret that was presented may
  /// have been rotated since, and then holds until its end, or no longer.
  AuthResult recheck(const KeyHash& hash);

  /// Changes whenever a result given earlier may no longer hold: who keeps a Principal with the generation it was
  /// given at, and finds the same bytes and the same generation again, need not ask.
  std::uint64_t generation() const { return generation_; }
  void forget();

  /// For who keeps a Principal and does not ask again: `noted_at` is when its use was noted last, and is moved on when
  /// it is noted anew.
  void note_use(KeyId key, UnixMs& noted_at, UnixMs now);
  /// The keys that were let in since they were last taken, each with the last time that was noted.
  std::vector<KeyUse> take_uses();
  /// Uses that could not be kept: they are among those that are taken next.
  void give_back(const std::vector<KeyUse>& uses);

 private:
  struct Cached {
    Key key;
    UnixMs use_noted_at = std::numeric_limits<UnixMs>::min() / 2;
  };

  /// Null where the store knows no such key.
  Cached* find(const KeyHash& hash);
  AuthResult judge(const Key& key, const KeyHash& hash) const;

  Reader& reader_;
  const Clock& clock_;
  std::size_t cached_max_;
  std::uint64_t generation_ = 1;
  UnixMs use_interval_ms_;
  std::unordered_map<KeyHash, Cached, KeyHashHash> cache_;
  std::unordered_map<KeyId, UnixMs> uses_;
};

}  // namespace carillon::hub
