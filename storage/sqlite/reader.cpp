#include "storage/sqlite/reader.h"

#include <algorithm>
#include <memory>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

/// While a statement stands at a row, all that its connection reads is of one moment. This lets go of it.
class Moment {
 public:
  explicit Moment(Statement& statement) : statement_(statement) {}
  ~Moment() { statement_.reset(); }
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;

 private:
  Statement& statement_;
};

/// Runs a query to its end and reads each row.
template <typename Read>
auto read_all(Statement& query, Read read) {
  std::vector<decltype(read(query))> rows;
  while (query.step()) rows.push_back(read(query));
  return rows;
}

/// Reads the one row there may be, and lets go of the snapshot.
template <typename Read>
auto read_one(Statement& query, Read read) -> std::optional<decltype(read(query))> {
  if (!query.step()) return std::nullopt;
  auto row = read(query);
  query.reset();
  return row;
}

/// An event as it was told when it was committed. The job's row holds the result and the error, which a final state
/// does not change any more; the events before it carried neither.
hub::EventPtr read_event(const Statement& row, int first) {
  auto event = std::make_shared<hub::Event>();
  event->seq = row.integer(first);
  event->kind = static_cast<hub::EventKind>(row.integer(first + 1));
  event->status = static_cast<hub::JobStatus>(row.integer(first + 2));
  event->at = row.integer(first + 3);
  event->progress = row.shared_text(first + 4);
  event->job = row.job_id(first + 5);
  event->owner = {{row.integer(first + 6)}, {row.integer(first + 7)}};
  if (hub::is_final(event->status)) {
    event->error = row.shared_text(first + 8);
    event->result = row.shared_text(first + 9);
  }
  return event;
}

std::size_t bytes_of(const hub::Text& text) { return text ? text->size() : 0; }

hub::Delivery read_delivery(const Statement& row) {
  hub::Delivery delivery;
  delivery.id = {row.integer(0)};
  delivery.endpoint = {row.integer(1)};
  const std::string_view message = row.blob(2);
  std::copy_n(message.begin(), std::min(message.size(), delivery.message.size()), delivery.message.begin());
  delivery.state = static_cast<hub::DeliveryState>(row.integer(3));
  delivery.attempts = static_cast<int>(row.integer(4));
  delivery.due_at = row.integer(5);
  delivery.event = read_event(row, 6);
  return delivery;
}

