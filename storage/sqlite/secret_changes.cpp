#include "storage/sqlite/secret_changes.h"

#include "hub/webhook_secret.h"
#include "storage/sqlite/secret_rows.h"

namespace carillon::storage::sqlite {
namespace {

/// Beside the present one.
constexpr std::int64_t previous_secrets_max = 3;

constexpr std::nullptr_t none = nullptr;

}  // namespace

// Of each statement ?1 is an endpoint and ?2 an account, and one of the two is NULL, which is equal to nothing.
SecretChanges::SecretChanges(sqlite3* handle, const SecretBox& box)
    : box_(box),
      insert_(handle,
              "INSERT INTO webhook_secrets (endpoint, account, sealed, secret, signing_key, created_at) "
              "VALUES (?, ?, ?, ?, ?, ?)"),
      end_previous_(handle,
                    "UPDATE webhook_secrets SET valid_until = min(coalesce(valid_until, ?3), ?3) "
                    "WHERE endpoint = ?1 OR account = ?2"),
      drop_ended_(handle, "DELETE FROM webhook_secrets WHERE (endpoint = ?1 OR account = ?2) AND valid_until <= ?3"),
      drop_oldest_(handle,
                   "DELETE FROM webhook_secrets WHERE id IN (SELECT id FROM webhook_secrets "
                   "WHERE endpoint = ?1 OR account = ?2 ORDER BY id DESC LIMIT -1 OFFSET ?3)"),
      find_default_(handle, std::string("SELECT ")
                                .append(secret_columns)
                                .append(" FROM webhook_secrets WHERE account = ? ORDER BY id DESC LIMIT 1")),
      find_account_(handle, "SELECT 1 FROM accounts WHERE id = ?") {}

void SecretChanges::insert(WriteContext& context, hub::EndpointId endpoint, const hub::WebhookSecret& secret) {
  const std::string of = to_text(endpoint);
  insert_
      .bind(endpoint, none, box_.seals(), box_.seal(secret.secret, secret_place(of)),
            seal_signing_key(box_, secret.signing_key, of), context.now_ms)
      .run();
}

void SecretChanges::insert(WriteContext& context, hub::AccountId account, const std::string& secret) {
  insert_.bind(none, account, box_.seals(), box_.seal(secret, secret_place(to_text(account))), none, context.now_ms)
      .run();
}

void SecretChanges::rotate(WriteContext& context, hub::EndpointId endpoint, const hub::WebhookSecret& secret,
                           hub::UnixMs previous_until) {
  end_previous_.bind(endpoint, none, previous_until).run();
  insert(context, endpoint, secret);
  drop_ended_.bind(endpoint, none, context.now_ms).run();
  drop_oldest_.bind(endpoint, none, 1 + previous_secrets_max).run();
}

bool SecretChanges::exists(hub::AccountId account) {
  find_account_.bind(account);
  const bool found = find_account_.step();
  find_account_.reset();
  return found;
}

void SecretChanges::ensure_default(WriteContext& context, hub::AccountId account) {
  find_default_.bind(account);
  const bool found = find_default_.step();
  find_default_.reset();
  if (!found) insert(context, account, hub::make_webhook_secret());
}

hub::Outcome<std::string> SecretChanges::default_secret(WriteContext& context, hub::AccountId account) {
  find_default_.bind(account);
  if (find_default_.step()) {
    std::string secret = read_secret(find_default_, box_, to_text(account)).secret;
    find_default_.reset();
    return secret;
  }
  if (!exists(account)) return {hub::Refusal::not_found, "There is no account with this id: " + to_text(account)};
  std::string secret = hub::make_webhook_secret();
  insert(context, account, secret);
  return secret;
}

hub::Outcome<std::string> SecretChanges::rotate_default_secret(WriteContext& context, hub::AccountId account,
                                                               const std::string& secret, hub::UnixMs previous_until) {
  if (!exists(account)) return {hub::Refusal::not_found, "There is no account with this id: " + to_text(account)};
  end_previous_.bind(none, account, previous_until).run();
  insert(context, account, secret);
  drop_ended_.bind(none, account, context.now_ms).run();
  drop_oldest_.bind(none, account, 1 + previous_secrets_max).run();
  context.batch.default_secrets_changed = true;
  return secret;
}

}  // namespace carillon::storage::sqlite
