// Webhook endpoints: registered, changed, taken away; and those that stand for a submission's webhook_url.
//
// Threads: the committer's.
#pragma once

#include "hub/rules.h"
#include "hub/store.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class EndpointChanges {
 public:
  EndpointChanges(sqlite3* handle, const hub::Rules& rules, EndpointTable& table, DeliveryChanges& deliveries);

  hub::Outcome<hub::Endpoint> create(WriteContext& context, const hub::NewEndpoint& wanted);
  hub::Outcome<hub::Endpoint> change(WriteContext& context, const hub::EndpointChange& wanted);
  hub::Outcome<hub::Done> remove(WriteContext& context, const hub::Principal& by, hub::EndpointId endpoint);

  /// The endpoint that stands for this hook of this owner's: the enabled one there is, or a new one, for a submission
  /// that names a URL again means it.
  hub::EndpointId for_hook(WriteContext& context, const hub::JobOwner& owner, const hub::JobHook& hook);

 private:
  std::optional<hub::Endpoint> find(hub::EndpointId id);
  std::optional<hub::Endpoint> find_owned(const hub::Principal& by, hub::EndpointId id);
  /// The id of the owner's registered endpoint with this URL.
  std::optional<hub::EndpointId> find_by_url(hub::KeyId owner, const std::string& url);
  void insert(const hub::Endpoint& endpoint);
  std::string default_secret(WriteContext& context, hub::AccountId account);

  const hub::Rules& rules_;
  EndpointTable& table_;
  DeliveryChanges& deliveries_;
  Statement find_;
  Statement find_by_url_;
  Statement find_hook_;
  Statement insert_;
  Statement insert_secret_;
  Statement update_;
  Statement delete_;
  Statement account_secret_;
  Statement insert_account_secret_;
};

}  // namespace carillon::storage::sqlite
