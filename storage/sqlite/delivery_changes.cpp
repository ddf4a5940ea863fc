#include "storage/sqlite/delivery_changes.h"

#include <algorithm>

namespace carillon::storage::sqlite {
namespace {

constexpr std::size_t response_bytes_max = 1024;

}  // namespace

DeliveryChanges::DeliveryChanges(sqlite3* handle, EndpointTable& endpoints)
    : endpoints_(endpoints),
      insert_delivery_(handle,
                       "INSERT INTO deliveries (endpoint, event, message, state, attempts, due_at) VALUES (?, ?, ?, 0, "
                       "0, ?) RETURNING id"),
      insert_attempt_(handle,
                      "INSERT INTO attempts (delivery, started_at, duration_ms, http_status, error, response) "
                      "VALUES (?, ?, ?, ?, ?, ?)"),
      find_delivery_(handle, "SELECT state, message FROM deliveries WHERE id = ?"),
      update_delivery_(handle, "UPDATE deliveries SET state = ?2, attempts = attempts + 1, due_at = ?3 WHERE id = ?1"),
      fail_pending_(handle, "UPDATE deliveries SET state = 2 WHERE endpoint = ? AND state = 0"),
      endpoint_status_(handle, "SELECT status FROM webhook_endpoints WHERE id = ?"),
      note_failing_(handle, "UPDATE webhook_endpoints SET failing_since = ?2 WHERE id = ?1 AND failing_since IS NULL"),
      note_healthy_(handle,
                    "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL"),
      disable_endpoint_(handle,
                        "UPDATE webhook_endpoints SET status = 1, disabled_reason = ?2 WHERE id = ?1 AND status = 0"),
      find_endpoint_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")) {}

void DeliveryChanges::owe(WriteContext& context, const hub::EventPtr& event, const JobRow& row) {
  endpoints_.for_each_match(event->owner, event->kind,
                            [&](hub::EndpointId endpoint) { owe_to(context, endpoint, event); });
  if (!row.hook || !row.hook_events.has(event->kind)) return;
  endpoint_status_.bind(*row.hook);
  const bool enabled = endpoint_status_.step() &&
                       static_cast<hub::EndpointStatus>(endpoint_status_.integer(0)) == hub::EndpointStatus::enabled;
  endpoint_status_.reset();
  if (enabled) owe_to(context, *row.hook, event);
}

void DeliveryChanges::owe_to(WriteContext& context, hub::EndpointId endpoint, const hub::EventPtr& event) {
  hub::DeliveryNotice notice;
  notice.endpoint = endpoint;
  notice.due_at = context.now_ms;
  notice.event = event;
  hub::random_bytes(notice.message.data(), notice.message.size());
  insert_delivery_.bind(endpoint, event->seq, notice.message, context.now_ms);
  insert_delivery_.step();
  notice.delivery = {insert_delivery_.integer(0)};
  insert_delivery_.reset();
  context.batch.deliveries.push_back(std::move(notice));
}

hub::Outcome<hub::Done> DeliveryChanges::record(WriteContext& context, const std::vector<hub::Attempt>& attempts) {
  for (const hub::Attempt& attempt : attempts) record_one(context, attempt);
  return hub::Done{};
}

void DeliveryChanges::record_one(WriteContext& context, const hub::Attempt& attempt) {
  find_delivery_.bind(attempt.delivery);
  if (!find_delivery_.step()) return;  // its endpoint's history was erased meanwhile
  const auto state = static_cast<hub::DeliveryState>(find_delivery_.integer(0));
  hub::DeliveryNotice notice{attempt.delivery, attempt.endpoint, {}, attempt.next_due_at, nullptr};
  const std::string_view message = find_delivery_.blob(1);
  std::copy_n(message.begin(), std::min(message.size(), notice.message.size()), notice.message.begin());
  find_delivery_.reset();

  const std::string_view response = std::string_view(attempt.response).substr(0, response_bytes_max);
  insert_attempt_
      .bind(attempt.delivery, attempt.started_at, std::int64_t{attempt.duration_ms}, attempt.http_status, attempt.error,
            response)
      .run();

  // What was given up while the attempt was under way stays given up, unless it has arrived.
  const bool delivered = attempt.next_state == hub::DeliveryState::delivered;
  const hub::DeliveryState next = delivered || state == hub::DeliveryState::pending ? attempt.next_state : state;
  update_delivery_.bind(attempt.delivery, next, attempt.next_due_at).run();
  if (delivered) {
    note_healthy_.bind(attempt.endpoint).run();
  } else {
    note_failing_.bind(attempt.endpoint, attempt.started_at).run();
  }
  if (attempt.disable_reason && disable_endpoint_.bind(attempt.endpoint, *attempt.disable_reason).run() > 0) {
    give_up(attempt.endpoint);
    find_endpoint_.bind(attempt.endpoint);
    if (find_endpoint_.step()) endpoints_.remove(read_endpoint(find_endpoint_));
    find_endpoint_.reset();
    context.batch.endpoints_changed.push_back(attempt.endpoint);
  } else if (next == hub::DeliveryState::pending) {
    context.batch.deliveries.push_back(std::move(notice));
  }
}

void DeliveryChanges::give_up(hub::EndpointId endpoint) { fail_pending_.bind(endpoint).run(); }

}  // namespace carillon::storage::sqlite
