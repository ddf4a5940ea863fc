#include "storage/sqlite/secrets_at_rest.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <set>
#include <vector>

#include "hub/store.h"
#include "storage/sqlite/secret_rows.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

/// In `meta` while the log may hold secrets that were plain before.
constexpr const char* unsealed_log = "unsealed_log";
constexpr const char* key_id_name = "webhook_secrets_key";

struct SecretRow {
  std::int64_t id;
  std::optional<std::int64_t> endpoint;
  std::optional<std::int64_t> account;
  bool sealed;
  SecretBox::Bytes secret;
  std::optional<SecretBox::Bytes> signing_key;
  std::int64_t created_at;
  std::optional<std::int64_t> valid_until;

  std::string of() const {
    return endpoint ? to_text(hub::EndpointId{*endpoint}) : to_text(hub::AccountId{account.value_or(0)});
  }
};

SecretBox::Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string_view text_of(const SecretBox::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<SecretRow> read_rows(sqlite3* handle) {
  std::vector<SecretRow> rows;
  Statement query(handle,
                  "SELECT id, endpoint, account, sealed, secret, signing_key, created_at, valid_until "
                  "FROM webhook_secrets ORDER BY id");
  while (query.step()) {
    SecretRow row{query.integer(0),      query.optional_integer(1), query.optional_integer(2),
                  query.integer(3) != 0, bytes_of(query.blob(4)),   std::nullopt,
                  query.integer(6),      query.optional_integer(7)};
    if (const std::string_view key = query.blob(5); !key.empty()) row.signing_key = bytes_of(key);
    rows.push_back(std::move(row));
  }
  return rows;
}

bool any(sqlite3* handle, std::string_view sql) {
  Statement query(handle, sql);
  return query.step();
}

std::string meta(sqlite3* handle, const char* name) {
  Statement query(handle, "SELECT value FROM meta WHERE name = ?");
  return query.bind(name).step() ? std::string(query.text(0)) : "";
}

void set_meta(sqlite3* handle, const char* name, const std::string& value) {
  Statement(handle, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").bind(name, value).run();
}

void unset_meta(sqlite3* handle, const char* name) {
  Statement(handle, "DELETE FROM meta WHERE name = ?").bind(name).run();
}

/// A file that cannot be looked at is there: opening it says why.
bool is_there(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 || errno != ENOENT;
}

/// The box whose key is in the file. `sealed_with` names the key that something is sealed with already, if it is.
SecretBox keyed_box(const std::string& key_file, const std::optional<std::string>& sealed_with) {
  if (!sealed_with) return is_there(key_file) ? SecretBox::with_key_in(key_file) : SecretBox::with_new_key_in(key_file);
  if (!is_there(key_file)) {
    throw hub::StoreError("the webhook secrets are encrypted, and the file with their key is missing: restore " +
                          key_file + " from the backup that belongs to this database");
  }
  SecretBox box = SecretBox::with_key_in(key_file);
  if (box.key_id() != *sealed_with) {
    throw hub::StoreError("the webhook secrets are encrypted with another key than the one in " + key_file +
                          ": restore that file from the backup that belongs to this database");
  }
  return box;
}

/// In rows written anew, for a row that is changed may leave a part of itself where it stood.
void rewrite(sqlite3* handle, std::vector<SecretRow>& rows, const SecretBox& from, const SecretBox& to) {
  const SecretBox plain = SecretBox::plain();
  const auto change = [&](const SecretRow& row, SecretBox::Bytes& bytes, const std::string& place) {
    const auto text = (row.sealed ? from : plain).open(text_of(bytes), place);
    if (!text) {
      throw hub::StoreError("the webhook secret of " + place + " cannot be opened: it is not as it was encrypted");
    }
    bytes = to.seal(*text, place);
  };
  Statement(handle, "DELETE FROM webhook_secrets").run();
  Statement insert(handle,
                   "INSERT INTO webhook_secrets (id, endpoint, account, sealed, secret, signing_key, created_at, "
                   "valid_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (SecretRow& row : rows) {
    if (row.sealed != to.seals()) {
      change(row, row.secret, secret_place(row.of()));
      if (row.signing_key) change(row, *row.signing_key, signing_key_place(row.of()));
      row.sealed = to.seals();
    }
    insert
        .bind(row.id, row.endpoint, row.account, row.sealed, row.secret, row.signing_key, row.created_at,
              row.valid_until)
        .run();
  }
}

/// Per-job endpoints with a secret of their own are found by its mark, which the key is part of.
void set_marks(sqlite3* handle, const std::vector<SecretRow>& rows, const SecretBox& box, bool all) {
  std::set<std::int64_t> wanted;
  Statement query(handle, "SELECT id FROM webhook_endpoints WHERE for_jobs = 1 AND (?1 OR secret_mark IS NULL)");
  for (query.bind(all); query.step();) wanted.insert(query.integer(0));
  Statement update(handle, "UPDATE webhook_endpoints SET secret_mark = ?2 WHERE id = ?1");
  for (const SecretRow& row : rows) {
    if (!row.endpoint || !wanted.contains(*row.endpoint)) continue;
    const auto text = box.open(text_of(row.secret), secret_place(row.of()));
    if (text) update.bind(*row.endpoint, box.mark(*text)).run();
  }
}

/// What the log holds goes into the database, where it is overwritten already, and the log ends. Where another process
/// reads the database just now, that is left to the next start.
void end_log(Connection& connection) {
  Statement checkpoint(connection.handle(), "PRAGMA wal_checkpoint(TRUNCATE)");
  const bool ended = checkpoint.step() && checkpoint.integer(0) == 0;
  checkpoint.reset();
  if (ended) unset_meta(connection.handle(), unsealed_log);
}

void bring_into_form(Connection& connection, const SecretBox& from, const SecretBox& to) {
  sqlite3* const handle = connection.handle();
  const bool other_form = any(handle, to.seals() ? "SELECT 1 FROM webhook_secrets WHERE sealed = 0"
                                                 : "SELECT 1 FROM webhook_secrets WHERE "
                                                   "sealed = 1");
  const bool unmarked = any(handle,
                            "SELECT 1 FROM webhook_endpoints AS e WHERE for_jobs = 1 AND secret_mark IS NULL AND "
                            "EXISTS (SELECT 1 FROM webhook_secrets AS s WHERE s.endpoint = e.id)");
  if (!other_form && !unmarked && meta(handle, key_id_name) == to.key_id()) return;
  connection.run("BEGIN IMMEDIATE");
  try {
    if (other_form || unmarked) {
      auto rows = read_rows(handle);
      if (other_form) rewrite(handle, rows, from, to);
      set_marks(handle, rows, to, other_form);
      if (other_form && to.seals()) set_meta(handle, unsealed_log, "1");
    }
    to.seals() ? set_meta(handle, key_id_name, to.key_id()) : unset_meta(handle, key_id_name);
    connection.run("COMMIT");
  } catch (const hub::StoreError&) {
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

std::string secure_delete_of(Connection& connection) {
  Statement query(connection.handle(), "PRAGMA secure_delete");
  return query.step() ? std::string(query.text(0)) : "0";
}

}  // namespace

SecureDelete::SecureDelete(Connection& connection) : connection_(connection), before_(secure_delete_of(connection)) {
  connection_.run("PRAGMA secure_delete = ON");
}

SecureDelete::~SecureDelete() {
  const std::string sql = "PRAGMA secure_delete = " + (before_ == "2" ? std::string("FAST") : before_);
  sqlite3_exec(connection_.handle(), sql.c_str(), nullptr, nullptr, nullptr);
}

SecretBox settle_secrets(Connection& connection, SecretsAtRest form, const std::string& key_file) {
  sqlite3* const handle = connection.handle();
  std::optional<std::string> sealed_with;
  if (any(handle, "SELECT 1 FROM webhook_secrets WHERE sealed = 1")) sealed_with = meta(handle, key_id_name);
  const bool needs_key = form == SecretsAtRest::encrypted || sealed_with;
  const SecretBox keyed = needs_key ? keyed_box(key_file, sealed_with) : SecretBox::plain();
  const SecretBox box = form == SecretsAtRest::encrypted ? keyed : SecretBox::plain();
  {
    const SecureDelete secure_delete(connection);
    bring_into_form(connection, keyed, box);
  }
  if (!meta(handle, unsealed_log).empty()) end_log(connection);
  return box;
}

}  // namespace carillon::storage::sqlite
