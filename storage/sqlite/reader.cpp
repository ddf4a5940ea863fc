#include "storage/sqlite/reader.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/feed_reader.h"
#include "storage/sqlite/job_lists.h"
#include "storage/sqlite/moment.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/secret_rows.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

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

std::size_t bytes_of(const hub::Text& text) { return text ? text->size() : 0; }

/// What a pending delivery is read from, behind its event's columns: the delivery's own, and its endpoint's owner.
constexpr std::string_view pending_columns =
    "d.id, d.endpoint, d.message, d.attempts - d.attempts_before, d.due_at, d.event, d.created_at, "
    "e.owner_key, e.owner_account, d.trace";
constexpr int delivery_column = event_column_count;
constexpr int endpoint_owner_column = delivery_column + 7;

hub::JobOwner read_owner(const Statement& row, int first) { return {{row.integer(first)}, {row.integer(first + 1)}}; }

std::shared_ptr<hub::Event> make_test_event(const Statement& row) {
  auto event = std::make_shared<hub::Event>();
  event->kind = hub::EventKind::webhook_test;
  event->owner = read_owner(row, endpoint_owner_column);
  event->at = row.integer(delivery_column + 6);
  event->data = hub::test_event_data({row.integer(delivery_column + 1)});
  return event;
}

hub::Delivery read_pending(const Statement& row) {
  hub::Delivery delivery;
  delivery.id = {row.integer(delivery_column)};
  delivery.endpoint = {row.integer(delivery_column + 1)};
  delivery.message = read_message(row, delivery_column + 2);
  delivery.tries = static_cast<int>(row.integer(delivery_column + 3));
  delivery.due_at = row.integer(delivery_column + 4);
  const bool is_test = row.integer(delivery_column + 5) == no_event;
  const auto event = is_test ? make_test_event(row) : read_event(row, 0);
  event->trace = row.shared_text(delivery_column + 9);
  delivery.event = event;
  return delivery;
}

hub::AttemptRecord read_attempt(const Statement& row) {
  hub::AttemptRecord attempt;
  attempt.number = static_cast<int>(row.integer(0));
  attempt.started_at = row.integer(1);
  attempt.duration_ms = static_cast<std::int32_t>(row.integer(2));
  attempt.http_status = static_cast<int>(row.integer(3));
  attempt.error = row.text(4);
  attempt.response = row.text(5);
  return attempt;
}

