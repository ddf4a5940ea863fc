#include "hub/authenticator.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

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

KeyHash hash_key(std::string_view key) {
  KeyHash hash{};
  unsigned bytes = 0;
  // Fetched once: with OpenSSL 3, looking the algorithm up costs more than hashing 50 bytes.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (EVP_Digest(key.data(), key.size(), hash.data(), &bytes, sha256, nullptr) != 1 || bytes != hash.size()) {
    std::abort();  // a libcrypto without SHA-256 can authenticate nobody
  }
  return hash;
}

std::string make_key() { return std::string(key_prefix) + random_base62(key_random_chars); }

Authenticator::Authenticator(Reader& reader, const Clock& clock, std::size_t cached_max)
    : reader_(reader), clock_(clock), cached_max_(cached_max) {}

AuthResult Authenticator::authenticate(std::string_view key) {
  KeyHash hash;
  return authenticate(key, hash);
}

AuthResult Authenticator::authenticate(std::string_view key, KeyHash& hash) {
  if (key.empty()) return AuthRefusal::missing;
  if (!key.starts_with(key_prefix) || key.size() > key_bytes_max) return AuthRefusal::invalid;
  // The lookup compares SHA-256 values, not keys: how far a guess agrees with a stored hash tells a caller nothing
  // about the key, for he cannot choose a hash's first bytes without inverting it.
  hash = hash_key(key);
  return recheck(hash);
}

AuthResult Authenticator::recheck(const KeyHash& hash) {
  auto found = cache_.find(hash);
  if (found == cache_.end()) {
    auto stored = reader_.find_key(hash);
    if (!stored) return AuthRefusal::invalid;  // not cached: guesses must not push good keys out
    if (cache_.size() >= cached_max_) cache_.clear();
    found = cache_.emplace(hash, std::move(*stored)).first;
  }
  return judge(found->second);
}

AuthResult Authenticator::judge(const Key& key) const {
  const UnixMs now = clock_.now_ms();
  Principal principal{key.id, key.account, key.role};
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

void Authenticator::forget() {
  ++generation_;
  cache_.clear();
}

}  // namespace carillon::hub
