#include "storage/sqlite/sending_again.h"

#include "hub/not_found.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

constexpr std::int64_t pending_tests_max = 10;
/// Deliveries are numbered in the order of their times, but for clocks that were set back by no more than this.
constexpr hub::UnixMs clock_margin_ms = 60'000;

std::string is_disabled(hub::EndpointId id) {
  return "The webhook " + to_text(id) + " is disabled: nothing is sent to it until it is enabled.";
}

hub::UnixMs due_now(const WriteContext& context, const hub::Endpoint& endpoint) {
  return endpoint.ordered ? due_in_its_turn : context.even_ms;
}

}  // namespace

SendingAgain::SendingAgain(sqlite3* handle, EndpointChanges& endpoints, DeliveryChanges& deliveries)
    : endpoints_(endpoints),
      deliveries_(deliveries),
      count_tests_(handle, "SELECT count(*) FROM deliveries WHERE endpoint = ? AND state = 0 AND due_at = -1"),
      find_delivery_(handle, "SELECT endpoint, event, state, message FROM deliveries WHERE id = ?"),
      find_report_(handle, select(delivery_report_columns, delivery_report_by_id)),
      send_again_(handle, "UPDATE deliveries SET state = 0, attempts_before = attempts, due_at = ?2 WHERE id = ?1"),
      failed_after_(handle,
                    "SELECT id, created_at, event, state FROM deliveries INDEXED BY deliveries_failed "
                    "WHERE endpoint = ? AND state = 2 AND id > ? ORDER BY id LIMIT ?"),
      all_after_(handle,
                 "SELECT id, created_at, event, state FROM deliveries INDEXED BY deliveries_by_endpoint "
                 "WHERE endpoint = ? AND id > ? ORDER BY id LIMIT ?"),
      written_from_(handle, "SELECT created_at FROM deliveries WHERE id >= ? ORDER BY id LIMIT 1"),
      last_id_(handle, "SELECT coalesce(max(id), 0) FROM deliveries") {}

hub::DeliveryReport SendingAgain::report_of(hub::DeliveryId id) {
  find_report_.bind(id).step();
  hub::DeliveryReport report = read_delivery_report(find_report_);
  find_report_.reset();
  return report;
}

hub::DeliveryId SendingAgain::last_before(hub::UnixMs since) {
  std::int64_t low = 0;
  last_id_.bind().step();
  std::int64_t high = last_id_.integer(0);
  last_id_.reset();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    written_from_.bind(middle + 1);
    const bool later = !written_from_.step() || written_from_.integer(0) >= since - clock_margin_ms;
    written_from_.reset();
    later ? high = middle : low = middle + 1;
  }
  return {low};
}

void SendingAgain::send_again(WriteContext& context, hub::DeliveryId id, bool was_pending, hub::UnixMs due_at) {
  send_again_.bind(id, due_at).run();
  if (!was_pending) ++context.pending_more;
}

hub::Outcome<hub::DeliveryReport> SendingAgain::test(WriteContext& context, const hub::Principal& by,
                                                     hub::EndpointId id) {
  const auto endpoint = endpoints_.find_owned(by, id);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_webhook(to_text(id))};
  count_tests_.bind(id).step();
  const bool enough = count_tests_.integer(0) >= pending_tests_max;
  count_tests_.reset();
  if (enough) {
    return {hub::Refusal::limit_reached,
            std::to_string(pending_tests_max) + " tests of this webhook are under way already: wait for one to end."};
  }
  return report_of(deliveries_.owe_test(context, *endpoint));
}

hub::Outcome<hub::DeliveryReport> SendingAgain::redeliver(WriteContext& context, const hub::Principal& by,
                                                          hub::DeliveryId id) {
  find_delivery_.bind(id);
  if (!find_delivery_.step()) return {hub::Refusal::not_found, hub::no_such_delivery(to_text(id))};
  const hub::EndpointId endpoint_id{find_delivery_.integer(0)};
  const bool is_test = find_delivery_.integer(1) == no_event;
  const bool was_pending = static_cast<hub::DeliveryState>(find_delivery_.integer(2)) == hub::DeliveryState::pending;
  const hub::MessageId message = read_message(find_delivery_, 3);
  find_delivery_.reset();

  auto endpoint = endpoints_.find_owned(by, endpoint_id);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_delivery(to_text(id))};
  if (endpoint->status == hub::EndpointStatus::disabled && !is_test) {
    return {hub::Refusal::endpoint_disabled, is_disabled(endpoint_id)};
  }
  const hub::UnixMs due_at = is_test ? due_first : due_now(context, *endpoint);
  send_again(context, id, was_pending, due_at);
  if (!is_test) endpoints_.release(context, *endpoint);
  context.batch.deliveries.push_back({id, endpoint_id, message, due_at, nullptr});
  return report_of(id);
}

hub::Outcome<hub::ReplayProgress> SendingAgain::replay(WriteContext& context, const hub::ReplaySlice& slice) {
  const auto endpoint = endpoints_.find_owned(slice.by, slice.endpoint);
  if (!endpoint) return {hub::Refusal::not_found, hub::no_such_webhook(to_text(slice.endpoint))};
  if (endpoint->status == hub::EndpointStatus::disabled) {
    return {hub::Refusal::endpoint_disabled, is_disabled(slice.endpoint)};
  }
  std::vector<hub::DeliveryId> chosen;
  std::size_t looked_at = 0;
  bool past_the_end = false;
  hub::DeliveryId last;
  const hub::DeliveryId after = slice.after == hub::DeliveryId{} ? last_before(slice.since) : slice.after;
  Statement& rows = slice.delivered_too ? all_after_ : failed_after_;
  for (rows.bind(slice.endpoint, after, static_cast<std::int64_t>(replay_rows_max)); rows.step();) {
    ++looked_at;
    last = {rows.integer(0)};
    const hub::UnixMs created_at = rows.integer(1);
    past_the_end = created_at - clock_margin_ms >= slice.until;
    if (past_the_end) break;
    if (created_at < slice.since || created_at >= slice.until) continue;
    const bool is_test = rows.integer(2) == no_event;
    const bool is_pending = static_cast<hub::DeliveryState>(rows.integer(3)) == hub::DeliveryState::pending;
    if (!is_test && !is_pending) chosen.push_back(last);
  }
  rows.reset();
  for (const hub::DeliveryId id : chosen) send_again(context, id, false, due_now(context, *endpoint));
  if (!chosen.empty()) context.batch.endpoints_due.push_back(slice.endpoint);
  hub::ReplayProgress progress;
  progress.sent_again = chosen.size();
  if (looked_at == replay_rows_max && !past_the_end) progress.after = last;
  return progress;
}

}  // namespace carillon::storage::sqlite
