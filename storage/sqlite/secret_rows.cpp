#include "storage/sqlite/secret_rows.h"

#include <optional>

#include "hub/store.h"

namespace carillon::storage::sqlite {
namespace {

std::string open(const SecretBox& box, std::string_view sealed, const std::string& place) {
  if (auto text = box.open(sealed, place)) return std::move(*text);
  throw hub::StoreError("the webhook secret of " + place +
                        " cannot be opened: it was changed, or sealed with another key than the one there is");
}

}  // namespace

hub::WebhookSecret read_secret(const Statement& row, const SecretBox& box, std::string_view of) {
  hub::WebhookSecret secret;
  secret.secret = open(box, row.blob(0), secret_place(of));
  if (const std::string_view key = row.blob(1); !key.empty()) {
    secret.signing_key = open(box, key, signing_key_place(of));
  }
  secret.valid_until = row.optional_integer(2);
  return secret;
}

std::optional<SecretBox::Bytes> seal_signing_key(const SecretBox& box, const std::string& key, std::string_view of) {
  if (key.empty()) return std::nullopt;
  return box.seal(key, signing_key_place(of));
}

}  // namespace carillon::storage::sqlite
