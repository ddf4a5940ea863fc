// Rows as the hub's values: which columns to ask for, and how they are read. Used by the writer and the readers alike.
//
// Threads: those of the statement.
#pragma once

#include <string_view>

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

inline JobRow read_job(const Statement& row) {
  JobRow read;
  read.n = row.integer(0);
  read.job.id = row.job_id(1);
  read.job.owner = {{row.integer(2)}, {row.integer(3)}};
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

/// A revoked key, which has no hash, is none.
inline constexpr std::string_view live_keys =
    "api_keys AS k JOIN accounts AS a ON a.id = k.account WHERE k.hash NOT NULL";
inline constexpr std::string_view key_columns =
    "k.id, k.account, a.name, a.status, k.role, k.status, k.name, k.created_at, k.expires_at";
inline constexpr int key_column_count = 9;

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
  return key;
}

inline constexpr std::string_view account_columns = "id, name, status, created_at";

inline hub::Account read_account(const Statement& row) {
  return {{row.integer(0)}, std::string(row.text(1)), static_cast<hub::AccountStatus>(row.integer(2)), row.integer(3)};
}

/// Of `webhook_endpoints AS e`, with its newest secret.
inline constexpr std::string_view endpoint_columns =
    "e.id, e.owner_key, e.owner_account, e.for_jobs, e.url, e.description, e.events, e.status, e.disabled_reason, "
    "e.created_at, e.failing_since, "
    "(SELECT secret FROM webhook_secrets AS s WHERE s.endpoint = e.id ORDER BY s.id DESC LIMIT 1)";

inline hub::Endpoint read_endpoint(const Statement& row) {
  hub::Endpoint endpoint;
  endpoint.id = {row.integer(0)};
  endpoint.owner = {{row.integer(1)}, {row.integer(2)}};
  endpoint.for_jobs = row.integer(3) != 0;
  endpoint.url = row.text(4);
  endpoint.description = row.text(5);
  endpoint.events.bits = static_cast<std::uint8_t>(row.integer(6));
  endpoint.status = static_cast<hub::EndpointStatus>(row.integer(7));
  endpoint.disabled_reason = row.text(8);
  endpoint.created_at = row.integer(9);
  endpoint.failing_since = row.optional_integer(10);
  endpoint.secret = row.text(11);
  return endpoint;
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
