// Which endpoints want to hear of an event: the enabled, registered ones, in memory, by their owner. The committer is
// the only writer, so what it keeps here is what is on disk; after a rollback it is read anew.
//
// Threads: the committer's.
#pragma once

#include <unordered_map>
#include <vector>

#include "hub/event.h"
#include "hub/ownership.h"
#include "hub/webhook.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class EndpointTable {
 public:
  EndpointTable(sqlite3* handle, const hub::Ownership& ownership);

  /// Reads all of it from the database.
  void load();

  /// Takes an endpoint in as it is now, or out when it is disabled.
  void put(const hub::Endpoint& endpoint);
  void remove(const hub::Endpoint& endpoint);

  template <typename Visit>
  void for_each_match(const hub::JobOwner& owner, hub::EventKind kind, Visit&& visit) const {
    const auto found = by_owner_.find(place_of(owner));
    if (found == by_owner_.end()) return;
    for (const Entry& entry : found->second) {
      if (entry.events.has(kind)) visit(entry.id);
    }
  }

 private:
  struct Entry {
    hub::EndpointId id;
    hub::EventKinds events;
  };

  /// An endpoint hears of what its key may see: by key or by account, as ownership has it.
  std::int64_t place_of(const hub::JobOwner& owner) const {
    return ownership_.scope() == hub::OwnershipScope::key ? owner.key.value : owner.account.value;
  }

  const hub::Ownership& ownership_;
  Statement select_;
  std::unordered_map<std::int64_t, std::vector<Entry>> by_owner_;
};

}  // namespace carillon::storage::sqlite
