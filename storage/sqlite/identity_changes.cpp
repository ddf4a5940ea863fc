#include "storage/sqlite/identity_changes.h"

#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

std::string no_such_account(const std::string& name) { return "There is no account of this name: " + name; }
std::string no_such_key(hub::KeyId id) { return "There is no key with this id: " + to_text(id); }

}  // namespace

IdentityChanges::IdentityChanges(sqlite3* handle)
    : find_account_(handle, select(account_columns, "accounts WHERE name = ?")),
      insert_account_(handle, "INSERT INTO accounts (id, name, status, created_at) VALUES (?, ?, ?, ?)"),
      update_account_(handle, "UPDATE accounts SET status = ?2 WHERE id = ?1"),
      find_key_(handle, select(key_columns, live_keys, "k.id = ?")),
      insert_key_(handle,
                  "INSERT INTO api_keys (id, account, role, status, name, created_at, expires_at, hash) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      update_key_(handle, "UPDATE api_keys SET status = ?2 WHERE id = ?1"),
      rotate_key_(handle, "UPDATE api_keys SET previous_hash = hash, previous_until = ?3, hash = ?2 WHERE id = ?1"),
      revoke_key_(handle, "UPDATE api_keys SET hash = NULL, previous_hash = NULL, previous_until = NULL WHERE id = ?"),
      note_use_(handle, "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE id = ?1") {}

std::optional<hub::Account> IdentityChanges::find_account(const std::string& name) {
  find_account_.bind(name);
  if (!find_account_.step()) return std::nullopt;
  hub::Account account = read_account(find_account_);
  find_account_.reset();
  return account;
}

std::optional<hub::Key> IdentityChanges::find_key(hub::KeyId id) {
  find_key_.bind(id);
  if (!find_key_.step()) return std::nullopt;
  hub::Key key = read_key(find_key_);
  find_key_.reset();
  return key;
}

hub::Outcome<hub::Account> IdentityChanges::create_account(WriteContext& context, const std::string& name) {
  if (find_account(name)) return {hub::Refusal::already_exists, "There is an account of this name already: " + name};
  const hub::Account account{hub::random_id<hub::AccountTag>(), name, hub::AccountStatus::active, context.now_ms};
  insert_account_.bind(account.id, account.name, account.status, account.created_at).run();
  context.batch.identity_changed = true;
  return account;
}

hub::Outcome<hub::Account> IdentityChanges::set_account_status(WriteContext& context, const std::string& name,
                                                               hub::AccountStatus status) {
  auto account = find_account(name);
  if (!account) return {hub::Refusal::not_found, no_such_account(name)};
  update_account_.bind(account->id, status).run();
  account->status = status;
  context.batch.identity_changed = true;
  return *account;
}

hub::Outcome<hub::Key> IdentityChanges::create_key(WriteContext& context, const hub::NewKey& wanted) {
  const auto account = find_account(wanted.account);
  if (!account) return {hub::Refusal::not_found, no_such_account(wanted.account)};
  const auto id = hub::random_id<hub::KeyTag>();
  insert_key_
      .bind(id, account->id, wanted.role, hub::KeyStatus::active, wanted.name, context.now_ms, wanted.expires_at,
            wanted.hash)
      .run();
  context.batch.identity_changed = true;
  return *find_key(id);
}

hub::Outcome<hub::Key> IdentityChanges::set_key_status(WriteContext& context, hub::KeyId id, hub::KeyStatus status) {
  auto key = find_key(id);
  if (!key) return {hub::Refusal::not_found, no_such_key(id)};
  update_key_.bind(id, status).run();
  key->status = status;
  context.batch.identity_changed = true;
  return *key;
}

hub::Outcome<hub::Key> IdentityChanges::rotate_key(WriteContext& context, hub::KeyId id, const hub::KeyHash& hash,
                                                   hub::UnixMs previous_until) {
  const auto key = find_key(id);
  if (!key) return {hub::Refusal::not_found, no_such_key(id)};
  rotate_key_.bind(id, hash, previous_until).run();
  context.batch.identity_changed = true;
  return *key;
}

hub::Outcome<hub::Done> IdentityChanges::revoke_key(WriteContext& context, hub::KeyId id) {
  if (!find_key(id)) return {hub::Refusal::not_found, no_such_key(id)};
  revoke_key_.bind(id).run();
  context.batch.identity_changed = true;
  return hub::Done{};
}

hub::Outcome<hub::Done> IdentityChanges::note_uses(const std::vector<hub::KeyUse>& uses) {
  for (const hub::KeyUse& use : uses) note_use_.bind(use.key, use.at).run();
  return hub::Done{};
}

}  // namespace carillon::storage::sqlite
