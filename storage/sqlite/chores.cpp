#include "storage/sqlite/chores.h"

#include <algorithm>
#include <vector>

#include "hub/webhook.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

/// Of a slice, attempts included: 1 to 3 ms.
constexpr std::size_t slice_rows = 500;
constexpr hub::UnixMs retention_interval_ms = 5'000;
/// What was still pending when the retention came by has ended since: from time to time it begins anew.
constexpr hub::UnixMs retention_round_ms = 60'000;

struct Row {
  hub::DeliveryId id;
  hub::DeliveryState state;
  std::size_t rows;  ///< it and its attempts
};

Row read_row(const Statement& row) {
  return {{row.integer(0)},
          static_cast<hub::DeliveryState>(row.integer(1)),
          1 + static_cast<std::size_t>(std::max<std::int64_t>(row.integer(2), 0))};
}

/// False when the slice is used up. The last row may be of more attempts than there was room for.
bool take_room(const Row& row, std::size_t& rows_left) {
  if (rows_left == 0) return false;
  rows_left -= std::min(row.rows, rows_left);
  return true;
}

}  // namespace

Chores::Chores(sqlite3* handle, EndpointTable& endpoints, DeliveryRows& deliveries, Erasures& erasures,
               IdempotencyKeys& keys, Retention& retention, hub::UnixMs keep_deliveries_ms)
    : endpoints_(endpoints),
      deliveries_(deliveries),
      erasures_(erasures),
      keys_(keys),
      retention_(retention),
      keep_deliveries_ms_(keep_deliveries_ms),
      insert_ending_(handle, "INSERT OR IGNORE INTO endings (endpoint) VALUES (?)"),
      next_ending_(handle, "SELECT endpoint FROM endings LIMIT 1"),
      delete_ending_(handle, "DELETE FROM endings WHERE endpoint = ?"),
      fail_some_(handle,
                 "UPDATE deliveries SET state = 2 WHERE id IN (SELECT id FROM deliveries INDEXED BY deliveries_pending "
                 "WHERE state = 0 AND endpoint = ? AND due_at >= 0 ORDER BY due_at, id LIMIT ?)"),
      of_endpoint_(handle,
                   "SELECT id, state, attempts FROM deliveries INDEXED BY deliveries_by_endpoint WHERE endpoint = ? "
                   "ORDER BY id LIMIT ?"),
      by_age_(handle, "SELECT id, state, attempts, created_at FROM deliveries WHERE id > ? ORDER BY id LIMIT ?") {}

void Chores::end(hub::EndpointId endpoint) {
  insert_ending_.bind(endpoint).run();
  may_have_endings_ = true;
  found_no_endings_ = false;
}

bool Chores::retention_waits(hub::UnixMs now_ms) const {
  if (keep_deliveries_ms_ == 0) return false;
  return !all_looked_at_ || now_ms - looked_at_ms_ >= retention_interval_ms || now_ms < looked_at_ms_;
}

std::chrono::milliseconds Chores::patience(hub::UnixMs now_ms) const {
  return std::chrono::milliseconds(waiting(now_ms) ? 0 : retention_interval_ms);
}

void Chores::slice(WriteContext& context) {
  found_no_endings_ = false;
  std::size_t rows_left = slice_rows;
  while (may_have_endings_ && rows_left > 0) {
    next_ending_.bind();
    found_no_endings_ = !next_ending_.step();
    if (found_no_endings_) break;
    const hub::EndpointId endpoint{next_ending_.integer(0)};
    next_ending_.reset();
    --rows_left;
    if (!end_some(context, endpoint, rows_left)) return;
    delete_ending_.bind(endpoint).run();
  }
  erasures_.slice(rows_left);
  if (rows_left > 0 && keys_.wait(context.now_ms)) keys_.erase_old(context.now_ms, rows_left);
  if (rows_left > 0 && retention_waits(context.now_ms)) retain(context, rows_left);
  if (rows_left > 0) retention_.slice(context, rows_left);
}

void Chores::committed() {
  if (found_no_endings_) may_have_endings_ = false;
  found_no_endings_ = false;
  erasures_.committed();
}

void Chores::rolled_back() {
  erasures_.rolled_back();
  retention_.rolled_back();
  may_have_endings_ = true;
  found_no_endings_ = false;
  looked_at_ = {};
  all_looked_at_ = false;
}

bool Chores::end_some(WriteContext& context, hub::EndpointId endpoint, std::size_t& rows_left) {
  const EndpointTable::Standing* const standing = endpoints_.find(endpoint);
  if (standing == nullptr) return erase_some(context, endpoint, rows_left);
  if (standing->enabled) return true;  // again, meanwhile: what is left is delivered
  const auto ended = static_cast<std::size_t>(fail_some_.bind(endpoint, static_cast<std::int64_t>(rows_left)).run());
  context.pending_more -= static_cast<std::int64_t>(ended);
  const bool all = ended < rows_left;
  rows_left -= ended;
  return all;
}

bool Chores::erase_some(WriteContext& context, hub::EndpointId endpoint, std::size_t& rows_left) {
  std::vector<Row> rows;
  const std::size_t rows_max = rows_left;
  for (of_endpoint_.bind(endpoint, static_cast<std::int64_t>(rows_max)); of_endpoint_.step();) {
    rows.push_back(read_row(of_endpoint_));
  }
  for (const Row& row : rows) {
    if (!take_room(row, rows_left)) return false;
    deliveries_.erase(context, row.id, row.state == hub::DeliveryState::pending);
  }
  return rows.size() < rows_max;
}

void Chores::retain(WriteContext& context, std::size_t& rows_left) {
  const hub::UnixMs now = context.now_ms;
  if (all_looked_at_ && (now - began_at_ms_ >= retention_round_ms || now < began_at_ms_)) looked_at_ = {};
  if (looked_at_ == hub::DeliveryId{}) began_at_ms_ = now;
  all_looked_at_ = false;
  std::vector<Row> rows;
  const std::size_t rows_max = rows_left;
  bool more = false;
  for (by_age_.bind(looked_at_, static_cast<std::int64_t>(rows_max)); by_age_.step();) {
    if (by_age_.integer(3) >= now - keep_deliveries_ms_) {
      by_age_.reset();
      more = false;
      break;
    }
    rows.push_back(read_row(by_age_));
    more = rows.size() == rows_max;
  }
  for (const Row& row : rows) {
    if (row.state != hub::DeliveryState::pending) {
      if (!take_room(row, rows_left)) return;
      deliveries_.erase(context, row.id, false);
    }
    looked_at_ = row.id;
  }
  if (more) return;
  all_looked_at_ = true;
  looked_at_ms_ = now;
}

}  // namespace carillon::storage::sqlite
