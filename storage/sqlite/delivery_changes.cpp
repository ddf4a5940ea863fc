#include "storage/sqlite/delivery_changes.h"

#include <utility>

namespace carillon::storage::sqlite {
namespace {

constexpr std::size_t response_bytes_max = 1024;

}  // namespace

DeliveryChanges::DeliveryChanges(sqlite3* handle, EndpointTable& endpoints, GivenNumbers& numbers, Chores& chores,
                                 EventLog& log)
    : endpoints_(endpoints),
      numbers_(numbers),
      chores_(chores),
      owner_events_(handle, log),
      insert_delivery_(handle,
                       "INSERT INTO deliveries (id, endpoint, event, message, state, attempts, due_at, created_at, "
                       "attempts_before, trace) VALUES (?, ?, ?, ?, ?, 0, ?, ?, 0, ?)"),
      // Its number is the delivery's count, which has just been raised.
      insert_attempt_(handle,
                      "INSERT INTO attempts (delivery, number, started_at, duration_ms, http_status, error, response) "
                      "SELECT id, attempts, ?2, ?3, ?4, ?5, ?6 FROM deliveries WHERE id = ?1"),
      end_delivery_(handle,
                    "UPDATE deliveries SET state = ?3, attempts = attempts + 1 "
                    "WHERE id = ?1 AND endpoint = ?2 AND state = 0"),
      delay_delivery_(handle,
                      "UPDATE deliveries SET attempts = attempts + 1, due_at = iif(event = 0, due_at, ?3) "
                      "WHERE id = ?1 AND endpoint = ?2 AND state = 0"),
      end_late_(handle,
                "UPDATE deliveries SET attempts = attempts + 1, state = iif(?3, 1, state) "
                "WHERE id = ?1 AND endpoint = ?2"),
      find_delivery_(handle, "SELECT event, message FROM deliveries WHERE id = ?"),
      note_failing_(handle,
                    "UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, ?2), held_until = ?3 "
                    "WHERE id = ?1"),
      note_healthy_(handle, "UPDATE webhook_endpoints SET failing_since = NULL, held_until = NULL WHERE id = ?"),
      disable_endpoint_(
          handle,
          "UPDATE webhook_endpoints SET status = 1, disabled_reason = ?2, failing_since = ?3, held_until = NULL "
          "WHERE id = ?1"),
      find_endpoint_(handle, select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")) {}

void DeliveryChanges::owe_to_owner(WriteContext& context, const hub::EventPtr& event) {
  endpoints_.for_each_match(event->owner, event->kind,
                            [&](hub::EndpointId endpoint, const EndpointTable::Standing& standing) {
                              owe_to(context, endpoint, standing, event);
                            });
}

void DeliveryChanges::owe(WriteContext& context, const hub::EventPtr& event, const JobRow& row) {
  owe_to_owner(context, event);
  if (!row.hook || !row.hook_events.has(event->kind)) return;
  if (const auto* const standing = endpoints_.find(*row.hook)) owe_to(context, *row.hook, *standing, event);
}

void DeliveryChanges::owe_to(WriteContext& context, hub::EndpointId endpoint, const EndpointTable::Standing& standing,
                             const hub::EventPtr& event) {
  const hub::DeliveryId id{numbers_.next()};
  const hub::UnixMs due_at = standing.ordered ? due_in_its_turn : context.even_ms;
  if (!standing.enabled) {
    insert(context, id, endpoint, *event, hub::DeliveryState::failed, due_at);
    return;
  }
  const auto message = insert(context, id, endpoint, *event, hub::DeliveryState::pending, due_at);
  context.batch.deliveries.push_back({id, endpoint, message, due_at, event});
}

hub::DeliveryId DeliveryChanges::owe_test(WriteContext& context, const hub::Endpoint& endpoint) {
  const hub::DeliveryId id{numbers_.next()};
  auto event = std::make_shared<hub::Event>();  // without a number: it has no place in the history
  event->owner = endpoint.owner;
  event->kind = hub::EventKind::webhook_test;
  event->at = context.now_ms;
  event->data = hub::test_event_data(endpoint.id);
  const auto message = insert(context, id, endpoint.id, *event, hub::DeliveryState::pending, due_first);
  context.batch.deliveries.push_back({id, endpoint.id, message, due_first, std::move(event)});
  return id;
}

hub::MessageId DeliveryChanges::insert(WriteContext& context, hub::DeliveryId id, hub::EndpointId endpoint,
                                       const hub::Event& event, hub::DeliveryState state, hub::UnixMs due_at) {
  hub::MessageId message{};
  hub::random_bytes(message.data(), message.size());
  insert_delivery_.bind(id, endpoint, event.seq, message, state, due_at, context.now_ms, event.trace).run();
  if (state == hub::DeliveryState::pending) ++context.pending_more;
  return message;
}

hub::Outcome<hub::Done> DeliveryChanges::record(WriteContext& context, const std::vector<hub::Attempt>& attempts) {
  for (const hub::Attempt& attempt : attempts) record_one(context, attempt);
  return hub::Done{};
}

void DeliveryChanges::record_one(WriteContext& context, const hub::Attempt& attempt) {
  EndpointTable::Standing* const standing = endpoints_.find(attempt.endpoint);
  if (standing == nullptr) return;  // deleted meanwhile, and with it all that was sent to it

  const bool delivered = attempt.next_state == hub::DeliveryState::delivered;
  bool again = attempt.next_state == hub::DeliveryState::pending;
  const hub::UnixMs next_due_at = standing->ordered ? due_in_its_turn : attempt.next_due_at;
  Statement& move = again ? delay_delivery_.bind(attempt.delivery, attempt.endpoint, next_due_at)
                          : end_delivery_.bind(attempt.delivery, attempt.endpoint, attempt.next_state);
  if (move.run() > 0) {
    if (!again) --context.pending_more;
  } else {
    // What was given up while the attempt was under way stays given up, unless it has arrived.
    again = false;
    if (end_late_.bind(attempt.delivery, attempt.endpoint, delivered).run() == 0) return;  // erased meanwhile
  }
  const std::string_view response = std::string_view(attempt.response).substr(0, response_bytes_max);
  insert_attempt_
      .bind(attempt.delivery, attempt.started_at, std::int64_t{attempt.duration_ms}, attempt.http_status, attempt.error,
            response)
      .run();

  // The common case ends here: it went well, as it did before.
  if (delivered && !standing->failing && !standing->held && !attempt.disable_reason) return;
  find_delivery_.bind(attempt.delivery);
  find_delivery_.step();
  const hub::Seq event = find_delivery_.integer(0);
  const hub::MessageId message = read_message(find_delivery_, 1);
  find_delivery_.reset();
  if (event != no_event && standing->enabled) {  // a test tells nothing of how the endpoint fares
    if (attempt.disable_reason) {
      find_endpoint_.bind(attempt.endpoint);
      find_endpoint_.step();
      hub::Endpoint endpoint = read_endpoint(find_endpoint_);
      find_endpoint_.reset();
      endpoint.disabled_reason = *attempt.disable_reason;
      if (!endpoint.failing_since && !delivered) endpoint.failing_since = attempt.started_at;
      return disable(context, endpoint);
    }
    note(attempt, *standing);
  }
  if (again && (standing->enabled || event == no_event)) {
    context.batch.deliveries.push_back({attempt.delivery, attempt.endpoint, message, attempt.next_due_at, nullptr});
  }
}

void DeliveryChanges::note(const hub::Attempt& attempt, EndpointTable::Standing& standing) {
  if (attempt.next_state == hub::DeliveryState::delivered) {
    note_healthy_.bind(attempt.endpoint).run();
    standing.failing = standing.held = false;
    return;
  }
  const bool hold = standing.ordered && attempt.next_state == hub::DeliveryState::pending;
  if (standing.failing && !standing.held && !hold) return;
  note_failing_
      .bind(attempt.endpoint, attempt.started_at,
            hold ? std::optional<hub::UnixMs>(attempt.next_due_at) : std::optional<hub::UnixMs>())
      .run();
  standing.failing = true;
  standing.held = hold;
}

void DeliveryChanges::disable(WriteContext& context, hub::Endpoint& endpoint) {
  endpoint.status = hub::EndpointStatus::disabled;
  endpoint.held_until.reset();
  disable_endpoint_.bind(endpoint.id, endpoint.disabled_reason, endpoint.failing_since).run();
  endpoints_.put(endpoint);
  chores_.end(endpoint.id);
  context.batch.endpoints_changed.push_back(endpoint.id);
  owe_to_owner(context, owner_events_.write(context, endpoint.owner, hub::EventKind::webhook_disabled,
                                            hub::disabled_event_data(endpoint)));
}

}  // namespace carillon::storage::sqlite
