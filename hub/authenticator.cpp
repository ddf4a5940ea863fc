#include "hub/authenticator.h"

#include <algorithm>

namespace carillon::hub {
namespace {

constexpr std::string_view key_prefix = "sk_live_";
constexpr std::size_t key_random_chars = 40;
/// Longer texts are no keys of ours, and are not worth hashing.
constexpr std::size_t key_bytes_max = 256;

}  // namespace

std::string_view to_text(AuthRefusal refusal) {
  switch (refusal) {
    case AuthRefusal::missing:
      return "Missing API key";
    case AuthRefusal::invalid:
      return "Invalid API key";
    case AuthRefusal::disabled:
      return "API key disabled";
    case AuthRefusal::expired:
      return "API key expired";
    case AuthRefusal::suspended:
      return "Account suspended";
  }
  return {};
}

KeyHash hash_key(std::string_view key) { return sha256(key); }

std::string make_key() { return std::string(key_prefix) + random_base62(key_random_chars); }

Authenticator::Authenticator(Reader& reader, const Clock& clock, std::size_t cached_max, UnixMs use_interval_ms)
    : reader_(reader), clock_(clock), cached_max_(cached_max), use_interval_ms_(use_interval_ms) {}

AuthResult Authenticator::authenticate(std::string_view key) {
  if (key.empty()) return AuthRefusal::missing;
  if (!key.starts_with(key_prefix) || key.size() > key_bytes_max) return AuthRefusal::invalid;
  // The lookup compares SHA-256 values, not keys: how far a guess agrees with a stored hash tells a caller nothing
  // about the key, for he cannot choose a hash's first bytes without inverting it.
  const KeyHash hash = hash_key(key);
  Cached* const found = find(hash);
  if (found == nullptr) return AuthRefusal::invalid;
  const AuthResult result = judge(found->key, hash);
  if (std::holds_alternative<Principal>(result)) note_use(found->key.id, found->use_noted_at, clock_.now_ms());
  return result;
}

AuthResult Authenticator::recheck(const KeyHash& hash) {
  const Cached* const found = find(hash);
  return found != nullptr ? judge(found->key, hash) : AuthResult(AuthRefusal::invalid);
}

Authenticator::Cached* Authenticator::find(const KeyHash& hash) {
  auto found = cache_.find(hash);
  if (found == cache_.end()) {
    auto stored = reader_.find_key(hash);
    if (!stored) return nullptr;  // not cached: guesses must not push good keys out
    if (cache_.size() >= cached_max_) cache_.clear();
    found = cache_.emplace(hash, Cached{std::move(*stored)}).first;
  }
  return &found->second;
}

AuthResult Authenticator::judge(const Key& key, const KeyHash& hash) const {
  const UnixMs now = clock_.now_ms();
  Principal principal{key.id, key.account, key.role};
  principal.secret = hash;
  if (key.previous_until) {
    if (now >= *key.previous_until) return AuthRefusal::invalid;
    principal.valid_until = *key.previous_until;
  }
  if (key.status == KeyStatus::disabled) return AuthRefusal::disabled;
  if (key.expires_at) {
    if (now >= *key.expires_at) return AuthRefusal::expired;
    principal.valid_until = std::min(principal.valid_until, *key.expires_at);
  }
  if (key.account_status == AccountStatus::suspended) return AuthRefusal::suspended;
  return principal;
}

void Authenticator::note_use(KeyId key, UnixMs& noted_at, UnixMs now) {
  if (now - noted_at < use_interval_ms_ && now >= noted_at) return;
  noted_at = uses_[key] = now;
}

std::vector<KeyUse> Authenticator::take_uses() {
  std::vector<KeyUse> uses;
  uses.reserve(uses_.size());
  for (const auto& [key, at] : uses_) uses.push_back({key, at});
  uses_.clear();
  return uses;
}

void Authenticator::give_back(const std::vector<KeyUse>& uses) {
  for (const KeyUse& use : uses) uses_.try_emplace(use.key, use.at);
}

void Authenticator::forget() {
  ++generation_;
  cache_.clear();
}

}  // namespace carillon::hub