class SqliteReader final : public hub::Reader {
 public:
  SqliteReader(const std::string& path, const hub::Clock& clock, const SecretBox& box)
      : clock_(clock),
        box_(box),
        connection_(path, Access::read),
        find_job_(handle(), select(job_columns, job_by_id)),
        find_event_(handle(), "SELECT kind, status, at, previous, progress, job FROM events WHERE seq = ?"),
        find_key_by_hash_(handle(), select(key_columns, live_keys, "k.hash = ?")),
        find_key_by_previous_(handle(), select(std::string(key_columns) + ", k.previous_until", live_keys,
                                               "k.previous_hash = ? AND k.previous_until > ?")),
        find_key_by_id_(handle(), select(key_columns, live_keys, "k.id = ?")),
        keys_(handle(), select(key_columns, live_keys,
                               "(?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR k.role = ?2) AND "
                               "(?3 IS NULL OR k.name = ?3) AND (k.created_at, k.id) > "
                               "(coalesce((SELECT created_at FROM api_keys WHERE id = ?4), -1), coalesce(?4, 0)) "
                               "ORDER BY k.created_at, k.id LIMIT ?5")),
        find_account_(handle(), select(account_columns, "accounts WHERE name = ?")),
        accounts_(handle(), select(account_columns,
                                   "accounts WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR name = ?2) AND "
                                   "(created_at, id) > "
                                   "(coalesce((SELECT created_at FROM accounts WHERE id = ?3), -1), coalesce(?3, 0)) "
                                   "ORDER BY created_at, id LIMIT ?4")),
        find_endpoint_(handle(), select(endpoint_columns, "webhook_endpoints AS e WHERE e.id = ?")),
        endpoints_of_key_(handle(), select(endpoint_columns,
                                           "webhook_endpoints AS e WHERE e.for_jobs = ? AND e.owner_key = ? AND "
                                           "e.id > ? ORDER BY e.id LIMIT ?")),
        registered_(handle(), select(endpoint_columns,
                                     "webhook_endpoints AS e WHERE e.for_jobs = 0 AND e.id > ? ORDER BY e.id LIMIT ?")),
        // Of these there are many: by their ids, not by the index over what they are.
        for_jobs_(handle(), select(endpoint_columns,
                                   "webhook_endpoints AS e WHERE +e.for_jobs = 1 AND e.id > ? ORDER BY e.id LIMIT ?")),
        secrets_of_endpoint_(handle(), select(secret_columns,
                                              "webhook_secrets WHERE endpoint = ? AND "
                                              "(valid_until IS NULL OR valid_until > ?) ORDER BY id DESC")),
        secrets_of_account_(handle(), select(secret_columns,
                                             "webhook_secrets WHERE account = ? AND "
                                             "(valid_until IS NULL OR valid_until > ?) ORDER BY id DESC")),
        find_report_(handle(), select(delivery_report_columns, delivery_report_by_id)),
        reports_of_event_(handle(), select(delivery_report_columns, delivery_reports_by_event)),
        page_(handle(),
              "SELECT id, state, due_at FROM deliveries INDEXED BY deliveries_by_endpoint WHERE endpoint = ?1 AND "
              "id < ?2 ORDER BY id DESC"),
        page_of_failed_(handle(),
                        "SELECT id, state, due_at FROM deliveries INDEXED BY deliveries_failed WHERE endpoint = ?1 AND "
                        "state = 2 AND id < ?2 ORDER BY id DESC"),
        attempts_at_(handle(),
                     "SELECT number, started_at, duration_ms, http_status, error, response FROM attempts "
                     "WHERE delivery = ? ORDER BY number DESC LIMIT ?"),
        // Of a disabled endpoint only tests are due, which come first in the index; of one that is gone, nothing.
        due_(handle(),
             "SELECT id, due_at FROM deliveries INDEXED BY deliveries_pending WHERE state = 0 AND endpoint = ?1 AND "
             "due_at <= (SELECT iif(status = 0, ?2, -1) FROM webhook_endpoints WHERE id = ?1) "
             "ORDER BY due_at, id LIMIT ?3"),
        find_pending_(handle(), select(std::string(event_columns).append(", ").append(pending_columns),
                                       "deliveries AS d JOIN webhook_endpoints AS e ON e.id = d.endpoint "
                                       "LEFT JOIN events AS v ON v.seq = d.event LEFT JOIN jobs AS j ON j.n = v.job "
                                       "LEFT JOIN owner_events AS o ON o.seq = v.seq "
                                       "WHERE d.id = ? AND d.state = 0 AND (e.status = 0 OR d.event = 0)")),
        next_backlog_(handle(),
                      "SELECT d.endpoint, iif(d.due_at = 0, coalesce(e.held_until, 0), d.due_at), "
                      "e.id NOT NULL AND (e.status = 0 OR d.due_at < 0) "
                      "FROM deliveries AS d INDEXED BY deliveries_pending "
                      "LEFT JOIN webhook_endpoints AS e ON e.id = d.endpoint "
                      "WHERE d.state = 0 AND d.endpoint > ? ORDER BY d.endpoint, d.due_at, d.id LIMIT 1"),
        next_due_(handle(),
                  "SELECT due_at FROM deliveries INDEXED BY deliveries_pending WHERE state = 0 AND endpoint = ?1 AND "
                  "due_at > ?2 AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1 AND status = 0) "
                  "ORDER BY due_at LIMIT 1"),
        last_seq_(handle(), last_seq_query),
        epoch_(handle(), "SELECT value FROM meta WHERE name = 'epoch'"),
        feed_(handle()),
        job_lists_(handle()) {}

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

  OwnerSince events_since(const hub::JobOwner& owner, hub::Seq after, const hub::MissedLimit& limit) override {
    Feed feed = feed_.read({{hub::Sight::Of::key, owner.account, owner.key}, after, limit.events, limit.bytes});
    OwnerSince since{feed.last, {}};
    if (after < feed.begins || feed.through != feed.last) return since;
    since.missed.complete = true;
    since.missed.events = std::move(feed.events);
    std::erase_if(since.missed.events, [](const hub::EventPtr& event) { return !hub::is_of_job(event->kind); });
    return since;
  }

