// Rows as the hub's values: which columns to ask for, and how they are read. Used by the writer and the readers alike.
//
// Threads: those of the statement.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/event.h"
#include "hub/job.h"
#include "hub/principal.h"
#include "hub/webhook.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

inline constexpr std::string_view job_columns =
    "j.n, j.id, j.owner_key, j.owner_account, s.status, s.seq, j.created_at, s.updated_at, j.hook, j.hook_events, "
    "s.progress, (SELECT v.progress FROM events AS v WHERE v.seq = s.progress), j.metadata, j.error, j.result";
inline constexpr std::string_view job_by_id = "jobs AS j JOIN job_states AS s ON s.n = j.n WHERE j.id = ?";

/// A job's row: the job, and what of it the hub does not show.
struct JobRow {
  std::int64_t n = 0;
  hub::Job job;
  std::optional<hub::EndpointId> hook;
  hub::EventKinds hook_events;
  hub::Seq progress_seq = 0;  ///< the event that brought the job's present progress; 0 for none
};

inline hub::JobOwner read_job_owner(const Statement& row) { return {{row.integer(2)}, {row.integer(3)}}; }

inline JobRow read_job(const Statement& row) {
  JobRow read;
  read.n = row.integer(0);
  read.job.id = row.job_id(1);
  read.job.owner = read_job_owner(row);
  read.job.status = static_cast<hub::JobStatus>(row.integer(4));
  read.job.seq = row.integer(5);
  read.job.created_at = row.integer(6);
  read.job.updated_at = row.integer(7);
  if (const auto hook = row.optional_integer(8)) read.hook = hub::EndpointId{*hook};
  read.hook_events.bits = static_cast<std::uint8_t>(row.integer(9));
  read.progress_seq = row.integer(10);
  read.job.progress = row.shared_text(11);
  read.job.metadata = row.shared_text(12);
  read.job.error = row.shared_text(13);
  read.job.result = row.shared_text(14);
  return read;
}

/// Of `events AS v LEFT JOIN jobs AS j ON j.n = v.job LEFT JOIN owner_events AS o ON o.seq = v.seq`. The progress of a
/// job that was erased, which has no state any more, is told no more, also where its turn to be erased has not come.
inline constexpr std::string_view event_columns =
    "v.seq, v.kind, v.status, v.at, "
    "iif(v.progress IS NULL OR EXISTS (SELECT 1 FROM job_states AS t WHERE t.n = v.job), v.progress, NULL), "
    "j.id, v.owner_key, v.owner_account, j.error, j.result, o.data";
inline constexpr int event_column_count = 11;

/// An event as it was told when it was committed. The job's row holds the result and the error, which a final state
/// does not change any more; the events before it carried neither.
inline std::shared_ptr<hub::Event> read_event(const Statement& row, int first) {
  auto event = std::make_shared<hub::Event>();
  event->seq = row.integer(first);
  event->kind = static_cast<hub::EventKind>(row.integer(first + 1));
  event->status = static_cast<hub::JobStatus>(row.integer(first + 2));
  event->at = row.integer(first + 3);
  event->progress = row.shared_text(first + 4);
  event->job = row.job_id(first + 5);
  event->owner = {{row.integer(first + 6)}, {row.integer(first + 7)}};
  if (!hub::is_of_job(event->kind)) {
    event->data = row.shared_text(first + 10);
  } else if (hub::is_final(event->status)) {
    event->error = row.shared_text(first + 8);
    event->result = row.shared_text(first + 9);
  }
  return event;
}

/// The last number that was given: the last events may be gone, but then the line behind which the history begins has
/// passed them.
inline constexpr std::string_view last_seq_query =
    "SELECT max(coalesce((SELECT max(seq) FROM events), 0), CAST(value AS INTEGER)) FROM meta "
    "WHERE name = 'events_gone_to'";

/// A revoked key, which has no hash, is none.
inline constexpr std::string_view live_keys =
    "api_keys AS k JOIN accounts AS a ON a.id = k.account WHERE k.hash NOT NULL";
inline constexpr std::string_view key_columns =
    "k.id, k.account, a.name, a.status, k.role, k.status, k.name, k.created_at, k.expires_at, k.last_used_at";
inline constexpr int key_column_count = 10;

inline hub::Key read_key(const Statement& row) {
  hub::Key key;
  key.id = {row.integer(0)};
  key.account = {row.integer(1)};
  key.account_name = row.text(2);
  key.account_status = static_cast<hub::AccountStatus>(row.integer(3));
  key.role = static_cast<hub::Role>(row.integer(4));
  key.status = static_cast<hub::KeyStatus>(row.integer(5));
  key.name = row.text(6);
  key.created_at = row.integer(7);
  key.expires_at = row.optional_integer(8);
  key.last_used_at = row.optional_integer(9);
  return key;
}

inline constexpr std::string_view account_columns = "id, name, status, created_at";

inline hub::Account read_account(const Statement& row) {
  return {{row.integer(0)}, std::string(row.text(1)), static_cast<hub::AccountStatus>(row.integer(2)), row.integer(3)};
}

/// A "Name: value" line for each, as a request has them.
inline std::string header_lines(const std::vector<hub::HeaderField>& headers) {
  std::string lines;
  for (const hub::HeaderField& header : headers) {
    if (!lines.empty()) lines += '\n';
    lines.append(header.name).append(": ").append(header.value);
  }
  return lines;
}

