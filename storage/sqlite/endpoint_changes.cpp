#include "storage/sqlite/endpoint_changes.h"

#include "hub/not_found.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

/// 10,000 rows are put in order in some 30 ms, for which all other changes wait.
constexpr std::int64_t put_in_order_max = 10'000;

constexpr const char* disabled_on_request = "It was disabled on request.";

bool changes_more_than_status(const hub::EndpointChange& wanted) {
  return wanted.url || wanted.description || wanted.events || wanted.headers || wanted.ordered ||
         wanted.max_per_second || wanted.legacy_signature;
}

}  // namespace

EndpointChanges::EndpointChanges(sqlite3* handle, const hub::Rules& rules, std::size_t per_key_max,
                                 EndpointTable& table, SecretChanges& secrets, DeliveryChanges& deliveries,
                                 Chores& chores)
    : rules_(rules),
      per_key_max_(per_key_max),
      table_(table),
      secrets_(secrets),
      deliveries_(deliveries),
      chores_(chores),
      find_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")),
      find_by_url_(handle, "SELECT id FROM webhook_endpoints WHERE owner_key = ? AND for_jobs = 0 AND url = ?"),
      find_hook_(handle,
                 "SELECT id FROM webhook_endpoints WHERE owner_key = ? AND for_jobs = 1 AND url = ? AND "
                 "secret_mark IS ? LIMIT 1"),
      count_(handle, "SELECT count(*) FROM webhook_endpoints WHERE for_jobs = 0 AND owner_key = ?"),
      insert_(
          handle,
          "INSERT INTO webhook_endpoints (id, owner_key, owner_account, for_jobs, url, description, events, headers, "
          "signing, public_key, ordered, max_per_second, legacy_signature, status, disabled_reason, created_at, "
          "secret_mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?)"),
      update_(handle,
              "UPDATE webhook_endpoints SET url = ?2, description = ?3, events = ?4, headers = ?5, public_key = ?6, "
              "ordered = ?7, max_per_second = ?8, legacy_signature = ?9, status = ?10, disabled_reason = ?11, "
              "failing_since = ?12, held_until = ?13 WHERE id = ?1"),
      delete_(handle, "DELETE FROM webhook_endpoints WHERE id = ?"),
      count_pending_(handle,
                     "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE endpoint = ? AND state = 0 AND due_at > 0 "
                     "LIMIT ?)"),
      put_in_order_(handle, "UPDATE deliveries SET due_at = 0 WHERE endpoint = ? AND state = 0 AND due_at > 0") {}

std::optional<hub::Endpoint> EndpointChanges::find_owned(const hub::Principal& by, hub::EndpointId id) {
  find_.bind(id);
  if (!find_.step()) return std::nullopt;
  hub::Endpoint endpoint = read_endpoint(find_);
  find_.reset();
  if (!rules_.ownership().may_see(by, endpoint.owner)) return std::nullopt;
  return endpoint;
}

std::optional<hub::EndpointId> EndpointChanges::find_by_url(hub::KeyId owner, const std::string& url) {
  find_by_url_.bind(owner, url);
  if (!find_by_url_.step()) return std::nullopt;
  const hub::EndpointId id{find_by_url_.integer(0)};
  find_by_url_.reset();
  return id;
}

bool EndpointChanges::has_room(hub::KeyId owner) {
  count_.bind(owner).step();
  const auto count = static_cast<std::size_t>(count_.integer(0));
  count_.reset();
  return count < per_key_max_;
}

void EndpointChanges::insert(const hub::Endpoint& endpoint, const std::optional<SecretBox::Mark>& mark) {
  const std::string headers = header_lines(endpoint.headers);
  insert_
      .bind(endpoint.id, endpoint.owner.key, endpoint.owner.account, endpoint.for_jobs, endpoint.url,
            endpoint.description, std::int64_t{endpoint.events.bits}, headers, endpoint.signing, endpoint.public_key,
            endpoint.ordered, endpoint.max_per_second, endpoint.legacy_signature, endpoint.created_at, mark)
      .run();
  table_.put(endpoint);
}