  std::optional<JobHistory> history(const hub::JobId& id, std::optional<hub::Seq> upto, std::size_t limit) override {
    find_job_.bind(id);
    if (!find_job_.step()) return std::nullopt;
    const Moment moment(find_job_);
    const JobRow row = read_job(find_job_);
    JobHistory history{row.job, {}, upto.value_or(row.job.seq)};
    while (history.events.size() < limit) {
      find_event_.bind(history.earlier);
      // One that is no longer kept, or is not the job's.
      const bool found = find_event_.step() && find_event_.integer(5) == row.n;
      const Moment at(find_event_);
      if (!found) {
        history.earlier = 0;
        break;
      }
      history.events.push_back(event_of(row.job, history.earlier));
      history.earlier = find_event_.integer(3);
    }
    std::reverse(history.events.begin(), history.events.end());
    return history;
  }

  Feed feed(const FeedPage& page) override { return feed_.read(page); }

  JobList jobs(const JobPage& page) override { return job_lists_.page(page); }

  std::vector<ListedJob> jobs(const hub::Sight& of, const std::vector<hub::JobId>& ids,
                              std::size_t result_bytes_max) override {
    return job_lists_.some(of, ids, result_bytes_max);
  }

  std::optional<hub::Key> find_key(const hub::KeyHash& hash) override {
    if (auto key = read_one(find_key_by_hash_.bind(hash), read_key)) return key;
    return read_one(find_key_by_previous_.bind(hash, clock_.now_ms()), [](const Statement& row) {
      hub::Key key = read_key(row);
      key.previous_until = row.integer(key_column_count);
      return key;
    });
  }

  std::optional<hub::Key> find_key(hub::KeyId id) override { return read_one(find_key_by_id_.bind(id), read_key); }

  std::vector<hub::Key> keys(const KeyPage& page) override {
    return read_all(keys_.bind(page.account, page.role, page.name, page.after, static_cast<std::int64_t>(page.limit)),
                    read_key);
  }

  std::optional<hub::Account> find_account(const std::string& name) override {
    return read_one(find_account_.bind(name), read_account);
  }

  std::vector<hub::Account> accounts(const AccountPage& page) override {
    return read_all(accounts_.bind(page.status, page.name, page.after, static_cast<std::int64_t>(page.limit)),
                    read_account);
  }

  std::optional<hub::Endpoint> find_endpoint(hub::EndpointId id) override {
    return read_one(find_endpoint_.bind(id), read_endpoint);
  }

  std::vector<hub::Endpoint> endpoints(const EndpointPage& page) override {
    const auto limit = static_cast<std::int64_t>(page.limit);
    if (page.owner)
      return read_all(endpoints_of_key_.bind(page.for_jobs, *page.owner, page.after, limit), read_endpoint);
    return read_all((page.for_jobs ? for_jobs_ : registered_).bind(page.after, limit), read_endpoint);
  }

  std::vector<hub::WebhookSecret> secrets_of(const hub::Endpoint& endpoint) override {
    auto secrets = secrets_valid_now(secrets_of_endpoint_, endpoint.id);
    if (!secrets.empty() || !endpoint.for_jobs) return secrets;
    return secrets_valid_now(secrets_of_account_, endpoint.owner.account);
  }

  DeliveryList deliveries(const DeliveryPage& page) override {
    const auto endpoint = find_endpoint(page.endpoint);
    if (!endpoint) return {};
    const bool enabled = endpoint->status == hub::EndpointStatus::enabled;
    // What is pending for a disabled endpoint counts as failed already, but for its tests.
    const auto state_of = [enabled](const Statement& row) {
      const auto state = static_cast<hub::DeliveryState>(row.integer(1));
      const bool given_up = !enabled && state == hub::DeliveryState::pending && row.integer(2) >= 0;
      return given_up ? hub::DeliveryState::failed : state;
    };
    DeliveryList list;
    std::vector<hub::DeliveryId> ids;
    std::size_t looked_at = 0;
    hub::DeliveryId last;
    Statement& rows = enabled && page.state == hub::DeliveryState::failed ? page_of_failed_ : page_;
    rows.bind(page.endpoint, page.before.value_or(hub::DeliveryId{std::numeric_limits<std::int64_t>::max()}));
    const Moment moment(rows);
    while (rows.step()) {
      if (ids.size() == page.limit || looked_at == page.looked_at_max) {
        list.next = last;
        break;
      }
      ++looked_at;
      last = {rows.integer(0)};
      if (!page.state || state_of(rows) == *page.state) ids.push_back(last);
    }
    for (const hub::DeliveryId id : ids) {
      if (auto report = find_delivery_report(id)) list.deliveries.push_back(*report);
    }
    return list;
  }

  std::vector<hub::DeliveryReport> deliveries_of(hub::Seq event, std::size_t limit) override {
    return read_all(reports_of_event_.bind(event, static_cast<std::int64_t>(limit)), read_delivery_report);
  }

