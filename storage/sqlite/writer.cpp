#include "storage/sqlite/writer.h"

#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {

Writer::Writer(Connection& connection, const hub::Rules& rules, const SecretBox& box, const Limits& limits)
    : handle_(connection.handle()),
      begin_(handle_, "BEGIN IMMEDIATE"),
      commit_(handle_, "COMMIT"),
      probe_(handle_, "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', ?)"),
      endpoint_table_(handle_, rules.ownership()),
      delivery_numbers_(handle_, "deliveries", "id", "deliveries_given"),
      job_numbers_(handle_, "jobs", "n", "jobs_given"),
      event_log_(handle_),
      kept_events_(handle_),
      delivery_rows_(handle_, delivery_numbers_, kept_events_),
      idempotency_keys_(handle_, limits.keep_idempotency_ms),
      erasures_(handle_),
      retention_(handle_, kept_events_, delivery_rows_, job_numbers_, limits.keep),
      chores(handle_, endpoint_table_, delivery_rows_, erasures_, idempotency_keys_, retention_,
             limits.keep_deliveries_ms),
      secrets(handle_, box),
      deliveries(handle_, endpoint_table_, delivery_numbers_, chores, event_log_),
      endpoints(handle_, rules, limits.endpoints_per_key_max, endpoint_table_, secrets, deliveries, chores),
      again(handle_, endpoints, deliveries),
      jobs(handle_, rules,
           {deliveries, endpoints, event_log_, kept_events_, idempotency_keys_, erasures_, job_numbers_}),
      identities(handle_) {}

void Writer::begin() {
  if (table_is_stale_) {
    endpoint_table_.load();
    table_is_stale_ = false;
  }
  begin_.bind().run();
}

void Writer::commit() {
  commit_.bind().run();
  kept_events_.committed();
  chores.committed();
}

void Writer::roll_back() noexcept {
  table_is_stale_ = true;
  jobs.forget_recent();
  delivery_numbers_.rolled_back();
  job_numbers_.rolled_back();
  kept_events_.rolled_back();
  event_log_.rolled_back();
  chores.rolled_back();
  if (sqlite3_get_autocommit(handle_) == 0) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Writer::probe() { probe_.bind(hub::random_base62(8)).run(); }

hub::Seq Writer::last_seq() {
  Statement query(handle_, last_seq_query);
  query.step();
  return query.integer(0);
}

std::uint64_t Writer::pending() {
  Statement query(handle_, "SELECT count(*) FROM deliveries INDEXED BY deliveries_pending WHERE state = 0");
  query.step();
  return static_cast<std::uint64_t>(query.integer(0));
}

}  // namespace carillon::storage::sqlite
