// Databases as earlier versions have left them: one account, three keys, three jobs with seven events, one endpoint
// with a delivery that is owed and one that has arrived. Whoever adds a migration adds what its version would have
// written to what is here, and nothing else: what is here was written by versions that are out.
#pragma once

#include <string>

#include "hub/clock.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

inline const std::string old_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

inline hub::JobId old_job(std::uint8_t number) {
  return hub::JobId{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number}};
}

/// As the version whose last migration has that number.
inline void make_old_database(Connection& connection, int number, const hub::Clock& clock) {
  auto migrations = known_migrations();
  migrations.resize(static_cast<std::size_t>(number));
  migrate(connection, migrations, clock);
  const std::string at = std::to_string(clock.now_ms() - 60'000);

  connection.run("INSERT INTO meta (name, value) VALUES ('epoch', 'oldepoch')");
  connection.run("INSERT INTO accounts (id, name, status, created_at) VALUES (8, 'acme', 0, " + at + ")");
  for (const char* key : {"7, 8, 0, 0, 'first'", "9, 8, 0, 0, 'second'", "10, 8, 2, 0, 'admin'"}) {
    connection.run("INSERT INTO api_keys (id, account, role, status, name, created_at, hash) VALUES (" +
                   std::string(key) + ", " + at + ", randomblob(32))");
  }
  connection.run(
      "INSERT INTO webhook_endpoints (id, owner_key, owner_account, for_jobs, url, description, events, "
      "status, disabled_reason, created_at) VALUES (1, 7, 8, 0, 'https://a.example/1', '', 24, 0, '', " +
      at + ")");
  connection.run(number < 4
                     ? "INSERT INTO webhook_secrets (endpoint, secret, created_at) VALUES (1, '" + old_secret + "', " +
                           at + ")"
                     : "INSERT INTO webhook_secrets (endpoint, sealed, secret, created_at) VALUES (1, 0, CAST('" +
                           old_secret + "' AS BLOB), " + at + ")");

  struct Job {
    const char *n, *id, *owner, *status, *seq, *progress, *progress_seq, *metadata, *result;
  };
  for (const Job& job : {Job{"1", "01", "7", "1", "6", R"('{"at":2}')", "6", R"('{"a":1}')", "NULL"},
                         Job{"2", "02", "7", "2", "5", "NULL", "0", "NULL", R"('{"pages":12}')"},
                         Job{"3", "03", "9", "0", "7", "NULL", "0", "NULL", "NULL"}}) {
    const std::string n = job.n;
    const std::string id = "x'000000000000000000000000000000" + std::string(job.id) + "'";
    if (number < 3) {
      connection.run(
          "INSERT INTO jobs (n, id, owner_key, owner_account, status, seq, created_at, updated_at, hook_events, "
          "progress, metadata, result) VALUES (" +
          n + ", " + id + ", " + job.owner + ", 8, " + job.status + ", " + job.seq + ", " + at + ", " + at + ", 0, " +
          job.progress + ", " + job.metadata + ", " + job.result + ")");
    } else {
      connection.run(
          "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook_events, metadata, result) "
          "VALUES (" +
          n + ", " + id + ", " + job.owner + ", 8, " + at + ", 0, " + job.metadata + ", " + job.result + ")");
      connection.run("INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (" + n + ", " + job.status +
                     ", " + job.seq + ", " + at + ", " + job.progress_seq + ")");
    }
  }
  struct Event {
    const char *seq, *job, *kind, *status, *previous, *owner, *progress;
  };
  for (const Event& event :
       {Event{"1", "1", "0", "0", "0", "7", "NULL"}, Event{"2", "2", "0", "0", "0", "7", "NULL"},
        Event{"3", "1", "1", "1", "1", "7", R"('{"at":1}')"}, Event{"4", "1", "2", "1", "3", "7", "'1'"},
        Event{"5", "2", "3", "2", "2", "7", "NULL"}, Event{"6", "1", "2", "1", "4", "7", R"('{"at":2}')"},
        Event{"7", "3", "0", "0", "0", "9", "NULL"}}) {
    std::string columns = "seq, job, kind, status, at, progress";
    std::string values = std::string(event.seq) + ", " + event.job + ", " + event.kind + ", " + event.status + ", " +
                         at + ", " + event.progress;
    if (number >= 2) {
      columns += ", previous";
      values += std::string(", ") + event.previous;
    }
    if (number >= 5) {
      columns += ", owner_account, owner_key";
      values += std::string(", 8, ") + event.owner;
      connection.run("INSERT OR IGNORE INTO owner_spans (block, owner_account, owner_key, span) VALUES (0, 8, " +
                     std::string(event.owner) + ", 0)");
    }
    connection.run("INSERT INTO events (" + columns + ") VALUES (" + values + ")");
  }
  const std::string later = number >= 4 ? ", created_at" : "";
  const std::string later_at = number >= 4 ? ", " + at : "";
  connection.run("INSERT INTO deliveries (id, endpoint, event, message, state, attempts, due_at" + later +
                 ") VALUES (1, 1, 5, randomblob(16), 0, 1, " + at + later_at + "), (2, 1, 5, randomblob(16), 1, 1, " +
                 at + later_at + ")");
  const std::string numbered = number >= 4 ? ", number" : "";
  connection.run("INSERT INTO attempts (delivery, started_at, duration_ms, http_status, error, response" + numbered +
                 ") VALUES (1, " + at + ", 7, 500, '', 'no'" + (number >= 4 ? ", 1" : "") + "), (2, " + at +
                 ", 7, 200, '', ''" + (number >= 4 ? ", 1" : "") + ")");
  if (number >= 6) {
    connection.run(
        "INSERT INTO idempotency_keys (api_key, key, body_hash, created_at, job, seq, owner_key, owner_account) "
        "VALUES (7, 'once', zeroblob(32), " +
        at + ", x'00000000000000000000000000000001', 1, 7, 8)");
  }
}

/// All there is in it, as text.
inline std::string dump(sqlite3* handle) {
  std::string text;
  std::vector<std::string> tables;
  Statement names(handle, "SELECT name, sql FROM sqlite_schema ORDER BY name");
  while (names.step()) {
    text += std::string(names.text(1)) + "\n";
    if (names.text(1).starts_with("CREATE TABLE")) tables.emplace_back(names.text(0));
  }
  for (const std::string& table : tables) {
    Statement columns(
        handle,
        "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM pragma_table_info('" + table + "')");
    columns.step();
    const std::string quoted(columns.text(0));
    columns.reset();
    Statement rows(handle, "SELECT " + quoted + " AS row FROM \"" + table + "\" ORDER BY row");
    while (rows.step()) text += table + ": " + std::string(rows.text(0)) + "\n";
  }
  return text;
}

}  // namespace carillon::storage::sqlite
