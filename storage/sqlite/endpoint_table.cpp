#include "storage/sqlite/endpoint_table.h"

#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

EndpointTable::Standing standing_of(const hub::Endpoint& endpoint) {
  return {.enabled = endpoint.status == hub::EndpointStatus::enabled,
          .failing = endpoint.failing_since.has_value(),
          .ordered = endpoint.ordered,
          .held = endpoint.held_until.has_value()};
}

}  // namespace

EndpointTable::EndpointTable(sqlite3* handle, const hub::Ownership& ownership)
    : ownership_(ownership),
      select_registered_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.for_jobs = 0")),
      find_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")) {
  load();
}

void EndpointTable::load() {
  by_owner_.clear();
  registered_.clear();
  for_jobs_.clear();
  for (select_registered_.bind(); select_registered_.step();) put(read_endpoint(select_registered_));
}

void EndpointTable::put(const hub::Endpoint& endpoint) {
  if (endpoint.for_jobs) {
    put_for_jobs(endpoint);
    return;
  }
  const auto [place, is_new] = registered_.insert_or_assign(endpoint.id, standing_of(endpoint));
  std::vector<Entry>& entries = by_owner_[place_of(endpoint.owner)];
  if (is_new) {
    entries.push_back({endpoint.id, endpoint.events, &place->second});
  } else {
    for (Entry& entry : entries) {
      if (entry.id == endpoint.id) entry.events = endpoint.events;
    }
  }
}

EndpointTable::Standing& EndpointTable::put_for_jobs(const hub::Endpoint& endpoint) {
  if (for_jobs_.size() >= for_jobs_max && !for_jobs_.contains(endpoint.id)) for_jobs_.clear();
  return for_jobs_.insert_or_assign(endpoint.id, standing_of(endpoint)).first->second;
}

void EndpointTable::remove(const hub::Endpoint& endpoint) {
  for_jobs_.erase(endpoint.id);
  if (registered_.erase(endpoint.id) == 0) return;
  const auto found = by_owner_.find(place_of(endpoint.owner));
  std::erase_if(found->second, [&](const Entry& entry) { return entry.id == endpoint.id; });
  if (found->second.empty()) by_owner_.erase(found);
}

EndpointTable::Standing* EndpointTable::find(hub::EndpointId id) {
  if (const auto found = registered_.find(id); found != registered_.end()) return &found->second;
  if (const auto found = for_jobs_.find(id); found != for_jobs_.end()) return &found->second;
  find_.bind(id);
  if (!find_.step()) return nullptr;
  Standing& standing = put_for_jobs(read_endpoint(find_));
  find_.reset();
  return &standing;
}

}  // namespace carillon::storage::sqlite
