#include "storage/sqlite/endpoint_changes.h"

#include "hub/webhook_secret.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

std::string no_such_endpoint(hub::EndpointId id) { return "Webhook not found or access denied: " + to_text(id); }

}  // namespace

EndpointChanges::EndpointChanges(sqlite3* handle, const hub::Rules& rules, EndpointTable& table,
                                 DeliveryChanges& deliveries)
    : rules_(rules),
      table_(table),
      deliveries_(deliveries),
      find_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")),
      find_by_url_(handle, "SELECT id FROM webhook_endpoints WHERE owner_key = ? AND for_jobs = 0 AND url = ?"),
      find_hook_(handle,
                 "SELECT e.id FROM webhook_endpoints AS e JOIN webhook_secrets AS s ON s.endpoint = e.id "
                 "WHERE e.owner_key = ? AND e.for_jobs = 1 AND e.status = 0 AND e.url = ? AND s.secret = ?"),
      insert_(
          handle,
          "INSERT INTO webhook_endpoints (id, owner_key, owner_account, for_jobs, url, description, events, status, "
          "disabled_reason, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', ?)"),
      insert_secret_(handle, "INSERT INTO webhook_secrets (endpoint, secret, created_at) VALUES (?, ?, ?)"),
      update_(
          handle,
          "UPDATE webhook_endpoints SET url = ?2, description = ?3, events = ?4, status = ?5, disabled_reason = ?6, "
          "failing_since = ?7 WHERE id = ?1"),
      delete_(handle, "DELETE FROM webhook_endpoints WHERE id = ?"),
      account_secret_(handle, "SELECT secret FROM webhook_secrets WHERE account = ?"),
      insert_account_secret_(handle, "INSERT INTO webhook_secrets (account, secret, created_at) VALUES (?, ?, ?)") {}

std::optional<hub::Endpoint> EndpointChanges::find(hub::EndpointId id) {
  find_.bind(id);
  if (!find_.step()) return std::nullopt;
  hub::Endpoint endpoint = read_endpoint(find_);
  find_.reset();
  return endpoint;
}

std::optional<hub::Endpoint> EndpointChanges::find_owned(const hub::Principal& by, hub::EndpointId id) {
  auto endpoint = find(id);
  if (!endpoint || endpoint->for_jobs || !rules_.ownership().may_see(by, endpoint->owner)) return std::nullopt;
  return endpoint;
}

std::optional<hub::EndpointId> EndpointChanges::find_by_url(hub::KeyId owner, const std::string& url) {
  find_by_url_.bind(owner, url);
  if (!find_by_url_.step()) return std::nullopt;
  const hub::EndpointId id{find_by_url_.integer(0)};
  find_by_url_.reset();
  return id;
}

void EndpointChanges::insert(const hub::Endpoint& endpoint) {
  insert_
      .bind(endpoint.id, endpoint.owner.key, endpoint.owner.account, endpoint.for_jobs, endpoint.url,
            endpoint.description, std::int64_t{endpoint.events.bits}, endpoint.created_at)
      .run();
  insert_secret_.bind(endpoint.id, endpoint.secret, endpoint.created_at).run();
}

hub::Outcome<hub::Endpoint> EndpointChanges::create(WriteContext& context, const hub::NewEndpoint& wanted) {
  if (find_by_url(wanted.by.key, wanted.url)) {
    return {hub::Refusal::already_exists, "This key has a webhook with this URL already."};
  }
  hub::Endpoint endpoint;
  endpoint.id = hub::random_id<hub::EndpointTag>();
  endpoint.owner = {wanted.by.key, wanted.by.account};
  endpoint.url = wanted.url;
  endpoint.description = wanted.description;
  endpoint.events = wanted.events;
  endpoint.secret = wanted.secret;
  endpoint.created_at = context.now_ms;
  insert(endpoint);
  table_.put(endpoint);
  context.batch.endpoints_changed.push_back(endpoint.id);
  return endpoint;
}

hub::Outcome<hub::Endpoint> EndpointChanges::change(WriteContext& context, const hub::EndpointChange& wanted) {
  auto endpoint = find_owned(wanted.by, wanted.endpoint);
  if (!endpoint) return {hub::Refusal::not_found, no_such_endpoint(wanted.endpoint)};
  if (wanted.url) {
    const auto taken = find_by_url(endpoint->owner.key, *wanted.url);
    if (taken && *taken != endpoint->id) {
      return {hub::Refusal::already_exists, "This key has a webhook with this URL already."};
    }
    endpoint->url = *wanted.url;
  }
  if (wanted.description) endpoint->description = *wanted.description;
  if (wanted.events) endpoint->events = *wanted.events;
  if (wanted.status) {
    endpoint->status = *wanted.status;
    if (*wanted.status == hub::EndpointStatus::enabled) {
      endpoint->disabled_reason.clear();
      endpoint->failing_since.reset();
    } else {
      deliveries_.give_up(endpoint->id);
    }
  }
  update_
      .bind(endpoint->id, endpoint->url, endpoint->description, std::int64_t{endpoint->events.bits}, endpoint->status,
            endpoint->disabled_reason, endpoint->failing_since)
      .run();
  table_.put(*endpoint);
  context.batch.endpoints_changed.push_back(endpoint->id);
  return *endpoint;
}

hub::Outcome<hub::Done> EndpointChanges::remove(WriteContext& context, const hub::Principal& by, hub::EndpointId id) {
  const auto endpoint = find_owned(by, id);
  if (!endpoint) return {hub::Refusal::not_found, no_such_endpoint(id)};
  deliveries_.give_up(id);
  delete_.bind(id).run();
  table_.remove(*endpoint);
  context.batch.endpoints_changed.push_back(id);
  return hub::Done{};
}

std::string EndpointChanges::default_secret(WriteContext& context, hub::AccountId account) {
  account_secret_.bind(account);
  if (account_secret_.step()) {
    std::string secret(account_secret_.text(0));
    account_secret_.reset();
    return secret;
  }
  std::string secret = hub::make_webhook_secret();
  insert_account_secret_.bind(account, secret, context.now_ms).run();
  return secret;
}

hub::EndpointId EndpointChanges::for_hook(WriteContext& context, const hub::JobOwner& owner, const hub::JobHook& hook) {
  hub::Endpoint endpoint;
  endpoint.secret = hook.secret.empty() ? default_secret(context, owner.account) : hook.secret;
  find_hook_.bind(owner.key, hook.url, endpoint.secret);
  if (find_hook_.step()) {
    const hub::EndpointId id{find_hook_.integer(0)};
    find_hook_.reset();
    return id;
  }
  endpoint.id = hub::random_id<hub::EndpointTag>();
  endpoint.owner = owner;
  endpoint.url = hook.url;
  endpoint.events = hook.events;
  endpoint.for_jobs = true;
  endpoint.created_at = context.now_ms;
  insert(endpoint);
  return endpoint.id;
}

}  // namespace carillon::storage::sqlite
