// How endpoints stand, in memory: who wants to hear of an event, and where an attempt changes nothing that is kept of
// its endpoint. The committer is the only writer, so what it keeps here is what is on disk; after a rollback it is read
// anew.
//
// All that are registered are here, by their owner, the disabled ones too: what they would be owed is written for a
// replay. Of those that stand for a webhook_url, which may be as many as there are jobs, some are.
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
  struct Standing {
    bool enabled = true;
    bool failing = false;
    bool ordered = false;
    bool held = false;
  };

  EndpointTable(sqlite3* handle, const hub::Ownership& ownership);

  /// Reads all of it from the database.
  void load();

  /// Takes an endpoint in as it is now.
  void put(const hub::Endpoint& endpoint);
  void remove(const hub::Endpoint& endpoint);

  /// Null where there is no such endpoint. To be kept equal to its row by whoever changes that. It stays where it is
  /// until the next call of anything here.
  Standing* find(hub::EndpointId id);

  /// `visit(id, standing)` for each registered endpoint that wants to hear of the event.
  template <typename Visit>
  void for_each_match(const hub::JobOwner& owner, hub::EventKind kind, Visit&& visit) const {
    const auto found = by_owner_.find(place_of(owner));
    if (found == by_owner_.end()) return;
    for (const Entry& entry : found->second) {
      if (entry.events.has(kind)) visit(entry.id, *entry.standing);
    }
  }

 private:
  using Standings = std::unordered_map<hub::EndpointId, Standing>;
  struct Entry {
    hub::EndpointId id;
    hub::EventKinds events;
    const Standing* standing;
  };

  static constexpr std::size_t for_jobs_max = 65'536;

  /// An endpoint hears of what its key may see: by key or by account, as ownership has it.
  std::int64_t place_of(const hub::JobOwner& owner) const {
    return ownership_.scope() == hub::OwnershipScope::key ? owner.key.value : owner.account.value;
  }
  Standing& put_for_jobs(const hub::Endpoint& endpoint);

  const hub::Ownership& ownership_;
  Statement select_registered_;
  Statement find_;
  Standings registered_;
  Standings for_jobs_;
  std::unordered_map<std::int64_t, std::vector<Entry>> by_owner_;
};

}  // namespace carillon::storage::sqlite
