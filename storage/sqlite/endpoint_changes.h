// Webhook endpoints: registered, changed, taken away; and those that stand for a submission's webhook_url.
//
// Threads: the committer's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "hub/rules.h"
#include "hub/store.h"
#include "storage/sqlite/chores.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/secret_changes.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class EndpointChanges {
 public:
  EndpointChanges(sqlite3* handle, const hub::Rules& rules, std::size_t per_key_max, EndpointTable& table,
                  SecretChanges& secrets, DeliveryChanges& deliveries, Chores& chores);

  hub::Outcome<hub::Endpoint> create(WriteContext& context, const hub::NewEndpoint& wanted);
  hub::Outcome<hub::Endpoint> change(WriteContext& context, const hub::EndpointChange& wanted);
  hub::Outcome<hub::Done> remove(WriteContext& context, const hub::Principal& by, hub::EndpointId endpoint);
  hub::Outcome<hub::Endpoint> rotate_secret(WriteContext& context, const hub::SecretRotation& rotation);

  /// The endpoint that stands for this hook of this owner's, made where there is none; one that was disabled is
  /// enabled, for a submission that names a URL again means it.
  hub::EndpointId for_hook(WriteContext& context, const hub::JobOwner& owner, const hub::JobHook& hook);

  /// None where there is no such endpoint, or none the caller may see.
  std::optional<hub::Endpoint> find_owned(const hub::Principal& by, hub::EndpointId id);

  /// What is held back until the first delivery of an ordered endpoint may be tried again is held no more.
  void release(WriteContext& context, hub::Endpoint& endpoint);

 private:
  /// The id of the owner's registered endpoint with this URL.
  std::optional<hub::EndpointId> find_by_url(hub::KeyId owner, const std::string& url);
  bool has_room(hub::KeyId owner);
  void insert(const hub::Endpoint& endpoint, const std::optional<SecretBox::Mark>& mark);
  void update(const hub::Endpoint& endpoint);
  /// Clears the reason and the record of failures.
  static void enable(hub::Endpoint& endpoint);
  void enable_anew(WriteContext& context, hub::EndpointId id);
  /// Puts what is pending into the order of its events; false where that is too much for one commit.
  bool put_in_order(hub::EndpointId endpoint);

  const hub::Rules& rules_;
  const std::size_t per_key_max_;
  EndpointTable& table_;
  SecretChanges& secrets_;
  DeliveryChanges& deliveries_;
  Chores& chores_;
  Statement find_;
  Statement find_by_url_;
  Statement find_hook_;
  Statement count_;
  Statement insert_;
  Statement update_;
  Statement delete_;
  Statement count_pending_;
  Statement put_in_order_;
};

}  // namespace carillon::storage::sqlite
