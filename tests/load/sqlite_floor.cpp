// sqlite_floor: what the same rows cost SQLite alone. On a database that a hub has made (and does not serve now), moves
// so many jobs on, each with a change of where it stands and an event with its progress, in transactions of so many,
// one after the other, each on disk before the next begins; prints what it took as JSON. Ends after so many seconds, or
// after so many changes.
//
//   sqlite_floor DATABASE JOBS SECONDS [IN_TRANSACTION [PROGRESS_BYTES [CHANGES]]]
//
// Threads: one.
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/figures.h"
#include "tests/load/peers.h"

namespace {

sqlite3* db = nullptr;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "sqlite_floor: %s: %s\n", what, sqlite3_errmsg(db));
  std::exit(1);
}

void run(const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) give_up(sql.c_str());
}

sqlite3_stmt* prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) give_up(sql.c_str());
  return statement;
}

void step(sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) give_up("step");
  sqlite3_reset(statement);
}

std::int64_t number(const std::string& sql) {
  sqlite3_stmt* statement = prepare(sql);
  const std::int64_t found = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  return found;
}

/// Whatever columns the table has: ?1 is seq, ?2 the job, ?3 the progress, ?4 the event before, ?5 the time; the rest
/// is 1.
std::string insert_event() {
  std::string columns;
  std::string values;
  sqlite3_stmt* names = prepare("SELECT name FROM pragma_table_info('events')");
  while (sqlite3_step(names) == SQLITE_ROW) {
    const std::string name = reinterpret_cast<const char*>(sqlite3_column_text(names, 0));
    columns += (columns.empty() ? "" : ", ") + name;
    const char* const value = name == "seq"        ? "?1"
                              : name == "job"      ? "?2"
                              : name == "progress" ? "?3"
                              : name == "previous" ? "?4"
                              : name == "at"       ? "?5"
                                                   : "1";
    values += (values.empty() ? "" : ", ") + std::string(value);
  }
  sqlite3_finalize(names);
  return "INSERT INTO events (" + columns + ") VALUES (" + values + ")";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: sqlite_floor DATABASE JOBS SECONDS [IN_TRANSACTION [PROGRESS_BYTES [CHANGES]]]\n");
    return 2;
  }
  const std::int64_t jobs = std::atoll(argv[2]);
  const double seconds = std::atof(argv[3]);
  const int in_transaction = argc > 4 ? std::atoi(argv[4]) : 1'000;
  const std::string progress(argc > 5 ? static_cast<std::size_t>(std::atoi(argv[5])) : 60, 'x');
  const std::int64_t changes_max = argc > 6 ? std::atoll(argv[6]) : std::numeric_limits<std::int64_t>::max();

  if (sqlite3_open(argv[1], &db) != SQLITE_OK) give_up("open");
  for (const char* pragma :
       {"journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 4096"}) {
    run(std::string("PRAGMA ") + pragma);
  }
  std::int64_t seq = number("SELECT max(seq) FROM events");
  const std::int64_t last_job = number("SELECT max(n) FROM job_states");
  sqlite3_stmt* const insert = prepare(insert_event());
  sqlite3_stmt* const update =
      prepare("UPDATE job_states SET status = 1, seq = ?2, updated_at = ?3, progress = ?2 WHERE n = ?1");

  using carillon::load::Clock;
  const double cpu_before_us = carillon::load::cpu_us(getpid());
  std::vector<float> latencies_ms;
  const auto begun = Clock::now();
  const auto until = begun + std::chrono::duration<double>(seconds);
  std::int64_t changes = 0;
  while (Clock::now() < until && changes < changes_max) {
    const auto transaction_begun = Clock::now();
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < in_transaction; ++i) {
      const std::int64_t job = last_job - (changes * 7'919) % jobs;
      const std::int64_t at = 1'700'000'000'000 + changes;
      ++seq;
      sqlite3_bind_int64(update, 1, job);
      sqlite3_bind_int64(update, 2, seq);
      sqlite3_bind_int64(update, 3, at);
      step(update);
      sqlite3_bind_int64(insert, 1, seq);
      sqlite3_bind_int64(insert, 2, job);
      sqlite3_bind_text(insert, 3, progress.data(), static_cast<int>(progress.size()), SQLITE_STATIC);
      sqlite3_bind_int64(insert, 4, seq - 1);
      sqlite3_bind_int64(insert, 5, at);
      step(insert);
      ++changes;
    }
    run("COMMIT");
    latencies_ms.push_back(std::chrono::duration<float, std::milli>(Clock::now() - transaction_begun).count());
  }
  const double took = std::chrono::duration<double>(Clock::now() - begun).count();
  const double cpu_us = carillon::load::cpu_us(getpid()) - cpu_before_us;
  std::sort(latencies_ms.begin(), latencies_ms.end());
  carillon::load::print_json({
      {"operations", static_cast<double>(changes)},
      {"failed", 0},
      {"progress_bytes", static_cast<double>(progress.size())},
      {"seconds", took},
      {"changes_per_s", static_cast<double>(changes) / took},
      {"cpu_us", cpu_us / static_cast<double>(changes)},
      {"p50_ms", carillon::load::quantile(latencies_ms, 0.5)},
      {"p99_ms", carillon::load::quantile(latencies_ms, 0.99)},
  });
  sqlite3_finalize(insert);
  sqlite3_finalize(update);
  sqlite3_close(db);
  return 0;
}