void EndpointChanges::update(const hub::Endpoint& endpoint) {
  const std::string headers = header_lines(endpoint.headers);
  update_
      .bind(endpoint.id, endpoint.url, endpoint.description, std::int64_t{endpoint.events.bits}, headers,
            endpoint.public_key, endpoint.ordered, endpoint.max_per_second, endpoint.legacy_signature, endpoint.status,
            endpoint.disabled_reason, endpoint.failing_since, endpoint.held_until)
      .run();
  table_.put(endpoint);
}

hub::Outcome<hub::Endpoint> EndpointChanges::create(WriteContext& context, const hub::NewEndpoint& wanted) {
  if (find_by_url(wanted.by.key, wanted.url)) {
    return {hub::Refusal::already_exists, "This key has a webhook with this URL already."};
  }
  if (!has_room(wanted.by.key)) {
    return {hub::Refusal::limit_reached,
            "This key has " + std::to_string(per_key_max_) + " webhooks, which is as many as it may have."};
  }
  hub::Endpoint endpoint;
  endpoint.id = hub::random_id<hub::EndpointTag>();
  endpoint.owner = {wanted.by.key, wanted.by.account};
  endpoint.url = wanted.url;
  endpoint.description = wanted.description;
  endpoint.events = wanted.events;
  endpoint.headers = wanted.headers;
  endpoint.signing = wanted.signing;
  endpoint.public_key = wanted.public_key;
  endpoint.ordered = wanted.ordered;
  endpoint.max_per_second = wanted.max_per_second;
  endpoint.legacy_signature = wanted.legacy_signature;
  endpoint.created_at = context.now_ms;
  insert(endpoint, std::nullopt);
  secrets_.insert(context, endpoint.id, wanted.secret);
  context.batch.endpoints_changed.push_back(endpoint.id);
  return endpoint;
}

bool EndpointChanges::put_in_order(hub::EndpointId endpoint) {
  count_pending_.bind(endpoint, put_in_order_max + 1).step();
  const bool too_many = count_pending_.integer(0) > put_in_order_max;
  count_pending_.reset();
  if (too_many) return false;
  put_in_order_.bind(endpoint).run();
  return true;
}

hub::Outcome<hub::Endpoint> EndpointChanges::change(WriteContext& context, const hub::EndpointChange& wanted) {
  auto endpoint = find_owned(wanted.by, wanted.endpoint);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_webhook(to_text(wanted.endpoint))};
  if (endpoint->for_jobs && changes_more_than_status(wanted)) {
    return {hub::Refusal::bad_transition,
            "This webhook stands for the webhook_url of submissions: only its status can be changed."};
  }
  if (wanted.url) {
    const auto taken = find_by_url(endpoint->owner.key, *wanted.url);
    if (taken && *taken != endpoint->id) {
      return {hub::Refusal::already_exists, "This key has a webhook with this URL already."};
    }
    endpoint->url = *wanted.url;
  }
  bool become_due = false;
  if (wanted.ordered && *wanted.ordered != endpoint->ordered) {
    if (*wanted.ordered && !put_in_order(endpoint->id)) {
      return {hub::Refusal::limit_reached, "More than " + std::to_string(put_in_order_max) +
                                               " deliveries are pending for this webhook, which is more than can be "
                                               "put in order: wait until fewer are, or disable it first."};
    }
    endpoint->ordered = *wanted.ordered;
    endpoint->held_until.reset();
    become_due = true;
  }
  if (wanted.description) endpoint->description = *wanted.description;
  if (wanted.events) endpoint->events = *wanted.events;
  if (wanted.headers) endpoint->headers = *wanted.headers;
  if (wanted.max_per_second) endpoint->max_per_second = *wanted.max_per_second;
  if (wanted.legacy_signature) endpoint->legacy_signature = *wanted.legacy_signature;

  const bool was_enabled = endpoint->status == hub::EndpointStatus::enabled;
  if (wanted.status == hub::EndpointStatus::enabled) {
    enable(*endpoint);
    become_due = become_due || !was_enabled;  // what was not given up yet
  }
  update(*endpoint);
  if (wanted.status == hub::EndpointStatus::disabled && was_enabled) {
    endpoint->disabled_reason = disabled_on_request;
    deliveries_.disable(context, *endpoint);
    return *endpoint;
  }
  context.batch.endpoints_changed.push_back(endpoint->id);
  if (become_due && endpoint->status == hub::EndpointStatus::enabled) {
    context.batch.endpoints_due.push_back(endpoint->id);
  }
  return *endpoint;
}

