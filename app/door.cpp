#include "app/door.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <variant>

#include "channels/presented_key.h"

namespace carillon::app {

Door::Door(hub::Authenticator& authenticator, const hub::Clock& clock)
    : authenticator_(authenticator), clock_(clock), kept_(std::make_unique<std::array<Kept, kept_max>>()) {}

hub::AuthResult Door::identify(const net::http::Request& request) {
  const std::string_view key = channels::presented_key(request);
  const net::ConnectionRef& from = request.connection;
  Kept& kept = (*kept_)[from.slot % kept_max];
  const bool same = kept.key_bytes != 0 && kept.slot == from.slot && kept.connection_generation == from.generation &&
                    kept.identity_generation == authenticator_.generation() && kept.key_bytes == key.size() &&
                    CRYPTO_memcmp(kept.key.data(), key.data(), key.size()) == 0;
  const hub::UnixMs now = clock_.now_ms();
  if (same && now < kept.principal.valid_until) {
    authenticator_.note_use(kept.principal.key, kept.use_noted_at, now);
    return kept.principal;
  }

  const hub::AuthResult result = authenticator_.authenticate(key);
  if (const auto* principal = std::get_if<hub::Principal>(&result);
      principal != nullptr && key.size() <= key_bytes_max) {
    kept.slot = from.slot;
    kept.connection_generation = from.generation;
    kept.identity_generation = authenticator_.generation();
    kept.key_bytes = key.size();
    std::copy(key.begin(), key.end(), kept.key.begin());
    kept.principal = *principal;
    kept.use_noted_at = now;
  }
  return result;
}

}  // namespace carillon::app