class SqliteReader final : public hub::Reader {
 public:
  SqliteReader(const std::string& path, const hub::Clock& clock)
      : clock_(clock),
        connection_(path, Access::read),
        find_job_(handle(), select(job_columns, job_by_id)),
        find_event_(handle(), "SELECT kind, status, at, previous, progress FROM events WHERE seq = ?"),
        events_after_(handle(),
                      "SELECT v.seq, v.kind, v.status, v.at, v.progress, j.id, j.owner_key, j.owner_account, j.error, "
                      "j.result FROM events AS v LEFT JOIN jobs AS j ON j.n = v.job WHERE v.seq > ? ORDER BY v.seq"),
        find_key_by_hash_(handle(), select(key_columns, live_keys, "k.hash = ?")),
        find_key_by_previous_(handle(), select(std::string(key_columns) + ", k.previous_until", live_keys,
                                               "k.previous_hash = ? AND k.previous_until > ?")),
        all_keys_(handle(), select(key_columns, live_keys) + " ORDER BY k.created_at, k.id"),
        all_accounts_(handle(), select(account_columns, "accounts ORDER BY created_at, id")),
        find_endpoint_(handle(), select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")),
        endpoints_of_(handle(), select(endpoint_columns,
                                       "webhook_endpoints AS e WHERE e.owner_key = ? AND e.for_jobs = 0 "
                                       "ORDER BY e.created_at, e.id")),
        due_deliveries_(
            handle(),
            "SELECT d.id, d.endpoint, d.message, d.state, d.attempts, d.due_at, "
            "v.seq, v.kind, v.status, v.at, v.progress, j.id, j.owner_key, j.owner_account, j.error, j.result "
            "FROM deliveries AS d JOIN events AS v ON v.seq = d.event JOIN jobs AS j ON j.n = v.job "
            "WHERE d.state = 0 AND d.endpoint = ? AND d.due_at <= ? ORDER BY d.due_at, d.id LIMIT ?"),
        next_backlog_(handle(),
                      "SELECT endpoint, due_at FROM deliveries WHERE state = 0 AND endpoint > ? "
                      "ORDER BY endpoint, due_at, id LIMIT 1"),
        next_due_(handle(),
                  "SELECT due_at FROM deliveries WHERE state = 0 AND endpoint = ? AND due_at > ? "
                  "ORDER BY due_at LIMIT 1"),
        last_seq_(handle(), "SELECT max(seq) FROM events"),
        epoch_(handle(), "SELECT value FROM meta WHERE name = 'epoch'") {}

  std::optional<hub::Job> find_job(const hub::JobId& id) override {
    return read_one(find_job_.bind(id), [](const Statement& row) { return read_job(row).job; });
  }

  std::optional<JobSince> find_job_since(const hub::JobId& id, hub::Seq after, const hub::MissedLimit& limit) override {
    find_job_.bind(id);
    if (!find_job_.step()) return std::nullopt;
    const Moment moment(find_job_);
    JobSince since{read_job(find_job_).job, {}};
    since.missed = missed_of(since.job, after, limit);
    return since;
  }

  OwnerSince events_since(hub::KeyId owner, hub::Seq after, const hub::MissedLimit& limit) override {
    last_seq_.bind().step();
    const Moment moment(last_seq_);
    const hub::Seq last = last_seq_.integer(0);
    return {last, missed_of(owner, after, last, limit)};
  }

  std::optional<hub::Key> find_key(const hub::KeyHash& hash) override {
    if (auto key = read_one(find_key_by_hash_.bind(hash), read_key)) return key;
    return read_one(find_key_by_previous_.bind(hash, clock_.now_ms()), [](const Statement& row) {
      hub::Key key = read_key(row);
      key.previous_until = row.integer(key_column_count);
      return key;
    });
  }

  std::vector<hub::Key> keys() override { return read_all(all_keys_.bind(), read_key); }

  std::vector<hub::Account> accounts() override { return read_all(all_accounts_.bind(), read_account); }

  std::optional<hub::Endpoint> find_endpoint(hub::EndpointId id) override {
    return read_one(find_endpoint_.bind(id), read_endpoint);
  }

  std::vector<hub::Endpoint> endpoints_of(hub::KeyId owner) override {
    return read_all(endpoints_of_.bind(owner), read_endpoint);
  }

  std::vector<hub::Delivery> due_deliveries(hub::EndpointId endpoint, hub::UnixMs due_by, std::size_t limit) override {
    return read_all(due_deliveries_.bind(endpoint, due_by, static_cast<std::int64_t>(limit)), read_delivery);
  }

  // One seek in the index for each endpoint, however many deliveries wait for it.
  std::vector<EndpointBacklog> backlog() override {
    std::vector<EndpointBacklog> all;
    const auto read = [](const Statement& row) { return EndpointBacklog{{row.integer(0)}, row.integer(1)}; };
    hub::EndpointId after;
    while (const auto next = read_one(next_backlog_.bind(after), read)) {
      all.push_back(*next);
      after = next->endpoint;
    }
    return all;
  }

  std::optional<hub::UnixMs> next_due(hub::EndpointId endpoint, hub::UnixMs after) override {
    return read_one(next_due_.bind(endpoint, after), [](const Statement& row) { return row.integer(0); });
  }

  hub::Seq last_seq() override {
    return *read_one(last_seq_.bind(), [](const Statement& row) { return row.integer(0); });
  }

  std::string epoch() override {
    return read_one(epoch_.bind(), [](const Statement& row) { return std::string(row.text(0)); }).value_or("");
  }

 private:
  sqlite3* handle() const { return connection_.handle(); }

  /// Walks from the job's last event backwards.
  hub::Missed missed_of(const hub::Job& job, hub::Seq after, const hub::MissedLimit& limit) {
    if (after > job.seq && after > last_seq()) return {};
    hub::Missed missed;
    std::size_t bytes = 0;
    for (hub::Seq seq = job.seq; seq > after;) {
      find_event_.bind(seq);
      if (missed.events.size() == limit.events || !find_event_.step()) return {};
      const Moment row(find_event_);
      auto event = std::make_shared<hub::Event>();
      event->seq = seq;
      event->job = job.id;
      event->owner = job.owner;
      event->kind = static_cast<hub::EventKind>(find_event_.integer(0));
      event->status = static_cast<hub::JobStatus>(find_event_.integer(1));
      event->at = find_event_.integer(2);
      seq = find_event_.integer(3);
      event->progress = find_event_.shared_text(4);
      if (hub::is_final(event->status)) {
        event->error = job.error;
        event->result = job.result;
      }
      bytes += bytes_of(event->progress);
      if (bytes > limit.bytes) return {};
      missed.events.push_back(std::move(event));
    }
    std::reverse(missed.events.begin(), missed.events.end());
    missed.complete = true;
    return missed;
  }

  /// Walks through the events of all, for they are in no order but that of their numbers; these leave none out, so one
  /// that is missing was there and is no longer kept.
  hub::Missed missed_of(hub::KeyId owner, hub::Seq after, hub::Seq last, const hub::MissedLimit& limit) {
    if (after > last || static_cast<std::size_t>(last - after) > limit.scanned) return {};
    hub::Missed missed;
    std::size_t bytes = 0;
    hub::Seq expected = after;
    events_after_.bind(after);
    const Moment rows(events_after_);
    while (events_after_.step()) {
      if (events_after_.integer(0) != ++expected) return {};
      if (events_after_.optional_integer(6) != owner.value) continue;
      if (missed.events.size() == limit.events) return {};
      missed.events.push_back(read_event(events_after_, 0));
      const hub::Event& event = *missed.events.back();
      bytes += bytes_of(event.progress) + bytes_of(event.error) + bytes_of(event.result);
      if (bytes > limit.bytes) return {};
    }
    missed.complete = expected == last;
    if (!missed.complete) missed.events.clear();
    return missed;
  }

  const hub::Clock& clock_;
  Connection connection_;
  Statement find_job_;
  Statement find_event_;
  Statement events_after_;
  Statement find_key_by_hash_;
  Statement find_key_by_previous_;
  Statement all_keys_;
  Statement all_accounts_;
  Statement find_endpoint_;
  Statement endpoints_of_;
  Statement due_deliveries_;
  Statement next_backlog_;
  Statement next_due_;
  Statement last_seq_;
  Statement epoch_;
};

}  // namespace

std::unique_ptr<hub::Reader> open_reader(const std::string& path, const hub::Clock& clock) {
  try {
    return std::make_unique<SqliteReader>(path, clock);
  } catch (const SqliteError& error) {
    throw hub::StoreError("cannot read the database " + path + ": " + error.what());
  }
}

}  // namespace carillon::storage::sqlite