inline std::vector<hub::HeaderField> read_header_lines(std::string_view lines) {
  std::vector<hub::HeaderField> headers;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t colon = std::min(line.find(": "), line.size());
    headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(std::min(colon + 2, line.size())))});
  }
  return headers;
}

/// Of `webhook_endpoints AS e`.
inline constexpr std::string_view endpoint_columns =
    "e.id, e.owner_key, e.owner_account, e.for_jobs, e.url, e.description, e.events, e.headers, e.signing, "
    "e.public_key, e.ordered, e.max_per_second, e.legacy_signature, e.status, e.disabled_reason, e.created_at, "
    "e.failing_since, e.held_until";

inline hub::Endpoint read_endpoint(const Statement& row) {
  hub::Endpoint endpoint;
  endpoint.id = {row.integer(0)};
  endpoint.owner = {{row.integer(1)}, {row.integer(2)}};
  endpoint.for_jobs = row.integer(3) != 0;
  endpoint.url = row.text(4);
  endpoint.description = row.text(5);
  endpoint.events.bits = static_cast<std::uint8_t>(row.integer(6));
  endpoint.headers = read_header_lines(row.text(7));
  endpoint.signing = static_cast<hub::Signing>(row.integer(8));
  endpoint.public_key = row.text(9);
  endpoint.ordered = row.integer(10) != 0;
  endpoint.max_per_second = static_cast<int>(row.integer(11));
  endpoint.legacy_signature = row.text(12);
  endpoint.status = static_cast<hub::EndpointStatus>(row.integer(13));
  endpoint.disabled_reason = row.text(14);
  endpoint.created_at = row.integer(15);
  endpoint.failing_since = row.optional_integer(16);
  endpoint.held_until = row.optional_integer(17);
  return endpoint;
}

inline hub::MessageId read_message(const Statement& row, int column) {
  hub::MessageId message{};
  const std::string_view bytes = row.blob(column);
  std::copy_n(bytes.begin(), std::min(bytes.size(), message.size()), message.begin());
  return message;
}

/// The times that stand for an order of their own among what is pending.
inline constexpr hub::UnixMs due_first = -1;       ///< a test: ahead of all
inline constexpr hub::UnixMs due_in_its_turn = 0;  ///< to an ordered endpoint

/// What has no event is a test. It goes on where its endpoint is disabled.
inline constexpr hub::Seq no_event = 0;

/// A delivery as its owner sees it; of one whose endpoint was deleted there is nothing to see.
inline constexpr std::string_view delivery_report_columns =
    "d.id, d.endpoint, d.message, d.state, d.attempts, d.created_at, d.due_at, d.event, e.status, e.ordered, "
    "e.held_until, v.kind, j.id, "
    "iif(e.ordered = 1 AND d.state = 0 AND d.due_at = 0, (SELECT h.id FROM deliveries AS h WHERE h.state = 0 AND "
    "h.endpoint = d.endpoint AND h.due_at = 0 ORDER BY h.due_at, h.id LIMIT 1), NULL)";
inline constexpr std::string_view delivery_report_by_id =
    "deliveries AS d JOIN webhook_endpoints AS e ON e.id = d.endpoint LEFT JOIN events AS v ON v.seq = d.event "
    "LEFT JOIN jobs AS j ON j.n = v.job WHERE d.id = ?";
inline constexpr std::string_view delivery_reports_by_event =
    "deliveries AS d INDEXED BY deliveries_by_event JOIN webhook_endpoints AS e ON e.id = d.endpoint "
    "LEFT JOIN events AS v ON v.seq = d.event LEFT JOIN jobs AS j ON j.n = v.job "
    "WHERE d.event = ? ORDER BY d.id LIMIT ?";

inline hub::DeliveryReport read_delivery_report(const Statement& row) {
  hub::DeliveryReport report;
  report.id = {row.integer(0)};
  report.endpoint = {row.integer(1)};
  report.message = read_message(row, 2);
  report.state = static_cast<hub::DeliveryState>(row.integer(3));
  report.attempts = static_cast<int>(row.integer(4));
  report.created_at = row.integer(5);
  const hub::UnixMs due_at = row.integer(6);
  report.seq = row.integer(7);
  report.kind = report.seq == no_event ? hub::EventKind::webhook_test : static_cast<hub::EventKind>(row.integer(11));
  if (!row.blob(12).empty()) report.job = row.job_id(12);
  const bool given_up =
      static_cast<hub::EndpointStatus>(row.integer(8)) == hub::EndpointStatus::disabled && report.seq != no_event;
  if (report.state == hub::DeliveryState::pending && given_up) report.state = hub::DeliveryState::failed;
  if (report.state != hub::DeliveryState::pending) return report;
  const bool ordered = row.integer(9) != 0;
  if (ordered && due_at == due_in_its_turn) {
    const bool first = row.integer(13) == report.id.value;
    if (first) report.due_at = row.optional_integer(10).value_or(report.created_at);
  } else {
    report.due_at = std::max(due_at, report.created_at);
  }
  return report;
}

/// "SELECT <columns> FROM <rest>"
inline std::string select(std::string_view columns, std::string_view rest) {
  return std::string("SELECT ").append(columns).append(" FROM ").append(rest);
}

/// The same with one more condition to a `rest` that has some.
inline std::string select(std::string_view columns, std::string_view rest, std::string_view condition) {
  return select(columns, rest).append(" AND ").append(condition);
}

}  // namespace carillon::storage::sqlite
