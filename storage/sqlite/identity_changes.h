// Accounts and keys: made, changed, taken away. Each change tells the commit that identities have changed, so that
// every Authenticator forgets what it had found before the change is answered. When a key was last used is noted too.
//
// Threads: the committer's.
#pragma once

#include <string>
#include <vector>

#include "hub/store.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class IdentityChanges {
 public:
  explicit IdentityChanges(sqlite3* handle);

  hub::Outcome<hub::Account> create_account(WriteContext& context, const std::string& name);
  hub::Outcome<hub::Account> set_account_status(WriteContext& context, const std::string& name,
                                                hub::AccountStatus status);

  hub::Outcome<hub::Key> create_key(WriteContext& context, const hub::NewKey& wanted);
  hub::Outcome<hub::Key> set_key_status(WriteContext& context, hub::KeyId key, hub::KeyStatus status);
  hub::Outcome<hub::Key> rotate_key(WriteContext& context, hub::KeyId key, const hub::KeyHash& hash,
                                    hub::UnixMs previous_until);
  hub::Outcome<hub::Done> revoke_key(WriteContext& context, hub::KeyId key);

  /// No change of an identity: nobody has to forget what he knows of it.
  hub::Outcome<hub::Done> note_uses(const std::vector<hub::KeyUse>& uses);

 private:
  std::optional<hub::Account> find_account(const std::string& name);
  std::optional<hub::Key> find_key(hub::KeyId id);

  Statement find_account_;
  Statement insert_account_;
  Statement update_account_;
  Statement find_key_;
  Statement insert_key_;
  Statement update_key_;
  Statement rotate_key_;
  Statement revoke_key_;
  Statement note_use_;
};

}  // namespace carillon::storage::sqlite
