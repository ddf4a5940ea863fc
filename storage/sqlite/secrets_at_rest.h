// How webhook secrets are kept: finds or makes the key they are sealed with, and brings every one of them into the form
// that was asked for.
//
// Threads: at start, before anything else uses the database.
#pragma once

#include <cstdint>
#include <string>

#include "storage/secret_box.h"
#include "storage/sqlite/connection.h"

namespace carillon::storage::sqlite {

enum class SecretsAtRest : std::uint8_t {
  encrypted,  ///< sealed with a key in a file of its own: who has the database alone has no secret
  plain       ///< as they are
};

/// While it lives, what is deleted or overwritten in the database is overwritten with zeros.
class SecureDelete {
 public:
  explicit SecureDelete(Connection& connection);
  ~SecureDelete();
  SecureDelete(const SecureDelete&) = delete;
  SecureDelete& operator=(const SecureDelete&) = delete;

 private:
  Connection& connection_;
  const std::string before_;
};

/// Throws hub::StoreError that names the key file and says what to do, where secrets are sealed with a key that is not
/// in it; nothing is changed then. What was plain and is sealed now is nowhere in the database's files when this
/// returns, nor in its log, if the table it was in was written with SecureDelete.
SecretBox settle_secrets(Connection& connection, SecretsAtRest form, const std::string& key_file);

}  // namespace carillon::storage::sqlite
