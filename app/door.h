// The door of the REST side: who sends this request?
//
// Threads: belongs to its loop.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "hub/authenticator.h"
#include "net/http/message.h"

namespace carillon::app {

/// Asks the Authenticator, but not twice for the same thing: while a kept-alive connection sends the same bytes as its
/// key and no identity has changed, the answer given before stands (hashing a key costs as much as all else of a small
/// request). Bytes are compared in constant time (CRYPTO_memcmp).
class Door {
 public:
  Door(hub::Authenticator& authenticator, const hub::Clock& clock);

  hub::AuthResult identify(const net::http::Request& request);

 private:
  static constexpr std::size_t kept_max = 1024;
  static constexpr std::size_t key_bytes_max = 64;

  struct Kept {
    std::uint32_t slot = 0;
    std::uint32_t connection_generation = 0;
    std::uint64_t identity_generation = 0;
    std::size_t key_bytes = 0;
    std::array<char, key_bytes_max> key{};
    hub::Principal principal;
    hub::UnixMs use_noted_at = 0;
  };

  hub::Authenticator& authenticator_;
  const hub::Clock& clock_;
  std::unique_ptr<std::array<Kept, kept_max>> kept_;  ///< by the connection's slot; a later one takes the place
};

}  // namespace carillon::app
