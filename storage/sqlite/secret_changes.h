// Webhook secrets: an endpoint's own, and the one of an account that signs for the `webhook_url` of its submissions. Of
// each there are generations: a new one signs at once, the ones before sign beside it until they end.
//
// Threads: the committer's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/store.h"
#include "storage/secret_box.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class SecretChanges {
 public:
  /// `box` outlives it.
  SecretChanges(sqlite3* handle, const SecretBox& box);

  void insert(WriteContext& context, hub::EndpointId endpoint, const hub::WebhookSecret& secret);
  void rotate(WriteContext& context, hub::EndpointId endpoint, const hub::WebhookSecret& secret,
              hub::UnixMs previous_until);

  /// Makes an account's default secret where there is none; the account exists.
  void ensure_default(WriteContext& context, hub::AccountId account);
  /// Made when it is first asked for.
  hub::Outcome<std::string> default_secret(WriteContext& context, hub::AccountId account);
  hub::Outcome<std::string> rotate_default_secret(WriteContext& context, hub::AccountId account,
                                                  const std::string& secret, hub::UnixMs previous_until);

  /// By what the endpoint of a submission with a secret of its own is found again.
  SecretBox::Mark mark(const std::string& secret) const { return box_.mark(secret); }

 private:
  bool exists(hub::AccountId account);
  void insert(WriteContext& context, hub::AccountId account, const std::string& secret);

  const SecretBox& box_;
  Statement insert_;
  Statement end_previous_;
  Statement drop_ended_;
  Statement drop_oldest_;
  Statement find_default_;
  Statement find_account_;
};

}  // namespace carillon::storage::sqlite
