#include "storage/sqlite/endpoint_table.h"

#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {

EndpointTable::EndpointTable(sqlite3* handle, const hub::Ownership& ownership)
    : ownership_(ownership),
      select_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.for_jobs = 0 AND e.status = 0")) {
  load();
}

void EndpointTable::load() {
  by_owner_.clear();
  for (select_.bind(); select_.step();) put(read_endpoint(select_));
}

void EndpointTable::put(const hub::Endpoint& endpoint) {
  remove(endpoint);
  if (endpoint.for_jobs || endpoint.status != hub::EndpointStatus::enabled) return;
  by_owner_[place_of(endpoint.owner)].push_back({endpoint.id, endpoint.events});
}

void EndpointTable::remove(const hub::Endpoint& endpoint) {
  const auto found = by_owner_.find(place_of(endpoint.owner));
  if (found == by_owner_.end()) return;
  std::erase_if(found->second, [&](const Entry& entry) { return entry.id == endpoint.id; });
  if (found->second.empty()) by_owner_.erase(found);
}

}  // namespace carillon::storage::sqlite