void EndpointChanges::enable(hub::Endpoint& endpoint) {
  endpoint.status = hub::EndpointStatus::enabled;
  endpoint.disabled_reason.clear();
  endpoint.failing_since.reset();
  endpoint.held_until.reset();
}

void EndpointChanges::enable_anew(WriteContext& context, hub::EndpointId id) {
  find_.bind(id);
  find_.step();
  hub::Endpoint endpoint = read_endpoint(find_);
  find_.reset();
  enable(endpoint);
  update(endpoint);
  context.batch.endpoints_changed.push_back(id);
  context.batch.endpoints_due.push_back(id);
}

void EndpointChanges::release(WriteContext& context, hub::Endpoint& endpoint) {
  if (!endpoint.held_until) return;
  endpoint.held_until.reset();
  update(endpoint);
  context.batch.endpoints_changed.push_back(endpoint.id);
}

hub::Outcome<hub::Done> EndpointChanges::remove(WriteContext& context, const hub::Principal& by, hub::EndpointId id) {
  const auto endpoint = find_owned(by, id);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_webhook(to_text(id))};
  delete_.bind(id).run();
  table_.remove(*endpoint);
  chores_.end(id);
  context.batch.endpoints_changed.push_back(id);
  return hub::Done{};
}

hub::Outcome<hub::Endpoint> EndpointChanges::rotate_secret(WriteContext& context, const hub::SecretRotation& rotation) {
  auto endpoint = find_owned(rotation.by, rotation.endpoint);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_webhook(to_text(rotation.endpoint))};
  if (endpoint->for_jobs) {
    return {hub::Refusal::bad_transition,
            "This webhook stands for the webhook_url of submissions, and signs with the secret they name or with the "
            "account's default: rotate that, or submit with another."};
  }
  secrets_.rotate(context, endpoint->id, rotation.secret, rotation.previous_until);
  endpoint->public_key = rotation.public_key;
  update(*endpoint);
  context.batch.endpoints_changed.push_back(endpoint->id);
  return *endpoint;
}

hub::EndpointId EndpointChanges::for_hook(WriteContext& context, const hub::JobOwner& owner, const hub::JobHook& hook) {
  std::optional<SecretBox::Mark> mark;
  if (!hook.secret.empty()) mark = secrets_.mark(hook.secret);
  find_hook_.bind(owner.key, hook.url, mark);
  if (find_hook_.step()) {
    const hub::EndpointId id{find_hook_.integer(0)};
    find_hook_.reset();
    const EndpointTable::Standing* const standing = table_.find(id);
    if (standing != nullptr && !standing->enabled) enable_anew(context, id);
    return id;
  }
  hub::Endpoint endpoint;
  endpoint.id = hub::random_id<hub::EndpointTag>();
  endpoint.owner = owner;
  endpoint.url = hook.url;
  endpoint.events = hook.events;
  endpoint.for_jobs = true;
  endpoint.created_at = context.now_ms;
  insert(endpoint, mark);
  if (mark) {
    secrets_.insert(context, endpoint.id, {.secret = hook.secret, .signing_key = {}, .valid_until = {}});
  } else {
    secrets_.ensure_default(context, owner.account);
  }
  return endpoint.id;
}

}  // namespace carillon::storage::sqlite
