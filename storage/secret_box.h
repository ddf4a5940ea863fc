// Seals webhook secrets, so that who has the database, or a backup of it, has none of them: the key is in a file of its
// own, and never in the database.
//
//   sealed = nonce (12 bytes, random) | AES-256-GCM ciphertext | tag (16 bytes)
//
// What is sealed is bound to its place, a text such as the id of its endpoint: moved to another place it does not open.
// The key file holds 32 bytes as base64, in one line, and is its owner's alone (mode 0600).
//
// Threads: a value that does not change; safe for concurrent use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::storage {

class SecretBox {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Mark = std::array<std::uint8_t, 32>;

  /// A box without a lid: all is kept as it is.
  static SecretBox plain();
  /// With the key in the file. Throws hub::StoreError that names the file.
  static SecretBox with_key_in(const std::string& file);
  /// With a new key, which is in the file, and on disk, when this returns. The file must not exist. Throws
  /// hub::StoreError that names it.
  static SecretBox with_new_key_in(const std::string& file);

  SecretBox(const SecretBox&) = default;
  SecretBox& operator=(const SecretBox&) = default;
  ~SecretBox();

  bool seals() const { return seals_; }
  /// Tells two keys apart, and nothing else of them; empty for a plain box.
  std::string key_id() const;

  Bytes seal(std::string_view text, std::string_view place) const;
  /// None for what was sealed with another key or for another place, or is not as it was sealed.
  std::optional<std::string> open(std::string_view sealed, std::string_view place) const;

  /// The same for equal texts, and without the key nobody can tell of which: by it a secret is found.
  Mark mark(std::string_view text) const;

 private:
  SecretBox() = default;
  Mark keyed_hash(std::string_view purpose, std::string_view text) const;

  bool seals_ = false;
  std::array<std::uint8_t, 32> key_{};
};

}  // namespace carillon::storage
