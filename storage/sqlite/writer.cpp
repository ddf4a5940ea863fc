#include "storage/sqlite/writer.h"

namespace carillon::storage::sqlite {

Writer::Writer(Connection& connection, const hub::Rules& rules)
    : handle_(connection.handle()),
      begin_(handle_, "BEGIN IMMEDIATE"),
      commit_(handle_, "COMMIT"),
      probe_(handle_, "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', ?)"),
      endpoint_table_(handle_, rules.ownership()),
      deliveries(handle_, endpoint_table_),
      endpoints(handle_, rules, endpoint_table_, deliveries),
      jobs(handle_, rules, deliveries, endpoints),
      identities(handle_) {}

void Writer::begin() {
  if (table_is_stale_) {
    endpoint_table_.load();
    table_is_stale_ = false;
  }
  begin_.bind().run();
}

void Writer::commit() { commit_.bind().run(); }

void Writer::roll_back() noexcept {
  table_is_stale_ = true;
  jobs.forget_recent();
  if (sqlite3_get_autocommit(handle_) == 0) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Writer::probe() { probe_.bind(hub::random_base62(8)).run(); }

hub::Seq Writer::last_seq() {
  Statement query(handle_, "SELECT max(seq) FROM events");
  query.step();
  return query.integer(0);
}

}  // namespace carillon::storage::sqlite