  std::optional<hub::DeliveryReport> find_delivery_report(hub::DeliveryId id) override {
    return read_one(find_report_.bind(id), read_delivery_report);
  }

  std::vector<hub::AttemptRecord> attempts_at(hub::DeliveryId id, std::size_t limit) override {
    auto attempts = read_all(attempts_at_.bind(id, static_cast<std::int64_t>(limit)), read_attempt);
    std::reverse(attempts.begin(), attempts.end());
    return attempts;
  }

  std::vector<Due> due(hub::EndpointId endpoint, hub::UnixMs due_by, std::size_t limit) override {
    return read_all(due_.bind(endpoint, due_by, static_cast<std::int64_t>(limit)), [](const Statement& row) {
      return Due{{row.integer(0)}, row.integer(1)};
    });
  }

  std::optional<hub::Delivery> find_pending(hub::DeliveryId id) override {
    return read_one(find_pending_.bind(id), read_pending);
  }

  // One seek in the index for each endpoint, however many deliveries wait for it.
  std::vector<EndpointBacklog> backlog() override {
    std::vector<EndpointBacklog> all;
    hub::EndpointId after;
    for (next_backlog_.bind(after); next_backlog_.step(); next_backlog_.bind(after)) {
      after = {next_backlog_.integer(0)};
      if (next_backlog_.integer(2) != 0) all.push_back({after, next_backlog_.integer(1)});
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

  /// The event that `find_event_` stands at.
  hub::EventPtr event_of(const hub::Job& job, hub::Seq seq) const {
    auto event = std::make_shared<hub::Event>();
    event->seq = seq;
    event->job = job.id;
    event->owner = job.owner;
    event->kind = static_cast<hub::EventKind>(find_event_.integer(0));
    event->status = static_cast<hub::JobStatus>(find_event_.integer(1));
    event->at = find_event_.integer(2);
    event->progress = find_event_.shared_text(4);
    if (hub::is_final(event->status)) {
      event->error = job.error;
      event->result = job.result;
    }
    return event;
  }

  /// Walks from the job's last event backwards.
  hub::Missed missed_of(const hub::Job& job, hub::Seq after, const hub::MissedLimit& limit) {
    if (after > job.seq && after > last_seq()) return {};
    hub::Missed missed;
    std::size_t bytes = 0;
    for (hub::Seq seq = job.seq; seq > after;) {
      find_event_.bind(seq);
      if (missed.events.size() == limit.events || !find_event_.step()) return {};
      const Moment row(find_event_);
      auto event = event_of(job, seq);
      seq = find_event_.integer(3);
      bytes += bytes_of(event->progress);
      if (bytes > limit.bytes) return {};
      missed.events.push_back(std::move(event));
    }
    std::reverse(missed.events.begin(), missed.events.end());
    missed.complete = true;
    return missed;
  }

  template <typename Id>
  std::vector<hub::WebhookSecret> secrets_valid_now(Statement& query, Id id) {
    const std::string of = to_text(id);
    query.bind(id, clock_.now_ms());
    const Moment rows(query);  // one that cannot be opened ends the reading
    return read_all(query, [&](const Statement& row) { return read_secret(row, box_, of); });
  }

  const hub::Clock& clock_;
  const SecretBox box_;
  Connection connection_;
  Statement find_job_;
  Statement find_event_;
  Statement find_key_by_hash_;
  Statement find_key_by_previous_;
  Statement find_key_by_id_;
  Statement keys_;
  Statement find_account_;
  Statement accounts_;
  Statement find_endpoint_;
  Statement endpoints_of_key_;
  Statement registered_;
  Statement for_jobs_;
  Statement secrets_of_endpoint_;
  Statement secrets_of_account_;
  Statement find_report_;
  Statement reports_of_event_;
  Statement page_;
  Statement page_of_failed_;
  Statement attempts_at_;
  Statement due_;
  Statement find_pending_;
  Statement next_backlog_;
  Statement next_due_;
  Statement last_seq_;
  Statement epoch_;
  FeedReader feed_;
  JobLists job_lists_;
};

}  // namespace

std::unique_ptr<hub::Reader> open_reader(const std::string& path, const hub::Clock& clock, const SecretBox& box) {
  try {
    return std::make_unique<SqliteReader>(path, clock, box);
  } catch (const SqliteError& error) {
    throw hub::StoreError("cannot read the database " + path + ": " + error.what());
  }
}

}  // namespace carillon::storage::sqlite
